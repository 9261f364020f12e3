import type { FaultEffect, FaultRule } from '../../local/faults';

/** What may go wrong with a step. */
export const FAULTS = ['fails once', 'fails for good', 'times out', 'throttled', 'stopped by hand', 'process killed'] as const;
export type FaultName = (typeof FAULTS)[number];

/** What a fault is here: a rule of the engine, and how the run should end under it. */
export interface Injection {
  /** The model whose calls are meant is added where it is set, unless the rule itself says which part of the event to look for. */
  readonly rule: FaultRule;
  /** Whether the step gets over it, and how. */
  readonly survives: false | 'tried again' | 'went on with its other jobs';
  /** The run is stopped by a person while the rule keeps the step from ending. */
  readonly stopRun?: boolean;
}

/** A step of the pipeline, with what the row of the matrix says of it. */
export interface Step {
  /** Which model has it. */
  readonly model: 'standard' | 'tuned';
  /** Name of the state, as a run's record has it. */
  readonly state: string;
  readonly what: string;
  /** By fault; a text says why a fault cannot strike here. */
  readonly faults: Readonly<Record<FaultName, Injection | string>>;
}

const error = (name: string, message: string, status?: number): FaultEffect => ({ kind: 'error', error: name, message, ...(status && { status }) });

/** A step that a function does; `nameContains` is a part of its event that tells it from other steps of the same function. */
const functionStep = (state: string, what: string, nameContains?: string): Step => {
  const on = (effect: FaultEffect, times: number): FaultRule => ({ on: 'lambda', operation: state, nameContains, times, effect });
  return {
    model: 'standard',
    state,
    what,
    faults: {
      'fails once': { rule: on(error('ServiceException', 'the service had an internal error', 500), 1), survives: 'tried again' },
      'fails for good': { rule: on(error('TypeError', 'something that no retry mends'), 0), survives: false },
      'times out': { rule: on({ kind: 'timeout' }, 1), survives: false },
      throttled: { rule: on(error('TooManyRequestsException', 'Rate exceeded', 429), 2), survives: 'tried again' },
      'stopped by hand': { rule: on(error('TooManyRequestsException', 'Rate exceeded', 429), 0), survives: false, stopRun: true },
      // The worst moment to die: all is written, and nobody was told.
      'process killed': {
        rule: on({ ...error('Runtime.ExitError', 'RequestId: … Error: Runtime exited without providing a reason'), afterRun: true }, 1),
        survives: false,
      },
    },
  };
};

/** A step that is a job of SageMaker. */
const jobStep = (state: string, what: string, operation: string, model: Step['model'] = 'standard'): Step => {
  const on = (effect: FaultEffect, times: number): FaultRule => ({ on: 'sagemaker', operation, times, effect });
  return {
    model,
    state,
    what,
    faults: {
      'fails once': { rule: on(error('InternalFailure', 'the service had an internal error', 500), 1), survives: 'tried again' },
      'fails for good': { rule: on({ kind: 'fail', afterSeconds: 0 }, 0), survives: false },
      'times out': { rule: on({ kind: 'timeout' }, 1), survives: false },
      throttled: { rule: on(error('ThrottlingException', 'Rate exceeded'), 2), survives: 'tried again' },
      'stopped by hand': { rule: on({ kind: 'stop', afterSeconds: 0 }, 1), survives: false },
      'process killed': { rule: on({ kind: 'kill', afterSeconds: 0 }, 1), survives: false },
    },
  };
};

/** A tuning outlives each of its jobs. */
const tuningStep = (state: string, what: string): Step => {
  const { faults, ...step } = jobStep(state, what, 'CreateHyperParameterTuningJob', 'tuned');
  const { rule } = faults['process killed'] as Injection;
  return { ...step, faults: { ...faults, 'process killed': { rule, survives: 'went on with its other jobs' } } };
};

/** A call of SageMaker that makes something and is done. */
const callStep = (state: string, what: string, operation: string): Step => {
  const job = jobStep(state, what, operation);
  const { rule } = job.faults.throttled as Injection;
  return {
    ...job,
    faults: {
      ...job.faults,
      'fails for good': { rule: { ...rule, times: 0, effect: error('ValidationException', 'something that no retry mends') }, survives: false },
      'times out': 'one call: what takes too long is a failure of the service, as in the first column',
      'stopped by hand': { rule: { ...rule, times: 0 }, survives: false, stopRun: true },
      'process killed': 'one call: no process of its own',
    },
  };
};

/** The steps of the standard pipeline, in order, with a processing step and a tuning as a model may have them. */
export const STEPS: readonly Step[] = [
  functionStep('PrepareData', 'validates and splits the data'),
  jobStep('Count', 'processing job, a step of one’s own', 'CreateProcessingJob', 'tuned'),
  jobStep('Train', 'training job', 'CreateTrainingJob'),
  tuningStep('Tune', 'tuning in place of a training'),
  callStep('CreateModel', 'makes the SageMaker model', 'CreateModel'),
  jobStep('ScoreCandidate', 'transform job over the holdout', 'CreateTransformJob'),
  functionStep('Evaluate', 'gate'),
  functionStep('Baseline', 'what the monitor compares with'),
  functionStep('Register', 'the version on record'),
  functionStep('Approve', 'approval by policy'),
  functionStep('StartRelease', 'begins to move the endpoint', '"start"'),
  functionStep('CheckRelease', 'looks whether it has moved, and proves it', '"check"'),
  functionStep('Promote', 'moves the champion pointer'),
  functionStep('FinishPromoted', 'ends the run on record'),
];

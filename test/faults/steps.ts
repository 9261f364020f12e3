import type { FaultEffect, FaultRule } from '../../local/faults';

/** What may go wrong with a step. */
export const FAULTS = ['fails once', 'fails for good', 'times out', 'throttled', 'stopped by hand', 'process killed'] as const;
export type FaultName = (typeof FAULTS)[number];

/** What a fault is here: a rule of the engine, and how the run should end under it. */
export interface Injection {
  /** The model whose calls are meant is added where it is set, unless the rule itself says which part of the event to look for. */
  readonly rule?: FaultRule;
  /** Whether the step gets over it, and how. */
  readonly survives: false | 'tried again' | 'went on with its other jobs';
  /** The run is stopped by a person once it has come to this state, and the rule, if there is one, keeps the step from ending. */
  readonly stopAt?: string;
  /** And a person has been asked, who then decides too late. */
  readonly whenAsked?: boolean;
  /** Of this run alone. */
  readonly hyperparameters?: Readonly<Record<string, string>>;
}

/** Which model a row needs: `fresh` is one without any version or endpoint, of which each case takes its own. */
export type Lane = 'standard' | 'tuned' | 'asked' | 'fresh';

/** A step of the pipeline, with what the row of the matrix says of it. */
export interface Step {
  readonly lane: Lane;
  /** Name of the row: that of the state, or of what the state asks SageMaker for. */
  readonly name: string;
  /** A rollback starts with a champion that has served before; a decision is a person's call while the run waits. */
  readonly run: 'training' | 'rollback' | 'decision';
  /** States that the record of the run may name. */
  readonly states: readonly string[];
  readonly what: string;
  /** By fault; a text says why a fault cannot strike here. */
  readonly faults: Readonly<Record<FaultName, Injection | string>>;
}

type Row = Pick<Step, 'name' | 'what'> & Partial<Step>;

const step = (row: Row, faults: Step['faults']): Step => ({ lane: 'standard', run: 'training', states: [row.name], ...row, faults });

const error = (name: string, message: string, status?: number): FaultEffect => ({ kind: 'error', error: name, message, ...(status && { status }) });

const RETRIED = 'tried again';
const FOR_GOOD = 'something that no retry mends';
const INTERNAL = 'the service had an internal error';
const ONE_CALL = 'one call: what takes too long is a failure of the service, as in the first column';

/** A step that a function does; `nameContains` is a part of its event that tells it from other steps of the same function. */
const functionStep = (row: Row, nameContains?: string): Step => {
  const state = row.states?.[0] ?? row.name;
  const on = (effect: FaultEffect, times: number): FaultRule => ({ on: 'lambda', operation: state, nameContains, times, effect });
  return step(row, {
    'fails once': { rule: on(error('ServiceException', INTERNAL, 500), 1), survives: RETRIED },
    'fails for good': { rule: on(error('TypeError', FOR_GOOD), 0), survives: false },
    'times out': { rule: on({ kind: 'timeout' }, 1), survives: false },
    throttled: { rule: on(error('TooManyRequestsException', 'Rate exceeded', 429), 2), survives: RETRIED },
    'stopped by hand': { rule: on(error('TooManyRequestsException', 'Rate exceeded', 429), 0), survives: false, stopAt: state },
    // The worst moment to die: all is written, and nobody was told.
    'process killed': {
      rule: on({ ...error('Runtime.ExitError', 'RequestId: … Error: Runtime exited without providing a reason'), afterRun: true }, 1),
      survives: false,
    },
  });
};

const onSageMaker =
  (operation: string) =>
  (effect: FaultEffect, times: number): FaultRule => ({ on: 'sagemaker', operation, times, effect });

/** A step that is a job of SageMaker. */
const jobStep = (row: Row, operation: string): Step => {
  const on = onSageMaker(operation);
  return step(row, {
    'fails once': { rule: on(error('InternalFailure', INTERNAL, 500), 1), survives: RETRIED },
    'fails for good': { rule: on({ kind: 'fail', afterSeconds: 0 }, 0), survives: false },
    'times out': { rule: on({ kind: 'timeout' }, 1), survives: false },
    throttled: { rule: on(error('ThrottlingException', 'Rate exceeded'), 2), survives: RETRIED },
    'stopped by hand': { rule: on({ kind: 'stop', afterSeconds: 0 }, 1), survives: false },
    'process killed': { rule: on({ kind: 'kill', afterSeconds: 0 }, 1), survives: false },
  });
};

/** A tuning outlives each of its jobs. */
const tuningStep = (row: Row): Step => {
  const { faults, ...tuning } = jobStep(row, 'CreateHyperParameterTuningJob');
  const { rule } = faults['process killed'] as Injection;
  return { ...tuning, faults: { ...faults, 'process killed': { rule, survives: 'went on with its other jobs' } } };
};

/** A call of SageMaker that makes something and is done. */
const callStep = (row: Row, operation: string): Step => {
  const on = onSageMaker(operation);
  return step(row, {
    'fails once': { rule: on(error('InternalFailure', INTERNAL, 500), 1), survives: RETRIED },
    'fails for good': { rule: on(error('ValidationException', FOR_GOOD), 0), survives: false },
    'times out': ONE_CALL,
    throttled: { rule: on(error('ThrottlingException', 'Rate exceeded'), 2), survives: RETRIED },
    'stopped by hand': { rule: on(error('ThrottlingException', 'Rate exceeded'), 0), survives: false, stopAt: row.states?.[0] ?? row.name },
    'process killed': 'one call: no process of its own',
  });
};

/** Attempts that the client within a function makes before the state hears of an error. */
const CLIENT_ATTEMPTS = 3;

/** The deployment that a release asks for: what becomes of it, once SageMaker has taken the request. */
const deploymentStep = (row: Row, operation: string): Step => {
  const on = onSageMaker(operation);
  return step(
    { states: ['StartRelease', 'CheckRelease'], ...row },
    {
      // Both outlast the client's own attempts, so that the state has to try again.
      'fails once': { rule: on(error('InternalFailure', INTERNAL, 500), CLIENT_ATTEMPTS), survives: RETRIED },
      'fails for good': { rule: on({ kind: 'fail', afterSeconds: 0 }, 0), survives: false },
      'times out': { rule: on({ kind: 'timeout' }, 1), survives: false },
      throttled: { rule: on(error('ThrottlingException', 'Rate exceeded'), CLIENT_ATTEMPTS + 1), survives: RETRIED },
      // A model that takes its time to load: the deployment is under way when the run is stopped.
      'stopped by hand': { survives: false, stopAt: 'WaitForRelease', hyperparameters: { 'load-seconds': '2' } },
      'process killed': { rule: on({ kind: 'kill', afterSeconds: 0 }, 1), survives: false },
    },
  );
};

const AS_ABOVE = 'as in the row above';

/** The request of a deployment, where SageMaker does not take it. */
const refusedDeployment = (row: Row, operation: string): Step => {
  const on = onSageMaker(operation);
  return step(
    { states: ['StartRelease'], ...row },
    {
      'fails once': { rule: on(error('ResourceLimitExceeded', 'no capacity at this moment'), 1), survives: RETRIED },
      'fails for good': { rule: on(error('ValidationException', FOR_GOOD), 0), survives: false },
      'times out': AS_ABOVE,
      throttled: AS_ABOVE,
      'stopped by hand': { rule: on(error('ThrottlingException', 'Rate exceeded'), 0), survives: false, stopAt: 'StartRelease' },
      'process killed': AS_ABOVE,
    },
  );
};

/** A run that is stopped while it waits asks again once it is redriven. */
const questionStep = (row: Row): Step => {
  const { faults, ...question } = functionStep({ ...row, lane: 'asked' });
  return { ...question, faults: { ...faults, 'stopped by hand': { survives: false, stopAt: row.name, whenAsked: true } } };
};

/** A person's call while the run waits: who was not answered calls again, and decides once. */
const decisionStep = (row: Row): Step => {
  const { faults, ...decision } = functionStep({ ...row, lane: 'asked', run: 'decision' });
  return { ...decision, faults: { ...faults, 'stopped by hand': 'a call; the run that waits is stopped in the row above' } };
};

const rollback = (name: string, what: string): Row => ({ name, what, run: 'rollback' });
const ofRollback = (state: string, what: string): Row => ({ ...rollback(`${state} of a rollback`, what), states: [state] });

/**
 * The steps of the standard pipeline, in order, with a processing step and a tuning as a model may have them, and with the approval by a person; then
 * the deployment that a release asks for, and the way of a rollback.
 */
export const STEPS: readonly Step[] = [
  functionStep({ name: 'PrepareData', what: 'validates and splits the data' }),
  jobStep({ name: 'Count', what: 'processing job, a step of one’s own', lane: 'tuned' }, 'CreateProcessingJob'),
  jobStep({ name: 'Train', what: 'training job' }, 'CreateTrainingJob'),
  tuningStep({ name: 'Tune', what: 'tuning in place of a training', lane: 'tuned' }),
  callStep({ name: 'CreateModel', what: 'makes the SageMaker model' }, 'CreateModel'),
  jobStep(
    { name: 'ScoreCandidate', what: 'transform job over the holdout', states: ['ScoreCandidate', 'ScoreChampion', 'ScoreHoldout'] },
    'CreateTransformJob',
  ),
  functionStep({ name: 'Evaluate', what: 'gate' }),
  functionStep({ name: 'Baseline', what: 'what the monitor compares with' }),
  functionStep({ name: 'Register', what: 'the version on record' }),
  functionStep({ name: 'Approve', what: 'approval by policy' }),
  questionStep({ name: 'RequestApproval', what: 'asks a person, and waits' }),
  decisionStep({ name: 'Decide', what: 'takes the person’s decision' }),
  functionStep({ name: 'StartRelease', what: 'begins to move the endpoint' }, '"start"'),
  deploymentStep({ name: 'CreateEndpoint', what: 'the first deployment', lane: 'fresh' }, 'CreateEndpoint'),
  refusedDeployment({ name: 'CreateEndpoint refused', what: 'and its request', lane: 'fresh' }, 'CreateEndpoint'),
  deploymentStep({ name: 'UpdateEndpoint', what: 'a further deployment' }, 'UpdateEndpoint'),
  refusedDeployment({ name: 'UpdateEndpoint refused', what: 'and its request' }, 'UpdateEndpoint'),
  functionStep({ name: 'CheckRelease', what: 'looks whether it has moved, and proves it' }, '"check"'),
  functionStep({ name: 'Promote', what: 'moves the champion pointer' }),
  functionStep({ name: 'FinishPromoted', what: 'ends the run on record' }),
  functionStep(rollback('MovePointer', 'lets an older version be the champion again')),
  callStep(rollback('CreateRollbackModel', 'makes its SageMaker model'), 'CreateModel'),
  functionStep(ofRollback('StartRelease', 'begins to move the endpoint back'), '"start"'),
  functionStep(ofRollback('CheckRelease', 'looks whether it has moved back'), '"check"'),
  functionStep(ofRollback('Promote', 'finds the pointer moved')),
  functionStep(rollback('FinishRolledBack', 'ends the rollback on record')),
];

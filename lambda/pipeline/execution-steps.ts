import type { HistoryEvent } from '@aws-sdk/client-sfn';
import type { RunStep } from '../../lib/tracking/contract';
import { readableCause } from './failed-step';

type References = Record<string, string>;
type Data = Record<string, unknown>;

interface StepOf {
  readonly step: string;
  /** From what the state machine knows when the step has ended, or when it began where it has not. */
  readonly inputs?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
}

const RELEASE: StepOf = {
  step: 'release',
  inputs: { version: 'registered.version', sagemakerModel: 'candidate.sagemakerModelName' },
  outputs: { endpoint: 'release.endpointName', configuration: 'release.endpointConfigName', status: 'release.endpointStatus' },
};
const FINISH: StepOf = { step: 'finish', outputs: { outcome: 'outcome', version: 'version' } };

/** Step of each state, with the places of its references. Several states may be one step. */
const STEP_OF_STATE: Readonly<Record<string, StepOf>> = {
  PrepareData: { step: 'prepare-data', outputs: { manifest: 'prepared.manifestUri', train: 'prepared.trainUri', holdout: 'prepared.holdoutUri' } },
  Train: {
    step: 'train',
    inputs: {
      data: 'prepared.trainUri',
      code: 'prepared.codeUri',
      image: 'prepared.training.image',
      instanceType: 'prepared.training.instanceType',
    },
    outputs: { job: 'trainingJob.TrainingJobName', model: 'trainingJob.ModelArtifacts.S3ModelArtifacts' },
  },
  CreateModel: {
    step: 'create-candidate',
    inputs: { model: 'trainingJob.ModelArtifacts.S3ModelArtifacts', code: 'prepared.codeUri' },
    outputs: { sagemakerModel: 'candidate.sagemakerModelName' },
  },
  ScoreHoldout: {
    step: 'score',
    inputs: { rows: 'prepared.holdoutFeaturesUri', sagemakerModel: 'candidate.sagemakerModelName', champion: 'prepared.champion.version' },
    outputs: { candidate: 'prepared.candidateScoresUri' },
  },
  Evaluate: {
    step: 'evaluate',
    inputs: { holdout: 'prepared.holdoutUri' },
    outputs: { report: 'evaluation.reportUri', passed: 'evaluation.passed' },
  },
  Baseline: {
    step: 'baseline',
    inputs: { train: 'prepared.trainUri', scores: 'prepared.candidateScoresUri' },
    outputs: { baseline: 'baseline.baselineUri' },
  },
  Compare: {
    step: 'compare',
    inputs: { version: 'prepared.rebuildOf.version' },
    outputs: { equal: 'comparison.equal', report: 'comparison.reportUri' },
  },
  Register: {
    step: 'register',
    inputs: { model: 'trainingJob.ModelArtifacts.S3ModelArtifacts', report: 'evaluation.reportUri' },
    outputs: { version: 'registered.version', state: 'registered.state', problem: 'registered.problem' },
  },
  Approve: { step: 'approve', inputs: { version: 'registered.version', reason: 'evaluation.reason' } },
  StartRelease: RELEASE,
  WaitForRelease: RELEASE,
  CheckRelease: RELEASE,
  ReleaseDone: RELEASE,
  Promote: { step: 'promote', inputs: { version: 'registered.version', champion: 'prepared.champion.version' } },
  FinishPromoted: FINISH,
  FinishRejected: FINISH,
  FinishRebuilt: FINISH,
};

interface Seen {
  readonly about: StepOf;
  readonly start: Date;
  end?: Date;
  data: Data;
  extra: References;
  error?: string;
}

/**
 * What the steps of a run did, from its execution's history, oldest event first. A step that was tried again tells of its last attempt; what was
 * under way when the execution ended badly has failed.
 */
export const stepsOf = async (events: AsyncIterable<HistoryEvent> | Iterable<HistoryEvent>): Promise<RunStep[]> => {
  const seen = new Map<string, Seen>();
  let last: Seen | undefined;
  for await (const event of events) {
    const { timestamp: time = new Date(0), type = '', stateEnteredEventDetails: entered, stateExitedEventDetails: exited } = event;
    const about = STEP_OF_STATE[entered?.name ?? exited?.name ?? ''];
    if (about && entered) {
      const before = seen.get(about.step);
      last = before && before.error === undefined ? before : { about, start: time, data: {}, extra: {} };
      last.end = undefined;
      last.data = parsed(entered.input);
      seen.set(about.step, last);
    } else if (about && exited) {
      const ended = seen.get(about.step);
      if (ended) Object.assign(ended, { end: time, data: parsed(exited.output) });
    } else if (last?.about.step === 'train' && event.taskSucceededEventDetails) {
      last.extra = billed(parsed(event.taskSucceededEventDetails.output));
    } else if (/^Execution(Failed|TimedOut|Aborted)$/.test(type)) {
      const details = event.executionFailedEventDetails ?? event.executionTimedOutEventDetails ?? event.executionAbortedEventDetails;
      const error = details?.cause === undefined ? (details?.error ?? type) : `${details.error ?? type}: ${readableCause(details.cause)}`;
      for (const open of seen.values()) if (open.end === undefined) Object.assign(open, { end: time, error });
    }
  }
  return [...seen.values()].map(toStep);
};

const toStep = ({ about, start, end, data, extra, error }: Seen): RunStep => {
  const outputs = error === undefined ? { ...references(about.outputs, data), ...extra } : {};
  return {
    name: about.step,
    status: error !== undefined ? 'FAILED' : end === undefined ? 'RUNNING' : 'FINISHED',
    startTime: start.toISOString(),
    ...(end && { endTime: end.toISOString() }),
    inputs: references(about.inputs, data),
    outputs,
    ...(error === undefined ? {} : { error }),
  };
};

/** What SageMaker bills; what a second costs depends on region and contract, which nothing here knows. */
const billed = (job: Data): References => ({
  ...(typeof job.BillableTimeInSeconds === 'number' ? { billableSeconds: String(job.BillableTimeInSeconds) } : {}),
  ...(typeof job.TrainingTimeInSeconds === 'number' ? { trainingSeconds: String(job.TrainingTimeInSeconds) } : {}),
});

const references = (places: Readonly<Record<string, string>> = {}, data: Data): References =>
  Object.fromEntries(
    Object.entries(places)
      .map(([name, place]) => [name, place.split('.').reduce<unknown>((value, key) => (value as Data | undefined)?.[key], data)] as const)
      .filter(([, value]) => value !== undefined && value !== null && typeof value !== 'object')
      .map(([name, value]) => [name, String(value)]),
  );

const parsed = (text: string | undefined): Data => {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Data) : {};
  } catch {
    return {};
  }
};

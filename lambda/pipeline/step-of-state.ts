/** A step of a run, with the places of its references in what the state machine knows. */
export interface StepOf {
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
const CANDIDATE: StepOf = {
  step: 'create-candidate',
  inputs: { model: 'trainingJob.ModelArtifacts.S3ModelArtifacts', code: 'prepared.codeUri' },
  outputs: { sagemakerModel: 'candidate.sagemakerModelName' },
};
const ROLLBACK_MODEL: StepOf = {
  step: 'create-model',
  inputs: { model: 'prepared.rollback.modelDataUrl', code: 'prepared.rollback.codeUri', image: 'prepared.rollback.image' },
  outputs: { sagemakerModel: 'candidate.sagemakerModelName' },
};
const SCORE: StepOf = {
  step: 'score',
  inputs: { rows: 'prepared.holdoutFeaturesUri', sagemakerModel: 'candidate.sagemakerModelName', champion: 'prepared.champion.version' },
  outputs: { candidate: 'prepared.candidateScoresUri' },
};
const TRAINED = {
  inputs: {
    data: 'prepared.trainUri',
    code: 'prepared.codeUri',
    image: 'prepared.training.image',
    instanceType: 'prepared.training.instanceType',
  },
  outputs: { job: 'trainingJob.TrainingJobName', model: 'trainingJob.ModelArtifacts.S3ModelArtifacts' },
};
export const TUNE_STEP = 'tune';
const TUNE: StepOf = { step: TUNE_STEP, ...TRAINED };
const APPROVE: StepOf = { step: 'approve', inputs: { version: 'registered.version', reason: 'evaluation.reason' } };
const FINISH: StepOf = { step: 'finish', outputs: { outcome: 'outcome', version: 'version' } };

/** Several states may be one step. */
const STEP_OF_STATE: Readonly<Record<string, StepOf>> = {
  PrepareData: { step: 'prepare-data', outputs: { manifest: 'prepared.manifestUri', train: 'prepared.trainUri', holdout: 'prepared.holdoutUri' } },
  Process: { step: 'process', inputs: { data: 'prepared.trainUri' } },
  Train: { step: 'train', ...TRAINED },
  Tune: TUNE,
  DescribeBest: TUNE,
  CreateModel: CANDIDATE,
  CreateModelOfImage: CANDIDATE,
  ScoreHoldout: SCORE,
  ScoreCandidate: SCORE,
  CreateChampion: SCORE,
  CreateChampionOfImage: SCORE,
  ScoreChampion: SCORE,
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
  Approve: APPROVE,
  RequestApproval: APPROVE,
  MovePointer: { step: 'move-pointer', inputs: { version: 'rollbackTo' }, outputs: { version: 'registered.version' } },
  CreateRollbackModel: ROLLBACK_MODEL,
  CreateRollbackModelOfImage: ROLLBACK_MODEL,
  StartRelease: RELEASE,
  WaitForRelease: RELEASE,
  CheckRelease: RELEASE,
  ReleaseDone: RELEASE,
  Promote: { step: 'promote', inputs: { version: 'registered.version', champion: 'prepared.champion.version' } },
  FinishPromoted: FINISH,
  FinishRejected: FINISH,
  FinishRebuilt: FINISH,
  FinishRolledBack: FINISH,
};

/** States that decide or pass on, and do nothing that a person would call a step. */
const NO_STEPS = new Set(['Kind', 'MakesVersion', 'GatePassed', 'ChampionMoved', 'NextRound', 'ChampionPresent', 'NoChampion']);

/** What does work; the other types of states decide, wait and pass on. */
const WORKING = /^(Task|Parallel|Map)State/;

/** The step that a state belongs to; a user's own states are steps by their own names. */
export const stepOfState = (name: string | undefined, eventType: string): StepOf | undefined => {
  if (name === undefined) return undefined;
  const known = Object.hasOwn(STEP_OF_STATE, name) ? STEP_OF_STATE[name] : undefined;
  if (known || NO_STEPS.has(name) || !WORKING.test(eventType)) return known;
  return { step: name };
};

/** How a state is called where steps are told. */
export const stepNameOf = (state: string): string => (Object.hasOwn(STEP_OF_STATE, state) ? STEP_OF_STATE[state].step : state);

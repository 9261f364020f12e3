// Shared by synth time and run time: imports nothing.

export const PIPELINE_ENV = {
  /** JSON of PipelineSpec. */
  spec: 'MLOPS_PIPELINE_SPEC',
  /** JSON of InstancePrices; absent where none are stated. */
  prices: 'MLOPS_INSTANCE_PRICES',
} as const;

/** What the pipeline's functions know about the model at synth. */
export interface PipelineSpec {
  readonly model: string;
  readonly task: { readonly kind: string; readonly target: string; readonly timeColumn?: string; readonly positiveLabel?: string };
  /** Newest part of the data kept out of training: days where a time column exists, else a share of rows. */
  readonly holdout: { readonly days?: number; readonly share?: number };
  readonly gate: GateSpec;
  /** Absent: no permutation importance. */
  readonly importance?: ImportanceSpec;
  readonly training: {
    readonly image: string;
    readonly instanceType: string;
    /** Script of the code, `train` where the image holds all code. */
    readonly entryPoint: string;
    /** `s3://…` archive of the code; the image itself where that holds all code, see `hasCode`. */
    readonly codeUri: string;
    readonly codeSha256?: string;
    /** Whether the training reads the target in the first column and no header, as SageMaker's built-in algorithms do. */
    readonly targetFirst?: boolean;
    /** Whether the code comes in as the channel `code`: a container without network cannot fetch it. */
    readonly codeChannel?: boolean;
  };
  readonly hyperparameters: Readonly<Record<string, string>>;
  readonly commit?: string;
  readonly dirty?: boolean;
  /** Who answers for the model. */
  readonly owner?: string;
  /** What a version must have before it reaches a state. */
  readonly registryRules?: readonly {
    readonly state: 'Incomplete' | 'PendingApproval' | 'Approved' | 'Rejected' | 'Production' | 'Archived';
    readonly person?: boolean;
    readonly twoPerson?: boolean;
    readonly evidence?: boolean;
  }[];
  readonly minimumTrainingRows: number;
  /** What the names of all jobs and models begin with: the endpoint's name, ≤ 39 characters, lower case. */
  readonly jobNamePrefix: string;
}

/** Whether code lies in an archive of its own, beside the image; an image that holds all code stands in the archive's place. */
export const hasCode = (codeUri: string): boolean => codeUri.startsWith('s3://');

/** Where SageMaker puts the code that comes in as a channel. */
export const CODE_CHANNEL_PATH = '/opt/ml/input/data/code/sourcedir.tar.gz';

/**
 * What a candidate has to prove on the holdout. Every rule is judged and reported; what cannot be computed fails the gate closed.
 */
export interface GateSpec {
  /** Decides between candidate and champion. */
  readonly metric: string;
  /**
   * By how much the candidate has to be better, as a share of the champion's value. Negative: by how much it may be worse (non-inferiority). The
   * lower end of the paired interval has to reach it.
   */
  readonly minimumImprovement: number;
  /** One-sided confidence of the paired interval, e.g. 0.95. */
  readonly confidence: number;
  /** Blocks (days, else rows) that the interval needs; with fewer the gate does as `fewBlocks` says. */
  readonly minimumBlocks: number;
  /** widen: Student's t over the blocks in place of the bootstrap, which is wider; refuse: the gate is not passed. */
  readonly fewBlocks: 'widen' | 'refuse';
  readonly bounds: readonly { readonly metric: string; readonly worseThan: number }[];
  /** No group of the column's values with `minimumRows` rows may be worse than the bound. */
  readonly groups: readonly { readonly column: string; readonly metric: string; readonly worseThan: number; readonly minimumRows: number }[];
  /** Mean time per row of the transform job that scored the holdout, in milliseconds. */
  readonly maximumMillisecondsPerRow?: number;
  /** Size of model.tar.gz. */
  readonly maximumModelBytes?: number;
  /** Largest share of holdout rows that may also be training rows of the candidate or of the champion: honest duplicates. */
  readonly allowedDuplicateShare: number;
  /** Columns that identify a row; all columns where absent. */
  readonly rowKey?: readonly string[];
}

/** How much worse the candidate gets where a feature's values are shuffled: which rows are scored for it. */
export interface ImportanceSpec {
  /** How often each feature is shuffled. */
  readonly repeats: number;
  /** Holdout rows that are sampled at most. */
  readonly maxSamples: number;
  /** Rows that are scored at most, of all features and repeats: with many features the sample is smaller. */
  readonly maximumRows: number;
}

/** Who lets a version that has passed the gate serve. */
export interface ApprovalSpec {
  readonly policy: 'automatic' | 'manual' | 'two-person';
  /** Absent for automatic. */
  readonly expirySeconds?: number;
  readonly reminderSeconds?: number;
  /** Roles whose sessions alone may decide, by ARN; absent: whoever IAM lets call the function that decides. */
  readonly approverRoles?: readonly string[];
}

/** Input of the state machine; the execution's name is the runId. */
export interface PipelineInput {
  readonly model: string;
  readonly runId: string;
  readonly causeId: string;
  readonly cause: string;
  readonly occurredAt: string;
  /**
   * Version that the run makes once more from its record. Such a run is compared with the record and ends there: it registers and promotes nothing,
   * is no retraining, and so stands outside the governor's lock.
   */
  readonly rebuildOf?: number;
  /**
   * Version that shall serve again. Such a run trains nothing: it checks artifact and image, moves the champion pointer, then the endpoint, and
   * stands outside the governor's lock.
   */
  readonly rollbackTo?: number;
  /** Only with `rollbackTo`: version that must be serving, or have been replaced by this very run; where another one serves nothing is changed. */
  readonly rollbackFrom?: number;
  readonly overrides?: RunOverrides;
  /** Session ARN of the person or program that asked; absent where a schedule, a monitor or a rule did. */
  readonly startedBy?: string;
}

/** What a single run does otherwise than the app says; stands in the run's configuration and on record. */
export interface RunOverrides {
  /** Keys below `datasets/<model>/` that the run reads only, e.g. `2012/`. */
  readonly dataPrefix?: string;
  /** Commit of DVC or lakeFS that the data came from; stands in the manifest. */
  readonly dataCommit?: string;
  readonly hyperparameters?: Readonly<Record<string, string>>;
}

/** Output of the first step; references only. */
export interface PreparedData {
  /** Start of every job's name: `jobNamePrefix`, a hash of the execution and the round as one digit, ≤ 52 characters. */
  readonly jobNameBase: string;
  /** 0; grows each time another champion is found before the release, and the candidate is judged once more. */
  readonly round: number;
  readonly manifestUri: string;
  /**
   * Training code in the run's own artifacts: what a version needs must not depend on the stack that deployed it. The image where that holds all
   * code, see `hasCode`.
   */
  readonly codeUri: string;
  /** The run's PipelineSpec as JSON: what a version was made with must not depend on what is deployed later. */
  readonly configuration: { readonly uri: string; readonly sha256: string };
  /** What training job and model are made from. */
  readonly training: {
    readonly image: string;
    readonly entryPoint: string;
    readonly instanceType: string;
    /** Only where `targetFirst`: the training rows in that layout. */
    readonly dataUri?: string;
    /** Of the script and of the container. */
    readonly hyperParameters: Readonly<Record<string, string>>;
  };
  readonly rebuildOf: { readonly present: boolean; readonly version: number | null };
  /** Channel: CSV with header. */
  readonly trainUri: string;
  /** CSV with header and target, for evaluation. */
  readonly holdoutUri: string;
  /** CSV without header and target, the rows as a client would send them. */
  readonly holdoutFeaturesUri: string;
  /** Prefix of what the candidate scores: the rows of `holdoutFeaturesUri`, and permuted ones where the run makes a permutation importance. */
  readonly candidateInputUri: string;
  readonly candidateScoresUri: string;
  readonly championScoresUri: string;
  readonly modelOutputUri: string;
  /**
   * What the candidate has to beat, with all that a SageMaker model of it is made from. Always with all fields, null where there is no champion: a
   * state machine's paths fail on what is absent.
   */
  readonly champion: {
    readonly present: boolean;
    readonly version: number | null;
    readonly image: string | null;
    readonly modelDataUrl: string | null;
    readonly codeUri: string | null;
    readonly entryPoint: string | null;
    /** Data manifest of the run that made it. */
    readonly manifestUri: string | null;
  };
  /** In a rollback: what the version that shall serve again is made from, `present: true`. In every other run only `present: false`. */
  readonly rollback: {
    readonly present: boolean;
    readonly image?: string;
    readonly modelDataUrl?: string;
    /** Null where the image holds all code. */
    readonly codeUri?: string | null;
    readonly entryPoint?: string | null;
  };
}

/** Input of the function `register` in a rollback. */
export interface RollbackRequest {
  readonly rollbackTo: number;
  readonly model: string;
  readonly runId: string;
  readonly causeId: string;
  readonly cause: string;
  readonly occurredAt: string;
  /** Input of the execution, as a whole: `startedBy` may be absent. */
  readonly request: PipelineInput;
  readonly executionArn: string;
  readonly startTime: string;
}

/** Answer of the function `register` in a rollback: the data of a run that has reached the release. */
export interface RollbackStart {
  readonly model: string;
  readonly runId: string;
  /** `champion.version` is the version itself: the pointer has moved. `round` is 0. */
  readonly prepared: Pick<PreparedData, 'jobNameBase' | 'round' | 'rollback'> & { readonly champion: { readonly version: number } };
  readonly registered: { readonly version: number };
  readonly evaluation: { readonly reason: string };
}

/** What the state machine knows of the scoring of the holdout by the candidate; times as SageMaker tells them. */
export interface HoldoutScoring {
  readonly candidate: { readonly TransformStartTime?: string | number; readonly TransformEndTime?: string | number };
}

export interface EvaluationResult {
  readonly passed: boolean;
  readonly reason: string;
  readonly reportUri: string;
  /** The same report as a page for a person. */
  readonly htmlUri?: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly championMetrics?: Readonly<Record<string, number>>;
}

/** How a version that was made once more compares with its record. */
export interface RebuildComparison {
  readonly equal: boolean;
  /** Version that was made once more. */
  readonly version: number;
  /** Fields and files that were compared. */
  readonly compared: number;
  /** First field that differs, with both values. */
  readonly difference?: RebuildDifference;
  /** JSON with every difference. */
  readonly reportUri: string;
}

export interface RebuildDifference {
  readonly field: string;
  readonly recorded: string;
  readonly rebuilt: string;
}

/** Errors that end a run for good; the state machine and the failure handler know them by name. */
export const PIPELINE_ERRORS = {
  /** The training data cannot be used; the message names file, row and rule. */
  dataInvalid: 'DataInvalid',
  /** The record of the version lacks what a rebuild needs; the message names it. */
  notRebuildable: 'NotRebuildable',
  /** The gate could not be computed (a metric or a score file is missing): it fails closed. */
  gateIncomplete: 'GateIncomplete',
  /** Nobody approved the version in time. */
  approvalExpired: 'ApprovalExpired',
  /** A person said no. */
  approvalRejected: 'ApprovalRejected',
  /** The version to roll back to never served, or its artifact or image is gone; the message says which. */
  notRollbackable: 'NotRollbackable',
  /** The live endpoint is not what was wanted after the update: rolled back, failed or still on another configuration. */
  releaseFailed: 'ReleaseFailed',
} as const;

/** What is worth another try: throttling, capacity and 5xx; nothing else. */
export const RETRYABLE_ERRORS = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'InternalServerError',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'InternalError',
  // As a client within a function names what a state of SageMaker names below.
  'InternalFailure',
  'ResourceLimitExceeded',
  'SageMaker.ThrottlingException',
  'SageMaker.InternalFailureException',
  'SageMaker.ServiceUnavailableException',
  'SageMaker.ResourceLimitExceededException',
] as const;

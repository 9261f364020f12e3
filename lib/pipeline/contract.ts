// Shared by synth time and run time: imports nothing.

export const PIPELINE_ENV = {
  /** JSON of PipelineSpec. */
  spec: 'MLOPS_PIPELINE_SPEC',
} as const;

/** What the pipeline's functions know about the model at synth. */
export interface PipelineSpec {
  readonly model: string;
  readonly task: { readonly kind: string; readonly target: string; readonly timeColumn?: string; readonly positiveLabel?: string };
  /** Newest part of the data kept out of training: days where a time column exists, else a share of rows. */
  readonly holdout: { readonly days?: number; readonly share?: number };
  readonly gate: GateSpec;
  readonly training: {
    readonly image: string;
    readonly entryPoint: string;
    readonly instanceType: string;
    readonly codeUri: string;
    readonly codeSha256: string;
  };
  readonly hyperparameters: Readonly<Record<string, string>>;
  readonly commit?: string;
  readonly dirty?: boolean;
  /** Who answers for the model. */
  readonly owner?: string;
  /** What a version must have before it reaches a state. */
  readonly registryRules?: readonly {
    readonly state: 'Incomplete' | 'PendingApproval' | 'Approved' | 'Rejected' | 'Production' | 'Archived';
    readonly twoPerson?: boolean;
    readonly evidence?: boolean;
  }[];
  readonly minimumTrainingRows: number;
  /** What the names of all jobs and models begin with: the endpoint's name, ≤ 39 characters, lower case. */
  readonly jobNamePrefix: string;
}

/** `metric` decides; the candidate must be better than the champion by `minimumImprovement` (share, 0 = not worse), and keep the absolute bounds. */
export interface GateSpec {
  readonly metric: string;
  readonly minimumImprovement: number;
  readonly bounds: readonly { readonly metric: string; readonly worseThan: number }[];
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
}

/** Output of the first step; references only. */
export interface PreparedData {
  /** Start of every job's name: `jobNamePrefix` and a hash of the execution, ≤ 52 characters. */
  readonly jobNameBase: string;
  readonly manifestUri: string;
  /** Training code in the run's own artifacts: what a version needs must not depend on the stack that deployed it. */
  readonly codeUri: string;
  /** The run's PipelineSpec as JSON: what a version was made with must not depend on what is deployed later. */
  readonly configuration: { readonly uri: string; readonly sha256: string };
  /** What training job and model are made from. */
  readonly training: {
    readonly image: string;
    readonly entryPoint: string;
    readonly instanceType: string;
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
  };
}

export interface EvaluationResult {
  readonly passed: boolean;
  readonly reason: string;
  readonly reportUri: string;
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
  'SageMaker.ThrottlingException',
  'SageMaker.InternalFailureException',
  'SageMaker.ServiceUnavailableException',
  'SageMaker.ResourceLimitExceededException',
] as const;

// Shared by synth time and run time: imports nothing.

export const TRACKING_ENV = { runsTable: 'MLOPS_RUNS_TABLE' } as const;

/** Sorts ascending what is newest first: times (ms since 1970, also negative ones) turned around, 20 digits. */
const newestFirst = (time: number): string => (9_007_199_254_740_991n - BigInt(time)).toString().padStart(20, '0');

/**
 * Runs table, keys pk and sk. A row holds everything that a search needs; what does not fit into a row stands in `MORE#` items of its own partition.
 *   EXPERIMENTS              <experimentId>                 row of an experiment
 *   EXPERIMENT-NAME#<name>   NAME                           claim of a name: experimentId
 *   EXPERIMENT#<id>          RUN#<newest first>#<runId>     row of a run: fields, params, tags, latest metrics, inputs, outputs
 *   EXPERIMENT#<id>          MODEL#<newest first>#<modelId> row of a logged model
 *   EXPERIMENT#<id>#<tag>=<value>  RUN#<newest first>#<runId>  index of the tags in INDEXED_TAGS
 *   RUN#<runId>              META                           where the row is: experimentId, startTime
 *   RUN#<runId>              MORE#<kind>#<n>                params, tags, metrics, datasets, models that the row has no room for (packed)
 *   LOGGED#<modelId>         MORE#<kind>#<n>                the same of a logged model
 *   RUN#<runId>              STEP#<name>                    one step of a pipeline (last attempt)
 *   RUN#<runId>#POINTS#<bucket>  <time>#<hash>              metric points of one write, of the metrics of that bucket (packed)
 *   LOGGED#<modelId>         META                           where the row is
 *   NODE#<kind>#<id>         IN#/OUT#<kind>#<id>            lineage: what a thing was made from, and what was made from it
 */
export const TRACKING_KEYS = {
  experiments: 'EXPERIMENTS',
  experimentName: (name: string) => `EXPERIMENT-NAME#${name}`,
  nameSort: 'NAME',
  experiment: (experimentId: string) => `EXPERIMENT#${experimentId}`,
  runRow: (startTime: number, runId: string) => `RUN#${newestFirst(startTime)}#${runId}`,
  runRowPrefix: 'RUN#',
  loggedModelRow: (createdAt: number, modelId: string) => `MODEL#${newestFirst(createdAt)}#${modelId}`,
  loggedModelRowPrefix: 'MODEL#',
  run: (runId: string) => `RUN#${runId}`,
  loggedModel: (modelId: string) => `LOGGED#${modelId}`,
  meta: 'META',
  more: (kind: string, n: number) => `MORE#${kind}#${String(n).padStart(6, '0')}`,
  morePrefix: 'MORE#',
  step: (name: string) => `STEP#${name}`,
  stepPrefix: 'STEP#',
  points: (runId: string, bucket: number) => `RUN#${runId}#POINTS#${String(bucket).padStart(2, '0')}`,
  node: ({ kind, id }: LineageNode) => `NODE#${kind}#${id}`,
} as const;

/** Tags by whose value the runs of an experiment are found without reading the others. */
export const INDEXED_TAGS = ['mlflow.parentRunId', 'mlflow.runName', 'mlflow.user', 'mlops.version', 'mlops.dataId'] as const;

/** The experiment that MLflow's client logs to where none was set. */
export const DEFAULT_EXPERIMENT = { id: '0', name: 'Default' } as const;

/** MLflow's run statuses. */
export type RunStatus = 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';
export type LifecycleStage = 'active' | 'deleted';

/** Times are ms since 1970. */
export interface Experiment {
  readonly experimentId: string;
  readonly name: string;
  readonly artifactLocation: string;
  readonly lifecycleStage: LifecycleStage;
  readonly creationTime: number;
  readonly lastUpdateTime: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** NaN is a value; infinities are the largest numbers. */
export interface MetricPoint {
  readonly key: string;
  readonly value: number;
  /** ms since 1970. */
  readonly timestamp: number;
  readonly step: number;
  /** Logged model that the point is about. */
  readonly modelId?: string;
  readonly datasetName?: string;
  readonly datasetDigest?: string;
}

export interface DatasetInput {
  readonly name: string;
  readonly digest: string;
  readonly sourceType: string;
  readonly source: string;
  readonly schema?: string;
  readonly profile?: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** A run of a pipeline or of anybody's own code. Times are ms since 1970. */
export interface Run {
  readonly runId: string;
  readonly experimentId: string;
  readonly name: string;
  readonly userId: string;
  readonly status: RunStatus;
  readonly startTime: number;
  readonly endTime?: number;
  readonly lifecycleStage: LifecycleStage;
  readonly artifactUri: string;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** Latest point of each metric: highest step, then time, then value. */
  readonly metrics: Readonly<Record<string, MetricPoint>>;
  readonly datasets: readonly DatasetInput[];
  readonly modelInputs: readonly string[];
  readonly modelOutputs: readonly { readonly modelId: string; readonly step: number }[];
  /** Only for runs of a pipeline. */
  readonly pipeline?: PipelineRun;
}

export type LoggedModelStatus = 'LOGGED_MODEL_PENDING' | 'LOGGED_MODEL_READY' | 'LOGGED_MODEL_UPLOAD_FAILED';

/** A model that a run logged; MLflow 3 keeps it beside the run. Times are ms since 1970. */
export interface LoggedModel {
  /** `m-` and 32 hexadecimal digits. */
  readonly modelId: string;
  readonly experimentId: string;
  readonly name: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly artifactUri: string;
  readonly status: LoggedModelStatus;
  readonly statusMessage?: string;
  readonly modelType?: string;
  readonly sourceRunId?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: readonly (MetricPoint & { readonly runId: string })[];
}

/** Ends of lineage edges: a data manifest (`dataId`) or digest of a data set, a run, a version (`<model>/<number>`), an endpoint, predictions. */
export interface LineageNode {
  readonly kind: 'data' | 'run' | 'version' | 'endpoint' | 'predictions';
  readonly id: string;
}

export interface LineageEdge {
  readonly node: LineageNode;
  /** ISO 8601. */
  readonly at: string;
}

/** How a finished run ended; `rebuilt` made a version once more to compare it with its record, `rolled-back` let an older version serve again. */
export type RunOutcome = 'promoted' | 'rejected' | 'rebuilt' | 'rolled-back';

/** What a pipeline records about a run beyond what every run has. */
export interface PipelineRun {
  readonly model: string;
  readonly executionArn: string;
  readonly causeId: string;
  readonly cause: string;
  readonly outcome?: RunOutcome;
  readonly version?: number;
  /** Session ARN of the person or program that asked for the run; absent where a monitor, a schedule or a rule did. */
  readonly startedBy?: string;
  readonly error?: RunFailure;
  /** Prices that its cost is reckoned by; absent where none are stated. */
  readonly prices?: InstancePrices;
  /** What its jobs are billed for so far, failed and repeated ones included. */
  readonly billed?: readonly BilledInstances[];
  /** Jobs of which nobody tells what they are billed for. */
  readonly unbilled?: readonly string[];
  /** What its jobs cost so far, in US dollars; absent where a price or a bill is unknown, since a part would look like the whole. */
  readonly costUsd?: number;
}

/** Why a run ended badly. */
export interface RunFailure {
  readonly step: string;
  readonly name: string;
  readonly message: string;
  /** Of the process in the container, where SageMaker told it. */
  readonly exitCode?: number;
  /** Job that failed. */
  readonly job?: string;
  readonly logs?: LogPlace;
}

/** Where the lines of a job or function are, in CloudWatch Logs. */
export interface LogPlace {
  readonly group: string;
  /** A stream, or what the names of the streams begin with where it ends with a slash or a hyphen. */
  readonly stream: string;
  /** Page of the AWS console. */
  readonly url?: string;
}

/** US dollars for an hour of one instance, by its type. */
export type InstancePrices = Readonly<Record<string, number>>;

/** Time of all instances of one type. */
export interface BilledInstances {
  readonly instanceType: string;
  readonly seconds: number;
}

/** A run of a pipeline as its steps and the command line know it; times are ISO 8601. */
export interface RunMeta extends PipelineRun {
  readonly runId: string;
  readonly status: RunStatus;
  readonly startTime: string;
  readonly endTime?: string;
}

export interface RunStep {
  readonly name: string;
  readonly status: 'RUNNING' | 'FINISHED' | 'FAILED';
  readonly startTime: string;
  readonly endTime?: string;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly error?: string;
  /** Of the function or job that did it, where known. */
  readonly logs?: LogPlace;
  /** What the jobs of its last attempt cost, in US dollars; absent where a price or a bill is unknown. */
  readonly costUsd?: number;
}

export interface RunRecord extends RunMeta {
  readonly steps: readonly RunStep[];
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Names of errors that callers match on. */
export const TRACKING_ERRORS = {
  notFound: 'RunNotFound',
  experimentNotFound: 'ExperimentNotFound',
  loggedModelNotFound: 'LoggedModelNotFound',
  /** The name is taken, also by a deleted experiment. */
  exists: 'AlreadyExists',
  /** The run is another one, or has ended in a way that what was asked would contradict. */
  conflict: 'RunConflict',
  /** What was asked needs an active run or experiment. */
  deleted: 'NotActive',
  /** A parameter has another value already. */
  paramChanged: 'ParamChanged',
  /** One batch names a parameter twice. */
  paramTwice: 'ParamTwice',
  /** More than one record holds. */
  tooLarge: 'TooLarge',
} as const;

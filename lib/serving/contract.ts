// Shared by synth time and run time: imports nothing.

export const SERVING_ENV = {
  /** JSON of `Record<endpointName, WatchedModel>`: models whose alarms roll a version back after its promotion. */
  watched: 'MLOPS_WATCHED_MODELS',
  /** JSON of ServingSpec. */
  spec: 'MLOPS_SERVING_SPEC',
  deliveryStream: 'MLOPS_DELIVERY_STREAM',
} as const;

/** The one production variant; updates with traffic shifting need the name to stay. */
export const VARIANT_NAME = 'primary';

/** Tag of every endpoint, endpoint configuration and model that is made at run time; its value is the endpoint's name. */
export const ENDPOINT_TAG = 'cdk-mlops:endpoint';

/** Tag of a configuration that did not prove itself once it served; its value tells why. */
export const REFUSED_TAG = 'cdk-mlops:refused';

/** Tag of a version whose release has failed; its value tells why, and `released` once a redrive has released it after all. */
export const RELEASE_TAG = 'mlops.release';

/** Marks smoke requests where they are captured. */
export const SMOKE_ATTRIBUTES = 'mlops-smoke-request';
/** Inference ids that begin so are those of smoke requests: monitors count them, and nothing else of them. */
export const SMOKE_ID_PREFIX = 'smoke-v';
/** Whether a request proves a version and asks for nothing else. */
export const isSmokeRequest = ({ inferenceId, customAttributes }: { readonly inferenceId: string; readonly customAttributes?: string }): boolean =>
  customAttributes === SMOKE_ATTRIBUTES || inferenceId.startsWith(SMOKE_ID_PREFIX);
/** At most 47 characters: SageMaker takes 64. */
export const smokeInferenceId = (version: number, request: string): string => `${SMOKE_ID_PREFIX}${version}-${request}`;

/** Jobs, models and configurations of an endpoint are named `<endpoint>-…`; endpoint names have at most this many characters. */
export const ENDPOINT_NAME_MAX_LENGTH = 39;

/** How a model is served; the pipeline makes the endpoint configuration from it. */
export interface ServingSpec {
  readonly model: string;
  readonly endpointName: string;
  readonly kind: 'SERVERLESS' | 'REAL_TIME';
  readonly memorySizeInMb?: number;
  readonly maxConcurrency?: number;
  readonly instanceType?: string;
  readonly initialInstanceCount?: number;
  /** Share of requests that instance endpoints record, 1 to 100; serverless endpoints record all through the recording function. */
  readonly captureSamplingPercentage: number;
  /** `s3://bucket/capture` */
  readonly captureUri: string;
  readonly kmsKeyArn?: string;
  readonly deployment: DeploymentSpec;
  /** `s3://…` JSON list of SmokeRequestSpec; absent where the app states none. */
  readonly smokeRequestsUri?: string;
}

/** A request with the answer that every version has to give. */
export interface SmokeRequestSpec {
  /** Names it in messages, and in its inference id. */
  readonly name: string;
  readonly body: string;
  /** Whether `body` is base64 of what is sent. */
  readonly base64?: boolean;
  readonly contentType: string;
  readonly accept?: string;
  /** JSON where it is a list or an object; else text, whose numbers are compared as numbers. */
  readonly expected: string;
  /** Largest distance of a number from the expected one; absent: SMOKE_TOLERANCE of it. */
  readonly tolerance?: number;
}

/**
 * How far an answer may be from the expected number, relative to it (or to 1 where that is smaller): the order in which a container adds up may
 * differ between one row and a batch, nothing else.
 */
export const SMOKE_TOLERANCE = 1e-5;

/** How traffic moves to another configuration, and what moves it back. */
export interface DeploymentSpec {
  /** The only one for serverless endpoints. */
  readonly strategy: 'ALL_AT_ONCE' | 'CANARY' | 'LINEAR' | 'ROLLING';
  /** Share of capacity that a step moves, in percent: canary and linear step size, batch of a rolling update. */
  readonly stepPercentage?: number;
  /** Between two steps. */
  readonly waitSeconds?: number;
  /** How long the old fleet stays after the last step, so that traffic can go back at once. */
  readonly bakeSeconds: number;
  /** Rollback alarms on the new configuration's own dimension: share of requests answered with 5xx, and model latency (p90, microseconds). */
  readonly maximumErrorShare: number;
  readonly maximumLatencyMicroseconds?: number;
  /** After the promotion: how long an alarm of these rolls the version back by itself; 0 never. */
  readonly watchSeconds: number;
  /** Rows of the holdout that are sent as smoke requests, with the candidate's own scores as expected answers; 0 none. */
  readonly smokeRows: number;
}

/** Name of a rollback alarm: of one configuration, so that an old fleet's errors do not condemn the new one. */
export const rollbackAlarmName = (endpointConfigName: string, kind: RollbackAlarmKind): string => `${endpointConfigName}-${kind}`;

export type RollbackAlarmKind = 'errors' | 'latency';

/** Time that SageMaker gets to bring up the new fleet, on top of all waits of a deployment. */
const FLEET_SECONDS = 1_800;
/** SageMaker takes execution timeouts between these. */
const SHORTEST_EXECUTION_SECONDS = 600;
export const LONGEST_EXECUTION_SECONDS = 28_800;

/** Sum of the waits that a deployment makes by itself. */
export const deploymentWaitSeconds = ({ strategy, stepPercentage = 100, waitSeconds = 0, bakeSeconds }: DeploymentSpec): number => {
  const steps = strategy === 'CANARY' ? 1 : strategy === 'ALL_AT_ONCE' ? 0 : Math.ceil(100 / stepPercentage);
  return steps * waitSeconds + bakeSeconds;
};

/** After this time SageMaker gives a deployment up and goes back; more than the sum of its waits. */
export const deploymentTimeoutSeconds = (deployment: DeploymentSpec): number =>
  Math.max(SHORTEST_EXECUTION_SECONDS, deploymentWaitSeconds(deployment) + FLEET_SECONDS);

/** What the function knows that starts rollbacks after a promotion. */
export interface WatchedModel {
  readonly model: string;
  readonly stateMachineArn: string;
  readonly watchSeconds: number;
}

/** Input of the release function. */
export interface ReleaseRequest {
  readonly action: 'start' | 'check';
  readonly version: number;
  /** Stands in the event of a release that failed. */
  readonly runId?: string;
  readonly sagemakerModelName: string;
  readonly endpointConfigName: string;
  /** Champion that the version was judged against, null for none; a release does not start where another one has taken its place. */
  readonly expectedChampion: number | null;
  /**
   * PreparedData of a training run. With `start`: what the run goes back to the holdout with where another champion has come. With `check`: where
   * the rows and expected answers of the smoke requests lie.
   */
  readonly prepared?: unknown;
  /** Whether an older version is brought back: a deployment that is still under way towards another one is then turned round. */
  readonly rollback?: boolean;
  /** Redrive count of the execution: a check after a redrive starts the release anew, since what it watched has failed. */
  readonly redriveCount: number;
  /** `check`: from the last answer. */
  readonly startedAtRedrive?: number;
  /** `check`: from the last answer. */
  readonly previousEndpointConfigName?: string;
}

export interface ReleaseStatus {
  readonly done: boolean;
  /** Only with `start`: nothing was touched, since another version serves than the one that the candidate was judged against. */
  readonly championMoved: boolean;
  /** Where the champion moved: `prepared` of the next round, with the new champion, the next `round` and its `jobNameBase`. */
  readonly prepared?: unknown;
  readonly endpointStatus: string;
  readonly endpointName: string;
  readonly endpointConfigName: string;
  readonly startedAtRedrive: number;
  /** Configuration that served before and is kept for a rollback; empty at the first release. */
  readonly previousEndpointConfigName: string;
}

/** Payload of the recording function: what InvokeEndpoint takes. `body` is text, or base64 where `isBase64Encoded`. */
export interface RecordedInvocation {
  readonly body: string;
  readonly isBase64Encoded?: boolean;
  readonly contentType?: string;
  readonly accept?: string;
  readonly inferenceId?: string;
  readonly customAttributes?: string;
}

/** Answer of the recording function: what InvokeEndpoint answers. Status other than 2xx carries the model's or SageMaker's message in `body`. */
export interface RecordedAnswer {
  readonly statusCode: number;
  readonly body: string;
  readonly isBase64Encoded?: boolean;
  readonly contentType?: string;
  readonly invokedProductionVariant?: string;
  readonly inferenceId: string;
}

/** One line of the capture files. */
export interface CaptureRecord {
  readonly captureData: {
    readonly endpointInput?: CapturedBody;
    readonly endpointOutput?: CapturedBody;
  };
  readonly eventMetadata: {
    readonly eventId: string;
    readonly inferenceId?: string;
    readonly inferenceTime: string;
    readonly customAttributes?: readonly string[];
  };
  readonly eventVersion: '0';
}

export interface CapturedBody {
  readonly observedContentType: string;
  readonly mode: 'INPUT' | 'OUTPUT';
  readonly data: string;
  readonly encoding: 'CSV' | 'JSON' | 'BASE64';
}

/** One line of the label files: the last label version of an id and row wins, among equal ones the one observed last. */
export interface LabelRecord {
  readonly inferenceId: string;
  readonly rowIndex: number;
  /** Null takes an earlier label back. */
  readonly value: string | number | null;
  readonly observedAt: string;
  readonly labelVersion: number;
}

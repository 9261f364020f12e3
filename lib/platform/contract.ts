// Shared by synth time and run time: imports nothing.

/**
 * SSM parameters through which programs find a deployed platform (one String parameter each, JSON):
 *   /cdk-mlops/<platform>/platform        PlatformResources
 *   /cdk-mlops/<platform>/models/<model>  ModelResources
 */
export const PARAMETER_ROOT = '/cdk-mlops';
export const platformParameter = (platform: string): string => `${PARAMETER_ROOT}/${platform}/platform`;
export const modelParameter = (platform: string, model: string): string => `${PARAMETER_ROOT}/${platform}/models/${model}`;

/** Environment of the function behind the MLflow API. */
export const API_ENV = {
  /** ARN of the KMS key that signs bearer tokens. */
  tokenKey: 'MLOPS_TOKEN_KEY',
} as const;

/** Ways into the MLflow API; each is the first part of a path, the function sees both. */
export const API_PREFIXES = {
  /** Requests signed with Signature Version 4; IAM decides by method and path. */
  iam: '/iam',
  /** Requests with a bearer token; the function decides by the token's scope. */
  token: '/token',
} as const;

/** What a bearer token allows: reading, or everything that MLflow's client does. Changes of the registry's states take an IAM-signed request. */
export const TOKEN_SCOPES = ['read', 'write'] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** Life of a bearer token in seconds. */
export const TOKEN_SECONDS = { minimum: 60, standard: 8 * 3600, maximum: 12 * 3600 } as const;

export interface PlatformResources {
  readonly platform: string;
  readonly artifactsBucket: string;
  readonly dataBucket: string;
  readonly predictionsBucket: string;
  readonly reportsBucket: string;
  readonly registryTable: string;
  readonly historyTable: string;
  readonly runsTable: string;
  readonly governorTable: string;
  readonly busName: string;
  /** Table of the index of words; only where registry and runs belong to the platform. */
  readonly searchTable?: string;
  /** Bucket with the locked copies of the registry's history; only where they are kept. */
  readonly historyCopiesBucket?: string;
  /** Function through which the registry is changed. */
  readonly registryWriterFunction?: string;
  /** Address of the MLflow API without a slash at its end; left out where the platform has none. */
  readonly apiUrl?: string;
  /** Key that signs the API's bearer tokens. */
  readonly tokenKeyArn?: string;
}

export interface ModelResources {
  readonly model: string;
  readonly endpointName: string;
  readonly servingKind: 'SERVERLESS' | 'REAL_TIME';
  /** Only for serverless endpoints. */
  readonly recorderFunction?: string;
  /** State machine of the monitor: input is a MonitorRequest, the answer a MonitorRun. */
  readonly monitorStateMachineArn: string;
  /** State machine of the training pipeline. */
  readonly stateMachineArn: string;
  /** Function that takes the decisions of persons; only where they approve versions. */
  readonly decideFunction?: string;
}

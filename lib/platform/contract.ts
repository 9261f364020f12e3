// Shared by synth time and run time: imports nothing.

/**
 * SSM parameters through which programs find a deployed platform (one String parameter each, JSON):
 *   /cdk-mlops/<platform>/platform        PlatformResources
 *   /cdk-mlops/<platform>/models/<model>  ModelResources
 */
export const PARAMETER_ROOT = '/cdk-mlops';
export const platformParameter = (platform: string): string => `${PARAMETER_ROOT}/${platform}/platform`;
export const modelParameter = (platform: string, model: string): string => `${PARAMETER_ROOT}/${platform}/models/${model}`;

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
}

export interface ModelResources {
  readonly model: string;
  readonly endpointName: string;
  readonly servingKind: 'SERVERLESS' | 'REAL_TIME';
  /** Only for serverless endpoints. */
  readonly recorderFunction?: string;
  readonly monitorFunction: string;
  readonly stateMachineArn: string;
}

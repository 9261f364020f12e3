import { CODE_CHANNEL_PATH, hasCode, type PipelineSpec } from '../../lib/pipeline/contract';

/** What the container of a script is told beside the script's own arguments; an image that holds all code needs none of it. */
export const scriptArguments = (training: PipelineSpec['training'], codeUri: string, region: string): Record<string, string> =>
  hasCode(training.codeUri)
    ? {
        sagemaker_program: training.entryPoint,
        sagemaker_submit_directory: training.codeChannel ? CODE_CHANNEL_PATH : codeUri,
        sagemaker_region: region,
        sagemaker_container_log_level: '20',
      }
    : {};

/** What SageMaker itself adds to a training's arguments: where its code lies, and what a tuning decides by. */
export const isOwnArgument = (name: string): boolean => !/^(sagemaker_|_tuning_)/.test(name);

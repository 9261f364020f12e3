import {
  DescribeEndpointCommand,
  ListEndpointConfigsCommand,
  ListHyperParameterTuningJobsCommand,
  ListProcessingJobsCommand,
  ListTrainingJobsCommand,
  ListTransformJobsCommand,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { executionHash } from '../../lambda/pipeline/job-names';

/** What stands at SageMaker. */
export interface Standing {
  /** Jobs of the run that are under way. */
  readonly jobs: readonly string[];
  readonly endpointStatus: string;
  readonly endpointConfig: string;
  /** Of the endpoint: the live one and one for a rollback, never more. */
  readonly configurations: number;
}

export const NO_ENDPOINT = 'none';

export const endpointOf = async (sagemaker: SageMakerClient, EndpointName: string) =>
  sagemaker.send(new DescribeEndpointCommand({ EndpointName })).catch((error: Error) => {
    if (/could not find/i.test(error.message)) return undefined;
    throw error;
  });

export const standingOf = async (sagemaker: SageMakerClient, executionArn: string, endpointName: string): Promise<Standing> => {
  const query = { NameContains: executionHash(executionArn), StatusEquals: 'InProgress' } as const;
  const training = await sagemaker.send(new ListTrainingJobsCommand(query));
  const transform = await sagemaker.send(new ListTransformJobsCommand(query));
  const processing = await sagemaker.send(new ListProcessingJobsCommand(query));
  const tuning = await sagemaker.send(new ListHyperParameterTuningJobsCommand(query));
  const endpoint = await endpointOf(sagemaker, endpointName);
  const { EndpointConfigs = [] } = await sagemaker.send(new ListEndpointConfigsCommand({ NameContains: `${endpointName}-v` }));
  return {
    jobs: [
      ...(training.TrainingJobSummaries ?? []).map(({ TrainingJobName }) => TrainingJobName ?? ''),
      ...(transform.TransformJobSummaries ?? []).map(({ TransformJobName }) => TransformJobName ?? ''),
      ...(processing.ProcessingJobSummaries ?? []).map(({ ProcessingJobName }) => ProcessingJobName ?? ''),
      ...(tuning.HyperParameterTuningJobSummaries ?? []).map(({ HyperParameterTuningJobName }) => HyperParameterTuningJobName ?? ''),
    ],
    endpointStatus: endpoint?.EndpointStatus ?? NO_ENDPOINT,
    endpointConfig: endpoint?.EndpointConfigName ?? NO_ENDPOINT,
    configurations: EndpointConfigs.length,
  };
};

import { S3Client } from '@aws-sdk/client-s3';
import { CreateTransformJobCommand, DescribeTransformJobCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { S3Files } from '../../lambda/common/s3.client';
import { regression } from '../../lambda/monitoring/statistics';
import { runArtifactsPrefix, runDataPrefix } from '../../lib/artifacts/contract';
import type { Platform } from '../platform';
import { requestCsv, type Hour } from './bike-data';
import { eventually } from './runs';

/** What one version makes of each period, by a batch transform with its own model: the months as they would have been without a retraining. */
export const scorePeriods = async (
  platform: Platform,
  model: string,
  sagemakerModelName: string,
  periods: readonly { readonly name: string; readonly hours: readonly Hour[] }[],
): Promise<Map<string, number>> => {
  const files = new S3Files(new S3Client(platform.connection));
  const sagemaker = new SageMakerClient(platform.connection);
  const jobName = `${model.toLowerCase()}-review-${Date.now()}`;
  const input = `s3://${platform.resources.dataBucket}/${runDataPrefix(model, jobName)}`;
  const output = `s3://${platform.resources.artifactsBucket}/${runArtifactsPrefix(model, jobName)}scores`;
  for (const period of periods) await files.putText(`${input}${period.name}.csv`, requestCsv(period.hours), { contentType: 'text/csv' });
  await sagemaker.send(
    new CreateTransformJobCommand({
      TransformJobName: jobName,
      ModelName: sagemakerModelName,
      TransformInput: { DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: input } }, ContentType: 'text/csv', SplitType: 'Line' },
      TransformOutput: { S3OutputPath: output, Accept: 'text/csv', AssembleWith: 'Line' },
      TransformResources: { InstanceType: 'ml.m5.large', InstanceCount: 1 },
    }),
  );
  const done = await eventually('the review of the first version', 60, async () => {
    const job = await sagemaker.send(new DescribeTransformJobCommand({ TransformJobName: jobName }));
    return job.TransformJobStatus === 'InProgress' ? undefined : job;
  });
  if (done.TransformJobStatus !== 'Completed') throw new Error(`transform job ${jobName} ended ${done.TransformJobStatus}: ${done.FailureReason}`);
  const scores = new Map<string, number>();
  for (const period of periods) {
    const predicted = (await files.readText(`${output}/${period.name}.csv.out`)).trim().split('\n').map(Number);
    const truth = period.hours.map((hour) => hour.count);
    const { rmse } = regression(truth, predicted);
    if (rmse === undefined) throw new Error(`${period.name}: ${predicted.length} scores for ${truth.length} hours`);
    scores.set(period.name, rmse);
  }
  return scores;
};

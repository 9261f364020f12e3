import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchClient, DescribeAlarmsCommand, PutMetricAlarmCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DescribeEndpointCommand,
  SageMakerClient,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { client } from '../harness';
import { IMAGE, archiveOf } from './support';

const script = (word: string) =>
  [
    'def model_fn(directory):\n    return None',
    'def transform_fn(model, body, content_type, accept):',
    word === 'bad' ? '    raise RuntimeError("in traffic only")' : `    return '${word}', 'text/plain'`,
  ].join('\n');

/** The real CloudWatch of the engine beside its SageMaker: an alarm on the new configuration's own dimension, with a period of a minute. */
describe('a rollback alarm on the engine', () => {
  const sagemaker = client(SageMakerClient);
  const runtime = client(SageMakerRuntimeClient);
  const cloudwatch = client(CloudWatchClient);
  const suffix = String(Date.now());
  const [bucket, endpoint] = [`guardrails-${suffix}`, `guarded-${suffix}`];
  const alarmOf = (word: string) => `${endpoint}-${word}-errors`;

  beforeAll(async () => {
    const [iam, s3] = [client(IAMClient), client(S3Client)];
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'model.tar.gz', Body: archiveOf({ nothing: '' }) }));
    const RoleName = `serving-${suffix}`;
    const trust = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'sagemaker.amazonaws.com' } };
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [trust] });
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    const Action = ['s3:GetObject', 's3:ListBucket', 'logs:*', 'cloudwatch:DescribeAlarms'];
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument }));
    for (const word of ['good', 'bad', 'fine']) {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${word}.tar.gz`, Body: archiveOf({ 'inference.py': script(word) }) }));
      const Environment = { SAGEMAKER_PROGRAM: 'inference.py', SAGEMAKER_SUBMIT_DIRECTORY: `s3://${bucket}/${word}.tar.gz` };
      const PrimaryContainer = { Image: IMAGE, ModelDataUrl: `s3://${bucket}/model.tar.gz`, Environment };
      const name = `${endpoint}-${word}`;
      await sagemaker.send(new CreateModelCommand({ ModelName: name, ExecutionRoleArn: Role!.Arn, PrimaryContainer }));
      const variant = { VariantName: 'primary', ModelName: name, InstanceType: 'ml.m5.large', InitialInstanceCount: 2 } as const;
      await sagemaker.send(new CreateEndpointConfigCommand({ EndpointConfigName: name, ProductionVariants: [variant] }));
      const Dimensions = Object.entries({ EndpointName: endpoint, VariantName: 'primary', EndpointConfigName: name });
      await cloudwatch.send(
        new PutMetricAlarmCommand({
          AlarmName: alarmOf(word),
          Namespace: 'AWS/SageMaker',
          MetricName: 'Invocation5XXErrors',
          Dimensions: Dimensions.map(([Name, Value]) => ({ Name, Value })),
          Statistic: 'Average',
          Period: 60,
          EvaluationPeriods: 1,
          Threshold: 0.05,
          ComparisonOperator: 'GreaterThanThreshold',
          TreatMissingData: 'notBreaching',
        }),
      );
    }
    await sagemaker.send(new CreateEndpointCommand({ EndpointName: endpoint, EndpointConfigName: `${endpoint}-good` }));
    await settled();
  });

  const settled = async () => {
    for (;;) {
      const described = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: endpoint }));
      if (!['Creating', 'Updating', 'RollingBack'].includes(described.EndpointStatus!)) return described;
      await sleep(50);
    }
  };
  const update = (word: string) =>
    sagemaker.send(
      new UpdateEndpointCommand({
        EndpointName: endpoint,
        EndpointConfigName: `${endpoint}-${word}`,
        DeploymentConfig: {
          BlueGreenUpdatePolicy: {
            TrafficRoutingConfiguration: { Type: 'CANARY', CanarySize: { Type: 'CAPACITY_PERCENT', Value: 50 }, WaitIntervalInSeconds: 120 },
            TerminationWaitInSeconds: 120,
          },
          AutoRollbackConfiguration: { Alarms: [{ AlarmName: alarmOf(word) }] },
        },
      }),
    );
  const traffic = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await runtime.send(new InvokeEndpointCommand({ EndpointName: endpoint, Body: Buffer.from('1') })).catch(() => undefined);
      await sleep(20);
    }
  };

  test('goes off for failures of the canary within a scaled bake, and the old configuration serves on', async () => {
    const over = new AbortController();
    const sending = traffic(over.signal);
    await update('bad');
    const after = await settled();
    over.abort();
    await sending;
    expect(after).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: `${endpoint}-good`,
      FailureReason: expect.stringContaining(alarmOf('bad')),
    });
    const { MetricAlarms } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: ['good', 'bad'].map(alarmOf) }));
    // The old configuration's own alarm saw nothing of it.
    expect(Object.fromEntries(MetricAlarms!.map(({ AlarmName, StateValue }) => [AlarmName, StateValue]))).toEqual({
      [alarmOf('bad')]: 'ALARM',
      [alarmOf('good')]: 'OK',
    });
  });

  test('set by hand, turns a deployment round whose new fleet has all the traffic already', async () => {
    await update('fine');
    for (;;) {
      const answer = await runtime.send(new InvokeEndpointCommand({ EndpointName: endpoint, Body: Buffer.from('1') }));
      const { PendingDeploymentSummary: summary } = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: endpoint }));
      expect(summary).toBeDefined();
      if (Buffer.from(answer.Body).toString() === 'fine') break;
      await sleep(20);
    }
    await cloudwatch.send(new SetAlarmStateCommand({ AlarmName: alarmOf('fine'), StateValue: 'ALARM', StateReason: 'by hand' }));
    expect(await settled()).toMatchObject({ EndpointConfigName: `${endpoint}-good`, FailureReason: expect.stringContaining(alarmOf('fine')) });
  });
});

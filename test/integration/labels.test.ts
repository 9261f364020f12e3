import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { S3Files } from '../../lambda/common/s3.client';
import { ArtifactStore } from '../../lib/artifacts/artifact-store';
import { labelsPrefix } from '../../lib/artifacts/contract';
import { LabelRecorder } from '../../lib/monitoring/label-recorder';
import { EVENTS, EVENT_SOURCE, type LabelsObservedDetail } from '../../lib/retraining/contract';
import { RetrainGovernor } from '../../lib/retraining/retrain-governor';
import { client, deploy, eventually, type Deployment } from './harness';

let deployment: Deployment;
let outputs: Readonly<Record<string, string>>;

beforeAll(async () => {
  deployment = await deploy((app) => {
    const stack = new Stack(app, 'LabelsTest');
    const store = new ArtifactStore(stack, 'Store');
    const governor = new RetrainGovernor(stack, 'Governor', { platformName: 'labels-test', removalPolicy: RemovalPolicy.DESTROY });
    const recorder = new LabelRecorder(stack, 'Labels', { platformName: 'labels-test', store, governor });
    recorder.take('BikeDemand');
    new CfnOutput(stack, 'Bus', { value: governor.bus.eventBusName });
    new CfnOutput(stack, 'Predictions', { value: store.predictions.bucketName });
    new CfnOutput(stack, 'DeadLetters', { value: governor.deadLetters.queueUrl });
  });
  outputs = deployment.outputs.LabelsTest;
}, 180_000);

afterAll(async () => deployment?.destroy(), 120_000);

const send = async (model: string): Promise<void> => {
  const detail: LabelsObservedDetail = {
    platform: 'labels-test',
    model,
    labels: [
      { inferenceId: 'order-1', value: 23, observedAt: '2026-03-01T10:00:00Z' },
      { inferenceId: 'order-2', value: null, labelVersion: 2 },
    ],
  };
  const entry = { EventBusName: outputs.Bus, Source: EVENT_SOURCE, DetailType: EVENTS.labelsObserved, Detail: JSON.stringify(detail) };
  const answer = await client(EventBridgeClient).send(new PutEventsCommand({ Entries: [entry] }));
  expect(answer.FailedEntryCount).toBe(0);
};

test('labels that come as an event lie where the monitor looks for them', async () => {
  await send('BikeDemand');
  const files = new S3Files(client(S3Client));
  const uri = await eventually('the file of labels', async () => {
    for await (const found of files.list(`s3://${outputs.Predictions}/${labelsPrefix('BikeDemand')}`)) return found.uri;
    return undefined;
  });
  expect(uri).toMatch(/\/labels\/BikeDemand\/\d{4}\/\d{2}\/\d{2}\/\d{2}\/event-[0-9a-f]{32}\.jsonl$/);
  const lines = (await files.readText(uri)).trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
  expect(lines).toEqual([
    { inferenceId: 'order-1', rowIndex: 0, value: 23, observedAt: '2026-03-01T10:00:00.000Z', labelVersion: 1 },
    { inferenceId: 'order-2', rowIndex: 0, value: null, observedAt: expect.any(String) as string, labelVersion: 2 },
  ]);
});

test('labels of a model that the platform does not have end in the dead letters', async () => {
  await send('Weather');
  const count = new GetQueueAttributesCommand({ QueueUrl: outputs.DeadLetters, AttributeNames: ['ApproximateNumberOfMessages'] });
  await eventually(
    'a dead letter',
    async () => ((await client(SQSClient).send(count)).Attributes?.ApproximateNumberOfMessages === '1' ? true : undefined),
    60,
  );
});

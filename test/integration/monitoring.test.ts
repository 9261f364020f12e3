import path from 'node:path';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type App, CfnOutput, Stack } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { hoursOf, readHours, trainingCsv, type Hour } from '../../cli/demo/bike-data';
import { S3Files } from '../../lambda/common/s3.client';
import { capturePrefix, hourPath, labelsPrefix, monitoringWorkPrefix } from '../../lib/artifacts/contract';
import type { MonitorAnswer, MonitorRequest, MonitorResult, MonitorRun } from '../../lib/monitoring/contract';
import { EVENTS } from '../../lib/retraining/contract';
import { VARIANT_NAME } from '../../lib/serving/contract';
import { bikes } from './bikes';
import { client, deploy, engineCall, eventually, projectRoot, type Deployment } from './harness';
import { DeployedModel } from './loop';
import { ModelMonitor, Serving } from 'cdk-mlops';

const WEEK = 7 * 86_400_000;
const FIRST_MONDAY = Date.parse('2012-01-02T00:00:00Z');

const HOURS = readHours(path.join(projectRoot, 'examples/bike-sharing/data/hour.csv'));

/** Hours of the n-th week of 2012, as they were or with other weather. */
function week(number: number, features: (values: readonly string[]) => readonly string[] = (values) => values): Hour[] {
  const from = new Date(FIRST_MONDAY + number * WEEK).toISOString();
  const to = new Date(FIRST_MONDAY + (number + 1) * WEEK).toISOString();
  return HOURS.filter(({ timestamp }) => timestamp >= from.slice(0, 19) && timestamp < to.slice(0, 19)).map((hour) => ({
    ...hour,
    features: features(hour.features),
  }));
}

/** Temperature, humidity and wind far from what they were. */
const strange = (values: readonly string[]): readonly string[] =>
  values.map((value, column) => (column >= 6 ? String(Number(value) * 0.2 + 0.8) : value));

describe('a monitor on weekly windows: plans, profiles, judges, and says each thing once', () => {
  let deployment: Deployment;
  let model: DeployedModel;
  const files = new S3Files();
  const happened: { type: string; detail: Record<string, unknown> }[] = [];

  const app = (root: App): void => {
    bikes('Watch', 'watch', Serving.realTime({ instanceType: 'ml.m5.large', captureSamplingPercentage: 100 }))(root);
    const stack = root.node.findChild('Watch') as Stack;
    const all = stack.node.findAll();
    const monitor = all.find((construct) => construct instanceof ModelMonitor);
    // A month of a small model is a small window: what takes shards elsewhere is made to do so here.
    monitor?.monitorFunction.addEnvironment('MLOPS_MONITOR_LIMITS', JSON.stringify({ smallBytes: 40_000, shardBytes: 10_000, inlineShards: 3 }));
    const queue = new Queue(stack, 'Heard');
    const eventBus = all.find((construct) => construct instanceof EventBus) as EventBus;
    new Rule(stack, 'Hears', { eventBus, eventPattern: { source: ['cdk-mlops'] }, targets: [new SqsQueue(queue)] });
    new CfnOutput(stack, 'HeardUrl', { value: queue.queueUrl });
  };

  beforeAll(async () => {
    deployment = await deploy(app);
    model = await DeployedModel.find('watch', 'Bikes');
    await model.upload('2011.csv', trainingCsv(hoursOf(HOURS, '2011')));
    expect(await model.train('first version', '2012-01-01T00:00:00Z')).toMatchObject({ outcome: 'promoted', version: 1 });
  }, 400_000);

  afterAll(() => deployment?.destroy(), 120_000);

  /** Requests of so many hours each, as data capture would record them now. */
  async function record(name: string, hours: readonly Hour[], size: number, extra = ''): Promise<void> {
    const lines: string[] = [];
    for (let at = 0; at < hours.length; at += size) {
      const part = hours.slice(at, at + size);
      const body = (mode: string, data: string) => ({ observedContentType: 'text/csv', mode, data, encoding: 'CSV' });
      lines.push(
        JSON.stringify({
          captureData: {
            endpointInput: body('INPUT', part.map((hour) => hour.features.join(',')).join('\n')),
            endpointOutput: body('OUTPUT', part.map((hour) => String(hour.count * 1.1)).join('\n')),
          },
          eventMetadata: { eventId: `${name}-${at}`, inferenceId: `${name}-${at}`, inferenceTime: new Date().toISOString() },
          eventVersion: '0',
        }),
      );
    }
    // Some objects, so that there are shards to make.
    for (let part = 0; part * 20 < lines.length; part += 1) {
      const text = `${lines.slice(part * 20, part * 20 + 20).join('\n')}\n${part === 0 ? extra : ''}`;
      const key = `${capturePrefix(model.resources.endpointName, VARIANT_NAME)}${hourPath(new Date())}/${name}-${part}.jsonl`;
      await files.putText(`s3://${model.platform.resources.predictionsBucket}/${key}`, text);
    }
  }

  async function run(request: MonitorRequest): Promise<MonitorRun> {
    const machines = client(SFNClient);
    const { executionArn = '' } = await machines.send(
      new StartExecutionCommand({ stateMachineArn: model.resources.monitorStateMachineArn, input: JSON.stringify(request) }),
    );
    const ended = await eventually(
      'the end of the run',
      async () => {
        const execution = await machines.send(new DescribeExecutionCommand({ executionArn }));
        return execution.status === 'RUNNING' ? undefined : execution;
      },
      120,
    );
    if (ended.status !== 'SUCCEEDED') throw new Error(`${ended.status} ${ended.error} ${ended.cause}`);
    return JSON.parse(ended.output ?? '') as MonitorRun;
  }

  /** Weeks `from` to `to` of 2012, the last one not. */
  const weeks = (from: number, to = from + 1): MonitorRequest => ({
    windowStart: new Date(FIRST_MONDAY + from * WEEK).toISOString(),
    windowEnd: new Date(FIRST_MONDAY + to * WEEK).toISOString(),
  });

  const resultOf = async (answer: MonitorAnswer): Promise<MonitorResult> => files.readJson<MonitorResult>(answer.resultUri);

  /** What came over the bus, all of it so far. */
  async function heard(type: string): Promise<Record<string, unknown>[]> {
    const queues = client(SQSClient);
    for (;;) {
      const { Messages = [] } = await queues.send(
        new ReceiveMessageCommand({ QueueUrl: deployment.outputs.Watch.HeardUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      if (Messages.length === 0) return happened.filter((event) => event.type === type).map(({ detail }) => detail);
      for (const { Body = '' } of Messages) {
        const event = JSON.parse(Body) as { 'detail-type': string; detail: Record<string, unknown> };
        happened.push({ type: event['detail-type'], detail: event.detail });
      }
    }
  }

  test('judges a week of requests, writes result, report and violations, and finds it unchanged the next time', async () => {
    const hours = week(0);
    await record('week-0', hours, 24);
    const { windows, unchanged } = await run(weeks(0));
    expect(unchanged).toBe(0);
    expect(windows).toMatchObject([{ version: 1, rows: hours.length, windowEnd: '2012-01-09T00:00:00.000Z' }]);
    expect(['ok', 'advisory']).toContain(windows[0].driftVerdict);
    expect(await files.readText(windows[0].reportUri)).toContain('<!doctype html>');
    expect(await files.readJson(windows[0].resultUri.replace('result.json', 'constraint_violations.json'))).toHaveProperty('violations');
    expect(await run(weeks(0))).toEqual({ windows: [], unchanged: 1 });
  }, 120_000);

  test('a week without traffic is a state; a poison line is counted; objects that come late are merged in', async () => {
    const hours = week(2);
    await record('week-2', hours.slice(0, 90), 24, 'poison\n');
    const first = await run(weeks(1, 3));
    expect(first.windows.map(({ driftVerdict, rows }) => [driftVerdict, rows])).toEqual([
      ['no-traffic', 0],
      ['insufficient-data', 90],
    ]);
    const poisoned = await resultOf(first.windows[1]);
    expect(poisoned.rejected).toEqual({ 'record-malformed': 1 });
    expect(poisoned.states).toContainEqual(expect.objectContaining({ state: 'unreadable-lines', count: 1 }));
    expect((await resultOf(first.windows[0])).states).toContainEqual(expect.objectContaining({ state: 'no-traffic' }));
    await record('week-2-late', hours.slice(90), 24);
    const second = await run(weeks(1, 3));
    expect(second).toMatchObject({ windows: [{ rows: hours.length }], unchanged: 1 });
  }, 180_000);

  test('larger windows are profiled by a distributed map, and an episode is announced once', async () => {
    const normal = week(3);
    await record('week-3', normal, 1);
    for (const number of [4, 5, 6]) await record(`week-${number}`, week(number, strange), 24);
    const { windows } = await run(weeks(3, 7));
    expect(windows.map(({ rows }) => rows)).toEqual([3, 4, 5, 6].map((number) => week(number).length));
    expect(windows.map(({ driftVerdict }) => driftVerdict).slice(2)).toEqual(['drift', 'drift']);
    expect(windows[3].episodes).toContain('drift');
    const work = files.list(windows[0].resultUri.replace(/monitoring\/.*/, monitoringWorkPrefix('Bikes')));
    const shards = new Set<string>();
    for await (const { key } of work) if (key.endsWith('shard.bin')) shards.add(key);
    expect(shards.size).toBeGreaterThan(3);
    // The same once more: nothing new is said.
    await run({ ...weeks(3, 7), force: true });
    const detected = await heard(EVENTS.driftDetected);
    expect(detected).toHaveLength(1);
    expect(detected[0]).toMatchObject({ model: 'Bikes', version: 1, features: expect.arrayContaining(['windspeed']) });
    expect(await heard(EVENTS.monitorCompleted)).not.toHaveLength(0);
  }, 300_000);

  test('labels that come later judge the quality', async () => {
    const hours = week(3);
    const labels = hours.map(({ count }, index) =>
      JSON.stringify({ inferenceId: `week-3-${index}`, rowIndex: 0, value: count, observedAt: '2012-02-01T00:00:00Z', labelVersion: 1 }),
    );
    const key = `${labelsPrefix('Bikes')}${hourPath(new Date())}/week-3.jsonl`;
    await files.putText(`s3://${model.platform.resources.predictionsBucket}/${key}`, labels.join('\n'));
    const { windows } = await run(weeks(3));
    expect(windows[0].metrics.rmse).toBeCloseTo(Math.sqrt(hours.reduce((sum, { count }) => sum + (0.1 * count) ** 2, 0) / hours.length), 6);
  }, 120_000);

  test('says how many requests data capture lost', async () => {
    const { endpointName } = model.resources;
    const Dimensions = [
      { Name: 'EndpointName', Value: endpointName },
      { Name: 'VariantName', Value: VARIANT_NAME },
    ];
    const MetricData = [{ MetricName: 'Invocations', Dimensions, Timestamp: new Date(), Value: 5000, Unit: 'Count' as const }];
    await client(CloudWatchClient).send(new PutMetricDataCommand({ Namespace: 'AWS/SageMaker', MetricData }));
    const monday = Math.floor((Date.now() - FIRST_MONDAY) / WEEK);
    const { windows } = await run(weeks(monday));
    const result = await resultOf(windows[0]);
    expect(result.states).toContainEqual(expect.objectContaining({ state: 'partial-capture' }));
    expect(result.invocations).toBeGreaterThanOrEqual(5000);
  }, 120_000);

  test('needed no permission that the synthesized roles do not grant', async () => {
    const { denied } = await engineCall<{ denied: { role: string }[] }>('/_mlops/permissions');
    expect(denied.filter(({ role }) => role.includes(':role/Watch-'))).toEqual([]);
  });
});

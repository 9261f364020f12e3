import { CloudWatchClient, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { createDocumentClient } from '../../lambda/common/dynamo.client';
import { Events } from '../../lambda/common/events.client';
import { GovernorClient } from '../../lambda/retraining/governor.client';
import { EVENTS, type DecisionRecord } from '../../lib/retraining/contract';
import { RetrainGovernor } from '../../lib/retraining/retrain-governor';
import { Retraining } from '../../lib/retraining/retraining';
import { Trigger } from '../../lib/retraining/trigger';
import { client, deploy, eventually, type Deployment } from './harness';

/** Works for some seconds and promotes, but rejects what is asked for a metric named in the cause as `mae`. */
const pipeline = (stack: Stack): sfn.StateMachine => {
  const end = (outcome: string) => sfn.Pass.jsonata(stack, outcome, { outputs: { outcome } });
  const judge = sfn.Choice.jsonata(stack, 'Judge')
    .when(sfn.Condition.jsonata('{% $contains($states.input.cause, "mae") %}'), end('rejected'))
    .otherwise(end('promoted'));
  const work = sfn.Wait.jsonata(stack, 'Work', { time: sfn.WaitTime.duration(Duration.seconds(120)) });
  return new sfn.StateMachine(stack, 'Pipeline', { definitionBody: sfn.DefinitionBody.fromChainable(work.next(judge)) });
};

const MODEL = 'BikeDemand';
let deployment: Deployment;
let outputs: Readonly<Record<string, string>>;
let events: Events;
let store: GovernorClient;

beforeAll(async () => {
  deployment = await deploy((app) => {
    const stack = new Stack(app, 'GovernorTest');
    const governor = new RetrainGovernor(stack, 'Governor', { platformName: 'governor-test', removalPolicy: RemovalPolicy.DESTROY });
    const triggers = [Trigger.quality({ metric: 'rmse', worseThan: 100 }), Trigger.quality({ metric: 'mae', worseThan: 50 }), Trigger.drift()];
    const retraining = Retraining.on(triggers, { cooldown: Duration.days(30) });
    governor.addModel({ modelName: MODEL, stateMachine: pipeline(stack), retraining });
    new CfnOutput(stack, 'Bus', { value: governor.bus.eventBusName });
    new CfnOutput(stack, 'Table', { value: governor.governorTableName });
    new CfnOutput(stack, 'DeadLetters', { value: governor.deadLetters.queueUrl });
  });
  outputs = deployment.outputs.GovernorTest;
  events = new Events(outputs.Bus, client(EventBridgeClient));
  store = new GovernorClient(outputs.Table, createDocumentClient(client(DynamoDBClient)));
}, 180_000);

afterAll(async () => deployment?.destroy(), 120_000);

const quality = (metric: string, value: number, day: string) => {
  const occurredAt = `2012-${day}T00:00:00.000Z`;
  const window = { windowStart: '2012-01-01T00:00:00.000Z', windowEnd: occurredAt, evidenceUri: 's3://reports/result.json' };
  const detail = { platform: 'governor-test', model: MODEL, occurredAt, metric, value, bound: 100, version: 1, ...window };
  return events.putEvent(EVENTS.qualityDegraded, detail);
};
const decided = async (count: number): Promise<DecisionRecord> => {
  const all = await eventually(`decision ${count}`, async () => {
    const found = await store.listDecisions(MODEL);
    return found.length >= count ? found : undefined;
  });
  expect(all).toHaveLength(count);
  return all[count - 1];
};
const idle = () => eventually('the end of the run', async () => ((await store.state(MODEL)).lock ? undefined : true), 30);

test('one cause starts one run; later ones are attached to it, and after its promotion refused until the cooldown is over', async () => {
  await quality('rmse', 113, '03-15');
  expect(await decided(1)).toMatchObject({ decision: 'started', runId: expect.stringMatching(/^BikeDemand-20120315T000000Z-/) });
  await quality('rmse', 115, '03-16');
  expect(await decided(2)).toMatchObject({ decision: 'coalesced' });
  await quality('rmse', 99, '03-17');
  await idle();
  expect(await store.state(MODEL)).toMatchObject({ promotedCause: '2012-03-15T00:00:00.000Z' });
  await quality('rmse', 116, '04-01');
  expect(await decided(3)).toMatchObject({ decision: 'refused-cooldown' });
  await quality('rmse', 116, '04-14');
  expect(await decided(4)).toMatchObject({ decision: 'started' });
  await idle();
});

test('a rejected candidate holds back its own trigger, not another', async () => {
  await quality('mae', 60, '06-01');
  expect(await decided(5)).toMatchObject({ decision: 'started' });
  await idle();
  await quality('mae', 60, '06-02');
  expect(await decided(6)).toMatchObject({ decision: 'refused-cooldown' });
  await quality('rmse', 160, '06-03');
  expect(await decided(7)).toMatchObject({ decision: 'started' });
  await idle();
});

test('a pause holds back everybody until it is taken back', async () => {
  await store.pause(MODEL, { by: 'ann', reason: 'audit', at: '2026-01-01T00:00:00.000Z' });
  await quality('rmse', 160, '09-01');
  expect(await decided(8)).toMatchObject({ decision: 'refused-paused', reason: expect.stringContaining('audit') });
  await store.resume(MODEL);
  await quality('rmse', 160, '09-02');
  expect(await decided(9)).toMatchObject({ decision: 'started' });
  await idle();
});

test('what cannot be decided ends in the dead letters', async () => {
  const detail = { platform: 'governor-test', model: 'Nobody', occurredAt: '2012-01-01T00:00:00.000Z', reason: 'x', requestedBy: 'ann' };
  await events.putEvent(EVENTS.retrainRequested, detail);
  const QueueUrl = outputs.DeadLetters;
  const count = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] });
  await eventually(
    'a dead letter',
    async () => ((await client(SQSClient).send(count)).Attributes?.ApproximateNumberOfMessages === '1' ? true : undefined),
    60,
  );
});

test('decisions are counted under the dimensions that alarms and dashboard read', async () => {
  const { Metrics = [] } = await client(CloudWatchClient).send(new ListMetricsCommand({ Namespace: 'CdkMlOps' }));
  const ours = Metrics.filter(({ Dimensions }) => Dimensions?.some(({ Value }) => Value === 'governor-test'));
  expect(new Set(ours.map(({ MetricName }) => MetricName))).toEqual(new Set(['RetrainStarted', 'RetrainHeldBack']));
  for (const { Dimensions } of ours) expect(Dimensions?.map(({ Name }) => Name).sort()).toEqual(['Model', 'service']);
});

test('causes that meet on the table still start one run between them', async () => {
  const model = 'Race';
  const claims = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const state = await store.state(model);
      const cause = { causeId: `cause-${index}`, kind: 'drift', key: 'drift', summary: 'drift', occurredAt: '2012-01-01T00:00:00.000Z' } as const;
      const at = new Date().toISOString();
      const record: DecisionRecord = { platform: 'p', model, occurredAt: cause.occurredAt, decision: 'started', cause, at, reason: 'race' };
      return store.claim(state, record);
    }),
  );
  expect(claims.filter(Boolean).length).toBe((await store.state(model)).revision);
  expect(claims).toContain(true);
});

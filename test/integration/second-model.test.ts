import path from 'node:path';
import { ListEndpointsCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { type App, Duration, Stack } from 'aws-cdk-lib';
import { byDay, hoursOf, readHours, REQUEST_COLUMNS, requestCsv, type Hour } from '../../cli/demo/bike-data';
import { DemoClient } from '../../cli/demo/client';
import { main } from '../../cli/program';
import { S3Files } from '../../lambda/common/s3.client';
import { capturePrefix, labelsPrefix } from '../../lib/artifacts/contract';
import type { MonitorAnswer, MonitorRun } from '../../lib/monitoring/contract';
import { VARIANT_NAME, type LabelRecord } from '../../lib/serving/contract';
import { fakeIo } from '../cli/fake-io';
import { client, deploy, engineCall, eventually, projectRoot, type Deployment } from './harness';
import { DeployedModel } from './loop';
import { Approval, Framework, Gate, MlOpsPlatform, Monitoring, Retraining, Serving, Task, Training, Trigger } from 'cdk-mlops';

const HOURS = readHours(path.join(projectRoot, 'examples/bike-sharing/data/hour.csv'));

/** More rentals than this make an hour busy. What counts as busy moves in the second half, so that the first version loses its grip. */
const BUSY_AT_FIRST = 150;
const BUSY_LATER = 320;

const csvOf = (hours: readonly Hour[], bound: number): string =>
  `${[...REQUEST_COLUMNS, 'busy'].join(',')}\n${hours.map((hour) => `${hour.features.join(',')},${hour.count > bound ? 1 : 0}`).join('\n')}\n`;

/** The minute of the day at which the schedule runs: soon enough for the test to see it, late enough for the first version to serve. */
const now = new Date();
const SCHEDULED = (now.getUTCHours() * 60 + now.getUTCMinutes() + 4) % (24 * 60);

const inferenceId = (day: string): string => `busy-${day}`;

describe('a second model: another task, framework and script, on an instance endpoint with native capture', () => {
  let deployment: Deployment;
  let model: DeployedModel;

  /** The app with its model, or after the model was taken out of it. */
  const withModel = (present: boolean) => (app: App): void => {
    const platform = new MlOpsPlatform(new Stack(app, 'Second'), 'MlOps', { platformName: 'second' });
    if (!present) return;
    platform.addModel('BusyHour', {
      task: Task.binaryClassification({ target: 'busy', positiveLabel: '1', timeColumn: 'timestamp' }),
      training: Training.script({
        directory: path.join(__dirname, 'second-model', 'training'),
        entryPoint: 'train.py',
        framework: Framework.scikitLearn('1.4-2'),
      }),
      gate: Gate.beatsChampion({ metric: 'accuracy' }),
      approval: Approval.automatic(),
      serving: Serving.realTime({ instanceType: 'ml.m5.large', captureSamplingPercentage: 100 }),
      monitoring: Monitoring.every(Duration.days(1), { minimumRows: 20, delay: Duration.minutes(SCHEDULED) }),
      retraining: Retraining.on([Trigger.quality({ metric: 'accuracy', worseThan: 0.85 })], { cooldown: Duration.days(7) }),
    });
  };

  beforeAll(async () => {
    deployment = await deploy(withModel(true));
    model = await DeployedModel.find('second', 'BusyHour');
  }, 180_000);

  /** Sends a month as a client would, a day a request, and delivers the truth under the given notion of busy. */
  const live = async (month: string, bound: number): Promise<readonly MonitorAnswer[]> => {
    const runtime = client(SageMakerRuntimeClient);
    const days = byDay(hoursOf(HOURS, month));
    for (const { day, hours } of days) {
      await runtime.send(
        new InvokeEndpointCommand({
          EndpointName: model.resources.endpointName,
          Body: Buffer.from(requestCsv(hours)),
          ContentType: 'text/csv',
          InferenceId: inferenceId(day),
        }),
      );
    }
    const labels = days.flatMap(({ day, hours }) =>
      hours.map((hour, rowIndex): LabelRecord => ({
        inferenceId: inferenceId(day), rowIndex, value: hour.count > bound ? '1' : '0', observedAt: `${day}T23:59:59Z`, labelVersion: 1,
      })),
    );
    const files = new S3Files();
    const key = `${labelsPrefix('BusyHour')}${new Date().toISOString().slice(0, 13).replace(/[-T]/g, '/')}/${month}.jsonl`;
    await files.putText(`s3://${model.platform.resources.predictionsBucket}/${key}`, labels.map((label) => JSON.stringify(label)).join('\n'));
    const prefix = `s3://${model.platform.resources.predictionsBucket}/${capturePrefix(model.resources.endpointName, VARIANT_NAME)}`;
    await eventually('the capture of the last day', async () => {
      for await (const object of files.list(prefix)) {
        if ((await files.readText(object.uri)).includes(inferenceId(days[days.length - 1].day))) return true;
      }
      return undefined;
    });
    const [year, number] = month.split('-').map(Number);
    const request = { windowStart: `${month}-01T00:00:00Z`, windowEnd: new Date(Date.UTC(year, number, 1)).toISOString() };
    return (await new DemoClient(model.platform, 'BusyHour').monitor(request)).windows;
  };

  test('goes round the loop: trained, served, watched, degraded, retrained, promoted', async () => {
    await model.upload('2011-first.csv', csvOf(HOURS.filter((hour) => hour.timestamp < '2011-07'), BUSY_AT_FIRST));
    const first = await model.train('first version', '2011-07-01T00:00:00Z');
    expect(first).toMatchObject({ status: 'FINISHED', outcome: 'promoted', version: 1 });

    const july = await live('2011-07', BUSY_AT_FIRST);
    expect(july).toHaveLength(31);
    expect(july.at(-1)).toMatchObject({ qualityVerdict: 'ok', version: 1 });

    const august = await live('2011-08', BUSY_LATER);
    const degraded = august.filter(({ qualityVerdict }) => qualityVerdict === 'degraded');
    expect(degraded.at(-1)?.metrics.accuracy).toBeLessThan(0.85);
    await model.upload('2011-08.csv', csvOf(hoursOf(HOURS, '2011-08'), BUSY_LATER));

    const decision = await eventually('the retraining', async () => (await model.decisions()).find(({ cause }) => cause.kind === 'quality'));
    expect(decision).toMatchObject({ decision: 'started', cause: { key: 'accuracy', occurredAt: degraded[0].windowEnd } });
    const second = await model.ended(decision.runId as string);
    expect(second).toMatchObject({ status: 'FINISHED', causeId: decision.cause.causeId });
    const { registry } = model.platform;
    expect(second.outcome).toBe('promoted');
    expect((await registry.champion('BusyHour'))?.version).toBe(2);
    expect((await registry.verifyHistory('BusyHour')).intact).toBe(true);
  }, 180_000);

  test('is watched by its schedule too, which has nothing to judge before the first version has served for a day', async () => {
    const machines = client(SFNClient);
    const { monitorStateMachineArn: stateMachineArn } = model.resources;
    const scheduled = await eventually(
      'a scheduled run',
      async () => {
        const { executions = [] } = await machines.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'SUCCEEDED' }));
        for (const { executionArn } of executions) {
          const { input, output } = await machines.send(new DescribeExecutionCommand({ executionArn }));
          if (input?.includes('scheduledTime')) return JSON.parse(output as string) as MonitorRun;
        }
        return undefined;
      },
      300,
      1000,
    );
    expect(scheduled).toEqual({ windows: [], unchanged: 0 });
  }, 310_000);

  test('needed no permission that the synthesized roles do not grant', async () => {
    const { denied } = await engineCall<{ denied: { role: string }[] }>('/_mlops/permissions');
    // Other tests of the same engine try what is refused.
    expect(denied.filter(({ role }) => role.includes(':role/Second-'))).toEqual([]);
  });

  test('answers `mlops predict` with the status and the rows of the endpoint', async () => {
    const [{ hours }] = byDay(hoursOf(HOURS, '2011-09'));
    const { io, written } = fakeIo({ stdin: requestCsv(hours) });
    expect(await main(['predict', 'BusyHour', '--data', '-', '--platform', 'second'], io)).toBe(0);
    const scores = written.out.trim().split('\n').map(Number);
    expect(scores).toHaveLength(hours.length);
    expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true);
  });

  const endpointIsGone = () =>
    expect(
      client(SageMakerRuntimeClient).send(new InvokeEndpointCommand({ EndpointName: model.resources.endpointName, Body: Buffer.from('x') })),
    ).rejects.toThrow(/not found/i);

  test('taken out of the app, it leaves no endpoint, and its versions and history stay', async () => {
    const { registry } = model.platform;
    const history = await registry.history('BusyHour');
    deployment = await deploy(withModel(false));
    await endpointIsGone();
    expect(await registry.history('BusyHour')).toEqual(history);
    expect((await registry.champion('BusyHour'))?.version).toBe(2);
  }, 120_000);

  test('put back into the app, the next run serves again, as the next version', async () => {
    deployment = await deploy(withModel(true));
    const run = await model.train('back again', new Date().toISOString());
    expect(run).toMatchObject({ status: 'FINISHED', outcome: 'promoted', version: 3 });
  }, 180_000);

  test('the stack gone, nothing is left that bills by the hour', async () => {
    await deployment.destroy();
    await endpointIsGone();
    const sagemaker = client(SageMakerClient);
    expect((await sagemaker.send(new ListEndpointsCommand({ NameContains: 'second' }))).Endpoints).toEqual([]);
  }, 120_000);
});

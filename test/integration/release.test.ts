import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchClient, DescribeAlarmsCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeEndpointCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { main } from '../../cli/program';
import { rollbackAlarmName } from '../../lib/serving/contract';
import { fakeIo } from '../cli/fake-io';
import { canaryApp, lineMonth } from './fragile-model/app';
import { client, deploy, type Deployment, eventually } from './harness';
import { DeployedModel } from './loop';

describe('releases to instances', () => {
  let deployment: Deployment;
  let model: DeployedModel;
  let months = 0;

  beforeAll(async () => {
    deployment = await deploy(canaryApp('Canary', 'canary'));
    model = await DeployedModel.find('canary', 'Line');
  }, 240_000);

  afterAll(() => deployment?.destroy(), 180_000);

  const train = async (mode: 'sound' | 'fragile') => {
    await model.upload(`month-${months}.csv`, lineMonth(months, mode));
    months += 1;
    return model.train(`month ${months}`, new Date(Date.UTC(2024, 6, months * 2)).toISOString());
  };

  const endpoint = async () => client(SageMakerClient).send(new DescribeEndpointCommand({ EndpointName: model.resources.endpointName }));
  const live = async (): Promise<string> => (await endpoint()).EndpointConfigName ?? '';
  const serving = async (): Promise<number | undefined> => (await model.platform.registry.champion('Line'))?.version;

  /** Asks with the x until told to stop; answers how many were answered and how many were not. */
  const traffic = (x: number) => {
    const runtime = client(SageMakerRuntimeClient);
    const seen = { answered: 0, failed: 0, running: true };
    const work = (async () => {
      while (seen.running) {
        const body = Buffer.from(`2024-01-01T00:00:00Z,${x},sound\n`);
        const request = new InvokeEndpointCommand({ EndpointName: model.resources.endpointName, Body: body, ContentType: 'text/csv' });
        await runtime.send(request).then(
          () => (seen.answered += 1),
          () => (seen.failed += 1),
        );
        await sleep(25);
      }
    })();
    const stop = async () => {
      seen.running = false;
      await work;
      return seen;
    };
    streams.push(stop);
    return { stop };
  };
  const streams: (() => Promise<unknown>)[] = [];
  afterEach(() => Promise.all(streams.splice(0).map((stop) => stop())));

  test('the first version is proven by requests with known answers', async () => {
    expect(await train('sound')).toMatchObject({ status: 'FINISHED', outcome: 'promoted', version: 1 });
    expect(await live()).toMatch(/-v1-/);
  }, 120_000);

  test('a sound canary takes over without one failed request, and its configuration alone is watched on', async () => {
    const requests = traffic(5);
    expect(await train('sound')).toMatchObject({ status: 'FINISHED', outcome: 'promoted', version: 2 });
    const { answered, failed } = await requests.stop();
    expect(failed).toBe(0);
    expect(answered).toBeGreaterThan(50);
    expect(await live()).toMatch(/-v2-/);
    const query = new DescribeAlarmsCommand({ AlarmNamePrefix: `${model.resources.endpointName}-v` });
    const { MetricAlarms = [] } = await client(CloudWatchClient).send(query);
    expect(MetricAlarms.map(({ AlarmName }) => AlarmName)).toEqual([rollbackAlarmName(await live(), 'errors')]);
  }, 120_000);

  test('a canary that fails in traffic goes back by its own alarm: the run fails, the champion serves on', async () => {
    const requests = traffic(5000);
    const run = await train('fragile');
    const { failed } = await requests.stop();
    expect(run).toMatchObject({ status: 'FAILED', error: { name: 'ReleaseFailed' } });
    expect(run.error?.message).toMatch(/was rolled back to canary-line-v2-.* instead of running canary-line-v3-.*in ALARM/);
    expect(failed).toBeGreaterThan(0);
    expect(await live()).toMatch(/-v2-/);
    expect(await serving()).toBe(2);
    expect((await endpoint()).EndpointStatus).toBe('InService');
  }, 120_000);

  test('mlops rollback lets the version before serve again, pointer and traffic', async () => {
    const { io, written } = fakeIo({});
    const code = await main(['rollback', 'Line', '--platform', 'canary', '--reason', 'the test asks for it', '--json'], io);
    expect({ code, err: written.err.split('\n').at(-2) }).toMatchObject({ code: 0 });
    expect(JSON.parse(written.out)).toMatchObject({ model: 'Line', version: 1, from: 2 });
    expect(await live()).toMatch(/-v1-/);
    expect(await serving()).toBe(1);
    const last = (await model.platform.registry.history('Line')).at(-1);
    expect(last).toMatchObject({ action: 'RolledBack', version: 1, previousChampion: 2, reason: expect.stringContaining('the test asks for it') });
    expect(last?.actor).toMatch(/^arn:/);
  }, 120_000);

  test('an alarm soon after a promotion brings the version before back by itself, once', async () => {
    expect(await train('sound')).toMatchObject({ status: 'FINISHED', outcome: 'promoted', version: 4 });
    const AlarmName = rollbackAlarmName(await live(), 'errors');
    await client(CloudWatchClient).send(new SetAlarmStateCommand({ AlarmName, StateValue: 'ALARM', StateReason: 'the test says so' }));
    await eventually('the rollback', async () => ((await serving()) === 1 ? true : undefined), 90);
    await eventually('the traffic', async () => (/-v1-/.test(await live()) ? true : undefined), 90);
    const moves = (await model.platform.registry.history('Line')).filter(({ action }) => action === 'RolledBack');
    expect(moves).toHaveLength(2);
    expect(moves[1]).toMatchObject({ version: 1, previousChampion: 4, actor: expect.stringContaining(`:alarm:${AlarmName}`) });
  }, 240_000);
});

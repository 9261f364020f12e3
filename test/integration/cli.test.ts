import { main } from '../../cli/program';
import { S3Files } from '../../lambda/common/s3.client';
import type { ModelVersion } from '../../lib/registry/contract';
import type { DecisionRecord } from '../../lib/retraining/contract';
import type { RunMeta, RunRecord } from '../../lib/tracking/contract';
import { fakeIo } from '../cli/fake-io';
import { LINE_HEADER, lineModelApp, lineRows } from './faulty-model/app';
import { deploy, type Deployment, eventually } from './harness';
import { DeployedModel } from './loop';

const mlops = async (args: readonly string[], stdin = '') => {
  const { io, written } = fakeIo({ stdin });
  const code = await main([...args, '--platform', 'cli'], io);
  return { code, ...written };
};

const json = async <T>(...args: string[]): Promise<T> => {
  const { code, out, err } = await mlops([...args, '--json']);
  expect({ code, err }).toEqual({ code: 0, err: expect.any(String) });
  return JSON.parse(out) as T;
};

describe('the command line against a deployed platform', () => {
  let deployment: Deployment;
  let model: DeployedModel;

  beforeAll(async () => {
    deployment = await deploy(lineModelApp('CommandLine', 'cli'));
    model = await DeployedModel.find('cli', 'Line');
    await model.upload('first.csv', `${[LINE_HEADER, ...lineRows(500)].join('\n')}\n`);
  }, 240_000);

  afterAll(() => deployment?.destroy(), 120_000);

  test('lists a model that nothing serves yet', async () => {
    await expect(json('models', 'list')).resolves.toEqual([
      { model: 'Line', endpointName: model.resources.endpointName, servingKind: 'SERVERLESS' },
    ]);
    expect((await mlops(['models', 'list'])).out).toContain('nothing yet');
  });

  test('refuses causes while paused and says so, until resumed', async () => {
    expect((await mlops(['retrain', 'pause', 'Line', '--reason', 'stock-taking'])).out).toContain('is paused by arn:aws:iam::000000000000:root');
    const { decision } = await json<{ decision: DecisionRecord }>('retrain', 'request', 'Line', '--occurred-at', '2024-02-01T00:00:00Z');
    expect(decision).toMatchObject({ decision: 'refused-paused', reason: expect.stringContaining('stock-taking') });
    expect((await mlops(['retrain', 'status', 'Line'])).out).toMatch(/paused\s+by arn.*stock-taking[\s\S]*refused-paused/);
    expect((await mlops(['retrain', 'resume', 'Line'])).out).toBe('retraining of Line is no longer paused\n');
    expect((await mlops(['retrain', 'resume', 'Line'])).out).toBe('retraining of Line was not paused\n');
  });

  test('asks for a run, shows it, and predicts with what it made', async () => {
    const { code, out } = await mlops(['retrain', 'request', 'Line', '--reason', 'first data', '--occurred-at', '2024-03-01T00:00:00Z']);
    expect(code).toBe(0);
    const runId = /started \(run (\S+)\)/.exec(out)?.[1] as string;
    const ended = await eventually(
      'the end of the run',
      async () => {
        const [run] = await json<RunMeta[]>('runs', 'list', 'Line');
        return run && run.status !== 'RUNNING' ? run : undefined;
      },
      150,
      1_000,
    );
    expect(ended).toMatchObject({ runId, status: 'FINISHED', outcome: 'promoted', version: 1 });
    expect((await mlops(['runs', 'list', 'Line'])).out).toMatch(new RegExp(`${runId}\\s+FINISHED\\s+promoted\\s+v1`));

    const run = await json<RunRecord>('runs', 'show', runId);
    expect(run.steps.length).toBeGreaterThan(3);
    expect((await mlops(['runs', 'show', runId])).out).toContain('first data');

    const version = await json<ModelVersion>('models', 'show', 'Line', '--version', '1');
    expect(version).toMatchObject({ model: 'Line', version: 1, state: 'Production', runId });
    expect((await mlops(['models', 'show', 'Line', '--version', '1'])).out).toContain(version.artifact?.sha256);
    expect((await mlops(['models', 'show', 'Line'])).out).toMatch(/serves\s+v1 since[\s\S]*Promoted/);

    const rows = '2024-04-01T00:00:00Z,3,ok\n2024-04-01T01:00:00Z,10,ok\n';
    const answer = await mlops(['predict', 'Line', '--data', '-', '--inference-id', 'by-hand'], rows);
    expect(answer.code).toBe(0);
    const [first, second] = answer.out.trim().split('\n').map(Number);
    expect(first).toBeCloseTo(7, 0);
    expect(second).toBeCloseTo(21, 0);
    expect(answer.err).toBe('inference id: by-hand\n');
  }, 200_000);

  test('tells what the endpoint refuses', async () => {
    const { code, err } = await mlops(['predict', 'Line', '--data', '-'], '1,2\n');
    expect(code).toBe(1);
    expect(err).toMatch(/^error: Line refused the request with status 4\d\d: /);
  });

  test('delivers labels as one object where the monitor looks for them', async () => {
    const { code, out } = await mlops(['labels', 'put', 'Line', '-'], 'inferenceId,rowIndex,value\nby-hand,0,7\nby-hand,1,21\n');
    expect(code).toBe(0);
    const uri = /2 labels written to (\S+)/.exec(out)?.[1] as string;
    expect(uri).toMatch(new RegExp(`^s3://${model.platform.resources.predictionsBucket}/labels/Line/\\d{4}/\\d\\d/\\d\\d/\\d\\d/[0-9a-f]+\\.jsonl$`));
    const lines = (await new S3Files().readText(uri)).trim().split('\n').map((line) => JSON.parse(line) as unknown);
    expect(lines[1]).toMatchObject({ inferenceId: 'by-hand', rowIndex: 1, value: 21, labelVersion: 1 });
  });

  test('names the models it knows where it is asked for another', async () => {
    const { code, err } = await mlops(['retrain', 'status', 'Other']);
    expect({ code, err }).toEqual({ code: 1, err: 'error: platform cli has no model "Other"\n  its models: Line\n' });
    expect((await mlops(['models', 'show', 'Other'])).code).toBe(1);
    expect((await mlops(['runs', 'show', 'no-such-run'])).err).toMatch('error: Run with id=no-such-run not found\n');
  });

  test('names a platform that is not there', async () => {
    const { io, written } = fakeIo();
    expect(await main(['models', 'list', '--platform', 'nowhere'], io)).toBe(1);
    expect(written.err).toContain('there is no platform "nowhere" in this account and region');
  });
});

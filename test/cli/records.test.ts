import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { main } from '../../cli/program';
import type { ModelRegistryClient } from '../../lambda/registry/model-registry.client';
import { ExperimentsClient } from '../../lambda/tracking/experiments.client';
import { LineageClient } from '../../lambda/tracking/lineage.client';
import { RunTrackerClient } from '../../lambda/tracking/run-tracker.client';
import { RunsClient } from '../../lambda/tracking/runs.client';
import { MemoryPlatform, modelResources, PLATFORM } from '../fakes/platform';
import { register, registryOver, versionRecord } from '../fakes/registry';
import { refusedReport } from '../lambda/pipeline/gate-report-samples';
import { fakeIo } from './fake-io';

process.env.AWS_REGION = 'eu-west-1';
process.env.AWS_ACCESS_KEY_ID = 'AKIDEXAMPLE';
process.env.AWS_SECRET_ACCESS_KEY = 'secret';
process.env.TZ = 'UTC';

const API = 'https://api.example/stage';
let platform: MemoryPlatform;
let registry: ModelRegistryClient;
let calls: { method?: string; url: string; headers: Record<string, string>; body: unknown }[];

beforeEach(() => {
  platform = new MemoryPlatform().install().add({ ...PLATFORM, apiUrl: API, searchTable: 'words' }, [modelResources('Demand')]);
  registry = registryOver(platform.dynamo.client());
  calls = [];
  jest.spyOn(globalThis, 'fetch').mockImplementation((async (url: string, init: RequestInit) => {
    calls.push({ method: init.method, url, headers: init.headers as Record<string, string>, body: init.body && JSON.parse(init.body as string) });
    if (url.includes('refuse'))
      return Response.json({ error_code: 'PERMISSION_DENIED', message: 'the pipeline alone moves champion' }, { status: 403 });
    return Response.json({});
  }) as never);
});
afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
});

const mlops = async (...args: string[]) => {
  const { io, written } = fakeIo();
  return { code: await main(args, io), ...written };
};

const json = async <T>(...args: string[]): Promise<T> => {
  const { code, out, err } = await mlops(...args, '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as T;
};

const by = { actor: 'ana', reason: 'because' };

/** Version 1 serves since `promoted`, version 2 waits for approval. */
const twoVersions = async (): Promise<void> => {
  await register(registry, 'Demand', versionRecord('run-1', { metrics: { rmse: 64.25 }, hyperparameters: { rounds: '10' } }), by);
  await registry.transition('Demand', 1, 'Approved', by);
  await registry.promote('Demand', 1, by);
  await register(registry, 'Demand', versionRecord('run-2', { metrics: { rmse: 60 }, hyperparameters: { rounds: '20' } }), by);
};

describe('models', () => {
  beforeEach(twoVersions);

  test('versions come newest first, page by page', async () => {
    const first = await json<{ items: { version: number }[]; cursor?: string }>('models', 'versions', 'Demand', '--limit', '1');
    expect(first.items.map(({ version }) => version)).toEqual([2]);
    const second = await json<{ items: { version: number }[] }>('models', 'versions', 'Demand', '--after', first.cursor!);
    expect(second.items.map(({ version }) => version)).toEqual([1]);
    expect((await mlops('models', 'versions', 'Demand')).out).toMatch(/v2 +PendingApproval[\s\S]*v1 +Production +champion/);
  });

  test('the history tells every change, and whether it is whole', async () => {
    const { out } = await mlops('models', 'history', 'Demand');
    expect(out).toMatch(/Registered[\s\S]*Approved[\s\S]*Promoted[\s\S]*Registered/);
    expect(await mlops('models', 'history', 'Demand', '--verify')).toMatchObject({ code: 0, out: expect.stringContaining('intact') });
    const [, entry] = platform.dynamo.items('history');
    platform.dynamo.put('history', { ...entry, reason: 'another' });
    expect(await mlops('models', 'history', 'Demand', '--verify')).toMatchObject({
      code: 1,
      out: expect.stringContaining('was changed after it was written'),
    });
  });

  test('what the gate made of a version is told rule by rule, and its page saved', async () => {
    const report = refusedReport();
    platform.bucket.objects.set('reports/gate.json', JSON.stringify(report));
    const { code, out } = await mlops('models', 'gate', 'Demand', '2');
    expect(code).toBe(0);
    expect(out).toContain(`not passed: ${report.reason}`);
    expect(out).toMatch(/^page +s3:\/\/reports\/gate\.html$/m);
    for (const { rule, verdict } of report.rules) expect(out).toMatch(new RegExp(`^${rule} +${verdict} `, 'm'));
    expect(await json('models', 'gate', 'Demand', '2')).toMatchObject({ passed: false, pageUri: 's3://reports/gate.html', rules: report.rules });

    const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-test-'));
    const file = path.join(directory, 'gate.html');
    platform.bucket.objects.set('reports/gate.html', '<html>é</html>');
    expect(await mlops('models', 'gate', 'Demand', '2', '--report', file)).toMatchObject({ code: 0, err: `report written to ${file}\n` });
    expect(readFileSync(file, 'utf8')).toBe('<html>é</html>');
    const nowhere = await mlops('models', 'gate', 'Demand', '2', '--report', path.join(directory, 'none', 'gate.html'));
    expect(nowhere).toMatchObject({ code: 1, err: expect.stringContaining('cannot be written') });
    rmSync(directory, { recursive: true });
    expect((await mlops('models', 'show', 'Demand', '--version', '2')).out).toMatch(/^gate page +s3:\/\/reports\/gate\.html$/m);
  });

  test('versions stand side by side, and what differs is marked', async () => {
    const { out } = await mlops('models', 'compare', 'Demand', '1', 'v2');
    expect(out).toMatch(/≠ +rmse +64\.25 +60/);
    expect(out).toMatch(/≠ +rounds +10 +20/);
    expect(await mlops('models', 'compare', 'Demand', 'first')).toMatchObject({ code: 2, err: expect.stringContaining('"first" is no version') });
  });

  test('what served at a moment is told with its run, and nothing before the first promotion', async () => {
    expect(await json('models', 'served-at', 'Demand', '2000-01-01')).toMatchObject({ version: null, run: null });
    expect(await json('models', 'served-at', 'Demand', '2999-01-01T00:00:00Z')).toMatchObject({ version: 1, run: 'run-1' });
    expect(await mlops('models', 'served-at', 'Demand', 'soon')).toMatchObject({ code: 2, err: expect.stringContaining('"soon" is no time') });
  });

  test('lineage goes both ways', async () => {
    const lineage = new LineageClient('runs', platform.dynamo.client());
    const version = { kind: 'version', id: 'Demand/1' } as const;
    await lineage.link({ kind: 'data', id: 'd1' }, { kind: 'run', id: 'run-1' });
    await lineage.link({ kind: 'run', id: 'run-1' }, version);
    await lineage.link(version, { kind: 'endpoint', id: 'mlops-demand' });
    const { out } = await mlops('models', 'lineage', 'Demand', '1');
    expect(out).toMatch(/made from\n {2}run run-1 .*\n {4}data d1 .*\nwent to\n {2}endpoint mlops-demand/);
  });

  test('aliases are set and taken away through the signed API', async () => {
    expect(await json('models', 'alias', 'Demand')).toEqual({ champion: 1 });
    await json('models', 'alias', 'Demand', 'shadow', 'v2');
    await json('models', 'alias', 'Demand', 'shadow', '--delete');
    expect(calls.map(({ method, url, body }) => ({ method, url, body }))).toEqual([
      { method: 'POST', url: `${API}/iam/api/2.0/mlflow/registered-models/alias`, body: { name: 'Demand', alias: 'shadow', version: '2' } },
      { method: 'DELETE', url: `${API}/iam/api/2.0/mlflow/registered-models/alias`, body: { name: 'Demand', alias: 'shadow' } },
    ]);
    expect(calls[0].headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/execute-api\/aws4_request/);
    expect((await mlops('models', 'alias', 'Demand', 'shadow')).code).toBe(2);
  });

  test('promotions and archivings need a reason, and what the API refuses is told in its words', async () => {
    expect(await mlops('models', 'promote', 'Demand', '2')).toMatchObject({ code: 2, err: expect.stringContaining('--reason') });
    await json('models', 'archive', 'Demand', '2', '--reason', 'superseded');
    expect(calls[0]).toMatchObject({
      url: `${API}/iam/api/2.0/mlops/registry/archive`,
      body: { name: 'Demand', version: '2', reason: 'superseded' },
    });
    platform.add({ ...PLATFORM, apiUrl: 'https://refuse.example' }, [modelResources('Demand')]);
    expect(await mlops('models', 'promote', 'Demand', '2', '--reason', 'better')).toMatchObject({
      code: 1,
      err: expect.stringContaining('the pipeline alone'),
    });
  });
});

test('rules and transitions of a model that people decide about go through the signed API', async () => {
  await registry.createModel({ name: 'Elsewhere' }, by);
  expect((await mlops('models', 'rules', 'Elsewhere')).out).toBe('Elsewhere has no rules\n');
  expect(await mlops('models', 'rules', 'Elsewhere', '--evidence', 'Approved')).toMatchObject({ code: 2, err: expect.stringContaining('--reason') });
  const stated = ['--two-persons', 'Approved', 'Production', '--evidence', 'Approved', '--reason', 'audit'];
  expect((await mlops('models', 'rules', 'Elsewhere', ...stated)).code).toBe(0);
  expect((await mlops('models', 'transition', 'Elsewhere', '1', 'Approved', '--reason', 'read')).out).toBe('Elsewhere v1 is Approved\n');
  expect((await mlops('models', 'transition', 'Elsewhere', '1', 'Production', '--reason', 'read')).code).toBe(2);
  expect(calls.map(({ url, body }) => [url.split('/').at(-1), body])).toEqual([
    [
      'rules',
      {
        name: 'Elsewhere',
        reason: 'audit',
        rules: [
          { state: 'Approved', two_person: true, evidence: true },
          { state: 'Production', two_person: true, evidence: false },
        ],
      },
    ],
    ['transition', { name: 'Elsewhere', version: '1', to: 'Approved', reason: 'read' }],
  ]);
});

describe('runs', () => {
  test('stand side by side', async () => {
    const runs = new RunTrackerClient('runs', platform.dynamo.client());
    for (const [runId, rmse] of [
      ['run-1', 64],
      ['run-2', 60],
    ] as const) {
      await runs.startRun({ runId, model: 'Demand', executionArn: `arn:${runId}`, causeId: 'c', cause: 'first' });
      await runs.logMetrics(runId, { rmse });
    }
    expect((await mlops('runs', 'compare', 'run-1', 'run-2')).out).toMatch(/≠ +rmse +64 +60/);
  });

  test('of any experiment are listed, of your own code too; without a name the experiments', async () => {
    const db = platform.dynamo.client();
    const experiments = new ExperimentsClient('runs', db, 's3://artifacts/mlflow');
    const { experimentId } = await experiments.create({ name: 'trial' });
    const { runId } = await new RunsClient('runs', db, experiments).create({ experimentId, name: 'calm-crow-7', userId: 'grace' });
    expect((await mlops('runs', 'list')).out).toMatch(new RegExp(`trial +${experimentId} `));
    expect((await mlops('runs', 'list', 'trial')).out).toMatch(new RegExp(`${runId} +calm-crow-7 +RUNNING .* by grace\\n`));
    expect(await json('runs', 'list', 'trial')).toMatchObject([{ runId, name: 'calm-crow-7' }]);
    expect(await mlops('runs', 'list', 'nowhere')).toMatchObject({ code: 1, err: expect.stringContaining('neither a model nor an experiment') });
  });

  test('are compared only with others', async () => {
    expect(await mlops('runs', 'compare', 'run-1')).toMatchObject({ code: 2, err: expect.stringContaining('at least two runs') });
    expect(await mlops('models', 'compare', 'Demand', '1')).toMatchObject({ code: 2, err: expect.stringContaining('at least two versions') });
  });

  test('show the course of a metric', async () => {
    const db = platform.dynamo.client();
    const runs = new RunsClient('runs', db, new ExperimentsClient('runs', db, 's3://artifacts/mlflow'));
    const { runId } = await runs.create({ experimentId: '0' });
    await runs.logBatch(runId, { metrics: [1, 2, 4, 8].map((value, step) => ({ key: 'loss', value, step, timestamp: step })) });
    expect((await mlops('runs', 'metrics', runId)).out).toMatch(/loss +8 +3/);
    expect((await mlops('runs', 'metrics', runId, 'loss')).out).toMatch(/^loss {2}▁▂▄█ {2}1 to 8\n/);
    expect((await mlops('runs', 'metrics', runId, 'gain')).out).toContain('has no metric gain');
  });
});

describe('search', () => {
  test('finds models by their names and runs by their causes once the index is made', async () => {
    await twoVersions();
    const runs = new RunTrackerClient('runs', platform.dynamo.client());
    await runs.startRun({ runId: 'run-1', model: 'Demand', executionArn: 'arn:1', causeId: 'c', cause: 'holidays were wrong' });
    expect(await json('search', '--rebuild')).toEqual({ things: expect.any(Number) });
    const hits = await json<{ items: { kind: string; title: string }[] }>('search', 'demand');
    expect(hits.items[0]).toMatchObject({ kind: 'model', title: 'Demand' });
    expect((await json<{ items: { kind: string }[] }>('search', 'holidays', 'wrong')).items.map(({ kind }) => kind)).toEqual(['run']);
    expect((await mlops('search', 'nowhere')).out).toBe('nothing has all of these words\n');
    expect(await mlops('search')).toMatchObject({ code: 2 });
    expect(await mlops('search', 'demand', '--limit', '51')).toMatchObject({ code: 2, err: expect.stringContaining('50 at most') });
  });
});

test('the shell gets a completion of commands', async () => {
  const printed = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  expect((await mlops('completion', 'bash')).code).toBe(0);
  expect(printed.mock.calls.join('\n')).toContain('complete -F __mlops_complete mlops');
});

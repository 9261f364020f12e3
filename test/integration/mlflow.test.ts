import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { hoursOf, readHours, REQUEST_COLUMNS, requestCsv, trainingCsv } from '../../cli/demo/bike-data';
import { findPlatform } from '../../cli/platform';
import { LocalEngine } from '../../local/engine';
import { endpointOf } from '../../local/engine-state';
import { ensurePython } from '../../local/toolchain';
import { bikes } from './bikes';
import { client, deploy, type Deployment, projectRoot, useEngine } from './harness';
import { DeployedModel } from './loop';
import { MlflowServer, withoutSettings } from './mlflow-server';

const CONFORMANCE = path.join(projectRoot, 'test', 'conformance');
/** Everything on both servers instead of what fits into a test run of minutes: MLOPS_CONFORMANCE=all. */
const ALL = process.env.MLOPS_CONFORMANCE === 'all';
/** What differs most between servers; the rest of the checks was proven on MLflow's own one when it was written. */
const ON_MLFLOW = ['errors', 'metrics', 'params_tags', 'search_runs', 'search_registry', 'versions'];
/** What the older client expresses differently. */
const WITH_2X = ['experiments', 'runs', 'registry', 'artifacts'];

interface Summary {
  readonly client: string;
  readonly passed: number;
  readonly failed: number;
  readonly checks: readonly { readonly name: string; readonly outcome: string; readonly error?: string }[];
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const run = (command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: projectRoot, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });

const python = async (requirements: string): Promise<string> => (await ensurePython({ requirements: path.join(CONFORMANCE, requirements) })).python;

describe('MLflow', () => {
  let full: string;
  let skinny: string;
  let deployment: Deployment;
  /** What `mlops mlflow-env` sets: URI, token and access to artifacts. */
  let environment: Record<string, string>;
  let artifactsBucket: string;

  beforeAll(async () => {
    full = await python('requirements.txt');
    skinny = await python('requirements-2x.txt');
    deployment = await deploy(bikes('Tracked', 'tracked'));
    artifactsBucket = (await findPlatform({ platform: 'tracked' })).resources.artifactsBucket;
    const engine = LocalEngine.list().find((state) => endpointOf(state) === useEngine().endpoint)?.name as string;
    const { code, out, err } = await run(
      process.execPath,
      ['assets/bin/mlops.js', 'mlflow-env', '--platform', 'tracked', '--local', engine, '--json'],
      withoutSettings(process.env),
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    environment = (JSON.parse(out) as { environment: Record<string, string> }).environment;
  }, 600_000);

  afterAll(() => deployment?.destroy(), 120_000);

  /** The checks that failed, with their errors. */
  const conformance = async (interpreter: string, args: readonly string[], env: Record<string, string>): Promise<Summary> => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-conformance-'));
    try {
      const file = path.join(directory, 'summary.json');
      const slow = ALL ? ['--slow'] : [];
      const program = [path.join(CONFORMANCE, 'run.py'), '--json', file, ...slow];
      const ended = await run(interpreter, [...program, ...args], { ...withoutSettings(process.env), ...env });
      if (!ended.out.trim().endsWith('}')) throw new Error(`the checks did not run:\n${ended.out}\n${ended.err}`);
      return JSON.parse(readFileSync(file, 'utf8')) as Summary;
    } finally {
      rmSync(directory, { recursive: true });
    }
  };

  const failures = ({ checks }: Summary): string[] =>
    checks.filter(({ outcome }) => outcome === 'FAILED').map(({ name, error }) => `${name}: ${error?.trim().split('\n').at(-1)}`);

  const ours = (): string[] => [
    '--uri', environment.MLFLOW_TRACKING_URI, '--artifacts', 'proxied,s3', '--s3-root', `s3://${artifactsBucket}/mlflow/conformance`,
  ];

  test('its client finds on the platform what it finds on a server of its own', async () => {
    const summary = await conformance(full, ours(), environment);
    expect(failures(summary)).toEqual([]);
    expect(summary.passed).toBeGreaterThan(350);
  }, ALL ? 1_800_000 : 600_000);

  test('the newest client of the 2.x line does, too', async () => {
    const groups = ALL ? [] : ['--groups', WITH_2X.join(',')];
    const summary = await conformance(skinny, ['--uri', environment.MLFLOW_TRACKING_URI, ...groups], environment);
    expect(summary.client).toContain('mlflow 2.');
    expect(failures(summary)).toEqual([]);
  }, ALL ? 1_200_000 : 300_000);

  test('its own server passes the same checks', async () => {
    const server = await MlflowServer.start({ python: full });
    try {
      const summary = await conformance(full, ['--uri', server.uri, ...(ALL ? [] : ['--groups', ON_MLFLOW.join(',')])], {});
      expect(failures(summary)).toEqual([]);
    } finally {
      await server.stop();
    }
  }, ALL ? 1_200_000 : 300_000);

  test('its client loads the champion that serves, predicts what the endpoint predicts, and moves it not', async () => {
    const hours = readHours(path.join(projectRoot, 'examples/bike-sharing/data/hour.csv'));
    const model = await DeployedModel.find('tracked', 'Bikes');
    await model.upload('2011.csv', trainingCsv(hoursOf(hours, '2011')));
    const trained = await model.train('first version', '2012-01-01T00:00:00Z');
    expect(trained).toMatchObject({ status: 'FINISHED', version: 1 });

    const rows = requestCsv(hoursOf(hours, '2012-01')).trim();
    const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-champion-'));
    const file = path.join(directory, 'rows.csv');
    writeFileSync(file, `${REQUEST_COLUMNS.join(',')}\n${rows}\n`);
    const seen = await run(full, [path.join(CONFORMANCE, 'champion.py'), 'Bikes', file], { ...withoutSettings(process.env), ...environment });
    rmSync(directory, { recursive: true });
    expect({ code: seen.code, err: seen.code === 0 ? '' : seen.err }).toEqual({ code: 0, err: '' });
    const { predictions, ...record } = JSON.parse(seen.out.trim().split('\n').at(-1) as string) as { predictions: number[] };

    const answer = await client(LambdaClient).send(
      new InvokeCommand({
        FunctionName: model.resources.recorderFunction,
        Payload: JSON.stringify({ body: rows, contentType: 'text/csv', accept: 'text/csv' }),
      }),
    );
    const { body } = JSON.parse(Buffer.from(answer.Payload ?? []).toString()) as { body: string };
    expect(predictions).toEqual(body.trim().split('\n').map(Number));
    expect(record).toMatchObject({
      version: '1',
      stage: 'Production',
      experiment: 'Bikes',
      status: 'FINISHED',
      metrics: expect.arrayContaining(['rmse']),
      params: expect.objectContaining({ rounds: '40' }),
      runs: true,
      registered: ['Bikes'],
      moved: 'PERMISSION_DENIED',
      deleted: 'PERMISSION_DENIED',
    });
  }, 300_000);

  test('the quickstart does what its page says', async () => {
    const { code, out, err } = await run(full, ['examples/mlflow-quickstart/quickstart.py'], { ...withoutSettings(process.env), ...environment });
    expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/boosting: 5\d\.\d rentals an hour off/);
    expect(out).toContain('champion: rental-demand version 1 (boosting)');
    expect(out).toMatch(/01 December, noon: \d+ expected, 148 came/);
  }, 120_000);
});

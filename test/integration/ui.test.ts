import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import chromium from '@sparticuz/chromium';
import { type App, Stack } from 'aws-cdk-lib';
import { type Browser, chromium as playwright, type Page } from 'playwright-core';
import { findPlatform, type Platform } from '../../cli/platform';
import { LocalEngine } from '../../local/engine';
import { endpointOf } from '../../local/engine-state';
import { waitUntil } from '../../local/processes';
import { ensurePython } from '../../local/toolchain';
import { deploy, type Deployment, projectRoot, useEngine } from './harness';
import { MlOpsPlatform } from 'cdk-mlops';

/** The pages ask who is logged in and take the absence of an answer for an answer, on MLflow's own server too. */
const EXPECTED_FAILURE = '/ajax-api/2.0/mlflow/users/current';

/** Set to a directory to look at what the browser saw. */
const SCREENSHOTS = process.env.MLOPS_SCREENSHOTS;

interface Made {
  readonly run: { readonly info: { readonly run_id: string; readonly artifact_uri: string } };
}

/** A page as a person sees it, and everything that went wrong while it was built. */
interface Seen {
  readonly page: Page;
  readonly faults: readonly string[];
}

describe("MLflow's web pages on the platform", () => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'mlops-ui-'));
  let deployment: Deployment;
  let platform: Platform;
  let command: ChildProcess;
  let url: string;
  let browser: Browser;
  let experimentId: string;
  let runId: string;

  const call = <T>(route: string, body: object): Promise<T> => platform.api.call('POST', `/api/2.0/mlflow/${route}`, body);

  beforeAll(async () => {
    const { python } = await ensurePython({ requirements: path.join(projectRoot, 'test/conformance/requirements.txt') });
    deployment = await deploy((app: App) => {
      new MlOpsPlatform(new Stack(app, 'Pages'), 'MlOps', { platformName: 'pages' });
    });
    Object.assign(process.env, useEngine().env);
    const engine = LocalEngine.list().find((state) => endpointOf(state) === useEngine().endpoint)?.name as string;
    platform = await findPlatform({ platform: 'pages', local: engine });
    await record();
    command = spawn(process.execPath, ['assets/bin/mlops.js', 'ui', '--platform', 'pages', '--local', engine, '--port', '0', '--mlflow', python], {
      cwd: projectRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    url = await addressOf(command);
    // Not with the arguments that the package proposes: they switch off what keeps pages apart, and with it the Origin header.
    const args = ['--no-sandbox', '--disable-gpu'];
    browser = await playwright.launch({ executablePath: await chromium.executablePath(), args, env: { HOME: home } });
  }, 600_000);

  afterAll(async () => {
    await browser?.close();
    command?.kill('SIGKILL');
    await deployment?.destroy();
    rmSync(home, { recursive: true, force: true });
  }, 180_000);

  /** A run with a metric over 50 steps, a file, and a model version with an alias. */
  const record = async (): Promise<void> => {
    experimentId = (await call<{ experiment_id: string }>('experiments/create', { name: 'bikes' })).experiment_id;
    const { run } = await call<Made>('runs/create', { experiment_id: experimentId, run_name: 'first' });
    runId = run.info.run_id;
    const metrics = Array.from({ length: 50 }, (_, step) => ({ key: 'rmse', value: 1 / (step + 1), timestamp: Date.now(), step }));
    await call('runs/log-batch', { run_id: runId, metrics, params: [{ key: 'alpha', value: '0.5' }] });
    const file = `/api/2.0/mlflow-artifacts/artifacts/${run.info.artifact_uri.split('/mlflow/')[1]}/notes.txt`;
    expect((await platform.api.send({ method: 'PUT', path: file, body: 'rides go up in May' })).status).toBe(200);
    await call('registered-models/create', { name: 'bikes-model' });
    await call('model-versions/create', { name: 'bikes-model', source: `${run.info.artifact_uri}/model`, run_id: runId });
    await call('registered-models/alias', { name: 'bikes-model', alias: 'best', version: '1' });
  };

  /** Opens a page and waits for the texts that it must show. */
  const open = async (name: string, place: string, texts: readonly string[]): Promise<Seen> => {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('response', (response) => {
      const target = new URL(response.url());
      if (response.status() >= 400 && target.pathname !== EXPECTED_FAILURE) faults.push(`${response.status()} ${target.pathname}${target.search}`);
    });
    const pending = new Set<unknown>();
    const isCall = (target: string): boolean => !new URL(target).pathname.startsWith('/static-files/');
    page.on('request', (request) => isCall(request.url()) && pending.add(request));
    page.on('requestfinished', (request) => pending.delete(request));
    page.on('requestfailed', (request) => pending.delete(request));
    await page.goto(`${url}#/${place}`);
    for (const text of texts) await page.getByText(text, { exact: true }).first().waitFor({ timeout: 60_000 });
    expect(await waitUntil(() => pending.size === 0, 30_000)).toBe(true);
    if (SCREENSHOTS) {
      mkdirSync(SCREENSHOTS, { recursive: true });
      await page.screenshot({ path: path.join(SCREENSHOTS, `ui-${name}.png`) });
    }
    return { page, faults };
  };

  test('the list of experiments', async () => {
    const { faults } = await open('experiments', 'experiments', ['bikes', 'Default']);
    expect(faults).toEqual([]);
  }, 120_000);

  test('a run with its values, and with its metric as a chart', async () => {
    const overview = await open('run', `experiments/${experimentId}/runs/${runId}`, ['rmse', '0.02', 'alpha', '0.5']);
    expect(overview.faults).toEqual([]);
    const { page, faults } = await open('run-metrics', `experiments/${experimentId}/runs/${runId}/model-metrics`, ['rmse']);
    // The line of the chart, with a mark for each of its points.
    await page.locator('.scatterlayer .trace path.js-line').first().waitFor({ state: 'attached', timeout: 60_000 });
    expect(faults).toEqual([]);
  }, 180_000);

  test('a file of the run', async () => {
    const { page, faults } = await open('artifacts', `experiments/${experimentId}/runs/${runId}/artifacts`, ['notes.txt']);
    await page.getByText('notes.txt', { exact: true }).first().click();
    await page.getByText('rides go up in May').first().waitFor({ timeout: 60_000 });
    expect(faults).toEqual([]);
  }, 120_000);

  test('a model with its versions and aliases', async () => {
    const models = await open('models', 'models', ['bikes-model']);
    expect(models.faults).toEqual([]);
    const { page, faults } = await open('model', 'models/bikes-model', ['Version 1']);
    await page.getByText('best').first().waitFor({ timeout: 60_000 });
    expect(faults).toEqual([]);
  }, 180_000);

  test('a page from elsewhere reaches nothing, and the interrupt ends it all', async () => {
    const elsewhere = await fetch(`${url}ajax-api/2.0/mlflow/experiments/search?max_results=1`, { headers: { origin: 'https://elsewhere.example' } });
    expect(elsewhere.status).toBe(403);
    command.kill('SIGINT');
    expect(await waitUntil(() => command.exitCode !== null || command.signalCode !== null, 20_000)).toBe(true);
    expect(command.exitCode).toBe(0);
  }, 60_000);
});

/** The address that the command prints once it serves. */
const addressOf = (command: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let out = '';
    let err = '';
    command.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
    command.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(out);
      if (found) resolve(found[0]);
    });
    command.once('exit', (code) => reject(new Error(`mlops ui ended with ${code}:\n${err}`)));
  });

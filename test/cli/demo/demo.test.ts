import { mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import type { runDemo as RunDemo } from '../../../cli/demo/demo';
import type { DemoResult } from '../../../cli/demo/result';
import { bootstrap, deployApp, synthApp } from '../../../local/deploy';
import { LocalEngine } from '../../../local/engine';
import { ensurePython } from '../../../local/toolchain';
import { fakeIo } from '../fake-io';
import { DemoWorld } from './world';

jest.mock('../../../local/deploy');
jest.mock('../../../local/toolchain');
process.env.AWS_REGION = 'eu-west-1';
jest.setTimeout(30_000);

const repository = path.join(__dirname, '../../..');
/** A checkout as far as the demo looks at one: it reads its data there and writes beside it. */
const checkout = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'mlops-demo-')));
const output = path.join(checkout, '.mlops');
const ajv = new Ajv({ strict: true });
addFormats(ajv);
const valid = ajv.compile<DemoResult>(JSON.parse(readFileSync(path.join(repository, 'docs/schemas/demo.schema.json'), 'utf8')));

/** What the demo asks the engine beside AWS. */
const used = [{ role: 'arn:aws:iam::0:role/MlOps-x', action: 'a', resource: 'r' }];
const permissions = { denied: [] as object[], used, neverUsed: [] as object[] };
let routes: Record<string, unknown>;
let server: Server;
let stopped: number;
let runDemo: typeof RunDemo;
let crash: ((reason: string) => void) | undefined;
let started: jest.SpyInstance;

class Exit extends Error {}

beforeAll(async () => {
  symlinkSync(path.join(repository, 'examples'), path.join(checkout, 'examples'));
  process.chdir(checkout);
  ({ runDemo } = await import('../../../cli/demo/demo'));
  server = createServer((request, response) => {
    const route = request.url!.replace('/_mlops/', '');
    if (request.headers['x-mlops-engine-token'] !== 'token') response.writeHead(403).end('{}');
    else response.end(JSON.stringify(routes[route]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  process.chdir(repository);
  rmSync(checkout, { recursive: true, force: true });
  return new Promise((resolve) => server.close(resolve));
});

beforeEach(() => {
  new DemoWorld().install();
  routes = { health: {}, calls: { s3: 3, dynamodb: 10 }, permissions };
  stopped = 0;
  crash = undefined;
  const engine = {
    ...{ name: 'demo', endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'token', state: { region: 'eu-west-1' } },
    environment: () => ({}),
    stop: async () => void (stopped += 1),
    onExit: (tell: (reason: string) => void) => void (crash = tell),
  } as unknown as LocalEngine;
  started = jest.spyOn(LocalEngine, 'start').mockResolvedValue(engine);
  jest.spyOn(LocalEngine, 'find').mockReturnValue(engine);
  jest.spyOn(LocalEngine, 'list').mockReturnValue([]);
  jest.mocked(synthApp).mockImplementation(async ({ output: assembly }) => assembly);
  jest.mocked(bootstrap).mockResolvedValue(undefined);
  jest.mocked(deployApp).mockResolvedValue({});
  jest.mocked(ensurePython).mockResolvedValue({ python: 'python3' } as never);
  jest.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Exit(String(code));
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(output, { recursive: true, force: true });
});

const signals = ['SIGINT', 'SIGTERM', 'exit'] as const;
const demo = async (options: Parameters<typeof RunDemo>[1] = {}) => {
  const listeners = signals.map((signal) => process.listeners(signal as 'SIGINT'));
  const { io, written } = fakeIo();
  const ended = await runDemo(io, options).catch((error: Error) => error);
  for (const [index, signal] of signals.entries()) {
    for (const listener of process.listeners(signal as 'SIGINT')) if (!listeners[index].includes(listener)) process.removeListener(signal, listener);
  }
  if (!(ended instanceof Exit)) throw ended as Error;
  return { code: Number(ended.message), ...written };
};

test('goes once around the loop, tells each stage, and leaves a result that fits its schema', async () => {
  const file = path.join(checkout, 'demo.json');
  const { code, out, err } = await demo({ json: file });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(stopped).toBe(1);
  expect(started).toHaveBeenCalledWith(expect.objectContaining({ attached: true, name: undefined }));

  const result = JSON.parse(readFileSync(file, 'utf8')) as DemoResult;
  expect(valid(result)).toBe(true);
  const stages = result.stages.map(({ name }) => name);
  expect(stages).toEqual([
    ...['Python packages', 'engine', 'synth', 'deploy', 'first version', '2012-01', '2012-02', '2012-03', '2012-04', 'retraining after 2012-04'],
    ...['2012-05', '2012-06', 'review', 'permissions'],
  ]);
  for (const stage of stages) expect(out).toMatch(new RegExp(`^${stage} \\(\\d+\\.\\d s\\)`, 'm'));
  expect(result.versions.map(({ version, state }) => [version, state])).toEqual([[1, 'Archived'], [2, 'Production']]);
  expect(result.months.map(({ servedVersion }) => servedVersion)).toEqual([1, 1, 1, 1, 2, 2]);
  expect(result.awsCalls).toEqual(routes.calls);
  expect(result.endpointFailures).toBe(0);
  // What outlives the engine.
  expect(readFileSync(result.report, 'utf8')).toContain('<!doctype html>');
  expect(JSON.parse(readFileSync(path.join(output, 'permissions.json'), 'utf8'))).toEqual(permissions);
  expect(out).toContain('1 used, none missing; 0 granted and not used');
});

test('with --keep the engine stays, under a name, and how to look further is told', async () => {
  const { code, out } = await demo({ keep: true });
  expect(code).toBe(0);
  expect(stopped).toBe(0);
  expect(started).toHaveBeenCalledWith(expect.objectContaining({ attached: false, name: 'demo' }));
  expect(out).toContain('npx mlops --local demo models show BikeDemand');
});

test('a permission that a role lacks ends the demo, for it would be missing on AWS too', async () => {
  routes.permissions = { ...permissions, denied: [{ role: 'MlOps-y', action: 's3:GetObject', resource: 'arn:x' }] };
  const { code, err } = await demo();
  expect({ code, stopped }).toEqual({ code: 1, stopped: 1 });
  expect(err).toMatch(/permissions failed: the roles lack permissions:\s+MlOps-y may not s3:GetObject on arn:x\s+what to do: grant what is missing/);
});

test.each<[string, () => unknown, RegExp]>([
  ['Python packages', () => jest.mocked(ensurePython).mockRejectedValue(new Error('no network')), /no network\nwhat to do: check that PyPI/],
  ['engine', () => started.mockRejectedValue(new Error('no port')), /no port\nwhat to do: run the command again/],
  ['synth', () => jest.mocked(synthApp).mockRejectedValue(new Error('no such file')), /no such file\nwhat to do: the message names the construct/],
  ['deploy', () => jest.mocked(deployApp).mockRejectedValue(new Error('CREATE_FAILED')), /CREATE_FAILED\nwhat to do: the message names the resource/],
])('a failure of %s names the stage and what to do, with exit code 1 and no engine left', async (stage, fail, message) => {
  fail();
  const { code, err } = await demo();
  expect(code).toBe(1);
  expect(err).toMatch(new RegExp(`^\\n${stage} failed: `));
  expect(err).toMatch(message);
  expect(stopped).toBe(stage === 'Python packages' || stage === 'engine' ? 0 : 1);
});

test('an engine that ends by itself is the cause, whatever fails with it', async () => {
  jest.mocked(deployApp).mockImplementation(async () => {
    crash!('out of memory');
    throw new Error('ECONNREFUSED');
  });
  const { code, err } = await demo({ keep: true });
  expect({ code, stopped }).toEqual({ code: 1, stopped: 1 });
  expect(err).toContain('engine failed: the local engine ended on its own: out of memory\nwhat to do: run the command again');
});

test('Ctrl-C stops the engine and ends as shells expect', async () => {
  const exits: unknown[] = [];
  jest.mocked(process.exit).mockImplementation(((code: number) => void exits.push(code)) as never);
  jest.mocked(deployApp).mockImplementation(() => new Promise(() => process.emit('SIGINT')));
  const { io, written } = fakeIo();
  void runDemo(io, {});
  while (exits.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  expect({ exits, stopped }).toEqual({ exits: [130], stopped: 1 });
  expect(written.err).toContain('interrupted: the engine and its processes are being stopped');
});

test('says that it needs a checkout', async () => {
  const elsewhere = mkdtempSync(path.join(os.tmpdir(), 'mlops-elsewhere-'));
  process.chdir(elsewhere);
  const { code, err } = await demo();
  process.chdir(checkout);
  expect(code).toBe(1);
  expect(err).toContain('demo failed: examples/bike-sharing/data/hour.csv is not here: the demo runs from a checkout');
  rmSync(elsewhere, { recursive: true });
});

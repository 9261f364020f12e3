import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { connect, localEngine } from '../../cli/platform';
import { main } from '../../cli/program';
import { LocalEngine } from '../../local/engine';
import { type EngineState, stateFile, writeState } from '../../local/engine-state';
import { fakeIo } from './fake-io';

const cacheHome = process.env.XDG_CACHE_HOME;
let root: string;
let supervisors: ChildProcess[];

/** Commands listen for the rest of their process, which here is that of the tests. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const listeners = new Map(SIGNALS.map((signal) => [signal, process.listeners(signal)]));

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'cdk-mlops-cli-'));
  process.env.XDG_CACHE_HOME = root;
  supervisors = [];
});
afterEach(() => {
  supervisors.forEach((child) => child.kill('SIGKILL'));
  jest.restoreAllMocks();
  process.exitCode = undefined;
  for (const signal of SIGNALS) {
    for (const listener of process.listeners(signal)) if (!listeners.get(signal)!.includes(listener)) process.removeListener(signal, listener);
  }
  rmSync(root, { recursive: true, force: true });
});
afterAll(() => {
  if (cacheHome === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cacheHome;
});

/** Ends as the supervisor does: on SIGTERM it writes its end down. */
const SUPERVISOR = `
const fs = require('node:fs');
process.on('SIGTERM', () => {
  const state = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
  fs.writeFileSync(process.argv[2], JSON.stringify({ ...state, status: 'stopped', endedAt: '2026-01-01T01:00:00.000Z' }));
  process.exit(0);
});
setInterval(() => undefined, 1000);
process.stdout.write('up');
`;

/** An engine as its state file tells it; one that runs has a process that stands for its supervisor. */
const engine = async (name: string, change: Partial<EngineState> = {}): Promise<EngineState> => {
  const directory = path.join(root, 'logs', name);
  mkdirSync(directory, { recursive: true });
  const state: EngineState = {
    ...{ schemaVersion: 1, name, status: 'running', pid: 0, port: 4999, portChosen: false, token: 'token', region: 'eu-west-1' },
    ...{ accountId: '000000000000', directory, workDirectory: path.join(directory, 'work'), attached: false, python: 'python3' },
    ...{ pluginDirectory: '', runnersDirectory: '', nodePath: [], waitScale: 1, startedAt: '2026-01-01T00:00:00.000Z' },
    ...change,
  };
  writeState(state);
  if (state.status !== 'running') return state;
  const program = path.join(root, 'supervisor.js');
  writeFileSync(program, SUPERVISOR);
  const child = spawn(process.execPath, [program, stateFile(name)], { stdio: ['ignore', 'pipe', 'inherit'] });
  supervisors.push(child);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  writeState({ ...state, pid: child.pid! });
  return state;
};

const mlops = async (...args: string[]) => {
  const { io, written } = fakeIo({ environment: { PATH: process.env.PATH, AWS_PROFILE: 'work', HOME: root } });
  const code = await main(['local', ...args], io);
  return { code, ...written };
};

describe('local status', () => {
  test('says how to start one where there is none', async () => {
    expect((await mlops('status')).out).toBe('no engine is known: start one with `mlops local start`\n');
    expect((await mlops('status', 'mine')).out).toBe('no engine "mine" is known\n');
  });

  test('tells engines that run and how the others ended', async () => {
    await engine('mine');
    await engine('broken', { status: 'failed', endedAt: '2026-01-01T00:05:00.000Z', reason: 'MiniStack ended\nTraceback' });
    const { out } = await mlops('status');
    expect(out).toMatch(/engine\s+mine\nstatus\s+running\nendpoint\s+http:\/\/127.0.0.1:4999\n/);
    expect(out).toMatch(/engine\s+broken\nstatus\s+failed\nstarted .*\nended .*\nbecause\s+MiniStack ended\nlogs/);
    const rows = JSON.parse((await mlops('status', 'broken', '--json')).out) as object[];
    expect(rows).toEqual([expect.objectContaining({ name: 'broken', status: 'failed', region: 'eu-west-1' })]);
    expect(JSON.stringify(rows)).not.toContain('token');
  });

  test('an engine whose supervisor is gone does not run', async () => {
    await engine('mine');
    supervisors[0].kill('SIGKILL');
    await new Promise((resolve) => supervisors[0].once('exit', resolve));
    expect((await mlops('status')).out).toMatch(/status\s+failed[\s\S]*because\s+its supervisor ended without saying why/);
  });
});

describe('local stop', () => {
  test('ends the only engine that runs', async () => {
    await engine('mine');
    expect(await mlops('stop')).toMatchObject({ code: 0, out: 'stopped: mine\n' });
    expect((JSON.parse(readFileSync(stateFile('mine'), 'utf8')) as EngineState).status).toBe('stopped');
    expect((await mlops('stop')).err).toMatch(/^error: no engine "default" is running\n {2}there is nothing to stop/);
  });

  test('ends all of them, but none that another command holds', async () => {
    await engine('one');
    await engine('two');
    await engine('held', { attached: true });
    expect(JSON.parse((await mlops('stop', '--all', '--json')).out)).toEqual({ stopped: ['one', 'two'] });
    expect(LocalEngine.find('held')).toBeDefined();
    expect((await mlops('stop', '--all')).out).toBe('no engine is running\n');
  });

  test('names what runs where another one is meant', async () => {
    await engine('one');
    await engine('two');
    expect((await mlops('stop')).err).toBe('error: no engine "default" is running\n  running are: one, two\n');
  });
});

describe('local logs', () => {
  test('shows the last lines of each log, also of an engine that has ended', async () => {
    const { directory } = await engine('mine', { status: 'stopped' });
    writeFileSync(path.join(directory, 'ministack.log'), 'one\ntwo\nthree\n');
    writeFileSync(path.join(directory, 'supervisor.log'), '');
    expect((await mlops('logs', 'mine', '-n', '2')).out).toBe('==> ministack.log\ntwo\nthree\n');
    expect(await mlops('logs', 'other')).toMatchObject({ code: 1, err: 'error: no engine "other" is known\n  see `mlops local status`\n' });
  });

  test('goes on with whole lines until the engine ends', async () => {
    const { directory } = await engine('mine');
    const log = path.join(directory, 'ministack.log');
    writeFileSync(log, 'before\n');
    const { io, written } = fakeIo();
    const following = main(['local', 'logs', 'mine', '--follow'], io);
    appendFileSync(log, 'after\nhalf');
    while (!written.out.includes('after')) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(written.out).not.toContain('half');
    appendFileSync(log, ' and whole\n');
    await LocalEngine.find('mine')?.stop();
    expect(await following).toBe(0);
    expect(written.out).toBe('==> ministack.log\nbefore\nministack after\nministack half and whole\n');
  });
});

describe('local exec', () => {
  const exec = (...words: string[]) => mlops('exec', '--', process.execPath, '-e', ...words);

  test('runs a program with the environment of the engine in the place of every AWS setting, and answers its exit code', async () => {
    await engine('mine');
    const file = path.join(root, 'environment.json');
    const { code } = await exec(`require('fs').writeFileSync(${JSON.stringify(file)}, JSON.stringify(process.env)); process.exit(7)`);
    expect(code).toBe(7);
    const environment = JSON.parse(readFileSync(file, 'utf8')) as NodeJS.ProcessEnv;
    expect(environment).toMatchObject({ AWS_ENDPOINT_URL: 'http://127.0.0.1:4999', AWS_REGION: 'eu-west-1', CDK_DEFAULT_ACCOUNT: '000000000000' });
    expect(environment).not.toHaveProperty('AWS_PROFILE');
    expect(environment.NO_PROXY).toContain('127.0.0.1');
  });

  test('a program that a signal ends has the exit code that shells give it', async () => {
    await engine('mine');
    expect((await exec('process.kill(process.pid, "SIGKILL")')).code).toBe(128 + 9);
  });

  test('says what cannot be run', async () => {
    expect((await exec('')).err).toMatch(/^error: there is no running local engine "default"\n {2}start one/);
    await engine('mine');
    const { code, err } = await mlops('exec', '--', 'no-such-program');
    expect({ code, err }).toEqual({ code: 1, err: 'error: there is no program "no-such-program"\n  check the name and PATH\n' });
  });
});

describe('local start', () => {
  /** An engine that has started; what starts it is tried where engines are. */
  const starting = async (name: string): Promise<jest.SpyInstance> => {
    await engine(name);
    const found = LocalEngine.find(name)!;
    return jest.spyOn(LocalEngine, 'start').mockImplementation(async (options) => {
      options?.onProgress?.('starting');
      return found;
    });
  };

  test('prints an environment for the shell on standard output and everything else beside it', async () => {
    const start = await starting('default');
    const { code, out, err } = await mlops('start', '--port', '4999');
    expect(code).toBe(0);
    expect(start).toHaveBeenCalledWith(expect.objectContaining({ name: 'default', port: 4999, attached: false }));
    const lines = out.trim().split('\n');
    expect(lines[0]).toBe('unset AWS_PROFILE AWS_SESSION_TOKEN');
    expect(lines.slice(1).every((line) => /^export [A-Z0-9_]+=\S+$/.test(line))).toBe(true);
    expect(lines).toContain('export AWS_ENDPOINT_URL=http://127.0.0.1:4999');
    expect(err).toMatch(/^local engine: starting\n# engine "default" answers at http:\/\/127.0.0.1:4999; end it with: npx mlops local stop\n/);
  });

  test('names the engine in what it says where it is not the default', async () => {
    await starting('mine');
    const { err } = await mlops('start', '--name', 'mine');
    expect(err).toContain('end it with: npx mlops local stop mine');
    expect(err).toContain('npx mlops local exec --name mine -- npx cdk deploy');
    const data = JSON.parse((await mlops('start', '--name', 'mine', '--json')).out) as Record<string, unknown>;
    expect(data).toMatchObject({ name: 'mine', endpoint: 'http://127.0.0.1:4999', env: { AWS_REGION: 'eu-west-1' } });
  });

  test('in the foreground ends the engine at Ctrl-C', async () => {
    await starting('mine');
    const { io, written } = fakeIo();
    const running = main(['local', 'start', '--name', 'mine', '--foreground'], io);
    while (!written.err.includes('Ctrl-C ends it')) await new Promise((resolve) => setTimeout(resolve, 10));
    process.emit('SIGINT');
    expect(await running).toBe(0);
    expect((JSON.parse(readFileSync(stateFile('mine'), 'utf8')) as EngineState).status).toBe('stopped');
  });

  test('in the foreground fails when the engine ends by itself', async () => {
    await starting('mine');
    jest.spyOn(LocalEngine.prototype, 'onExit').mockImplementation((tell) => tell('its supervisor was killed'));
    const { code, err } = await mlops('start', '--name', 'mine', '--foreground');
    expect(code).toBe(1);
    expect(err).toMatch(/error: the engine "mine" ended: its supervisor was killed\n {2}its logs are in /);
  });
});

describe('--local', () => {
  test('means the engine of that name, else `default`, else the only one; those that other commands hold come last', async () => {
    await engine('held', { attached: true });
    expect(localEngine(true).name).toBe('held');
    await engine('mine');
    expect(localEngine(true).name).toBe('mine');
    await engine('other');
    expect(() => localEngine(true)).toThrow('there is no running local engine "default"');
    expect(localEngine('other').name).toBe('other');
    await engine('default');
    expect(localEngine('').name).toBe('default');
  });

  test('leads clients to the engine, and without it to AWS', async () => {
    await engine('mine');
    expect(connect('mine')).toEqual({
      region: 'eu-west-1',
      endpoint: 'http://127.0.0.1:4999',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    expect(connect(undefined)).toEqual({});
  });
});

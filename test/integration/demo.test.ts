import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import type { DemoResult } from '../../cli/demo/result';
import { isAlive, waitUntil } from '../../local/processes';
import { projectRoot } from './harness';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves as soon as the output has this text. */
  readonly said: (text: string) => Promise<void>;
}

/** The demo as a person starts it, without any AWS setting of this process. */
const startDemo = (...args: string[]): Running => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
  const child = spawn(process.execPath, ['assets/bin/mlops.js', 'demo', ...args], { cwd: projectRoot, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, out, err })));
  const said = async (text: string): Promise<void> => {
    while (!out.includes(text)) {
      if (child.exitCode !== null) throw new Error(`the demo ended before it said "${text}":\n${out}\n${err}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return { child, ended, said };
};

/** Every process below this one. */
const descendants = (pid: number): number[] => {
  const table = execFileSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = table.trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] => pairs.filter(([, ppid]) => ppid === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
};

const allGone = async (pids: readonly number[]): Promise<number[]> => {
  await waitUntil(() => !pids.some(isAlive), 5_000);
  return pids.filter(isAlive);
};

describe('the demo', () => {
  test('goes round the loop on real data and tells the truth of it', async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-demo-'));
    const file = path.join(directory, 'demo.json');
    const { code, out, err } = await startDemo('--json', file).ended;
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const result = JSON.parse(readFileSync(file, 'utf8')) as DemoResult;
    rmSync(directory, { recursive: true });

    const ajv = new Ajv();
    addFormats(ajv);
    expect(ajv.validate(JSON.parse(readFileSync(path.join(projectRoot, 'docs/schemas/demo.schema.json'), 'utf8')), result)).toBe(true);

    const month = (name: string) => result.months.find((entry) => entry.month === name);
    expect(result.months.map((entry) => entry.verdict.quality)).toEqual(['ok', 'ok', 'ok', 'degraded', 'ok', 'ok']);
    // No season of weather is a fault: the drift rule, which knows how far weeks of a year differ, stays quiet.
    expect(result.months.map((entry) => entry.verdict.drift)).toEqual(new Array(6).fill('ok'));
    expect(month('2012-04')).toMatchObject({ servedVersion: 1 });
    expect(month('2012-05')).toMatchObject({ servedVersion: 2 });
    expect(month('2012-05')?.rmse).toBeLessThanOrEqual(0.75 * (month('2012-05')?.rmseOfFirstVersion as number));

    expect(result.versions.map(({ version, state }) => [version, state])).toEqual([[1, 'Archived'], [2, 'Production']]);
    // One episode is one cause, however many windows it lasts; a person's request joins the run that it started.
    expect(result.governor.map(({ decision }) => decision)).toEqual(['started', 'started', 'coalesced']);
    expect(result.governor[1].cause).toContain('rmse');
    expect(result.versions[1].cause).toBe(result.governor[1].cause);

    expect(result.endpointFailures).toBe(0);
    expect(result.endpointRequests).toBeGreaterThan(181);
    expect(out).toContain('none missing');
    const report = readFileSync(result.report, 'utf8');
    expect(report).toContain('<!doctype html>');
    expect(report).toMatch(/\d blocks of 7 days \([\w ]+2011\) cannot support a promise/);
    expect(report).toContain('52 blocks of 7 days');
  }, 300_000);

  test('Ctrl-C ends it at once, and no process of it is left', async () => {
    const demo = startDemo();
    await demo.said('engine (');
    const below = descendants(demo.child.pid as number);
    expect(below.length).toBeGreaterThanOrEqual(2);
    demo.child.kill('SIGINT');
    const { code, err } = await demo.ended;
    expect(code).toBe(130);
    expect(err).toContain('interrupted');
    expect(await allGone(below)).toEqual([]);
  }, 90_000);

  test('a crash of the engine ends it with what happened and what to do, and no process of it is left', async () => {
    const demo = startDemo();
    await demo.said('deploy (');
    const below = descendants(demo.child.pid as number);
    const engine = below.find((pid) => execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).includes('mlops_engine'));
    process.kill(engine as number, 'SIGKILL');
    const { code, err } = await demo.ended;
    expect(code).toBe(1);
    expect(err).toMatch(/^engine failed: the local engine ended on its own/m);
    expect(err).toContain('what to do: ');
    expect(await allGone(below)).toEqual([]);
  }, 120_000);
});

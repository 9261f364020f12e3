import { mkdtempSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { main } from '../../cli/program';
import { monitoringPrefix } from '../../lib/artifacts/contract';
import { MONITORING_KEYS, type MonitorResult, type MonitorRun } from '../../lib/monitoring/contract';
import { MemoryPlatform, modelResources, PLATFORM } from '../fakes/platform';
import { samplePage } from '../lambda/monitoring/report/samples';
import { fakeIo } from './fake-io';

process.env.AWS_REGION = 'eu-west-1';
process.env.AWS_ACCESS_KEY_ID = 'AKIDEXAMPLE';
process.env.AWS_SECRET_ACCESS_KEY = 'secret';

const WEEK = 7 * 86_400_000;
let platform: MemoryPlatform;

beforeEach(() => {
  platform = new MemoryPlatform().install().add(PLATFORM, [modelResources('BikeDemand')]);
});
afterEach(() => jest.restoreAllMocks());

const mlops = async (...args: string[]) => {
  const { io, written } = fakeIo();
  return { code: await main(args, io), ...written };
};

const { result: SAMPLE } = samplePage();

/** Stored as the monitor does. */
const store = (weeks: number, change: Partial<MonitorResult> = {}): void => {
  const [start, end] = [SAMPLE.windowStart, SAMPLE.windowEnd].map((time) => Date.parse(time) + weeks * WEEK);
  const result = { ...SAMPLE, windowStart: new Date(start).toISOString(), windowEnd: new Date(end).toISOString(), ...change };
  const prefix = `reports/${monitoringPrefix('BikeDemand')}${MONITORING_KEYS.window(start, end)}`;
  platform.bucket.objects.set(`${prefix}${MONITORING_KEYS.result}`, JSON.stringify(result));
  platform.bucket.objects.set(`${prefix}${MONITORING_KEYS.report}`, `<!doctype html><title>${result.windowEnd}</title>`);
};

describe('monitor show', () => {
  test('says the verdict first, then the promise, then features, quality, groups and broken rules', async () => {
    store(-1);
    store(0);
    const { code, out } = await mlops('monitor', 'show', 'BikeDemand');
    expect(code).toBe(0);
    expect(out).toMatch(/^BikeDemand v2 needs attention: its data drifted in 2 columns/);
    const order = ['needs attention', '2012-08-13 to', 'cannot support a promise', 'features against', 'baseline', 'autumn, spring', 'domain'];
    const places = order.map((word) => out.indexOf(word));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    expect(out).toMatch(/humidity +drifted +0\.33 distribution +0\.1/);
  });

  test('finds a window by its end, names the way to those there are, and saves its report', async () => {
    store(-3);
    store(0);
    const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'mlops-test-')), 'report.html');
    const { code, out, err } = await mlops('monitor', 'show', 'BikeDemand', '--window', '2012-07-30', '--report', file, '--json');
    expect(code).toBe(0);
    expect((JSON.parse(out) as MonitorResult).windowEnd).toBe('2012-07-30T00:00:00.000Z');
    expect(readFileSync(file, 'utf8')).toContain('2012-07-30');
    expect(err).toContain(file);
    const absent = await mlops('monitor', 'show', 'BikeDemand', '--window', '2012-07-29T00:00:00Z');
    expect(absent).toMatchObject({ code: 1, err: expect.stringContaining('mlops monitor history BikeDemand') });
    expect(await mlops('monitor', 'show', 'BikeDemand', '--window', 'tomorrow')).toMatchObject({ code: 2 });
    const unwritable = await mlops('monitor', 'show', 'BikeDemand', '--report', '/no/such/directory/x.html');
    expect(unwritable).toMatchObject({ code: 1, err: expect.stringContaining('cannot be written') });
  });

  test('says so where nothing was judged yet, and where there is no such model', async () => {
    expect(await mlops('monitor', 'show', 'BikeDemand')).toMatchObject({ code: 1, err: expect.stringContaining('mlops monitor run BikeDemand') });
    expect(await mlops('monitor', 'show', 'Other')).toMatchObject({ code: 1, err: expect.stringContaining('its models: BikeDemand') });
  });
});

test('monitor history tells the last windows, the newest last, whatever a window holds', async () => {
  for (let week = -4; week < 0; week += 1) store(week);
  store(0, { drift: { ...SAMPLE.drift, verdict: 'no-traffic', comparisons: [] }, version: undefined, episodes: [] });
  const { out } = await mlops('monitor', 'history', 'BikeDemand', '--limit', '3');
  const lines = out.trim().split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[1]).toMatch(/^2012-08-06 +672 +v2 +drift +5\.10 \/ 3\.20 +0\.024 +ok +rmse 66, r2 0\.85 +93\s% +degraded +1 broken +drift \(2\)/);
  expect(lines[3]).toMatch(/^2012-08-20 +672 +- +no-traffic/);
  expect(JSON.parse((await mlops('monitor', 'history', 'BikeDemand', '--limit', '2', '--json')).out)).toHaveLength(2);
});

describe('monitor run', () => {
  const answers = (status: string, output?: unknown): void => {
    const { machines } = platform;
    const started = machines.started;
    jest.spyOn(started, 'push').mockImplementation((...inputs) => {
      for (const input of inputs) {
        started[started.length] = input;
        setImmediate(() =>
          machines.executions.forEach((execution, arn) =>
            machines.executions.set(arn, {
              ...execution,
              status: status as never,
              output: JSON.stringify(output),
              error: 'TooMuch',
              cause: 'the window holds too much',
              events: [{ stateEnteredEventDetails: { name: 'Judge', input: '{"window":{"windowEnd":"2012-08-20T00:00:00.000Z"}}' } } as never],
            }),
          ),
        );
      }
      return started.length;
    });
  };

  test('starts the state machine with the range that was asked for, and tells what it answered', async () => {
    const run: MonitorRun = {
      unchanged: 1,
      windows: [{
        model: 'BikeDemand', version: 2, windowStart: SAMPLE.windowStart, windowEnd: SAMPLE.windowEnd, rows: 672, driftVerdict: 'drift',
        driftedFeatures: ['humidity'], qualityVerdict: 'ok', groupsVerdict: 'no-rules', constraintsVerdict: 'ok', metrics: { rmse: 66 },
        episodes: ['drift'], resultUri: SAMPLE.resultUri, reportUri: SAMPLE.reportUri,
      }],
    };
    answers('SUCCEEDED', run);
    const { code, out, err } = await mlops('monitor', 'run', 'BikeDemand', '--from', '2012-08-13', '--to', '2012-08-20T00:00', '--force');
    expect(code).toBe(0);
    const [{ stateMachineArn, input }] = platform.machines.started;
    expect(stateMachineArn).toContain('monitor-BikeDemand');
    expect(JSON.parse(input!)).toEqual({ windowStart: '2012-08-13T00:00:00.000Z', windowEnd: '2012-08-20T00:00:00.000Z', force: true });
    expect(out).toMatch(/2012-08-13 to 2012-08-20 +672 +v2 +drift +humidity +ok +rmse 66/);
    expect(out).toContain('1 window had not changed');
    expect(err).toContain('Judge, window to 2012-08-20');
  });

  test('a failed execution is told with its state and cause; a range that ends before it starts is refused', async () => {
    answers('FAILED');
    const { code, err } = await mlops('monitor', 'run', 'BikeDemand');
    expect({ code, input: platform.machines.started[0].input }).toEqual({ code: 1, input: '{}' });
    expect(err).toContain('ended FAILED in Judge, window to 2012-08-20: TooMuch the window holds too much');
    expect(await mlops('monitor', 'run', 'BikeDemand', '--from', '2012-08-20', '--to', '2012-08-13')).toMatchObject({ code: 2 });
  });
});

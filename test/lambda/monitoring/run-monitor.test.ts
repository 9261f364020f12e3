import { Baseline } from '../../../lambda/monitoring/baseline';
import type { MonitorClient } from '../../../lambda/monitoring/monitor.client';
import { requestedWindow } from '../../../lambda/monitoring/requested-window';
import { runMonitor } from '../../../lambda/monitoring/run-monitor';
import type { MonitorResult } from '../../../lib/monitoring/contract';
import type { EventDetail } from '../../../lib/retraining/contract';
import { captureLine, labelLine, lines, makeBaseline, makeRows, SPEC } from './samples';

let baseline: Baseline;
beforeAll(async () => {
  baseline = await makeBaseline(undefined, () => 100);
});

const MARCH = { start: Date.parse('2012-03-01T00:00:00Z'), end: Date.parse('2012-04-01T00:00:00Z') };
const rowsOf = (shift = 0) => makeRows(40, '2012-03-01T00:00:00Z', 31 * 24, { shift });

/** A request for each day. */
const requests = (rows = rowsOf()) => Array.from({ length: 31 }, (_, day) => captureLine(rows.slice(day * 24, day * 24 + 24), { id: `day-${day}` }));

interface Stored {
  result?: MonitorResult;
  report?: string;
}

interface RunOptions {
  readonly now?: number;
  readonly champion?: boolean;
  readonly fail?: string;
  readonly promotions?: { readonly version: number; readonly at: number }[];
}

const run = async (captures: readonly string[], labels: readonly string[] = [], options: RunOptions = {}) => {
  const stored: Stored = {};
  const events: { type: string; detail: EventDetail }[] = [];
  const metrics: Record<string, number> = {};
  const client = {
    champion: async () => (options.champion === false ? undefined : { version: 3, baselineUri: 's3://reports/baseline.json' }),
    baseline: async () => baseline,
    promotions: async () => options.promotions ?? [{ version: 3, at: 0 }],
    captureLines: () => lines(captures, 'capture.jsonl'),
    labelLines: () => lines(labels, 'labels.jsonl'),
    reportsUri: (key: string) => `s3://reports/${key}`,
    putResult: async (_: object, result: MonitorResult, report: string) => {
      if (options.fail === 'putResult') throw new Error('AccessDenied');
      Object.assign(stored, { result, report });
    },
  } as unknown as MonitorClient;
  const answer = await runMonitor(
    {
      platform: 'mlops',
      spec: SPEC,
      client,
      putEvent: async (type, detail) => void events.push({ type, detail }),
      publish: (counts, values) => void Object.assign(metrics, counts, values),
      now: () => options.now ?? Date.parse('2026-01-01T00:00:00Z'),
    },
    MARCH,
  );
  return { answer, stored, events, metrics };
};

const labelsOf = (value: number, version = 1, at = '2012-05-01T00:00:00Z') =>
  Array.from({ length: 31 * 24 }, (_, hour) => labelLine(`day-${Math.floor(hour / 24)}`, hour % 24, value, at, version));

describe('the window', () => {
  it('holds what happened in it, not what was sent in it, and ends before its end', async () => {
    const around = makeRows(41, '2012-02-29T20:00:00Z', 8);
    const edge = makeRows(42, '2012-03-31T23:00:00Z', 2);
    const { answer, stored } = await run([captureLine(around, { id: 'a' }), captureLine(edge, { id: 'b' })]);
    expect(answer.rows).toBe(4 + 1);
    expect(stored.result?.requests).toBe(2);
  });

  it('counts a record that was delivered twice, and an id that was used twice, once', async () => {
    const rows = makeRows(43, '2012-03-02T00:00:00Z', 3);
    const first = captureLine(rows, { id: 'a', eventId: 'e1' });
    const { answer, stored } = await run([first, first, captureLine(rows, { id: 'a', eventId: 'e2' })]);
    expect(answer.rows).toBe(3);
    expect(stored.result?.rejected).toEqual({ 'duplicate-record': 1, 'duplicate-id': 3 });
  });

  it('goes on past lines that nobody can read, and says where they are', async () => {
    const { answer, stored, metrics } = await run(['{broken', ...requests(), '\u0000'], ['nonsense']);
    expect(answer.rows).toBe(744);
    expect(stored.result?.rejected).toEqual({ 'record-malformed': 2, 'label-malformed': 1 });
    expect(stored.result?.rejectedSamples['record-malformed']).toMatch(/^capture.jsonl:1/);
    expect(metrics.RejectedRows).toBe(3);
  });
});

describe('labels', () => {
  it('that come late, in any order of files, give the quality of the window', async () => {
    const { answer, metrics } = await run(requests(), labelsOf(103).reverse());
    expect(answer).toMatchObject({ qualityVerdict: 'ok', metrics: { rmse: 3, mae: 3 } });
    expect(metrics).toMatchObject({ QualityDegraded: 0, LabelCoverage: 1, 'Quality.rmse': 3 });
  });

  it.each([
    ['a higher version', labelsOf(150, 2), 50],
    ['the same version, observed later', labelsOf(130, 1, '2012-06-01T00:00:00Z'), 30],
  ])('that correct earlier ones by %s win, wherever they stand', async (_, correction, rmse) => {
    for (const all of [[...labelsOf(103), ...correction], [...correction, ...labelsOf(103)], [...correction, ...correction]]) {
      expect((await run(requests(), all)).answer.metrics.rmse).toBe(rmse);
    }
  });

  it('for unknown rows change nothing, values that are no numbers are counted', async () => {
    const labels = [labelLine('nobody', 0, 1), labelLine('day-0', 99, 1), labelLine('day-0', 0, 'many'), labelLine('day-0', 1, 100)];
    const { stored } = await run(requests(), labels);
    expect(stored.result?.quality).toMatchObject({ verdict: 'insufficient-labels', labelled: 1 });
    expect(stored.result?.rejected).toEqual({ 'label-value': 1 });
  });
});

describe('what a run tells', () => {
  it('quality and drift become events with version, evidence and event time', async () => {
    const { events, answer, metrics } = await run(requests(rowsOf(1)), labelsOf(250));
    expect(answer).toMatchObject({ driftVerdict: 'drift', driftedFeatures: ['temp'], qualityVerdict: 'degraded', version: 3 });
    expect(events.map(({ type }) => type)).toEqual(['Monitor Run Completed', 'Model Quality Degraded', 'Data Drift Detected']);
    expect(events[1].detail).toEqual({
      platform: 'mlops',
      model: 'BikeDemand',
      occurredAt: '2012-04-01T00:00:00.000Z',
      metric: 'rmse',
      value: 150,
      bound: 100,
      version: 3,
      windowStart: '2012-03-01T00:00:00.000Z',
      windowEnd: '2012-04-01T00:00:00.000Z',
      evidenceUri: 's3://reports/monitoring/BikeDemand/20120401T000000Z-20120301T000000Z/report.html',
    });
    expect(events[2].detail).toMatchObject({ features: ['temp'] });
    expect(metrics).toMatchObject({ MonitorRuns: 1, MonitoredRows: 744, DriftDetected: 1, DriftedFeatures: 1, QualityDegraded: 1 });
  });

  it('a window that an earlier version answered is held against that version', async () => {
    const sent = Date.parse('2026-01-01T00:00:00Z');
    const promotions = [{ version: 1, at: sent - 2 }, { version: 2, at: sent - 1 }, { version: 3, at: sent + 1 }];
    const { events, stored } = await run(requests(), labelsOf(250), { promotions });
    expect(stored.result).toMatchObject({ version: 3, servedBy: [{ version: 2, rows: 744 }] });
    expect(events.find(({ type }) => type === 'Model Quality Degraded')?.detail).toMatchObject({ version: 2 });
    expect(stored.report).toContain('the window\'s rows were answered by v2 (744 rows)');
  });

  it('an event is never in the future', async () => {
    const now = Date.parse('2012-03-20T00:00:00Z');
    const { events } = await run(requests(), [], { now });
    expect(events[0].detail.occurredAt).toBe('2012-03-20T00:00:00.000Z');
  });

  it('the same window gives the same result and report under the same keys', async () => {
    const [first, second] = [await run(requests(), labelsOf(101)), await run(requests(), labelsOf(101))];
    expect(second.stored).toEqual(first.stored);
    expect(first.answer.resultUri).toBe('s3://reports/monitoring/BikeDemand/20120401T000000Z-20120301T000000Z/result.json');
  });

  it('no traffic and no version are states, and publish no verdict that reads as fine', async () => {
    const silent = await run([]);
    expect(silent.answer).toMatchObject({ driftVerdict: 'no-traffic', qualityVerdict: 'no-traffic', rows: 0 });
    expect(silent.events.map(({ type }) => type)).toEqual(['Monitor Run Completed']);
    expect(silent.metrics).toEqual({ MonitorRuns: 1, MonitoredRows: 0, RejectedRows: 0 });
    const fresh = await run(requests(), [], { champion: false });
    expect(fresh.answer).toMatchObject({ driftVerdict: 'no-baseline', qualityVerdict: 'no-traffic' });
    expect(fresh.metrics.DriftDetected).toBeUndefined();
  });

  it('a run that cannot write fails, and publishes nothing', async () => {
    await expect(run(requests(), [], { fail: 'putResult' })).rejects.toThrow('AccessDenied');
  });
});

describe('the requested window', () => {
  const now = Date.parse('2012-03-15T10:20:30.400Z');
  const day = 86_400;

  it.each<[string, unknown, string, string]>([
    ['nothing', undefined, '2012-03-14T10:20:00.000Z', '2012-03-15T10:20:00.000Z'],
    ['the scheduled time', { windowEnd: '2012-03-15T10:00:00Z' }, '2012-03-14T10:00:00.000Z', '2012-03-15T10:00:00.000Z'],
    ['both ends', { windowStart: '2012-03-01', windowEnd: '2012-03-02T00:00:00' }, '2012-03-01T00:00:00.000Z', '2012-03-02T00:00:00.000Z'],
  ])('from %s', (_, event, start, end) => {
    const window = requestedWindow(event, day, now);
    expect([window.start, window.end].map((time) => new Date(time).toISOString())).toEqual([start, end]);
  });

  it('refuses what is no time, and an end before the start', () => {
    expect(() => requestedWindow({ windowEnd: 'yesterday' }, day, now)).toThrow('ISO 8601');
    expect(() => requestedWindow({ windowStart: '2012-03-02', windowEnd: '2012-03-01' }, day, now)).toThrow('must end after it starts');
  });
});

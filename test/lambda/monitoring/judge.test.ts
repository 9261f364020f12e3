import { Baseline } from '../../../lambda/monitoring/baseline';
import { Counter } from '../../../lambda/monitoring/counters';
import { judgeDrift } from '../../../lambda/monitoring/judge';
import { judgeQuality } from '../../../lambda/monitoring/judge-quality';
import type { MonitorSpec } from '../../../lib/monitoring/contract';
import { makeBaseline, makeRows, RowOptions, SPEC } from './samples';

let baseline: Baseline;
beforeAll(async () => {
  baseline = await makeBaseline();
});

const START = '2012-03-01T00:00:00Z';
const DAY = 86_400_000;

const judge = (rows: readonly (readonly string[])[], spec: Partial<MonitorSpec> = {}, predictions: readonly string[] = [], of = baseline) => {
  const counts = new Map(
    of.features
      .filter(({ role }) => role !== 'target')
      .map(({ name, role, shape }) => {
        const counter = new Counter(shape);
        const cells = role === 'prediction' ? predictions : rows.map((row) => row[of.columns.indexOf(name)]);
        cells.forEach((cell) => counter.add(cell));
        return [name, counter.toCounts()];
      }),
  );
  const start = Date.parse(START);
  return judgeDrift(of, { ...SPEC, ...spec }, { start, end: start + 31 * DAY, rows: rows.length, counts });
};

const window = (seed: number, count: number, options?: RowOptions) => makeRows(seed, START, count, options);
const drifted = (result: ReturnType<typeof judge>) => result.features.flatMap((feature) => (feature.result.drifted ? [feature.result.name] : []));

describe('drift', () => {
  it.each([300, 1000, 4000])('is hardly ever found in %d independent rows without any', (size) => {
    const alarms = Array.from({ length: 60 }, (_, run) => judge(window(1000 + run, size))).filter(({ verdict }) => verdict !== 'ok');
    expect(alarms.length).toBeLessThanOrEqual(1);
  });

  it('of half a standard deviation is found in 300 rows, and told in one sentence', () => {
    const result = judge(window(7, 300, { shift: 0.5 }));
    expect(result.verdict).toBe('drift');
    expect(drifted(result)).toEqual(['temp']);
    const [temp] = result.features;
    expect(temp.result.wasserstein).toBeGreaterThan(0.35);
    expect(temp.result.wasserstein).toBeLessThan(0.65);
    expect(temp.result.reason).toMatch(/^Drifted: PSI 0\.\d\d .* 300 rows against 8000\.$/);
    expect(result.reason).toContain('temp');
  });

  it('that is significant but small is none, and the reason says so', () => {
    const result = judge(window(8, 4000, { shift: 0.1 }));
    expect(result.verdict).toBe('ok');
    expect(result.features.find(({ result: { name } }) => name === 'temp')?.result.reason).toMatch(/^No drift: beyond chance, but too small/);
  });

  it('of the missing share is found although what is left has not changed', () => {
    const result = judge(window(9, 400, { missing: 0.3 }));
    expect(drifted(result)).toEqual(['temp']);
    expect(result.features[0].result).toMatchObject({ missingShare: expect.closeTo(0.3, 1), referenceMissingShare: 0 });
    expect(result.features[0].result.reason).toContain('missing or invalid');
  });

  it('to values never seen in training is found and names them', () => {
    const result = judge(window(10, 400, { cities: ['rome', 'oslo', 'bonn', 'rome', 'oslo', 'bonn', 'rome', 'oslo', 'bonn', 'Ülm<b>'] }));
    expect(drifted(result)).toEqual(['city']);
    expect(result.features[0].result.unseen).toEqual(['Ülm<b>']);
    expect(result.features[0].result.unseenShare).toBeCloseTo(0.1, 1);
  });

  it('of the shares of known categories is found', () => {
    expect(drifted(judge(window(11, 400, { cities: ['rome', 'rome', 'oslo'] })))).toEqual(['city']);
  });

  it('of the predictions is found beside the features', () => {
    expect(drifted(judge(window(12, 400), {}, Array.from({ length: 400 }, (_, row) => String(120 + (row % 40)))))).toEqual(['prediction']);
  });

  it('is neither found nor excluded below the minimum, and no traffic is a state of its own', () => {
    const few = judge(window(13, 299, { shift: 3 }));
    expect(few.verdict).toBe('insufficient-data');
    expect(drifted(few)).toEqual([]);
    expect(few.features[0].result.reason).toBe('Not judged: 299 rows, 300 needed.');
    expect(judge([]).verdict).toBe('no-traffic');
  });
});

describe('the reference', () => {
  const seasonal = async (months: readonly string[]) =>
    makeBaseline(months.flatMap((month, index) => makeRows(20 + index, `${month}-01T00:00:00Z`, 600, { shift: 2 * index })));

  it('of the same season holds the window\'s calendar month of earlier years only', async () => {
    const of = await seasonal(['2011-02', '2011-03', '2011-04']);
    const rows = window(30, 600, { shift: 2 });
    expect(judge(rows, { reference: 'SAME_SEASON' }, [], of)).toMatchObject({
      verdict: 'ok', reference: 'the same season of the training data: 600 rows of 2011-03',
    });
    expect(judge(rows, { reference: 'TRAINING' }, [], of)).toMatchObject({ verdict: 'drift', reference: 'all 1800 training rows' });
  });

  it.each([
    ['no earlier year', ['2011-05', '2011-06'], 'holds no earlier year of these calendar months'],
    ['only the window\'s own year', ['2012-03'], 'holds no earlier year of these calendar months'],
  ])('falls back to all training rows with %s, and says so', async (_, months, why) => {
    const { reference } = judge(window(31, 600), { reference: 'SAME_SEASON' }, [], await seasonal(months));
    expect(reference).toContain(`all ${months.length * 600} training rows, because the training data ${why}`);
  });

  it('that is too small is not used', async () => {
    const of = await makeBaseline([...makeRows(1, '2011-03-01T00:00:00Z', 100), ...makeRows(2, '2011-05-01T00:00:00Z', 600)]);
    expect(judge(window(32, 600), { reference: 'SAME_SEASON' }, [], of).reference).toContain('holds only 100 rows of 2011-03');
  });

  it('says which of the window\'s months it lacks', async () => {
    const of = await seasonal(['2011-03']);
    const counts = new Map(of.features.map(({ name, shape }) => [name, new Counter(shape).toCounts()]));
    const [start, end] = [Date.parse('2012-02-20T00:00:00Z'), Date.parse('2012-03-05T00:00:00Z')];
    const { reference } = judgeDrift(of, { ...SPEC, reference: 'SAME_SEASON' }, { start, end, rows: 0, counts });
    expect(reference).toBe('the same season of the training data: 600 rows of 2011-03; the training data holds nothing of calendar month 02');
  });

  it('does not judge predictions by a holdout of another season', async () => {
    const of = await seasonal(['2011-02', '2011-03', '2011-04']);
    const predictions = Array.from({ length: 600 }, () => '900');
    const result = judge(window(33, 600, { shift: 2 }), { reference: 'SAME_SEASON' }, predictions, of);
    const prediction = result.features.find(({ role }) => role === 'prediction')?.result;
    expect(prediction).toMatchObject({ drifted: false, reason: expect.stringMatching(/^Not judged/) });
  });
});

describe('quality', () => {
  const pairs = (count: number, error: number) => Array.from({ length: count }, (_, index) => ({ truth: index, prediction: index + error }));
  const binary = { ...SPEC, task: { kind: 'BINARY_CLASSIFICATION', target: 'y', positiveLabel: 'yes' } };

  it('is judged in the direction of each metric', () => {
    const exceeded = [{ metric: 'rmse', value: 101, bound: 100 }];
    expect(judgeQuality(SPEC, 400, pairs(200, 101))).toMatchObject({ verdict: 'degraded', coverage: 0.5, exceeded });
    expect(judgeQuality(SPEC, 400, pairs(200, 100)).verdict).toBe('ok');
    const bounds = { ...SPEC, qualityBounds: [{ metric: 'r2', worseThan: 0.9 }] };
    expect(judgeQuality(bounds, 400, pairs(200, 40)).exceeded).toMatchObject([{ metric: 'r2' }]);
    expect(judgeQuality(bounds, 400, pairs(200, 1)).verdict).toBe('ok');
  });

  it('has no verdict with too few labels, without a bound or without traffic', () => {
    expect(judgeQuality(SPEC, 400, pairs(99, 500)).verdict).toBe('insufficient-labels');
    expect(judgeQuality({ ...SPEC, minimumRows: 50 }, 400, pairs(60, 500)).verdict).toBe('degraded');
    expect(judgeQuality({ ...SPEC, qualityBounds: [] }, 400, pairs(200, 500)).verdict).toBe('no-bounds');
    expect(judgeQuality(SPEC, 0, []).verdict).toBe('no-traffic');
  });

  it('that the labels leave undefined is never fine', () => {
    const spec = { ...binary, qualityBounds: [{ metric: 'auc', worseThan: 0.7 }] };
    const oneClass = Array.from({ length: 200 }, () => ({ truth: 1, prediction: 0.9 }));
    expect(judgeQuality(spec, 200, oneClass)).toMatchObject({ verdict: 'insufficient-labels', reason: expect.stringContaining('auc') });
  });
});

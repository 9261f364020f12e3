import fc from 'fast-check';
import { directionOf, holdoutQuality, judgeQuality, type LabelledRow, type QualityInput } from '../../../../lambda/monitoring/quality';
import { HIGHER_IS_BETTER } from '../../../../lib/common/contract';
import type { MonitorResult, QualityRuleSpec } from '../../../../lib/monitoring/contract';
import { BINARY, DAY, errorsOf, gaussOf, randomOf, REGRESSION, type Row, SPEC, tableOf } from './samples';

const WORSE_THAN = (bound: number): QualityRuleSpec => ({ metric: 'mae', higherIsBetter: false, worseThan: bound });
const TOLERANCE = (tolerance: number): QualityRuleSpec => ({ metric: 'mae', higherIsBetter: false, tolerance });

function judge(rows: readonly Row[], rules: readonly QualityRuleSpec[], more: Partial<QualityInput> = {}): MonitorResult['quality'] {
  return judgeQuality({ spec: { ...SPEC, qualityRules: rules }, table: tableOf(REGRESSION, rows), from: 0, to: 28 * DAY, ...more });
}

const holdout = (rows: readonly Row[]) =>
  holdoutQuality(
    { task: REGRESSION, groupColumns: [] },
    rows.map(({ day, truth, prediction }): LabelledRow => ({ time: day * DAY, truth, prediction, groups: [] })),
  );

const live = errorsOf(randomOf(1), 28, 40, 1, 0.3);

describe('quality', () => {
  test('is degraded where the interval excludes the bound, on the bad side', () => {
    const bad = judge(live, [WORSE_THAN(0.5)]);
    expect(bad.verdict).toBe('degraded');
    expect(bad.exceeded).toHaveLength(1);
    expect(bad.exceeded[0].low).toBeGreaterThan(0.5);
    expect(bad.reason).toMatch(/^mae 0\.\d+ \(0\.\d+ to 0\.\d+\) is worse than 0\.5, on 1,120 labelled rows of 28 days\.$/);
    const value = bad.metrics.mae.value;
    expect(judge(live, [WORSE_THAN(value - 0.01)]).verdict).toBe('ok');
    expect(judge(live, [WORSE_THAN(2)]).verdict).toBe('ok');
  });

  test('is judged in the direction of the metric', () => {
    const random = randomOf(2);
    const rows = Array.from({ length: 2800 }, (_, index): Row => {
      const score = random();
      return { day: index % 28, truth: random() < score ? 1 : 0, prediction: score };
    });
    const verdict = (worseThan: number): string =>
      judgeQuality({
        spec: { ...SPEC, task: BINARY, qualityRules: [{ metric: 'auc', higherIsBetter: true, worseThan }] },
        table: tableOf(BINARY, rows),
        from: 0,
        to: 1,
      }).verdict;
    expect([verdict(0.95), verdict(0.5)]).toEqual(['degraded', 'ok']);
  });

  test('is compared with the baseline, whose error and tolerance count', () => {
    const before = errorsOf(randomOf(7), 28, 40, 1, 0.3);
    expect(judge(live, [TOLERANCE(0.2)], { baseline: holdout(before) }).verdict).toBe('ok');
    const double = errorsOf(randomOf(8), 28, 40, 2, 0.3);
    const bad = judge(double, [TOLERANCE(0.2)], { baseline: holdout(before) });
    expect(bad).toMatchObject({ verdict: 'degraded', metrics: { mae: { baseline: { value: holdout(before).metrics.mae.value } } } });
    expect(bad.reason).toContain("the baseline's 0.8");
    // Six days of holdout say less than twenty-eight: the interval is wider.
    const few = judge(double, [TOLERANCE(0.2)], { baseline: holdout(before.slice(0, 6 * 40)) });
    const width = ({ exceeded: [{ low, high }] }: MonitorResult['quality']): number => high - low;
    expect(width(few)).toBeGreaterThan(1.3 * width(bad));
  });

  test('is not judged where it cannot be: no verdict is never "ok"', () => {
    expect(judge([], [WORSE_THAN(1)])).toMatchObject({ verdict: 'no-traffic', coverage: 0 });
    expect(judge(live, [])).toMatchObject({ verdict: 'no-rules', metrics: { mae: { low: expect.any(Number) as number } } });
    expect(judge(live.slice(0, 99), [WORSE_THAN(1)])).toMatchObject({ verdict: 'insufficient-labels' });
    const nineDays = judge(live.slice(0, 9 * 40), [WORSE_THAN(0.1)]);
    expect(nineDays).toMatchObject({ verdict: 'insufficient-labels', blocks: 9 });
    expect(nineDays.reason).toContain('its interval needs 10 days, there are 9');
    expect(nineDays.metrics.mae).not.toHaveProperty('low');
    expect(judge(live, [TOLERANCE(0.1)]).reason).toContain('the baseline has no mae');
    expect(judge(live, [{ metric: 'profit', higherIsBetter: true, worseThan: 1 }]).reason).toContain('leave profit undefined');
    // What is broken is said, whatever else cannot be judged.
    expect(judge(live, [WORSE_THAN(0.1), TOLERANCE(0.1)]).verdict).toBe('degraded');
    expect(judge(live, [WORSE_THAN(5), TOLERANCE(0.1)]).verdict).toBe('insufficient-labels');
  });

  test('counts what has no label in its coverage alone', () => {
    const table = tableOf(REGRESSION, live);
    const before = judge(live, [WORSE_THAN(1)]);
    for (let row = 0; row < 1120; row += 1) table.add(row % 28, 5, undefined);
    const after = judgeQuality({ spec: { ...SPEC, qualityRules: [WORSE_THAN(1)] }, table, from: 0, to: 28 * DAY });
    expect(after).toEqual({ ...before, rows: 2240, coverage: 0.5 });
    expect(before).toMatchObject({ coverage: 1, labelAgeSeconds: 3600, confidence: 1 - (2 * 0.25) / 90 });
  });

  test('shares the error of a day between rules', () => {
    const { confidence } = judge(live, [WORSE_THAN(1), { ...WORSE_THAN(1), metric: 'rmse' }]);
    expect(confidence).toBeCloseTo(1 - (2 * 0.25) / 90 / 2, 12);
  });

  test('is the same for any order of the rows', () => {
    const expected = judge(live, [WORSE_THAN(0.5)]);
    fc.assert(
      fc.property(fc.shuffledSubarray(live, { minLength: live.length }), (rows) => {
        expect(judge(rows, [WORSE_THAN(0.5)])).toEqual(expected);
      }),
      { numRuns: 5 },
    );
  });
});

describe('directions', () => {
  test('are those of the table; what is in none must state its own', () => {
    for (const [metric, higher] of Object.entries(HIGHER_IS_BETTER)) expect(directionOf(metric)).toBe(higher);
    expect(directionOf('profit', true)).toBe(true);
    expect(() => directionOf('profit')).toThrow('must state higherIsBetter');
    expect(() => directionOf('rmse', true)).toThrow('states the opposite');
    expect(() => judge(live, [{ metric: 'mae', higherIsBetter: true, worseThan: 1 }])).toThrow('states the opposite');
  });
});

describe('the quality of a holdout', () => {
  test('has errors over days, and over blocks of rows where rows have no time', () => {
    const rows = live.slice(0, 400).map(({ day, truth, prediction }): LabelledRow => ({ time: day * DAY, truth, prediction, groups: ['f'] }));
    const byDay = holdoutQuality({ task: REGRESSION, groupColumns: ['sex'] }, rows);
    expect(byDay).toMatchObject({ rows: 400, blocks: 10, groups: { sex: { f: { rows: 400, metrics: { mae: byDay.metrics.mae.value } } } } });
    expect(byDay.metrics.mae.standardError).toBeGreaterThan(0);
    const timeless = holdoutQuality({ task: { kind: 'REGRESSION', target: 'y' }, groupColumns: [] }, rows.map((row) => ({ ...row, time: NaN })));
    expect(timeless.blocks).toBe(40);
    expect(timeless.metrics.mae.value).toBe(byDay.metrics.mae.value);
  });

  test('of one day has no error', () => {
    expect(holdout(live.slice(0, 40)).metrics.mae).toEqual({ value: expect.any(Number) as number });
  });
});

/** Of 250 verdicts with an error of 5 % more than 21 are wrong with a probability below 1 %. */
const [VERDICTS, MOST] = [250, 21];
const FIVE_PERCENT = { ...SPEC, falseAlarms: { episodes: 18, days: 90, shares: { drift: 0.5, quality: 0.25, groups: 0.25 } } };

describe('the false-alarm budget of quality', () => {
  const rate = (one: (random: () => number) => boolean): number => {
    const random = randomOf(11);
    return Array.from({ length: VERDICTS }, () => one(random)).filter(Boolean).length;
  };

  test.each([
    ['independent rows', 0],
    ['rows of days that are each off', 0.7],
  ])('is kept at the very bound by %s', (_, dayEffect) => {
    // The mean absolute error of a normal variable with this variance.
    const truth = Math.sqrt((2 / Math.PI) * (1 + dayEffect ** 2));
    expect(
      rate((random) => {
        const table = tableOf(REGRESSION, errorsOf(random, 28, 12, 1, dayEffect));
        return judgeQuality({ spec: { ...FIVE_PERCENT, qualityRules: [WORSE_THAN(truth)] }, table, from: 0, to: 1 }).verdict === 'degraded';
      }),
    ).toBeLessThanOrEqual(MOST);
  });

  test.each([
    ['independent rows', 0],
    ['rows of days that are each off', 0.7],
  ])('is kept beside a baseline of fourteen days without any tolerance by %s', (_, dayEffect) => {
    expect(
      rate((random) => {
        const baseline = holdout(errorsOf(random, 14, 12, 1, dayEffect));
        const table = tableOf(REGRESSION, errorsOf(random, 28, 12, 1, dayEffect));
        return judgeQuality({ spec: { ...FIVE_PERCENT, qualityRules: [TOLERANCE(0)] }, table, from: 0, to: 1, baseline }).verdict === 'degraded';
      }),
    ).toBeLessThanOrEqual(MOST);
  });

  test('leaves the power to see an error that is half as large again', () => {
    const random = randomOf(12);
    const seen = Array.from({ length: 50 }, () => {
      const baseline = holdout(errorsOf(random, 28, 40, 1, 0));
      const spec = { ...SPEC, qualityRules: [TOLERANCE(0.1)] };
      return judgeQuality({ spec, table: tableOf(REGRESSION, errorsOf(random, 28, 40, 1.5, 0)), from: 0, to: 1, baseline }).verdict;
    });
    expect(seen.filter((verdict) => verdict === 'degraded').length).toBeGreaterThanOrEqual(45);
  });

  test('intervals hold what they say on days that are each off', () => {
    const random = randomOf(13);
    const covered = Array.from({ length: VERDICTS }, () => {
      const rows = Array.from({ length: 28 }, (_, day) => ({ day, off: 0.1 * gaussOf(random) })).flatMap(({ day, off }) =>
        Array.from({ length: 12 }, (): Row => ({ day, truth: random() < 0.7 + off ? 1 : 0, prediction: 0.9 })),
      );
      const spec = { ...FIVE_PERCENT, task: BINARY };
      const { low = 1, high = 0 } = judgeQuality({ spec, table: tableOf(BINARY, rows), from: 0, to: 1 }).metrics.accuracy;
      return low <= 0.7 && 0.7 <= high;
    });
    expect(covered.filter(Boolean).length).toBeGreaterThanOrEqual(0.87 * VERDICTS);
  });
});

import fc from 'fast-check';
import { decide, type ScoredHoldout } from '../../../lambda/pipeline/gate';
import { HIGHER_IS_BETTER, TASK_METRICS } from '../../../lib/common/contract';
import type { GateSpec } from '../../../lib/pipeline/contract';

const TASK = { kind: 'REGRESSION', target: 'cnt', timeColumn: 'timestamp' };
const SPEC: GateSpec = { metric: 'rmse', minimumImprovement: 0, bounds: [] };

/** Ten days of ten rows; the errors of both models are the same on every row. */
const holdout = (candidateError: number, championError?: number): ScoredHoldout => {
  const truth = Array.from({ length: 100 }, (_, row) => row);
  return {
    truth,
    candidate: truth.map((value, row) => value + candidateError * (row % 2 ? 1 : -1)),
    ...(championError !== undefined && { champion: truth.map((value, row) => value + championError * (row % 2 ? -1 : 1)) }),
    days: truth.map((row) => `2012-01-${String(1 + Math.floor(row / 10)).padStart(2, '0')}`),
  };
};

test.each([
  ['better', 1, 2, 0, true],
  ['equal, where equal is enough', 2, 2, 0, true],
  ['worse', 2.1, 2, 0, false],
  ['better, but by too little', 1.95, 2, 0.05, false],
  ['better by enough', 1.8, 2, 0.05, true],
  ['perfect against an imperfect champion', 0, 2, 0.5, true],
  ['as perfect as the champion', 0, 0, 0, true],
  ['imperfect against a perfect champion', 0.1, 0, 0, false],
])('a candidate that is %s', (_, candidate, champion, minimumImprovement, passed) => {
  expect(decide({ ...SPEC, minimumImprovement }, TASK, holdout(candidate, champion), 1).passed).toBe(passed);
});

test('the reason says by how much, over how many days, and what was needed', () => {
  const { reason, rules } = decide({ ...SPEC, minimumImprovement: 0.05 }, TASK, holdout(1, 2), 1);
  expect(reason).toBe("rmse 1 is 50.0 % better than the champion's 2 (95 % interval 50.0 % to 50.0 % over 10 days), 5.0 % needed");
  expect(rules[0]).toMatchObject({ rule: 'beats-champion', improvement: 0.5, interval: { blocks: 10, blockUnit: 'day', resamples: 1000 } });
});

test('the first version has nobody to beat, but has to keep the bounds', () => {
  expect(decide(SPEC, TASK, holdout(5), 1)).toMatchObject({ passed: true, reason: 'rmse 5, no champion to beat: the first version' });
  const bounded = decide({ ...SPEC, bounds: [{ metric: 'mae', worseThan: 4 }] }, TASK, holdout(5), 1);
  expect(bounded).toMatchObject({ passed: false, reason: 'mae 5 is worse than the bound 4' });
});

test('a bound on a score is one from below', () => {
  const good = { ...SPEC, bounds: [{ metric: 'r2', worseThan: 0.9 }] };
  expect(decide(good, TASK, holdout(1), 1).passed).toBe(true);
  expect(decide(good, TASK, holdout(40), 1).passed).toBe(false);
});

test('a better candidate that breaks a bound is rejected, and the reason is the bound', () => {
  const { passed, reason } = decide({ ...SPEC, bounds: [{ metric: 'rmse', worseThan: 0.5 }] }, TASK, holdout(1, 2), 1);
  expect([passed, reason]).toEqual([false, 'rmse 1 is worse than the bound 0.5']);
});

describe('fails closed as GateIncomplete where', () => {
  const cases: [string, GateSpec, typeof TASK, ScoredHoldout, RegExp][] = [
    [
      'a score of the candidate is missing',
      SPEC,
      TASK,
      { ...holdout(1, 2), candidate: holdout(1).candidate.slice(1) },
      /candidate has 99 scores for 100 holdout rows/,
    ],
    [
      'the champion has a score too many',
      SPEC,
      TASK,
      { ...holdout(1, 2), champion: [...holdout(1).candidate, 1] },
      /champion has 101 scores for 100/,
    ],
    ['there is no row', SPEC, TASK, { truth: [], candidate: [] }, /holds no row/],
    ['the metric is undefined', { ...SPEC, metric: 'r2' }, TASK, { truth: [1, 1], candidate: [1, 2] }, /r2 of the candidate cannot be computed/],
    ['nothing computes the metric', { ...SPEC, metric: 'auc' }, TASK, holdout(1), /auc of the candidate cannot be computed/],
    ['a score is no number', SPEC, TASK, { truth: [1, 2], candidate: [1, NaN] }, /rmse of the candidate cannot be computed/],
    ['a bounded metric is unknown', { ...SPEC, bounds: [{ metric: 'fairness', worseThan: 1 }] }, TASK, holdout(1), /fairness/],
  ];
  test.each(cases)('%s', (_, spec, task, scored, message) => {
    expect(() => decide(spec, task, scored, 1)).toThrow(expect.objectContaining({ name: 'GateIncomplete', message: expect.stringMatching(message) }));
  });
});

describe('on any data', () => {
  const numbers = (length: number) => fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: length, maxLength: length });
  const scored = fc
    .integer({ min: 2, max: 30 })
    .chain((rows) =>
      fc.record({
        truth: numbers(rows),
        candidate: numbers(rows),
        champion: numbers(rows),
        days: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: rows, maxLength: rows }),
      }),
    );

  test('the same holdout and seed give the same decision and report', () => {
    fc.assert(
      fc.property(scored, fc.integer(), (rows, seed) => expect(decide(SPEC, TASK, rows, seed)).toEqual(decide(SPEC, TASK, rows, seed))),
      { numRuns: 20 },
    );
  });

  test('of two different models at most one beats the other by any margin', () => {
    fc.assert(
      fc.property(scored, (rows) => {
        const swapped = { ...rows, candidate: rows.champion, champion: rows.candidate };
        const spec = { ...SPEC, minimumImprovement: 1e-9 };
        expect(decide(spec, TASK, rows, 1).passed && decide(spec, TASK, swapped, 1).passed).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  test('a passed gate never has a broken bound or a candidate worse than the champion', () => {
    fc.assert(
      fc.property(scored, fc.double({ min: 0, max: 1e6, noNaN: true }), (rows, worseThan) => {
        const decision = decide({ ...SPEC, bounds: [{ metric: 'mae', worseThan }] }, TASK, rows, 1);
        const kept = decision.metrics.mae <= worseThan && decision.metrics.rmse <= decision.championMetrics!.rmse;
        expect(decision.passed).toBe(kept);
      }),
      { numRuns: 50 },
    );
  });
});

test('blocks are days: rows that move together widen the interval', () => {
  const truth = Array.from({ length: 240 }, () => 0);
  // The candidate is much better on odd days and worse on even ones, the same on all hours of a day.
  const candidate = truth.map((_, row) => (Math.floor(row / 24) % 2 ? 1 : 3));
  const champion = truth.map(() => 2.5);
  const days = truth.map((_, row) => `day ${Math.floor(row / 24)}`);
  const width = (scored: ScoredHoldout): number => {
    const { interval } = decide(SPEC, TASK, scored, 7).rules[0];
    return interval!.high - interval!.low;
  };
  expect(width({ truth, candidate, champion, days })).toBeGreaterThan(2 * width({ truth, candidate, champion }));
});

test('classifications are judged too', () => {
  const binary = { kind: 'BINARY_CLASSIFICATION', target: 'y', positiveLabel: '1' };
  const truth = [1, 0, 1, 0, 1, 0];
  const decision = decide(
    { metric: 'auc', minimumImprovement: 0, bounds: [] },
    binary,
    { truth, candidate: [0.9, 0.1, 0.8, 0.2, 0.7, 0.3], champion: [0.1, 0.9, 0.8, 0.2, 0.7, 0.3] },
    1,
  );
  expect(decision).toMatchObject({ passed: true, metrics: { auc: 1 } });
  const labels = { kind: 'MULTICLASS_CLASSIFICATION', target: 'y' };
  const worse = decide(
    { metric: 'accuracy', minimumImprovement: 0, bounds: [] },
    labels,
    { truth: ['a', 'b', 'c'], candidate: ['a', 'a', 'a'], champion: ['a', 'b', 'a'] },
    1,
  );
  expect(worse.passed).toBe(false);
});

test('every metric that a task computes has a direction', () => {
  for (const metric of Object.values(TASK_METRICS).flat()) expect(HIGHER_IS_BETTER).toHaveProperty(metric);
});

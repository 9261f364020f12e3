import fc from 'fast-check';
import { differenceOf, estimateOf } from '../../../../lambda/monitoring/quality/block-value';
import { figuresOf } from '../../../../lambda/monitoring/quality/estimate';
import { rankingFigures } from '../../../../lambda/monitoring/quality/ranking';
import { studentQuantile, studentSurvival } from '../../../../lambda/monitoring/statistics/student';
import { taskMetrics } from '../../../../lambda/monitoring/task-metrics';
import { TASK_METRICS, type TaskKind } from '../../../../lib/common/contract';
import references from './references.json';
import { BINARY, randomOf, REGRESSION, type Row, tableOf } from './samples';

const relative = (actual: number, expected: number): number => Math.abs(actual - expected) / Math.max(1e-300, Math.abs(expected));

const rowsOf = (one: (typeof references.cases)[number]): Row[] =>
  one.days.map((day, index) => ({ day, truth: one.truth[index], prediction: one.prediction[index] }));

describe('Student', () => {
  test.each(references.student)('quantile $upper at $degreesOfFreedom degrees of freedom is that of SciPy', (one) => {
    expect(relative(studentQuantile(one.upper, one.degreesOfFreedom), one.quantile)).toBeLessThan(1e-9);
    expect(studentQuantile(1 - 0.25, one.degreesOfFreedom)).toBe(-studentQuantile(0.25, one.degreesOfFreedom));
  });

  test.each(references.survival)('survival of $t at $degreesOfFreedom degrees of freedom is that of SciPy', (one) => {
    expect(relative(studentSurvival(one.t, one.degreesOfFreedom), one.survival)).toBeLessThan(1e-11);
  });

  test('quantiles are refused where they are not defined', () => {
    expect(studentQuantile(0.5, 3)).toBe(0);
    expect(() => studentQuantile(0, 3)).toThrow(RangeError);
    expect(() => studentQuantile(0.1, 0)).toThrow(RangeError);
  });

  test('differences of means have the degrees of freedom of Welch and Satterthwaite', () => {
    const of = (values: readonly number[]) => {
      const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
      const variance = values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (values.length - 1) / values.length;
      return { value: mean, standardError: Math.sqrt(variance), degreesOfFreedom: values.length - 1, blocks: values.length };
    };
    const difference = differenceOf(of(references.welch.a), of(references.welch.b));
    expect(relative(difference.degreesOfFreedom, references.welch.degreesOfFreedom)).toBeLessThan(1e-9);
    expect(relative(difference.standardError, references.welch.standardError)).toBeLessThan(1e-9);
  });
});

describe('metrics', () => {
  const numbered = references.cases.map((one, index) => ({ ...one, index }));

  test.each(numbered)('of case $index ($kind) and their jackknife are those of scikit-learn', (one) => {
    const [{ metrics }] = figuresOf(tableOf({ kind: one.kind, target: 'y', positiveLabel: '1' }, rowsOf(one)));
    expect(Object.keys(metrics).sort()).toEqual([...TASK_METRICS[one.kind as TaskKind]].sort());
    for (const [name, expected] of Object.entries(one.metrics)) {
      const { value, without } = metrics[name];
      expect(relative(value, expected.value)).toBeLessThan(1e-12);
      const squares = without.reduce((sum, other) => sum + (other - value) ** 2, 0);
      expect(relative(Math.sqrt(((without.length - 1) / without.length) * squares), expected.jackknife)).toBeLessThan(1e-9);
    }
  });

  test('are those that the gate computes', () => {
    for (const one of references.cases) {
      const task = { kind: one.kind, target: 'y', positiveLabel: '1' };
      const [{ metrics }] = figuresOf(tableOf(task, rowsOf(one)));
      for (const [name, value] of Object.entries(taskMetrics(task, rowsOf(one)))) expect(metrics[name].value).toBeCloseTo(value, 12);
    }
  });

  test('are the same for any order of the rows', () => {
    for (const one of references.cases) {
      const rows = rowsOf(one);
      const shown = (order: readonly Row[]): unknown => {
        const [{ metrics }] = figuresOf(tableOf({ kind: one.kind, target: 'y' }, order));
        return Object.entries(metrics).map(([name, figure]) => [name, figure.value, estimateOf(figure)]);
      };
      const expected = shown(rows);
      fc.assert(
        fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (order) => {
          expect(shown(order)).toEqual(expected);
        }),
        { numRuns: 10 },
      );
    }
  });

  test('that their definition leaves open are absent', () => {
    const [{ metrics: constant }] = figuresOf(tableOf(REGRESSION, [{ day: 0, truth: 5, prediction: 4 }, { day: 1, truth: 5, prediction: 6 }]));
    expect(constant).not.toHaveProperty('r2');
    const [{ metrics: oneClass }] = figuresOf(tableOf(BINARY, [{ day: 0, truth: 0, prediction: 0.2 }, { day: 1, truth: 0, prediction: 0.1 }]));
    expect(Object.keys(oneClass)).not.toEqual(expect.arrayContaining(['auc']));
    expect(oneClass).not.toHaveProperty('recall');
    const [{ metrics: scores }] = figuresOf(tableOf(BINARY, [{ day: 0, truth: 0, prediction: -3 }, { day: 1, truth: 1, prediction: 7 }]));
    expect(scores).toMatchObject({ auc: { value: 1 } });
    expect(scores).not.toHaveProperty('logLoss');
    expect(figuresOf(tableOf(REGRESSION, []))[0].metrics).toEqual({});
  });

  test('of ranks with many scores have the error that the whole jackknife has', () => {
    const random = randomOf(3);
    const rows: Row[] = Array.from({ length: 6000 }, (_, index) => {
      const score = random();
      return { day: index % 12, truth: random() < score ? 1 : 0, prediction: score };
    });
    const [{ metrics }] = figuresOf(tableOf(BINARY, rows));
    for (let day = 0; day < 12; day += 1) {
      const [rest] = figuresOf(tableOf(BINARY, rows.filter((row) => row.day !== day)));
      for (const name of ['auc', 'averagePrecision']) {
        const influence = metrics[name].value - metrics[name].without[day];
        expect(Math.abs(influence - (metrics[name].value - rest.metrics[name].value))).toBeLessThan(5e-5);
      }
    }
  });

  test('of ranks leave out what has no order', () => {
    const none = { scores: [Float64Array.of(NaN), Float64Array.of(1)], blocks: [Uint16Array.of(0), Uint16Array.of(0)] } as const;
    expect(rankingFigures(none, 1)).toEqual({});
  });
});

describe('errors', () => {
  const figure = (without: readonly number[], weight = without.map(() => 1), share = false) => ({
    value: 0.5,
    without: Float64Array.from(without),
    weight: Float64Array.from(weight),
    share,
  });

  test('are unknown below two blocks, or where one block carries the figure', () => {
    expect(estimateOf(figure([0.5, 0.5], [1, 0]))).toBeUndefined();
    expect(estimateOf(figure([0.5, NaN, 0.4]))).toBeUndefined();
  });

  test('of blocks of very different size have fewer degrees of freedom', () => {
    const even = estimateOf(figure([0.4, 0.6, 0.4, 0.6, 0.4, 0.6]));
    const uneven = estimateOf(figure([0.4, 0.6, 0.4, 0.6, 0.4, 0.6], [100, 1, 1, 1, 1, 1]));
    expect(even?.degreesOfFreedom).toBeGreaterThan(4.5);
    expect(uneven?.degreesOfFreedom).toBe(1);
    expect(even?.blocks).toBe(6);
  });

  test('are wider where neighbouring blocks are alike', () => {
    const alternating = estimateOf(figure([0.4, 0.6, 0.4, 0.6, 0.4, 0.6, 0.4, 0.6, 0.4, 0.6, 0.4, 0.6]));
    const runs = estimateOf(figure([0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]));
    expect(runs?.standardError).toBeGreaterThan(1.5 * (alternating?.standardError ?? NaN));
    expect(runs?.degreesOfFreedom).toBeLessThan(alternating?.degreesOfFreedom ?? NaN);
  });

  test('of a share are never below those of as many independent trials', () => {
    expect(estimateOf({ ...figure([1, 1, 1], [4, 4, 4], true), value: 1 })?.standardError).toBeCloseTo(Math.sqrt(((14 / 16) * (2 / 16)) / 16), 12);
  });
});

import {
  DistinctCounter,
  estimateDistinct,
  ImportanceCounter,
  isSkipped,
  Profiler,
  Sampler,
  shapesOf,
  SKETCH_ERROR,
  timeOfText,
} from '../../../../lambda/monitoring/profile';
import type { NumericShape } from '../../../../lambda/monitoring/profile/types';
import type { Cell } from '../../../../lambda/monitoring/rows';
import { readTime } from '../../../../lambda/monitoring/values';
import { categorical, numeric, textRow } from './samples';

/** Shape of a column of text. */
const shapeOf = (fields: readonly string[]) => {
  const sampler = new Sampler(['column']);
  fields.forEach((field) => sampler.text(textRow([field])));
  const cells = new Sampler(['column']);
  fields.forEach((field) => cells.cells([field]));
  expect(shapesOf(cells)).toEqual(shapesOf(sampler));
  return shapesOf(sampler)[0];
};

const spread = (count: number, of: (row: number) => string): string[] => Array.from({ length: count }, (_, row) => of(row));

describe('shapes', () => {
  test('of numbers have quantiles as edges; more rows than are sampled change them little', () => {
    const column = shapeOf(spread(100_000, (row) => String((row * 0.618033988749895) % 1)));
    const { edges, mean, deviation } = (column as { shape: NumericShape }).shape;
    expect(edges).toHaveLength(999);
    edges.forEach((edge, index) => expect(Math.abs(edge - (index + 1) / 1000)).toBeLessThan(0.02));
    expect(mean).toBeCloseTo(0.5, 1);
    expect(deviation).toBeCloseTo(Math.sqrt(1 / 12), 1);
  });

  test('where most values are equal, equal edges are one', () => {
    const { edges } = (shapeOf(spread(10_000, (row) => (row % 10 < 7 ? '0' : String(row)))) as { shape: NumericShape }).shape;
    expect(edges[0]).toBe(0);
    expect(new Set(edges).size).toBe(edges.length);
    expect(edges.length).toBeGreaterThan(250);
    expect(edges.length).toBeLessThan(350);
  });

  test('of few different numbers, of words and of booleans are categories, commonest first', () => {
    expect(shapeOf(['1', '2.0', '2', '', '3', '2'])).toEqual({ name: 'column', shape: categorical(['2', '1', '3']) });
    expect(shapeOf(['a', 'b', ' b', 'True'])).toEqual({ name: 'column', shape: categorical(['b', 'True', 'a']) });
    const booleans = new Sampler(['flag']);
    [true, false, true, null].forEach((cell) => booleans.cells([cell]));
    expect(shapesOf(booleans)).toEqual([{ name: 'flag', shape: categorical(['true', 'false']) }]);
  });

  test('leave out what is empty and what is an identifier, with the reason', () => {
    expect(shapeOf(['', ' '])).toMatchObject({ reason: 'no row of the training data has a value' });
    expect(shapeOf(spread(3000, (row) => `id-${row}`))).toMatchObject({ reason: expect.stringContaining('identifier') });
    expect(isSkipped(shapesOf(new Sampler(['a']), ['b'])[0])).toBe(true);
  });

  test('of a column that is a number in 99 of 100 rows are numeric', () => {
    expect(shapeOf(spread(1000, (row) => (row % 200 === 0 ? 'broken' : String(row * 1.5))))).toMatchObject({ shape: { kind: 'numeric' } });
    expect(shapeOf(spread(1000, (row) => (row % 10 === 0 ? 'word' : String(row % 5))))).toMatchObject({ shape: { kind: 'categorical' } });
  });

  test('of 5,000 columns stay within the memory bound', () => {
    const columns = Array.from({ length: 5000 }, (_, index) => `c${index}`);
    const sampler = new Sampler(columns);
    for (let row = 0; row < 60; row += 1) sampler.cells(columns.map((_, column) => row * column));
    expect(shapesOf(sampler).filter((column) => !isSkipped(column) && column.shape.kind === 'numeric')).toHaveLength(4999);
  });
});

describe('distinct values', () => {
  const count = (fields: readonly Cell[], limit?: number) => {
    const counter = new DistinctCounter(1, limit);
    fields.forEach((field) => (typeof field === 'string' ? counter.text(textRow([field])) : counter.cells([field])));
    return counter.toDistinct()[0];
  };

  test('are exact up to the limit, however a value is written, and estimated above', () => {
    expect(count(['1', '1.0', 1, 'a', ' a', '', 'NA', null, 'b'])).toEqual({ count: 3, exact: true });
    const many = count(Array.from({ length: 50_000 }, (_, index) => `v${index}`), 1000);
    expect(many.exact).toBe(false);
    expect(Math.abs(many.count / 50_000 - 1)).toBeLessThan(4 * SKETCH_ERROR);
  });

  test('are estimated from a profile with the stated error', () => {
    const errors = Array.from({ length: 30 }, (_, seed) => {
      const profiler = new Profiler([{ name: 'x', role: 'feature', column: 0, shape: numeric([0]) }]);
      for (let value = 0; value < 20_000; value += 1) profiler.cells([(seed * 20_000 + value) / 7]);
      return estimateDistinct(profiler.toProfile().features.get('x')!.sketch!) / 20_000 - 1;
    });
    const spreadOf = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
    expect(spreadOf).toBeLessThan(1.5 * SKETCH_ERROR);
  });
});

describe('importance', () => {
  const features = [
    { name: 'cause', role: 'feature' as const, column: 0, shape: numeric([0.25, 0.5, 0.75]) },
    { name: 'noise', role: 'feature' as const, column: 1, shape: numeric([0.25, 0.5, 0.75]) },
  ];
  const noise = (row: number): number => (row * 0.7548776662466927) % 1;

  test('of a number is the share of the variance that a feature explains, near 0 for one without influence', () => {
    const counter = new ImportanceCounter([...features, { name: 'prediction', role: 'prediction', shape: numeric([1e6]) }]);
    for (let row = 0; row < 4000; row += 1) {
      const cause = (row % 4) / 4 + 0.1;
      counter.text(textRow([String(cause), String(noise(row))]));
      counter.prediction(1e6 + (row % 4) + (noise(7 * row) - 0.5));
    }
    // Variance of 0 to 3 is 1.25, that of the rest 1/12.
    expect(counter.toImportance().get('cause')).toBeCloseTo(1.25 / (1.25 + 1 / 12), 2);
    expect(counter.toImportance().get('noise')).toBeLessThan(0.01);
  });

  test('of a class works without numbers; without variance there is none', () => {
    const counter = new ImportanceCounter([...features, { name: 'prediction', role: 'prediction', shape: categorical(['a', 'b']) }]);
    for (let row = 0; row < 1000; row += 1) {
      counter.cells([row % 2, noise(row)]);
      counter.prediction(row % 2 === 0 ? 'a' : 'b');
    }
    expect(counter.toImportance().get('cause')).toBeCloseTo(1, 6);
    expect(counter.toImportance().get('noise')).toBeLessThan(0.01);
    const constant = new ImportanceCounter([...features, { name: 'prediction', role: 'prediction', shape: numeric([1]) }]);
    for (let row = 0; row < 10; row += 1) {
      constant.cells([row, row]);
      constant.prediction(5);
    }
    expect(constant.toImportance().size).toBe(0);
  });
});

test('times of text are those that cells have', () => {
  const texts = ['2026-03-01', '2026-03-01T12:30:59', '2026-03-01 12:30:59Z', '2024-02-29', '2026-02-30', '2026-13-01', '1969-12-31'];
  const others = ['2026-03-01T12:30:59.250Z', '2026-03-01T12:30:59+02:00', '', 'x', '20260301', '2026-03-01T24:00:00', '0000-01-01'];
  for (const text of [...texts, ...others]) {
    const { bytes, starts, ends } = textRow([text]);
    expect([text, timeOfText(bytes, starts[0], ends[0])]).toEqual([text, readTime(text) ?? NaN]);
  }
});

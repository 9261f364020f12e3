import { compareCounts } from '../../../../lambda/monitoring/drift/compare';
import { toBlockCells } from '../../../../lambda/monitoring/profile/cells';
import type { CategoricalShape } from '../../../../lambda/monitoring/profile/types';
import { chiSquareTwoSample, ksTwoSample, wassersteinDistance } from '../../../../lambda/monitoring/statistics';
import { count, numericShape, random, series } from './samples';

const { normal } = random(5);
const before = series(20_000, () => 50 + 10 * normal());
const after = series(3000, () => 54 + 12 * normal());
const shape = numericShape(before, 1000);
const [reference, window] = [count(shape, before), count(shape, [...after, undefined, 'twelve'])];

const numbersIn = (value: unknown): number[] =>
  typeof value === 'number' ? [value] : typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];

describe('figures of a numeric feature', () => {
  const figures = compareCounts(shape, reference, window);

  it('are those of the values themselves, as far as the edges tell', () => {
    const exact = ksTwoSample(before, after);
    expect(figures.statistics.ks?.statistic).toBeCloseTo(exact?.statistic ?? NaN, 2);
    expect(figures.statistics.wasserstein).toBeCloseTo((wassersteinDistance(before, after) ?? NaN) / shape.deviation, 2);
    const sorted = [...after].sort((a, b) => a - b);
    figures.quantiles?.window.forEach((value, index) => {
      const rank = [0.05, 0.25, 0.5, 0.75, 0.95][index] * after.length;
      expect(value).toBeGreaterThan(sorted[Math.floor(rank) - 20]);
      expect(value).toBeLessThan(sorted[Math.ceil(rank) + 20]);
    });
  });

  it('count missing and invalid values apart', () => {
    expect(figures).toMatchObject({ rows: 3002, referenceRows: 20_000, missingShare: 1 / 3002, invalidShare: 1 / 3002, referenceMissingShare: 0 });
    expect(figures).toMatchObject({ minimum: Math.min(...after), maximum: Math.max(...after) });
    expect(figures.unseenShare).toBeUndefined();
  });

  it('against the cells of blocks are close to those against full counters', () => {
    const coarse = compareCounts(shape, toBlockCells(shape, reference), window);
    expect(coarse.referenceRows).toBe(20_000);
    for (const name of ['psi', 'jensenShannon', 'hellinger', 'wasserstein'] as const) {
      expect(Math.abs((coarse.statistics[name] ?? NaN) / (figures.statistics[name] ?? NaN) - 1)).toBeLessThan(0.1);
    }
    expect(Math.abs((coarse.statistics.ks?.statistic ?? NaN) - (figures.statistics.ks?.statistic ?? NaN))).toBeLessThan(0.01);
    coarse.quantiles?.reference.forEach((value, index) => expect(Math.abs(value - (figures.quantiles?.reference[index] ?? NaN))).toBeLessThan(0.3));
  });

  it('put a quantile on a value that many rows have', () => {
    const hours = series(2400, (index) => index % 24);
    const byHour = numericShape(hours, 1000);
    const same = compareCounts(byHour, count(byHour, hours), count(byHour, hours));
    expect(same.quantiles).toEqual({ reference: [1, 5, 11, 17, 22], window: [1, 5, 11, 17, 22] });
    expect(same.statistics).toMatchObject({ psi: 0, jensenShannon: 0, hellinger: 0, wasserstein: 0, ks: { statistic: 0, pValue: 1 } });
  });
});

describe('figures of a categorical feature', () => {
  const categories: CategoricalShape = { kind: 'categorical', categories: ['red', 'green', 'blue'], hasOther: false };
  const values = (red: number, green: number, blue: number, other: readonly string[] = []): string[] =>
    [...series(red, () => 'red'), ...series(green, () => 'green'), ...series(blue, () => 'blue'), ...other];

  it('compare shares and name what was never seen', () => {
    const { statistics, unseenShare, unseen } = compareCounts(
      categories, count(categories, values(500, 300, 200)), count(categories, values(40, 30, 20, ['pink', 'pink', ...series(8, () => 'teal')])),
    );
    expect(statistics.lInfinity).toBeCloseTo(0.1, 12);
    expect(statistics.chiSquare).toEqual(chiSquareTwoSample([500, 300, 200, 0], [40, 30, 20, 10]));
    expect(statistics.ks).toBeUndefined();
    expect(unseenShare).toBeCloseTo(0.1, 12);
    expect(unseen).toEqual(['teal', 'pink']);
  });

  it('know nothing of unseen names where the training data held too many to keep', () => {
    const open = { ...categories, hasOther: true };
    const figures = compareCounts(open, count(open, values(5, 3, 2)), count(open, values(5, 3, 2, ['pink'])));
    expect(figures).not.toHaveProperty('unseen');
    expect(figures).not.toHaveProperty('unseenShare');
  });
});

describe('what does not exist', () => {
  const categories: CategoricalShape = { kind: 'categorical', categories: ['a'], hasOther: false };
  const constant = numericShape([3, 3, 3], 10);

  it.each([
    ['an empty window', compareCounts(shape, reference, count(shape, []))],
    ['a window of missing values', compareCounts(shape, reference, count(shape, [undefined, undefined]))],
    ['a reference of missing values', compareCounts(shape, count(shape, [undefined]), window)],
    ['no reference', compareCounts(shape, undefined, window)],
    ['an empty reference', compareCounts(shape, toBlockCells(shape, count(shape, [])), window)],
    ['a constant', compareCounts(constant, count(constant, [3, 3, 3]), count(constant, [3, 4]))],
    ['a constant by its cells', compareCounts(constant, toBlockCells(constant, count(constant, [3, 3, 3])), count(constant, [3]))],
    ['one category', compareCounts(categories, count(categories, ['a', 'a']), count(categories, ['a']))],
    ['values at the ends of all numbers', compareCounts(shape, reference, count(shape, [1.7e308, -1.7e308]))],
  ])('is left out, never 0 or NaN: %s', (_, figures) => {
    expect(numbersIn(figures).filter((value) => !Number.isFinite(value))).toEqual([]);
    expect(Object.values(figures.statistics).some((value) => value === undefined)).toBe(false);
    expect(JSON.parse(JSON.stringify(figures))).toEqual(figures);
  });

  it('leaves every statistic out where one side has no value', () => {
    expect(compareCounts(shape, reference, count(shape, [undefined])).statistics).toEqual({});
    expect(compareCounts(shape, undefined, window).statistics).toEqual({});
    expect(compareCounts(shape, reference, count(shape, []))).not.toHaveProperty('quantiles');
  });
});

import { readConstraints } from '../../../../lambda/monitoring/constraints/file';
import type { FeatureConstraints } from '../../../../lambda/monitoring/constraints/types';
import { checkRows, judge, profiled, profileOf, random, suggested } from './world';

const COLUMNS = ['id', 'hour', 'temp', 'humidity', 'rain', 'weather', 'casual', 'total', 'note'];

/** A small city: whole hours, temperatures, a count that is part of another one, a note that few rows have. */
const city = (count: number, seed = 1): (string | number | null)[][] => {
  const next = random(seed);
  return Array.from({ length: count }, (_, row) => {
    const casual = Math.floor(next() * 80);
    const rain = Math.max(0, next() * 4 - 2);
    return [
      ...[1000 + row, row % 24, 40 + 8 * Math.sin(row / 50) + 3 * next(), next() < 0.1 ? null : next(), rain],
      ...[['clear', 'mist', 'rain'][Math.floor(next() * 3)], casual, casual + Math.floor(next() * 60), next() < 0.02 ? 'x' : null],
    ];
  });
};
const rows = city(3000);
const few = rows.slice(0, 100);
const FILE = suggested(COLUMNS, rows);
const of = (name: string): FeatureConstraints => FILE.features.find((feature) => feature.name === name)!;

test('what the data shows is suggested, and what it suggests is a valid file', () => {
  const file = FILE;
  expect(readConstraints(JSON.parse(JSON.stringify(file)), 'x')).toEqual(file);
  expect(of('id')).toMatchObject({ type: { is: 'integral' }, unique: { atLeast: 1 } });
  expect(of('hour')).toMatchObject({ type: { is: 'integral' }, presence: { severity: 'error' }, nonNegative: { severity: 'warning' } });
  expect(of('temp')).toMatchObject({ type: { is: 'fractional', allowedShare: expect.closeTo(0.0036, 3), severity: 'error' } });
  expect(of('weather')).toMatchObject({ type: { is: 'string' }, domain: { values: ['clear', 'mist', 'rain'] } });
  expect(of('weather').range ?? of('weather').nonNegative).toBeUndefined();
  expect(of('humidity').presence).toMatchObject({ severity: 'warning' });
  expect(of('humidity').presence!.atLeast).toBeGreaterThan(0.85);
  expect(of('humidity').presence!.atLeast).toBeLessThan(0.9);
  expect(file.columns).toEqual({ names: COLUMNS, severity: 'error' });
  expect(file.dataset?.rowCount).toEqual({ atLeast: 1500, severity: 'warning' });
});

test('ranges reach beyond what was seen, by the spread of the data, and stop at zero where nothing is negative', () => {
  const { range } = of('temp');
  const values = rows.map((row) => row[2] as number);
  expect(range!.from).toBeLessThan(Math.min(...values));
  expect(range!.to).toBeGreaterThan(Math.max(...values));
  expect(range!.to! - range!.from!).toBeLessThan(6 * (Math.max(...values) - Math.min(...values)));
  expect(of('rain').range).not.toHaveProperty('from');
  expect(of('rain').nonNegative).toBeDefined();
});

test('a column of parts is seen to be below its total; unrelated columns are not paired', () => {
  const { consistency } = FILE;
  expect(consistency).toContainEqual({ left: 'casual', relation: '<=', right: 'total', allowedShare: expect.any(Number), severity: 'warning' });
  expect(consistency.filter(({ left, right }) => [left, right].includes('temp') || [left, right].includes('rain'))).toEqual([]);
});

test('equal columns and columns that are filled together are seen', () => {
  const table = rows.map((row) => [row[6], row[6], row[3], row[3] === null ? null : 'y']);
  const { consistency } = suggested(['a', 'b', 'c', 'd'], table);
  expect(consistency.map(({ left, relation, right }) => `${left} ${relation} ${right}`)).toEqual(
    expect.arrayContaining(['a = b', 'c present-with d', 'd present-with c']),
  );
});

test('what grows with time is not bounded by what was seen: held-out parts lie outside, and the file says so', () => {
  const file = suggested(['meter'], rows.map((_, index) => [Math.exp(index / 100) + (index % 7)]));
  expect(file.features[0].range).toBeUndefined();
  expect(file.notes).toContainEqual(expect.stringMatching(/^meter\.range: dropped, since .* % of a held-out part/));
  expect(of('id').range).toBeUndefined();
});

test('a domain that other values join every month is dropped, one that rarely grows allows more', () => {
  const months = rows.map((_, index) => [`m${Math.floor(index / 600)}`, index > 2900 && index % 5 === 0 ? 'new' : 'old']);
  const file = suggested(['month', 'kind'], months);
  expect(file.features[0].domain).toBeUndefined();
  expect(file.features[1].domain?.allowedUnseenShare).toBeGreaterThan(0.03);
  expect(file.notes?.join('\n')).toMatch(/month\.domain: dropped[^]*kind\.domain: more is allowed, since 3\.2 % /);
});

test('a column that lacks values for a part of the time is no error', () => {
  const table = rows.map((row, index) => [index >= 2400 && index % 3 === 0 ? null : row[2]]);
  expect(suggested(['temp'], table).features[0].presence).toMatchObject({ severity: 'warning', atLeast: expect.closeTo(0.6, 1) });
});

test('without held-out parts the file says that nothing was checked', () => {
  expect(suggested(COLUMNS, few, { folds: [] }).notes).toContainEqual(expect.stringMatching(/^not checked on held-out parts/));
});

test('rows of a window come from the windows of the data, without the first and last; wider where they vary', () => {
  const even = suggested(COLUMNS, few, { windowRows: [3, ...Array.from({ length: 30 }, (_, index) => 100 + (index % 7)), 2] });
  expect(even.rowCount).toEqual({ atLeast: 50, atMost: 212, severity: 'warning' });
  const grown = suggested(COLUMNS, few, { windowRows: Array.from({ length: 32 }, (_, index) => (index < 26 ? 100 : 300)) });
  expect(grown.rowCount).toEqual({ atLeast: 25, atMost: 1200, severity: 'warning' });
  expect(grown.notes).toContainEqual(expect.stringMatching(/^rowCount: wider/));
  expect(suggested(COLUMNS, few, { windowRows: [1, 2, 3] }).rowCount).toBeUndefined();
});

test('freshness is twice the longest gap, where that is less than a window', () => {
  const freshness = (windowSeconds: number) => suggested(COLUMNS, few, { longestGapSeconds: 3600, windowSeconds }).freshness;
  expect(freshness(86_400)).toEqual({ atMostSeconds: 7200, severity: 'warning' });
  expect(freshness(3600)).toBeUndefined();
});

test('new data of the same kind keeps the suggestions, row by row and by its counters', () => {
  const file = FILE;
  const { watched } = profiled(COLUMNS, rows);
  for (const seed of [2, 3, 4, 5, 6]) {
    const fresh = city(24, seed);
    expect(judge(file, watched, profileOf(watched, fresh), { minimumRows: 10 })).toEqual([]);
    const many = city(3000, seed);
    expect(judge(file, watched, profileOf(watched, many))).toEqual([]);
    expect(checkRows(file, COLUMNS, many).violations).toEqual([]);
  }
});

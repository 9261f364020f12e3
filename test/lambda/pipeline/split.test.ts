import fc from 'fast-check';
import type { Row } from '../../../lambda/pipeline/data-reader';
import { sortedByTime, splitHoldout } from '../../../lambda/pipeline/split';

const DAY = 86_400_000;
const timed = fc.array(fc.record({ line: fc.string(), time: fc.integer({ min: 0, max: 60 * DAY }) }), { minLength: 1, maxLength: 200 });
const untimed = fc.array(fc.record({ line: fc.string() }), { minLength: 1, maxLength: 200 });
const holdout = fc.oneof(
  fc.integer({ min: 1, max: 90 }).map((days) => ({ days })),
  fc.double({ min: 0.01, max: 0.5, noNaN: true }).map((share) => ({ share })),
);

const text = (rows: readonly Row[]): string[] => rows.map(({ line, time }) => `${time}|${line}`).sort();

test('every row lands on exactly one side', () => {
  fc.assert(
    fc.property(fc.oneof(timed, untimed), holdout, (rows: Row[], spec) => {
      const { train, holdout: held } = splitHoldout(sortedByTime(rows), spec);
      expect(text([...train, ...held])).toEqual(text(rows));
    }),
  );
});

test('no training row is as new as a holdout row', () => {
  fc.assert(
    fc.property(timed, holdout, (rows, spec) => {
      const { train, holdout: held } = splitHoldout(sortedByTime(rows), spec);
      const newest = Math.max(-Infinity, ...train.map(({ time }) => time!));
      expect(held.every(({ time }) => time! > newest)).toBe(true);
    }),
  );
});

test('the last days are calendar days in UTC, the newest one counted', () => {
  const hours = Array.from({ length: 10 * 24 }, (_, hour) => ({ line: String(hour), time: Date.UTC(2012, 2, 1, hour) }));
  const { train, holdout: held } = splitHoldout(hours, { days: 3 });
  expect(new Date(held[0].time!).toISOString()).toBe('2012-03-08T00:00:00.000Z');
  expect([train.length, held.length]).toEqual([7 * 24, 3 * 24]);
});

test('a share of rows with a time is the newest share', () => {
  const rows = Array.from({ length: 100 }, (_, index) => ({ line: String(index), time: index }));
  expect(splitHoldout(rows, { share: 0.2 }).holdout.map(({ line }) => Number(line))).toEqual(Array.from({ length: 20 }, (_, index) => 80 + index));
});

test('without a time a row stays on its side when data is added, and equal rows never stand on both', () => {
  fc.assert(
    fc.property(untimed, untimed, (rows: Row[], more: Row[]) => {
      const before = splitHoldout(rows, { share: 0.3 });
      const after = splitHoldout([...rows, ...more], { share: 0.3 });
      const held = new Set(after.holdout.map(({ line }) => line));
      expect(before.holdout.every(({ line }) => held.has(line))).toBe(true);
      expect(after.train.some(({ line }) => held.has(line))).toBe(false);
    }),
  );
});

test('without a time the share is about the stated one', () => {
  const rows = Array.from({ length: 5_000 }, (_, index) => ({ line: `row ${index}` }));
  expect(splitHoldout(rows, { share: 0.2 }).holdout.length / rows.length).toBeCloseTo(0.2, 1);
});

test('rows of one time keep the order of the files', () => {
  const rows = [{ line: 'b', time: 2 }, { line: 'x', time: 1 }, { line: 'a', time: 2 }];
  expect(sortedByTime(rows).map(({ line }) => line)).toEqual(['x', 'b', 'a']);
});

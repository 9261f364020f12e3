import fc from 'fast-check';
import { CsvRow } from '../../../lambda/pipeline/rows/csv-row';
import { SortedRows } from '../../../lambda/pipeline/rows/sorted-rows';
import { holdoutStart, isHeldOut } from '../../../lambda/pipeline/split';

const DAY = 86_400_000;

interface Row {
  readonly line: string;
  readonly time: number;
}

const timed = fc.array(fc.record({ line: fc.string(), time: fc.integer({ min: 0, max: 60 * DAY }) }), { minLength: 1, maxLength: 200 });
const crowded = fc.array(fc.record({ line: fc.string(), time: fc.integer({ min: -3, max: 3 }) }), { minLength: 1, maxLength: 200 });
const batch = fc.integer({ min: 2_000, max: 6_000 });
const holdout = fc.oneof(
  fc.integer({ min: 1, max: 90 }).map((days) => ({ days })),
  fc.double({ min: 0.01, max: 0.5, noNaN: true }).map((share) => ({ share })),
);

/** Rows as they come back out of batches of so many bytes. */
const sortedOf = async (rows: readonly Row[], batchBytes: number, use: (sorted: SortedRows) => void = () => undefined): Promise<Row[]> => {
  const sorted = new SortedRows(batchBytes);
  const row = new CsvRow();
  rows.forEach(({ line, time }, index) => {
    row.set([line, String(index)], index);
    sorted.add(row, { time, label: index, target: 1, keyLow: index * 2, keyHigh: 2 ** 32 - 1 - index });
  });
  sorted.finish();
  const found: Row[] = [];
  await sorted.each(({ time, bytes, from, to, targetFrom, targetTo, label, keyLow, keyHigh }) => {
    const index = Number(bytes.toString('utf8', targetFrom, targetTo));
    expect([label, keyLow, keyHigh, bytes[to]]).toEqual([index, index * 2, 2 ** 32 - 1 - index, 10]);
    row.set([rows[index].line, String(index)], 0);
    expect(bytes.toString('utf8', from, to)).toBe(row.toString());
    found.push({ line: rows[index].line, time });
    return undefined;
  });
  use(sorted);
  sorted.close();
  return found;
};

const stable = (rows: readonly Row[]): Row[] => [...rows].sort((a, b) => a.time - b.time);

test('rows come back in the order of their times, those of one time as they came, from any number of batches', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(timed, crowded), batch, async (rows, batchBytes) => {
      expect(await sortedOf(rows, batchBytes)).toEqual(stable(rows));
    }),
  );
});

test('the time at each place, and how many rows are before it, are those of the sorted rows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(timed, crowded), batch, async (rows, batchBytes) => {
      const times = stable(rows).map(({ time }) => time);
      await sortedOf(rows, batchBytes, (sorted) => {
        expect(times.map((_, index) => sorted.timeAt(index))).toEqual(times);
        for (const time of times) expect(sorted.countBefore(time)).toBe(times.findIndex((other) => other >= time));
        expect(sorted.countBefore(Infinity)).toBe(times.length);
      });
    }),
    { numRuns: 30 },
  );
});

test('the holdout begins where rows in memory were cut: at the first row of a moment, none of which stands on both sides', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(timed, crowded), batch, holdout, async (rows, batchBytes, spec) => {
      const sorted = stable(rows);
      const newest = sorted.at(-1)!.time;
      const first = 'share' in spec ? Math.max(0, sorted.length - Math.round(sorted.length * spec.share)) : 0;
      const start = 'days' in spec ? Math.floor(newest / DAY) * DAY - (spec.days - 1) * DAY : (sorted[first]?.time ?? Infinity);
      await sortedOf(rows, batchBytes, (batches) => expect(holdoutStart(batches, spec)).toBe(start));
    }),
  );
});

test('the last days are calendar days in UTC, the newest one counted', () => {
  const rows = { count: 240, newest: Date.UTC(2012, 2, 10, 23), timeAt: () => 0 };
  expect(new Date(holdoutStart(rows, { days: 3 })).toISOString()).toBe('2012-03-08T00:00:00.000Z');
});

test('a share of rows with a time is the newest share', () => {
  const rows = { count: 100, newest: 99, timeAt: (index: number) => index };
  expect(holdoutStart(rows, { share: 0.2 })).toBe(80);
  expect(holdoutStart(rows, { share: 0.001 })).toBe(Infinity);
});

test('without a time the share is about the stated one, and a row stays on its side', () => {
  const rows = Array.from({ length: 5_000 }, (_, index) => Buffer.from(`row ${index}`));
  const held = rows.filter((row) => isHeldOut(row, 0.2));
  expect(held.length / rows.length).toBeCloseTo(0.2, 1);
  expect(held.every((row) => isHeldOut(row, 0.3))).toBe(true);
});

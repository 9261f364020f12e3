import fc from 'fast-check';
import { judgeQuality, LabelJoin, Labels, type ScoredRow } from '../../../../lambda/monitoring/quality';
import { Rejections } from '../../../../lambda/monitoring/rejections';
import { DAY, REGRESSION, SPEC } from './samples';

const FROM = 100 * DAY;
const TO = 128 * DAY;

const scored = (index: number, more: Partial<ScoredRow> = {}): ScoredRow => ({
  inferenceId: `id-${index >> 1}`,
  rowIndex: index & 1,
  time: FROM + index * 1000,
  version: 2,
  prediction: index,
  groups: [],
  ...more,
});

const label = (index: number, value: number | null, hoursLater: number, labelVersion = 1): string =>
  JSON.stringify({
    inferenceId: `id-${index >> 1}`,
    rowIndex: index & 1,
    value,
    labelVersion,
    observedAt: new Date(FROM + index * 1000 + hoursLater * 3_600_000).toISOString(),
  });

function join(lines: readonly string[], rows: readonly ScoredRow[], version: number | undefined = 2) {
  const rejections = new Rejections();
  const labels = new Labels(REGRESSION, rejections);
  lines.forEach((line) => labels.add(line, 'labels', TO));
  const joined = new LabelJoin({ task: REGRESSION, groupColumns: [], from: FROM, to: TO, version }, labels);
  rows.forEach((row) => joined.add(row));
  labels.rejectUnknown('labels/Demand/');
  const quality = judgeQuality({ spec: SPEC, table: joined.table, from: FROM, to: TO });
  return { table: joined.table, quality, rejections };
}

describe('the join of labels', () => {
  test('takes late, doubled, corrected and taken-back labels for what they are, and rows without one as unlabelled', () => {
    const rows = [0, 1, 2, 3, 4].map((index) => scored(index));
    const lines = [label(0, 1, 2), label(0, 1, 2), label(1, 5, 500), label(2, 9, 1), label(2, 4, 1, 2), label(3, 7, 1), label(3, null, 1, 2)];
    const { quality } = join(lines, rows);
    // Errors 1, 4 and 2; rows 3 and 4 have no label.
    expect(quality).toMatchObject({ rows: 5, labelled: 3, coverage: 0.6, labelAgeSeconds: 2 * 3600, metrics: { mae: { value: 7 / 3 } } });
  });

  test('looks at the days and the version that are judged, and knows the labels of all others', () => {
    const rows = [scored(0), scored(1, { time: FROM - 1 }), scored(2, { time: TO }), scored(3, { version: 1 }), scored(4, { version: undefined })];
    const { quality, rejections } = join(
      rows.map((_, index) => label(index, 0, 1)),
      rows,
    );
    expect(quality).toMatchObject({ rows: 1, labelled: 1 });
    expect(rejections.counts()).toEqual({});
  });

  test('counts labels of predictions that were never captured', () => {
    const { quality, rejections } = join([label(0, 0, 1), label(77, 0, 1), label(78, 0, 1)], [scored(0)]);
    expect(quality.labelled).toBe(1);
    expect(rejections.counts()).toEqual({ 'label-unknown-id': 2 });
  });

  test('takes an observation before its prediction for a clock that is off', () => {
    expect(join([label(0, 0, -5)], [scored(0)]).quality.labelAgeSeconds).toBe(0);
  });

  test('reads batches', async () => {
    const labels = new Labels(REGRESSION, new Rejections());
    const joined = new LabelJoin({ task: REGRESSION, groupColumns: [], from: FROM, to: TO }, labels);
    await joined.addAll(
      (async function* () {
        yield [scored(0), scored(1)];
        await Promise.resolve();
        yield [scored(2)];
      })(),
    );
    expect(joined.table.rows).toBe(3);
    expect(joined.table.medianAge()).toBeUndefined();
  });

  test('means the same for any order of labels and rows', () => {
    const rows = Array.from({ length: 30 }, (_, index) => scored(index, { time: FROM + index * DAY * 0.8 }));
    const lines = rows.flatMap((_, index) => [label(index, index * 1.1 + 1 / 3, 2), label(index, index, 3, (index % 3) + 1)]);
    const expected = join(lines, rows).quality;
    fc.assert(
      fc.property(
        fc.shuffledSubarray(lines, { minLength: lines.length }),
        fc.shuffledSubarray(rows, { minLength: rows.length }),
        (someLines, someRows) => {
          expect(join(someLines, someRows).quality).toEqual(expected);
        },
      ),
      { numRuns: 20 },
    );
  });
});

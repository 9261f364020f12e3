import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csvLine } from '../../../lambda/pipeline/csv-line';
import { readDataFile, type Rejection } from '../../../lambda/pipeline/data-reader';

const TASK = { kind: 'REGRESSION', target: 'cnt', timeColumn: 'timestamp' } as const;
const HEADER = 'timestamp,hr,cnt';
const GOOD = '2012-01-01T00:00:00Z,1,16';

type Task = Parameters<typeof readDataFile>[2];

const readStream = async (stream: Readable, task: Task = TASK, expected?: string[]) => {
  const rows: object[] = [];
  const rejections: Rejection[] = [];
  let columns: readonly string[] = [];
  const content = await readDataFile(
    stream,
    's3://data/a.csv',
    task,
    {
      columns: (names) => (columns = names),
      row: (row, time, target) => rows.push({ line: row.toString(), time, target }),
      rejected: (rejection) => rejections.push(rejection),
      violating: () => undefined,
    },
    expected,
  );
  expect(content.rows).toBe(rows.length);
  return { columns, rows, rejections, sha256: content.sha256 };
};
const read = (text: string, task: Task = TASK, expected?: string[]) => readStream(Readable.from([Buffer.from(text)]), task, expected);

test('reads rows with their event time and the digest of the bytes', async () => {
  const text = `${HEADER}\n${GOOD}\n2012-01-01 01:00,2,40\n`;
  const content = await read(text);
  expect(content.columns).toEqual(['timestamp', 'hr', 'cnt']);
  expect(content.rows).toEqual([
    { line: GOOD, time: Date.UTC(2012, 0, 1), target: '16' },
    { line: '2012-01-01 01:00,2,40', time: Date.UTC(2012, 0, 1, 1), target: '40' },
  ]);
  expect(content.sha256).toBe(createHash('sha256').update(text).digest('hex'));
});

test.each([
  ['too few columns', '2012-01-01T00:00:00Z,1', 'the row has 2 columns, the header 3'],
  ['too many columns', `${GOOD},9`, 'the row has 4 columns, the header 3'],
  ['a target that is no number', '2012-01-01T00:00:00Z,1,many', "the target 'cnt' is not a number"],
  ['an empty target', '2012-01-01T00:00:00Z,1,', "the target 'cnt' is empty, not a number"],
  ['a target that is missing by name', '2012-01-01T00:00:00Z,1,NaN', "the target 'cnt' is not a number"],
  ['a time that is none', 'yesterday,1,16', "the time 'timestamp' is not ISO 8601"],
  ['a quote in the wrong place', '2012-01-01T00:00:00Z,1"1,16', 'a quote stands in the wrong place'],
])('one row with %s is set aside with its number; the others stay', async (_, bad, rule) => {
  const content = await read(`${HEADER}\n${GOOD}\n${bad}\n${GOOD}\n`);
  expect(content.rows).toHaveLength(2);
  expect(content.rejections).toMatchObject([{ file: 's3://data/a.csv', row: 3, rule }]);
});

test('no cell stands in a rule, which logs and events carry; the quarantine has the row', async () => {
  const { rejections } = await read(`${HEADER}\n${GOOD}\nmax@example.org,1,16\n2012-01-01T00:00:00Z,1,max@example.org\n`);
  expect(rejections.map(({ rule }) => rule).join()).not.toContain('max');
  expect(rejections.every(({ line }) => line?.includes('max@example.org'))).toBe(true);
});

test.each<[string, string, RegExp]>([
  ['an empty file', '', /^s3:\/\/data\/a\.csv: the file is empty; /],
  ['a header without rows', `${HEADER}\n`, /a\.csv: the file has a header but no rows; /],
  [
    'no target',
    'timestamp,hr\n2012-01-01,1\n',
    /a\.csv, row 1: the target column 'cnt' is missing; add it, or name one of timestamp, hr in the task/,
  ],
  ['no time', 'hr,cnt\n1,2\n', /row 1: the time column 'timestamp' is missing/],
  ['a column twice', 'timestamp,hr,hr,cnt\n', /row 1: the column 'hr' stands twice/],
  ['a column without a name', 'timestamp,,cnt\n', /row 1: a column of the header has no name/],
  ['a quote that is never closed', `${HEADER}\n${GOOD}\n"2012-01-01,1,2\n${GOOD}\n`, /a quote is never closed/],
])('a file with %s fails as DataInvalid, naming file and rule', async (_, text, message) => {
  await expect(read(text)).rejects.toMatchObject({ name: 'DataInvalid', message: expect.stringMatching(message) });
});

test.each([
  [['timestamp', 'hr', 'temp', 'cnt'], /\(missing: temp\)/],
  [['timestamp', 'cnt'], /\(added: hr\)/],
  [['timestamp', 'hour', 'cnt'], /\(missing: hour; added: hr\)/],
  [['hr', 'timestamp', 'cnt'], /\(the same columns in another order\)/],
])('a header other than %s is named by its difference', async (expected, difference) => {
  await expect(read(`${HEADER}\n${GOOD}\n`, TASK, expected)).rejects.toMatchObject({
    name: 'DataInvalid',
    message: expect.stringMatching(difference),
  });
});

test('labels of a classification may be any text, but not empty', async () => {
  const content = await read('label,x\nyes,1\n,2\n', { kind: 'BINARY_CLASSIFICATION', target: 'label' });
  expect(content.rows).toEqual([{ line: 'yes,1', time: undefined, target: 'yes' }]);
  expect(content.rejections).toMatchObject([{ row: 3, rule: "the target 'label' is empty" }]);
});

test('a source that breaks off fails the reading', async () => {
  const broken = new Readable({ read: () => undefined });
  broken.push(`${HEADER}\n${GOOD}\n`);
  setImmediate(() => broken.destroy(new Error('connection reset')));
  await expect(readStream(broken)).rejects.toThrow('connection reset');
});

test('a line of CSV reads back as the cells it was made of', () => {
  const cell = fc.string().map((text) => text.replaceAll('\0', ''));
  fc.assert(
    fc.property(fc.array(cell, { minLength: 2, maxLength: 6 }), (cells) => {
      expect(parse(`${csvLine(cells)}\n`, { relax_column_count: true })).toEqual([cells]);
    }),
  );
});

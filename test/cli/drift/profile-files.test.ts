import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { profileFiles, type ProfileFilesOptions } from '../../../cli/drift/profile-files';
import { wholeLines } from '../../../cli/drift/profile-part';
import type { WatchedFeature } from '../../../lambda/monitoring/profile/types';

const FEATURES: readonly WatchedFeature[] = [
  { name: 'x', role: 'feature', column: 0, shape: { kind: 'numeric', edges: [10, 20, 30], mean: 20, deviation: 10 } },
  { name: 'c', role: 'feature', column: 1, shape: { kind: 'categorical', categories: ['a', 'b'], hasOther: false } },
];
const COLUMNS = ['x', 'c', 'at'];
const HOUR = 3600;

let directory: string;
beforeEach(() => (directory = mkdtempSync(path.join(os.tmpdir(), 'profile-files-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string, text: string): ProfileFilesOptions['files'][number] => {
  const place = path.join(directory, name);
  writeFileSync(place, text);
  return { name, path: place, bytes: statSync(place).size };
};

const rows = Array.from({ length: 40 }, (_, row) => [String(row % 37), row % 3 === 0 ? 'a' : 'new', `2026-01-01T0${row % 4}:00:00Z`]);
const csv = (lines: readonly (readonly string[])[]): string => lines.map((line) => `${line.join(',')}\n`).join('');

/** Profiles with parts of any size, which must all be the same. */
const profilesOf = async (options: Omit<ProfileFilesOptions, 'columns' | 'features'>) => {
  const all: { windows: Awaited<ReturnType<typeof profileFiles>>['windows']; rejected: Record<string, number> }[] = [];
  for (const partBytes of [1e9, 29, 64, 301]) {
    const { windows, rejections } = await profileFiles({ ...options, columns: COLUMNS, features: FEATURES, partBytes });
    all.push({ windows, rejected: rejections.counts() });
  }
  all.forEach((one) => expect(one).toEqual(all[0]));
  return all[0];
};

test('CSV files are profiled to the same, however they are cut; each has its columns in its own order', async () => {
  const files = [file('1.csv', csv([COLUMNS, ...rows])), file('2.csv', csv([['c', 'at', 'x'], ...rows.map(([x, c, at]) => [c, at, x]), ['a', 'b']]))];
  const { windows, rejected } = await profilesOf({ files, format: 'csv' });
  expect(windows).toHaveLength(1);
  expect(windows[0].profile.rows).toBe(80);
  expect(windows[0].profile.features.get('c')).toMatchObject({ counts: [28, 0, 52], unlisted: { new: 52 } });
  expect(rejected).toEqual({ 'column-count': 1 });
});

test('a CSV file with a newline between quotes, which cannot be cut, is read in one piece', async () => {
  const text = csv([COLUMNS, ...rows.slice(0, 20), ['1', '"a\nb,c\n3,a,d"', ''], ...rows.slice(20)]);
  const { windows, rejected } = await profilesOf({ files: [file('1.csv', text)], format: 'csv' });
  expect(windows[0].profile.rows).toBe(41);
  expect(rejected).toEqual({});
});

test('rows are cut into windows of their own time', async () => {
  const cut = { column: 2, windowSeconds: HOUR };
  const { windows } = await profilesOf({ files: [file('1.csv', csv([COLUMNS, ...rows, ['1', 'a', 'no time']]))], format: 'csv', cut });
  expect(windows.map(({ start, profile }) => [new Date(start!).toISOString(), profile.rows])).toEqual(
    [0, 1, 2, 3].map((hour) => [`2026-01-01T0${hour}:00:00.000Z`, 10]),
  );
});

test('lines of JSON and recorded requests are profiled to the same, however their file is cut', async () => {
  const objects = rows.map(([x, c, at]) => JSON.stringify({ c, at, x: Number(x) }));
  const json = await profilesOf({ files: [file('1.jsonl', objects.join('\n'))], format: 'jsonl' });
  expect(json.windows[0].profile.rows).toBe(40);
  const records = rows.map((row, index) =>
    JSON.stringify({
      captureData: { endpointInput: { observedContentType: 'text/csv', mode: 'INPUT', data: row.join(','), encoding: 'CSV' } },
      eventMetadata: { eventId: `id-${index}`, inferenceTime: '2026-01-01T00:00:00Z' },
      eventVersion: '0',
    }),
  );
  const capture = await profilesOf({ files: [file('2.jsonl', `${records.join('\n')}\nbroken\n`)], format: 'capture' });
  expect(capture.windows).toEqual(json.windows);
  expect(capture.rejected).toEqual({ 'record-malformed': 1 });
});

test('a file without rows has an empty profile; one that lacks a column is refused', async () => {
  expect((await profilesOf({ files: [file('1.csv', 'x,c,at\n')], format: 'csv' })).windows[0].profile.rows).toBe(0);
  await expect(profilesOf({ files: [file('2.csv', 'x,c\n1,a\n')], format: 'csv' })).rejects.toThrow('2.csv lacks the columns at');
});

test('the lines of neighbouring parts are all lines, each once, for any cut and any chunks', async () => {
  const text = Buffer.from('a\nbb\n\nccc\r\nd\neeeeee');
  const read = async (from: number, to: number, size: number): Promise<string> => {
    const offset = from === 0 ? 0 : from - 1;
    const chunks = async function* () {
      for (let at = offset; at < text.length; at += size) yield text.subarray(at, at + size);
    };
    let answer = '';
    for await (const lines of wholeLines(chunks(), { length: to - offset, skipFirstPartialLine: from > 0 })) answer += Buffer.from(lines).toString();
    return answer;
  };
  for (let size = 1; size < 8; size += 1) {
    for (let first = 1; first < text.length - 1; first += 1) {
      for (let second = first + 1; second < text.length; second += 1) {
        const parts = [await read(0, first, size), await read(first, second, size), await read(second, text.length, size)];
        expect(parts.join('')).toBe(text.toString());
        expect(parts.slice(0, -1).every((part) => part === '' || part.endsWith('\n') || parts.join('').endsWith(part))).toBe(true);
      }
    }
  }
});

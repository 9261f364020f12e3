import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { main } from '../../cli/program';
import type { MonitorResult } from '../../lib/monitoring/contract';
import { MemoryBucket } from '../fakes/memory-s3';
import { random } from '../fakes/random';
import { fakeIo } from './fake-io';

process.env.AWS_REGION = 'eu-west-1';
jest.setTimeout(60_000);

interface Row {
  readonly when: string;
  readonly temp: number | null;
  readonly city: string;
  readonly flag: number;
  readonly count: number;
  readonly guess: number;
}

const HOUR = 3_600_000;
const FROM = Date.parse('2026-01-05T00:00:00Z');

/** Rows an hour apart; `shift` moves the temperature, in standard deviations. */
const rows = (count: number, { seed = 1, shift = 0, from = FROM, city = 'Oslo' } = {}): Row[] => {
  const next = random(seed);
  return Array.from({ length: count }, (_, index) => {
    const temp = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()) + shift;
    const value = 100 + 10 * temp;
    return {
      when: new Date(from + index * HOUR).toISOString(),
      temp: next() < 0.02 ? null : Number(temp.toFixed(4)),
      city: next() < 0.5 ? 'Bergen' : city,
      flag: Number(next() < 0.3),
      count: Math.round(value + 5 * next()),
      guess: Number(value.toFixed(3)),
    };
  });
};

const csv = (table: readonly Row[], columns: readonly (keyof Row)[] = ['when', 'temp', 'city', 'flag', 'count', 'guess']): string =>
  [columns.join(','), ...table.map((row) => columns.map((name) => row[name] ?? '').join(','))].join('\n') + '\n';

const REFERENCE = rows(24 * 7 * 60);
const LATER = FROM + 24 * 7 * 60 * HOUR;
const SAME = rows(24 * 7, { seed: 2, from: LATER });
const MOVED = rows(24 * 7, { seed: 3, from: LATER, shift: 1.5 });

let home: string;
const file = (name: string, text: string | Uint8Array): string => {
  const place = path.join(home, name);
  mkdirSync(path.dirname(place), { recursive: true });
  writeFileSync(place, text);
  return place;
};

let reference: string;
beforeAll(() => {
  home = mkdtempSync(path.join(os.tmpdir(), 'mlops-drift-'));
  reference = file('reference.csv', csv(REFERENCE));
});
afterAll(() => rmSync(home, { recursive: true }));
afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
});

const drift = async (...args: string[]) => {
  process.exitCode = undefined;
  const { io, written } = fakeIo();
  return { code: await main(['drift', ...args], io), ...written };
};

interface Answer {
  readonly verdict: string;
  readonly exitCode: number;
  readonly windows: readonly MonitorResult[];
}

const json = async (...args: string[]): Promise<Answer & { readonly code: number }> => {
  const { code, out, err } = await drift(...args, '--json');
  if (out === '') throw new Error(err);
  return { ...(JSON.parse(out) as Answer), code };
};

const drifted = ({ windows }: Answer): string[] =>
  windows.flatMap(({ drift: { comparisons } }) => comparisons.flatMap((one) => one.features.filter((each) => each.drifted).map(({ name }) => name)));

describe('the exit code', () => {
  test('is 0 where nothing changed, and the promise is told', async () => {
    const { code, out } = await drift(reference, file('same.csv', csv(SAME)), '--time', 'when');
    expect(code).toBe(0);
    expect(out).toMatch(/same\.csv needs no attention: no drift was found\./);
    expect(out).toContain('without a change at most 3.2 % of such comparisons say drift; 1 % was asked for, which takes 99 in that half');
    expect(out).not.toMatch(/[Tt]raining data|episode/);
  });

  test('is 3 where a column drifted, with the verdict first', async () => {
    const { code, out } = await drift(reference, file('moved.csv', csv(MOVED)), '--time', 'when');
    expect(code).toBe(3);
    expect(out).toMatch(/^\S*moved\.csv needs attention: its data drifted in \d columns?\./);
    expect(out).toMatch(/\ntemp +drifted/);
    expect(out).toMatch(/\nflag +no drift/);
  });

  test('is 4 where the current data is too small, or the reference gives too few blocks to promise anything', async () => {
    const small = await drift(reference, file('small.csv', csv(MOVED.slice(0, 20))), '--time', 'when');
    expect(small).toMatchObject({ code: 4, out: expect.stringContaining('too little data') });
    const few = file('few.csv', csv(REFERENCE.slice(0, 24 * 7 * 6)));
    const advisory = await drift(few, file('moved.csv', csv(MOVED)), '--time', 'when');
    expect(advisory.code).toBe(4);
    expect(advisory.out).toMatch(/10 are needed beyond those that fit the score: shown for information, never drift/);
  });

  test('is 1 or 2 with a sentence and a way out where something is wrong', async () => {
    const other = file('other.csv', 'a,b\n1,2\n');
    expect(await drift(reference, other)).toMatchObject({ code: 2, err: expect.stringMatching(/no column in common[^]*the current data a, b/) });
    expect(await drift(reference, path.join(home, 'absent.csv'))).toMatchObject({ code: 2, err: expect.stringContaining('does not exist') });
    expect(await drift(reference, reference, '--time', 'clock')).toMatchObject({ code: 2, err: expect.stringContaining('when, temp, city') });
    expect(await drift(reference, reference, '--time', 'city')).toMatchObject({ code: 1, err: expect.stringContaining('no ISO 8601 time') });
    expect(await drift(reference, reference, '--window', '5h')).toMatchObject({ code: 2, err: expect.stringContaining('1h, 2h') });
    expect(await drift(reference, reference, '--false-alarms', '2')).toMatchObject({ code: 2 });
    const packed = file('packed.csv', Uint8Array.of(0x1f, 0x8b, 8, 0, 0));
    expect(await drift(reference, packed)).toMatchObject({ code: 1, err: expect.stringContaining('gzip') });
    const empty = path.join(home, 'nothing');
    mkdirSync(empty);
    expect(await drift(reference, empty)).toMatchObject({ code: 2, err: expect.stringContaining('holds no data') });
  });
});

describe('formats', () => {
  const names: readonly (keyof Row)[] = ['when', 'temp', 'city', 'flag', 'count', 'guess'];
  const parquet = (table: readonly Row[]): Uint8Array =>
    new Uint8Array(parquetWriteBuffer({ columnData: names.map((name) => ({ name, data: table.map((row) => row[name]), nullable: true })) as never }));
  const lines = (table: readonly Row[]): string => table.map((row) => JSON.stringify(row)).join('\n');

  test('CSV in any order of columns, JSON Lines and Parquet give the same scores', async () => {
    const wanted = await json(reference, file('moved.csv', csv(MOVED)), '--time', 'when');
    const scores = ({ windows }: Answer) => windows[0].drift.comparisons[0].features.map((one) => [one.name, one.score, one.rows]);
    for (const place of [
      file('moved-2.csv', csv(MOVED, ['guess', 'city', 'when', 'flag', 'temp', 'count'])),
      file('moved.jsonl', lines(MOVED)),
      file('moved.parquet', parquet(MOVED)),
    ]) {
      expect(scores(await json(reference, place, '--time', 'when'))).toEqual(scores(wanted));
    }
  });

  test('recorded requests are compared by the columns of the reference, their answers with its predictions', async () => {
    const record = (row: Row, index: number): string =>
      JSON.stringify({
        captureData: {
          endpointInput: { mode: 'INPUT', data: `${row.when},${row.temp ?? ''},${row.city},${row.flag}`, encoding: 'CSV' },
          endpointOutput: { mode: 'OUTPUT', data: String(row.guess), encoding: 'CSV' },
        },
        eventMetadata: { eventId: `id-${index}`, inferenceTime: row.when },
        eventVersion: '0',
      });
    const place = file('requests/2026/part.jsonl', MOVED.map(record).join('\n'));
    const answer = await json(reference, place, '--target', 'count', '--prediction', 'guess', '--time', 'when');
    expect(answer.code).toBe(3);
    expect(drifted(answer)).toEqual(expect.arrayContaining(['temp', 'guess']));
    expect(answer.windows[0].rejected).toEqual({});
  });

  test('a directory is read as one table; a file with other columns is named', async () => {
    for (const [index, part] of [SAME.slice(0, 80), SAME.slice(80)].entries()) file(`parts/${index}.csv`, csv(part));
    file('parts/_SUCCESS', '');
    file('parts/.hidden.csv', 'x\n1\n');
    const { windows, code } = await json(reference, path.join(home, 'parts'));
    expect({ code, rows: windows[0].rows }).toEqual({ code: 0, rows: SAME.length });
    const odd = file('parts/2.csv', csv(SAME, ['when', 'temp', 'city', 'flag', 'count']));
    const { code: refused, err } = await drift(reference, path.join(home, 'parts'));
    expect({ refused, err }).toMatchObject({ refused: 1, err: expect.stringMatching(/2\.csv has other columns .* lacks guess/) });
    rmSync(odd);
  });

  test('objects below an S3 prefix', async () => {
    const bucket = new MemoryBucket();
    bucket.install();
    bucket.objects.set('data/now/a.csv', csv(MOVED.slice(0, 100)));
    bucket.objects.set('data/now/b.csv', csv(MOVED.slice(100)));
    bucket.objects.set('data/now/notes.md', 'no data');
    expect(await json(reference, 's3://data/now/', '--time', 'when')).toMatchObject({ code: 3, windows: [{ rows: MOVED.length }] });
    expect(await drift(reference, 's3://data/other/')).toMatchObject({ code: 2, err: expect.stringContaining('s3://data/other/ holds no data') });
  });
});

test('columns that only one side has are named, and the rest is compared', async () => {
  const { windows, code } = await json(reference, file('less.csv', csv(SAME, ['when', 'temp', 'city'])));
  expect(code).toBe(0);
  expect(windows[0].states).toMatchObject([{ state: 'changed-schema', count: 3, sentence: 'only the reference has flag, count, guess.' }]);
  expect(windows[0].drift.skipped.map(({ name }) => name)).toEqual(expect.arrayContaining(['flag', 'count', 'guess']));
});

test('without a time consecutive rows are compared, and what that assumes is said', async () => {
  const { out, code } = await drift(reference, file('moved.csv', csv(MOVED, ['temp', 'city', 'flag'])), '--false-alarms', '5%');
  expect(code).toBe(3);
  expect(out).toMatch(/The reference gives \d+ blocks of consecutive rows, .* at most 5 % of such comparisons say drift, as asked/);
  expect(out).not.toContain('1970');
});

test('a window shorter than the current data judges its windows one by one', async () => {
  const both = file('both.csv', csv([...SAME.slice(0, 96), ...MOVED.slice(96)]));
  const { windows, code } = await json(reference, both, '--time', 'when', '--window', '1d', '--minimum-rows', '20');
  expect(code).toBe(3);
  expect(windows).toHaveLength(7);
  const found = windows.map(({ drift: { verdict } }) => verdict);
  expect(found.slice(0, 4)).toEqual(['ok', 'ok', 'ok', 'ok']);
  expect(found.slice(4)).toContain('drift');
  const { out } = await drift(reference, both, '--time', 'when', '--window', '1d', '--minimum-rows', '20');
  expect(out).toMatch(/window to[^]*the window that differs most:/);
});

test('truth and prediction are measured on both sides, by groups too', async () => {
  const args = ['--time', 'when', '--target', 'count', '--prediction', 'guess', '--groups', 'city,flag'];
  const { windows } = await json(reference, file('same.csv', csv(rows(24 * 21, { seed: 5, from: LATER }))), ...args);
  const { metrics, labelled } = windows[0].quality;
  expect(labelled).toBe(24 * 21);
  expect(metrics.rmse.value).toBeGreaterThan(2);
  expect(metrics.rmse.baseline?.value).toBeCloseTo(metrics.rmse.value, 0);
  expect(metrics.rmse.low).toBeLessThan(metrics.rmse.value);
  expect(windows[0].groups.values.map(({ column, group }) => `${column} ${group}`).sort()).toEqual(['city Bergen', 'city Oslo', 'flag 0', 'flag 1']);
});

test('the report is one page about the files; the JSON lies where it was asked for', async () => {
  const [page, data] = [path.join(home, 'out.html'), path.join(home, 'out.json')];
  const { out } = await drift(reference, file('moved.csv', csv(MOVED)), '--time', 'when', '--report', page, '--json', data);
  expect(out).toContain('needs attention');
  const html = readFileSync(page, 'utf8');
  expect(html).toContain('moved.csv against');
  expect(html).toMatch(/<title id="d0t">Distribution of (temp|guess|count)/);
  expect((JSON.parse(readFileSync(data, 'utf8')) as Answer).exitCode).toBe(3);
  expect(await drift(reference, reference, '--report', path.join(home, 'no/such/dir.html'))).toMatchObject({ code: 1 });
});

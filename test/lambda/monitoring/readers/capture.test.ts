import * as fc from 'fast-check';
import { CaptureScanner, readCapture } from '../../../../lambda/monitoring/readers/capture';
import { CaptureStats } from '../../../../lambda/monitoring/readers/capture-stats';
import { Feeder, LINE_LIMIT } from '../../../../lambda/monitoring/readers/feeder';
import type { Cell } from '../../../../lambda/monitoring/rows';
import { readCategory, readNumeric } from '../../../../lambda/monitoring/values';
import { bytesOf, chunksOf, cutsOf, Recorder } from './samples';

const COLUMNS = ['timestamp', 'temp', 'city'];
const T = '2012-03-01T05:00:00Z';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Body {
  readonly data: string;
  readonly encoding: string;
  readonly observedContentType?: string;
}

const csv = (data: string): Body => ({ observedContentType: 'text/csv', data, encoding: 'CSV' });
const json = (value: unknown): Body => ({ observedContentType: 'application/json', data: JSON.stringify(value), encoding: 'JSON' });

const lineOf = (input: Body | undefined, output?: Body, metadata: object = { inferenceId: 'id-1' }): string =>
  JSON.stringify({
    captureData: { endpointInput: input, endpointOutput: output },
    eventMetadata: { eventId: 'event-1', ...metadata, inferenceTime: '2026-01-01T00:00:00Z' },
    eventVersion: '0',
  });

const reading = async (data: string | Uint8Array, cuts: readonly number[] = []): Promise<Recorder & { seen: CaptureStats }> => {
  const recorder = new Recorder();
  const seen = new CaptureStats();
  await readCapture(chunksOf(data, cuts), 'key', COLUMNS, recorder, recorder.rejections, seen);
  return Object.assign(recorder, { seen });
};

/** Cells as whoever counts them sees them: text, where nothing is the empty one. */
const texts = (rows: readonly (readonly unknown[])[]): string[][] => rows.map((row) => row.map((cell) => String(cell ?? '')));

describe('bodies of one request', () => {
  const two = `${T},3.5,rome\n2012-03-01T06:00:00Z,,oslo\n`;
  const object = (time: string, temp: number | null, city: string): object => ({ city, timestamp: time, temp });
  const parsed = [[T, 3.5, 'rome'], ['2012-03-01T06:00:00Z', null, 'oslo']];
  const objects = [object(T, 3.5, 'rome'), object('2012-03-01T06:00:00Z', null, 'oslo')];

  // The second line of the same form is read in place.
  test.each<[string, Body, unknown[][]]>([
    ['CSV of several rows', csv(two), parsed],
    ['CSV with CRLF, a mark at its start and a last line without end', csv(`\uFEFF${two.trim().replace(/\n/g, '\r\n')}`), parsed],
    ['CSV with CRLF', csv(two.replace(/\n/g, '\r\n')), parsed],
    ['CSV with quotes', csv(`${T},3.5,"rome, ""city"""\n`), [[T, 3.5, 'rome, "city"']]],
    ['base64 of CSV', { data: base64(two), encoding: 'BASE64', observedContentType: 'text/csv; charset=utf-8' }, parsed],
    ['base64 of JSON under another type', { data: base64(JSON.stringify(parsed)), encoding: 'BASE64', observedContentType: 'text/html' }, parsed],
    ['base64 of something without a type', { data: base64(two), encoding: 'BASE64' }, parsed],
    ['a JSON array of rows', json(parsed), parsed],
    ['a JSON array that is one row', json(parsed[0]), [parsed[0]]],
    ['instances of arrays', json({ instances: parsed }), parsed],
    ['instances of features', json({ instances: parsed.map((features) => ({ features })) }), parsed],
    ['instances of objects', json({ instances: objects }), parsed],
    ['an array of objects', json(objects), parsed],
    ['one object', json(objects[0]), [parsed[0]]],
    ['columns', json({ temp: [3.5, null], city: ['rome', 'oslo'], timestamp: [T, '2012-03-01T06:00:00Z'] }), parsed],
    ['a split table of pandas', json({ dataframe_split: { columns: ['city', 'timestamp', 'temp'], data: [['rome', T, 3.5]] } }), [parsed[0]]],
    ['records of pandas', json({ dataframe_records: objects }), parsed],
    ['JSON lines', { data: parsed.map((row) => JSON.stringify(row)).join('\n'), encoding: 'JSON' }, parsed],
    ['an empty list', json([]), []],
  ])('%s', async (_, body, rows) => {
    const { requests, rejections, seen } = await reading(`${lineOf(body)}\n${lineOf(body)}\n`);
    const expected = texts(rows);
    expect(requests.map((request) => texts(request.rows.map(({ values }) => values)))).toEqual([expected, expected]);
    expect(rejections.total).toBe(0);
    expect(seen).toMatchObject({ records: 2, rows: 2 * rows.length, withoutOutput: 2, input: { [body.encoding]: 2 } });
  });

  test.each<[string, Body, unknown[]]>([
    ['CSV, a line each', csv('1.5\n2.5\n'), [1.5, 2.5]],
    ['CSV, all on one line', csv('1.5,2.5'), [1.5, 2.5]],
    ['CSV of a negative zero, which is no other prediction', csv('-0\n2.5\n'), [0, 2.5]],
    ['CSV with further columns', csv('a,0.9\nb,0.8'), ['a', 'b']],
    ['CSV with quotes', csv('"a",0.9\n"0.5",0.8'), ['a', 0.5]],
    ['base64 of CSV', { data: base64('1.5\n2.5\n'), encoding: 'BASE64' }, [1.5, 2.5]],
    ['a JSON list', json([1.5, 2.5]), [1.5, 2.5]],
    ['predictions with scores', json({ predictions: [{ score: 1.5, predicted_label: 'x' }, { score: 2.5 }] }), [1.5, 2.5]],
    ['a list of scores', json({ score: [1.5, 2.5] }), [1.5, 2.5]],
    ['nested lists', json([[1.5], [2.5]]), [1.5, 2.5]],
  ])('predictions as %s', async (_, body, predictions) => {
    const { requests } = await reading(`${lineOf(csv(two), body)}\n${lineOf(csv(two), body)}\n${lineOf(json(parsed), body)}`);
    expect(requests.map(({ rows }) => rows.map(({ prediction }) => prediction))).toEqual([predictions, predictions, predictions]);
  });

  test('come with the caller\'s id, else the record\'s, and the time of the request', async () => {
    const lines = [lineOf(csv(two)), lineOf(csv(two), undefined, {}), lineOf(csv(two), undefined, { inferenceId: '' })];
    const { requests } = await reading([...lines, ...lines].join('\n'));
    const time = Date.parse('2026-01-01T00:00:00Z');
    const heads = ['id-1', 'event-1', 'event-1'].map((inferenceId) => ({ eventId: 'event-1', inferenceId, time }));
    expect(requests.map(({ head }) => head)).toEqual([...heads, ...heads]);
    expect(requests.map(({ where }) => where)[4]).toBe('key line 5');
  });

  test('are not read where the request is not wanted', async () => {
    const recorder = new Recorder();
    const seen = new CaptureStats();
    const unwilling = { begin: () => false, text: recorder.text.bind(recorder), cells: recorder.cells.bind(recorder) };
    const lines = `${lineOf(json([1]))}\n${lineOf(csv('1'))}\n${lineOf(csv('1'))}\n`;
    await readCapture(chunksOf(lines), 'key', COLUMNS, unwilling, recorder.rejections, seen);
    expect({ rows: recorder.rows.length, rejected: recorder.rejections.total }).toEqual({ rows: 0, rejected: 0 });
    expect(seen).toMatchObject({ records: 3, unwanted: 3, rows: 0, inMinorityEncoding: 1 });
  });
});

describe('what cannot be used is counted by cause, with the place and without the content', () => {
  test.each<[string, Body | undefined, Body | undefined, string, number]>([
    ['no request body', undefined, csv('1'), 'request-not-recorded', 0],
    ['a row with too few values', csv(`${T},1\n${T},2,rome\n`), undefined, 'column-count', 1],
    ['base64 of no text', { data: '//8=', encoding: 'BASE64' }, undefined, 'request-unreadable', 0],
    ['broken JSON', { data: '{"a":secret', encoding: 'JSON' }, undefined, 'request-unreadable', 0],
    ['JSON nested beyond use', { data: '['.repeat(1e5) + ']'.repeat(1e5), encoding: 'JSON' }, undefined, 'request-unreadable', 0],
    ['an open quote', csv(`${T},"secret,rome`), undefined, 'request-unreadable', 0],
    ['columns of different length', json({ timestamp: [T, T], temp: [1], city: ['a'] }), undefined, 'request-unreadable', 0],
    ['another number of predictions', csv(`${T},1,rome\n`), csv('1\n2\n'), 'prediction-count', 1],
    ['an unreadable answer', csv(`${T},1,rome\n`), { data: '{', encoding: 'JSON' }, 'prediction-unreadable', 1],
  ])('%s', async (_, input, output, cause, kept) => {
    const { rows, rejections } = await reading(`${lineOf(input, output)}\n${lineOf(input, output)}`);
    expect(rejections.counts()).toEqual({ [cause]: 2 });
    expect(rejections.samples()[cause]).toMatch(/^key line 1/);
    expect(rejections.samples()[cause]).not.toContain('secret');
    expect(rows.length).toBe(2 * kept);
  });

  const timeless = '{"captureData":{},"eventMetadata":{"eventId":"e","inferenceTime":"soon"}}';

  test.each(['{"captureData":', '[]', 'null', '{}', timeless, '['.repeat(1e5) + ']'.repeat(1e5)])('the line %.60s', async (line) => {
    const { rejections, seen } = await reading(`${line}\n\n${line}`);
    expect(rejections.counts()).toEqual({ 'record-malformed': 2 });
    expect(seen.records).toBe(0);
  });

  test('a line above the limit, and one that is no UTF-8', async () => {
    const good = lineOf(csv(`${T},1,rome`));
    const long = lineOf(csv('1'.repeat(LINE_LIMIT)));
    const latin = Buffer.from(lineOf(csv(`${T},1,\xe9`)), 'latin1');
    const { rows, rejections } = await reading(Buffer.concat([bytesOf(`${good}\n${long}\n${good}\n`), latin, bytesOf(`\n${good}`)]), [1e6, 2e6]);
    expect(rejections.counts()).toEqual({ 'line-too-long': 1, 'not-utf8': 1 });
    expect(rows).toHaveLength(3);
  });
});

describe('reading in place', () => {
  const piece = fc.constantFrom('1', '-2.5', 'é', ',', ',', '\n', '\r\n', '"', '\\', '\t', '/', ' ', 'null', '\u2028', '\uFEFF', '\u0001');
  const scalars = [1, -2.5, '5', 'é', 'a"b', true, false, null, 1e-7, 1e21, 123456789012, 0.1, '', 'NaN'];
  const value = fc.oneof(fc.constantFrom<unknown>(...scalars, [], {}), fc.double());
  const list = fc.array(value, { minLength: 2, maxLength: 4 });
  const named = fc.tuple(value, value, value).map(([timestamp, temp, city]) => ({ timestamp, temp, city }));
  const row = fc.oneof(list, named, list.map((features) => ({ features })), named.map(({ temp, ...rest }) => ({ ...rest, temp })));
  const rows = fc.array(row, { maxLength: 3 });
  const score = fc.oneof(value, value.map((one) => ({ score: one })), value.map((one) => ({ score: one, prediction: 3 })), fc.tuple(value, value));
  const scores = fc.array(score, { maxLength: 3 });
  const document = fc.oneof(rows, row, scores, rows.map((instances) => ({ instances })), scores.map((predictions) => ({ predictions })));
  const jsonText = fc
    .tuple(document, fc.boolean(), fc.nat(), fc.constantFrom('', '', '', '0', '-', ',', '1e', ' '))
    .map(([whole, wide, place, damage]) => {
      const json = wide ? JSON.stringify(whole, undefined, 1).replace(/\n */g, ' ').replace(/([[{]) | (?=[\]}])/g, '$1') : JSON.stringify(whole);
      const cut = place % (json.length + 1);
      return json.slice(0, cut) + damage + json.slice(cut);
    });
  const text = fc.oneof(
    fc.constantFrom(`${T},1,a`, `${T},1,a\n${T},2,b\n`, `${T},1,a\r\n`, '0.5', '0.5\n', '1,2', ''),
    fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
  );
  const data = fc.oneof(text, text, text.map(base64), fc.json(), jsonText);
  const observedContentType = fc.constantFrom('text/csv', 'application/json', '');
  const encoding = fc.constantFrom('CSV', 'JSON', 'BASE64');
  const fields = { observedContentType, mode: fc.constant('INPUT'), data, encoding };
  const body = fc.option(fc.record(fields, { requiredKeys: ['data', 'encoding'] }), { nil: undefined });
  const times = ['2026-01-01T00:00:00Z', '2026-01-02T23:59:59Z', '2026-01-01T00:00:00.5Z', '2026-02-30T00:00:60Z', '2026-01-01', 'now'];
  const metadata = fc.record(
    {
      eventId: fc.oneof(fc.constantFrom('e1', 'e2', ''), fc.string()),
      inferenceId: fc.oneof(fc.constantFrom('i1', 'é', ''), fc.string()),
      customAttributes: fc.array(fc.string(), { maxLength: 2 }),
      inferenceTime: fc.constantFrom(...times),
    },
    { requiredKeys: ['eventId', 'inferenceTime'] },
  );
  const captureData = fc.record({ endpointInput: body, endpointOutput: body });
  const record = fc.record({ captureData, eventMetadata: metadata, eventVersion: fc.constant('0') });
  const line = fc.tuple(record, fc.boolean()).map(([value, wide]) => JSON.stringify(value, undefined, wide ? ' ' : '').replaceAll('\n', ''));
  const forms = fc.array(line, { minLength: 1, maxLength: 4 });
  const lines = fc
    .tuple(forms, fc.array(fc.nat({ max: 3 }), { maxLength: 12 }), fc.nat(), fc.constantFrom('"', 'x', '\\', '\n', ''))
    .map(([kinds, order, place, damage]) => {
      const whole = [...kinds, ...order.map((index) => kinds[index % kinds.length])].join('\n');
      const cut = place % (4 * whole.length);
      return whole.slice(0, cut) + (cut < whole.length ? damage : '') + whole.slice(cut);
    });

  /** Text and cells mean the same to whoever counts them. */
  const meaning = (cell: Cell): unknown => [readNumeric(cell), readCategory(cell)];

  const scan = (source: string, learns: boolean): unknown => {
    const recorder = new Recorder();
    const seen = new CaptureStats();
    const feeder = new Feeder(new CaptureScanner('key', COLUMNS, recorder, recorder.rejections, seen, learns));
    feeder.push(bytesOf(source));
    feeder.finish();
    const requests = recorder.requests.map(({ rows, ...request }) => ({
      ...request,
      rows: rows.map(({ values, prediction }) => ({ values: values.map(meaning), prediction })),
    }));
    return { requests, rejected: recorder.rejections.counts(), samples: recorder.rejections.samples(), seen: { ...seen } };
  };

  test('gives what JSON.parse gives, for any lines', () => {
    fc.assert(
      fc.property(lines, (source) => expect(scan(source, true)).toEqual(scan(source, false))),
      { numRuns: 3000 },
    );
  });

  test('any chunking gives the same', async () => {
    const split = lines.chain((source) => fc.tuple(fc.constant(source), cutsOf(2 * source.length)));
    await fc.assert(
      fc.asyncProperty(split, async ([source, cuts]) => {
        const whole = await reading(source);
        const parts = await reading(source, cuts);
        expect(parts.outcome).toEqual(whole.outcome);
        expect(parts.seen).toEqual(whole.seen);
      }),
      { numRuns: 500 },
    );
  });
});

test('what was seen of parts adds up', () => {
  const one = Object.assign(new CaptureStats(), { records: 3, rows: 4, withoutInput: 1, input: { CSV: 2, JSON: 0, BASE64: 0 } });
  const other = Object.assign(new CaptureStats(), { records: 2, unwanted: 1, withoutOutput: 1, input: { CSV: 0, JSON: 0, BASE64: 2 } });
  one.merge(other);
  expect(one).toMatchObject({ records: 5, rows: 4, unwanted: 1, withoutInput: 1, withoutOutput: 1, input: { CSV: 2, JSON: 0, BASE64: 2 } });
  expect(one.inMinorityEncoding).toBe(2);
});

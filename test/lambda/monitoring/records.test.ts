import fc from 'fast-check';
import { RecordReader } from '../../../lambda/monitoring/records';
import { Rejections } from '../../../lambda/monitoring/rejections';
import { readCategory, readNumeric, readTime } from '../../../lambda/monitoring/values';
import { TASK } from './samples';

const COLUMNS = ['timestamp', 'temp', 'city'];
const T = '2012-03-01T05:00:00Z';
const base64 = (text: string) => Buffer.from(text).toString('base64');

interface Body {
  readonly data: string;
  readonly encoding: string;
  readonly observedContentType?: string;
}

const reading = (input: Body | undefined, output?: Body, metadata: object = { inferenceId: 'id-1' }) => {
  const rejections = new Rejections();
  const reader = new RecordReader(COLUMNS, TASK, rejections);
  const line = JSON.stringify({
    captureData: { endpointInput: input, endpointOutput: output },
    eventMetadata: { eventId: 'event-1', inferenceTime: '2026-01-01T00:00:00Z', ...metadata },
  });
  return { request: reader.read(line, 'key:1'), rejections };
};

const csv = (data: string): Body => ({ data, encoding: 'CSV', observedContentType: 'text/csv' });
const json = (value: unknown): Body => ({ data: JSON.stringify(value), encoding: 'JSON', observedContentType: 'application/json' });

describe('bodies of one request', () => {
  const two = `${T},3.5,rome\n2012-03-01T06:00:00Z,,oslo\n`;
  const expected = [[T, '3.5', 'rome'], ['2012-03-01T06:00:00Z', '', 'oslo']];
  const object = (time: string, temp: number | null, city: string) => ({ city, timestamp: time, temp });
  const parsed = [[T, 3.5, 'rome'], ['2012-03-01T06:00:00Z', null, 'oslo']];

  it.each<[string, Body, unknown]>([
    ['CSV of several rows', csv(two), expected],
    ['CSV with CRLF, a mark at its start and a last line without end', csv(`\uFEFF${two.trim().replace(/\n/g, '\r\n')}`), expected],
    ['CSV with quotes', csv(`${T},3.5,"rome, ""city"""\n`), [[T, '3.5', 'rome, "city"']]],
    ['base64 of CSV', { data: base64(two), encoding: 'BASE64', observedContentType: 'text/csv; charset=utf-8' }, expected],
    ['base64 of JSON under another type', { data: base64(JSON.stringify(parsed)), encoding: 'BASE64', observedContentType: 'text/html' }, parsed],
    ['a JSON array of rows', json(parsed), parsed],
    ['a JSON array that is one row', json(parsed[0]), [parsed[0]]],
    ['instances of arrays', json({ instances: parsed }), parsed],
    ['instances of features', json({ instances: parsed.map((features) => ({ features })) }), parsed],
    ['instances of objects', json({ instances: [object(T, 3.5, 'rome')] }), [parsed[0]]],
    ['an array of objects', json([object(T, 3.5, 'rome'), object('2012-03-01T06:00:00Z', null, 'oslo')]), parsed],
    ['columns', json({ temp: [3.5, null], city: ['rome', 'oslo'], timestamp: [T, '2012-03-01T06:00:00Z'] }), parsed],
    ['JSON lines', { data: parsed.map((row) => JSON.stringify(row)).join('\n'), encoding: 'JSON' }, parsed],
  ])('%s', (_, body, rows) => {
    const { request, rejections } = reading(body);
    expect(request?.rows.map(({ values }) => values)).toEqual(rows);
    expect(rejections.total).toBe(0);
  });

  it.each<[string, Body, unknown[]]>([
    ['CSV, a line each', csv('1.5\n2.5\n'), ['1.5', '2.5']],
    ['CSV, all on one line', csv('1.5,2.5'), ['1.5', '2.5']],
    ['CSV with further columns', csv('a,0.9\nb,0.8'), ['a', 'b']],
    ['a JSON list', json([1.5, 2.5]), [1.5, 2.5]],
    ['predictions with scores', json({ predictions: [{ score: 1.5, predicted_label: 'x' }, { score: 2.5 }] }), [1.5, 2.5]],
    ['nested lists', json([[1.5], [2.5]]), [1.5, 2.5]],
  ])('predictions as %s', (_, body, predictions) => {
    const { request } = reading(csv(two), body);
    expect(request?.rows.map(({ prediction }) => prediction)).toEqual(predictions);
  });

  it('give each row its own time and the caller\'s id, else the record\'s', () => {
    expect(reading(csv(two)).request?.rows).toMatchObject([
      { inferenceId: 'id-1', rowIndex: 0, time: Date.parse(T) },
      { inferenceId: 'id-1', rowIndex: 1, time: Date.parse(T) + 3_600_000 },
    ]);
    expect(reading(csv(two), undefined, {}).request?.rows[0].inferenceId).toBe('event-1');
  });
});

describe('what cannot be used is counted by cause, with the place and without the content', () => {
  it.each<[string, Body | undefined, Body | undefined, string, number]>([
    ['no request body', undefined, csv('1'), 'request-not-recorded', 0],
    ['a row with too few values', csv(`${T},1\n${T},2,rome\n`), undefined, 'column-count', 1],
    ['a row without a time', csv(`soon,1,rome\n${T},2,rome\n`), undefined, 'row-time', 1],
    ['base64 of no text', { data: '//8=', encoding: 'BASE64' }, undefined, 'request-unreadable', 0],
    ['broken JSON', { data: '{"a":secret', encoding: 'JSON' }, undefined, 'request-unreadable', 0],
    ['an open quote', csv(`${T},"secret,rome`), undefined, 'request-unreadable', 0],
    ['columns of different length', json({ timestamp: [T, T], temp: [1], city: ['a'] }), undefined, 'request-unreadable', 0],
    ['another number of predictions', csv(`${T},1,rome\n`), csv('1\n2\n'), 'prediction-count', 1],
    ['an unreadable answer', csv(`${T},1,rome\n`), { data: '{', encoding: 'JSON' }, 'prediction-unreadable', 1],
  ])('%s', (_, input, output, cause, kept) => {
    const { request, rejections } = reading(input, output);
    expect(rejections.counts()).toEqual({ [cause]: 1 });
    expect(rejections.samples()[cause]).toMatch(/^key:1/);
    expect(rejections.samples()[cause]).not.toContain('secret');
    expect(request?.rows.length ?? 0).toBe(kept);
  });

  const timeless = '{"captureData":{},"eventMetadata":{"eventId":"e","inferenceTime":"soon"}}';

  it.each(['{"captureData":', '[]', 'null', '{}', timeless])('the line %s', (line) => {
    const rejections = new Rejections();
    expect(new RecordReader(COLUMNS, TASK, rejections).read(line, 'key:9')).toBeUndefined();
    expect(rejections.counts()).toEqual({ 'record-malformed': 1 });
  });

  it('never throws, whatever the line or body', () => {
    fc.assert(fc.property(fc.string(), fc.json(), fc.constantFrom('CSV', 'JSON', 'BASE64'), (text, document, encoding) => {
      new RecordReader(COLUMNS, TASK, new Rejections()).read(text, 'a');
      new RecordReader(COLUMNS, TASK, new Rejections()).read(document, 'a');
      for (const data of [text, document, base64(document)]) {
        expect(() => reading({ data, encoding }, { data, encoding })).not.toThrow();
      }
    }), { numRuns: 500 });
  });
});

describe('cells', () => {
  it.each([['2012-03-01T05:00:00Z'], ['2012-03-01T05:00:00'], ['2012-03-01 05:00'], ['2012-03-01T06:00:00+01:00'], ['2012-03-01T00:00:00-0500']])(
    'the time %s is five in the morning, UTC',
    (text) => expect(readTime(text)).toBe(Date.parse(T)),
  );

  it('a day is its midnight, and no time is no time', () => {
    expect(readTime('2012-03-01')).toBe(Date.parse('2012-03-01T00:00:00Z'));
    ['', '2012', 'March 1', '2012-13-01', '2012-03-01T25:00', 7, null].forEach((text) => expect(readTime(text)).toBeUndefined());
  });

  it('numbers, gaps and slips are told apart', () => {
    expect(['1e3', ' 2 ', true, '', 'NaN', null, undefined, NaN, 'x', Infinity, '1e999'].map(readNumeric)).toEqual([
      1000, 2, 1, 'missing', 'missing', 'missing', 'missing', 'missing', 'invalid', 'invalid', 'invalid',
    ]);
  });

  it('equal numbers are one category however they are written', () => {
    expect(['1', '1.0', 1, ' 1 ', '01'].map(readCategory)).toEqual(['1', '1', '1', '1', '1']);
    expect(['', null, NaN, 'a '].map(readCategory)).toEqual([undefined, undefined, undefined, 'a']);
  });
});

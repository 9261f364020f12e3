import * as fc from 'fast-check';
import { LINE_LIMIT } from '../../../../lambda/monitoring/readers/feeder';
import type { ColumnChanges } from '../../../../lambda/monitoring/readers/json-lines';
import { readJsonLines } from '../../../../lambda/monitoring/readers/json-lines';
import { chunksOf, cutsOf, Recorder } from './samples';

const read = async (data: string | Uint8Array, cuts: number[] = [], columns?: string[]): Promise<Recorder & { changes: ColumnChanges }> => {
  const recorder = new Recorder();
  const { rows, changes } = await readJsonLines(chunksOf(data, cuts), 'f', recorder.open, recorder.rejections, columns);
  expect(rows).toBe(recorder.rows.length);
  return Object.assign(recorder, { changes });
};

describe('a table in JSON Lines', () => {
  test('objects give the columns of the first one; added, missing and moved ones are counted', async () => {
    const { columns, rows, changes, rejections } = await read('\uFEFF{"a":1,"b":"x"}\r\n{"b":"y","a":2}\n\n{"a":3,"c":4}\n{"c":1,"b":null,"a":true}');
    expect(columns).toEqual(['a', 'b']);
    expect(rows).toEqual([[1, 'x'], [2, 'y'], [3, undefined], [true, null]]);
    expect(changes).toEqual({ added: { c: 2 }, missing: { b: 1 }, reordered: 2 });
    expect(rejections.total).toBe(0);
  });

  test('columns may be given', async () => {
    expect((await read('{"a":1,"b":2}\n[5,6]\n{"b":3}', [], ['b', 'a'])).rows).toEqual([[2, 1], [5, 6], [3, undefined]]);
  });

  test('names of the language are columns like others', async () => {
    const { rows } = await read('{"a":1,"constructor":2,"toString":3}\n{"a":1}\n{"a":1,"__proto__":7}', []);
    expect(rows).toEqual([[1, 2, 3], [1, undefined, undefined], [1, undefined, undefined]]);
  });

  test.each([
    ['arrays', '[1,"x"]\n[2,null]', ['column_1', 'column_2'], [[1, 'x'], [2, null]]],
    ['lists of objects', '[{"a":1},{"a":2}]\n[{"a":3}]', ['a'], [[1], [2], [3]]],
    ['lists of arrays', '[[1,2],[3,4]]', ['column_1', 'column_2'], [[1, 2], [3, 4]]],
    ['columns', '{"a":[1,2],"b":["x","y"]}\n{"b":["z"],"a":[3]}', ['a', 'b'], [[1, 'x'], [2, 'y'], [3, 'z']]],
    ['nested values', '{"a":{"b":1},"c":2}', ['a', 'c'], [['{"b":1}', 2]]],
  ])('%s', async (_, text, columns, rows) => {
    const recorder = await read(text);
    expect(recorder).toMatchObject({ columns, rows });
    expect(recorder.rejections.total).toBe(0);
  });

  test('lines that cannot be used are counted by cause', async () => {
    const long = `{"a":"${'x'.repeat(LINE_LIMIT)}"}`;
    const bad = ['{"a":1', '5', 'null', '{"a":[1],"b":[1,2]}', '[1,2]', `{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, long];
    const latin = Buffer.from('{"a":"\xe9"}\n', 'latin1');
    const { rows, rejections } = await read(Buffer.concat([Buffer.from(`{"a":0}\n${bad.join('\n')}\n`), latin]), [1e6]);
    expect(rows).toEqual([[0]]);
    expect(rejections.counts()).toEqual({ 'row-malformed': 5, 'column-count': 1, 'line-too-long': 1, 'not-utf8': 1 });
    expect(rejections.samples()['row-malformed']).toBe('f line 2: the line is no JSON object or array');
  });

  test('any chunking gives the same', async () => {
    const line = fc.oneof(fc.json(), fc.constantFrom('{"a":1,"b":"é"}', '{"b":2}', '[1,2]', '', '{"a":[1,2],"b":[3,4]}', '\r'));
    const texts = fc.array(line, { maxLength: 6 }).map((lines) => lines.join('\n'));
    const split = texts.chain((text) => fc.tuple(fc.constant(text), cutsOf(2 * text.length)));
    await fc.assert(
      fc.asyncProperty(split, async ([text, cuts]) => {
        const whole = await read(text);
        const parts = await read(text, cuts);
        expect([parts.outcome, parts.changes]).toEqual([whole.outcome, whole.changes]);
      }),
      { numRuns: 300 },
    );
  });
});

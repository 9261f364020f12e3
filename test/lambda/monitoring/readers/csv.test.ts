import * as fc from 'fast-check';
import { csvHeader, csvRanges, readCsv, readCsvRows } from '../../../../lambda/monitoring/readers/csv';
import { LINE_LIMIT } from '../../../../lambda/monitoring/readers/feeder';
import { bytesOf, chunksOf, cutsOf, Recorder } from './samples';

const read = async (data: string | Uint8Array, cuts: readonly number[] = []): Promise<Recorder> => {
  const recorder = new Recorder();
  const { rows } = await readCsv(chunksOf(data, cuts), 'f', recorder.open, recorder.rejections);
  expect(rows).toBe(recorder.rows.length);
  return recorder;
};

/** Text with everything that CSV trips over. */
const messy = fc
  .array(fc.constantFrom('a', '""', '"', ',', ',', '\n', '\r\n', '\r', ' ', 'é', '"x"', '"y\nz"', '\n1,2\n', '\n3,"4"\n'), { maxLength: 60 })
  .map((parts) => parts.join(''));

describe('a table in CSV', () => {
  test('quotes, embedded newlines, carriage returns, a byte order mark and a last line without a newline are read', async () => {
    const { rows, columns, rejections } = await read('\uFEFFa, b ,"c ""x"""\r\n1,"two, ""three""\nfour",5\r\n\r\n,"",\n6,7"8,9');
    expect(columns).toEqual(['a', 'b', 'c "x"']);
    expect(rows).toEqual([['1', 'two, "three"\nfour', '5'], ['', '', ''], ['6', '7"8', '9']]);
    expect(rejections.total).toBe(0);
  });

  test('rows with another number of fields are counted, with the place of the first one', async () => {
    const { rows, rejections } = await read('a,b\n1\n1,2\n1,2,3\n1,2,\n1,2\n9');
    expect(rows).toHaveLength(2);
    expect(rejections.counts()).toEqual({ 'column-count': 4 });
    expect(rejections.samples()).toEqual({ 'column-count': 'f line 2: 1 values instead of 2' });
  });

  test('lines of a record with broken quotes are counted and the next lines read', async () => {
    const { rows, rejections } = await read('a,b\n1,"x"y\n"2\n3",4\n"5\n6"7,8\n9,10\n"11,12\n13,14\n');
    expect(rows).toEqual([['2\n3', '4'], ['9', '10']]);
    expect(rejections.counts()).toEqual({ quotes: 5 });
  });

  test('a line above the limit is rejected with the limit, and not kept', async () => {
    const long = 'x'.repeat(LINE_LIMIT - 2);
    const { rows, rejections } = await read(`a,b\n${long},1\n${long}1,1\n1,2\n"${'y\n'.repeat(LINE_LIMIT / 2)}",3\n4,5\n${long}123`, [10, 5e6, 2e7]);
    expect(rows.map(([first]) => String(first).length)).toEqual([LINE_LIMIT - 2, 1, 1]);
    expect(rejections.counts()).toEqual({ 'line-too-long': 1 + 1 + LINE_LIMIT / 2 + 1 });
    expect(rejections.samples()['line-too-long']).toContain('8 MiB');
  });

  test('text that is no UTF-8 is counted row by row', async () => {
    const { rows, rejections } = await read(Buffer.from('a,b\n1,\xe9\n2,x\n', 'latin1'));
    expect(rows).toEqual([['2', 'x']]);
    expect(rejections.counts()).toEqual({ 'not-utf8': 1 });
  });

  test('a header that cannot be used says why', async () => {
    await expect(read('a,b,a\n1,2,3\n')).rejects.toThrow('f: the header names column "a" more than once: rename one of them');
    await expect(read('a,"b"c\n1,2\n')).rejects.toThrow('a quote in the header');
    await expect(read('a,"b\n1,2\n')).rejects.toThrow('a quote in the header is not closed');
    await expect(read(Buffer.from('a,\xe9\n1,2\n', 'latin1'))).rejects.toThrow('no UTF-8');
    expect((await read('\n \n')).rejections.counts()).toEqual({ 'header-missing': 1 });
  });

  test('five thousand columns are a table', async () => {
    const numbers = Array.from({ length: 5000 }, (_, index) => String(index));
    expect((await read(`${numbers.join(',')}\n${numbers.join(',')}\n`)).rows).toEqual([numbers]);
  });

  test('any chunking gives the same', async () => {
    const split = messy.chain((text) => fc.tuple(fc.constant(`h,i\n${text}`), cutsOf(3 * text.length)));
    await fc.assert(
      fc.asyncProperty(split, async ([text, cuts]) => {
        const bytes = bytesOf(text);
        const bytewise = Array.from({ length: bytes.length }, (_, index) => index);
        const { outcome } = await read(text);
        expect((await read(text, cuts)).outcome).toEqual(outcome);
        expect((await read(text, bytewise)).outcome).toEqual(outcome);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('ranges of a file', () => {
  const readRanges = async (text: string, parts: number): Promise<{ rows: unknown; rejected: unknown } | 'quoted newline'> => {
    const bytes = bytesOf(text);
    const { columns, length } = csvHeader(bytes, 'f')!;
    const recorder = new Recorder();
    let quotedNewline = false;
    for (const part of csvRanges(length, bytes.length, parts)) {
      const chunks = chunksOf(bytes.slice(part.offset), [part.length - 1, part.length + 1, part.length + 2]);
      quotedNewline = (await readCsvRows(chunks, 'f', columns, recorder, recorder.rejections, part)).quotedNewline || quotedNewline;
    }
    return quotedNewline ? 'quoted newline' : { rows: recorder.rows, rejected: recorder.rejections.counts() };
  };

  test('give exactly the rows of one pass, or say that a newline stands between quotes', async () => {
    const text = messy.map((rest) => `\uFEFFh,i\r\n${rest}`);
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 7 }), async (whole, parts) => {
        const one = await read(whole);
        const ranges = await readRanges(whole, parts);
        if (ranges === 'quoted newline') {
          expect(whole).toContain('"');
        } else {
          expect(ranges).toEqual({ rows: one.rows, rejected: one.rejections.counts() });
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('quotes alone need no second reading', async () => {
    expect(await readRanges('a,b\n"1","2,3"\n"4","5"\n6,"7"\n', 4)).toEqual({ rows: [['1', '2,3'], ['4', '5'], ['6', '7']], rejected: {} });
  });
});

import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csvLine } from '../../../lambda/pipeline/csv-line';
import { CsvRecords } from '../../../lambda/pipeline/rows/csv-records';

type Told = { readonly cells: readonly string[]; readonly text: string; readonly line: number } | { readonly misquoted: number };

/** What a parser that others wrote makes of the same bytes; undefined where it gives up. */
const reference = (bytes: Buffer): Told[] | undefined => {
  const told: Told[] = [];
  const options = {
    ...{ bom: true, info: true, relax_column_count: true, skip_empty_lines: true, skip_records_with_error: true },
    on_skip: (error: { code: string; lines: number }) => {
      if (error.code === 'CSV_QUOTE_NOT_CLOSED') throw new Error('not closed');
      told.push({ misquoted: error.lines });
    },
    on_record: ({ record, info }: { record: string[]; info: { lines: number } }) => {
      told.push({ cells: record, text: csvLine(record), line: info.lines });
    },
  };
  try {
    parse(bytes, options as never);
  } catch (error) {
    if ((error as Error).message === 'not closed') return undefined;
    throw error;
  }
  return told;
};

const own = (bytes: Buffer, size: number, block?: number): Told[] | undefined => {
  const told: Told[] = [];
  const records = new CsvRecords(
    'a.csv',
    {
      row: (row) => {
        const fields = Array.from({ length: row.length }, (_, index) => row.bytes.toString('utf8', row.starts[index], row.ends[index]));
        if (fields.join(',') !== row.toString()) throw new Error(`fields ${fields.join('|')} of ${row.toString()}`);
        told.push({ cells: row.cells(), text: row.toString(), line: row.line });
      },
      misquoted: (line) => told.push({ misquoted: line }),
    },
    block,
  );
  try {
    for (let from = 0; from < bytes.length; from += size) records.push(bytes.subarray(from, from + size));
    records.finish();
  } catch (error) {
    if ((error as Error).message.includes('never closed')) return undefined;
    throw error;
  }
  return told;
};

const piece = fc.constantFrom('a', '1', ',', ',', '\n', '\n', '\r\n', '\r', '"', '"', '""', '","', '"\n', ' ', '\0', 'ü', '雨', '\ufeff');
const broken = fc.constantFrom(Buffer.from([0xff]), Buffer.from([0xe9, 0x82]), Buffer.from([0xc3]));

test('any bytes are the rows that a parser of others makes of them, with their lines, in pieces of any size', () => {
  const good = piece.map((text) => Buffer.from(text));
  const bytes = fc.array(fc.oneof({ weight: 20, arbitrary: good }, { weight: 1, arbitrary: broken }), { maxLength: 40 });
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 30 }), fc.integer({ min: 4, max: 80 }), (pieces, size, block) => {
      const all = Buffer.concat(pieces);
      expect(own(all, size, block)).toEqual(reference(all));
    }),
    { numRuns: 3000 },
  );
});

test('rows and fields that lie across blocks, of any number and length', () => {
  const wide = Array.from({ length: 500 }, (_, index) => `field ${index}`);
  const long = ['x'.repeat(3_000_000), 'y"\n'.repeat(500_000)];
  const rows = [wide, long, ...Array.from({ length: 40_000 }, (_, index) => [String(index), 'a b c d e f', '2.50']), wide];
  const told = own(Buffer.from(rows.map((row) => `${csvLine(row)}\n`).join('')), 64 * 1024)!;
  expect(told.map((row) => 'cells' in row && row.cells)).toEqual(rows);
});

test('a row of more than 8 MiB is one that is not ended: it names the line on which it begins', () => {
  const records = new CsvRecords('a.csv', { row: () => undefined, misquoted: () => undefined });
  records.push(Buffer.from('a,b\n1,2\n"'));
  const more = Buffer.alloc(1024 * 1024, 'x,1\n');
  const pushAll = () => Array.from({ length: 9 }).forEach(() => records.push(more));
  expect(pushAll).toThrow(/^a\.csv, row 3: the row that begins there is longer than 8 MiB; close the quote/);
});

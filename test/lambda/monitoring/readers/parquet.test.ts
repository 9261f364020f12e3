import * as fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { UnreadableData } from '../../../../lambda/monitoring/readers/feeder';
import { type ParquetLimits, readParquet } from '../../../../lambda/monitoring/readers/parquet';
import { Recorder } from './samples';

type Columns = Parameters<typeof parquetWriteBuffer>[0]['columnData'];

const fileOf = (bytes: ArrayBuffer): { byteLength: number; slice: (start: number, end?: number) => Promise<ArrayBuffer> } => ({
  byteLength: bytes.byteLength,
  slice: async (start, end) => bytes.slice(start, end),
});

const read = async (bytes: ArrayBuffer, limits?: ParquetLimits): Promise<Recorder> => {
  const recorder = new Recorder();
  const { rows } = await readParquet(fileOf(bytes), 'f', recorder.open, recorder.rejections, limits);
  expect(rows).toBe(recorder.rows.length);
  return recorder;
};

const written = (columnData: Columns, rowGroupSize = 100_000): ArrayBuffer => parquetWriteBuffer({ columnData, rowGroupSize });

test('numbers, text, truth values, big integers, times and what is missing are cells', async () => {
  const { columns, rows, rejections } = await read(
    written([
      { name: 'number', data: [1.5, null, NaN], type: 'DOUBLE' },
      { name: 'text', data: ['a', 'é', null], type: 'STRING' },
      { name: 'truth', data: [true, false, null], type: 'BOOLEAN' },
      { name: 'big', data: [1n, 2n ** 60n, null], type: 'INT64' },
      { name: 'at', data: [new Date(0), new Date(1e12), null], type: 'TIMESTAMP' },
    ]),
  );
  expect(columns).toEqual(['number', 'text', 'truth', 'big', 'at']);
  expect(rows.map((row) => row.map((cell) => (Number.isNaN(cell) ? null : (cell ?? null))))).toEqual([
    [1.5, 'a', true, 1, '1970-01-01T00:00:00.000Z'],
    [null, 'é', false, String(2n ** 60n), '2001-09-09T01:46:40.000Z'],
    [null, null, null, null, null],
  ]);
  expect(rejections.total).toBe(0);
});

test('a time that is none comes as the number that it is', async () => {
  const { rows } = await read(written([{ name: 'at', data: [2n ** 62n, 0n], type: 'INT64', nullable: false }, { name: 'x', data: [1, 2] }]));
  expect(rows[0][0]).toBe(String(2n ** 62n));
  const schema = [
    { name: 'root', num_children: 1 },
    { name: 'at', type: 'INT64' as const, converted_type: 'TIMESTAMP_MILLIS' as const, repetition_type: 'REQUIRED' as const },
  ];
  const far = parquetWriteBuffer({ columnData: [{ name: 'at', data: [2n ** 62n, 0n] }], schema });
  expect((await read(far)).rows).toEqual([[String(2 ** 62)], ['1970-01-01T00:00:00.000Z']]);
});

test('rows come in their order over row groups', async () => {
  const data = Array.from({ length: 5000 }, (_, index) => index);
  const { rows } = await read(written([{ name: 'a', data }], 700));
  expect(rows.map(([cell]) => cell)).toEqual(data);
});

test('nested columns are refused by name', async () => {
  const json = written([
    { name: 'plain', data: [1, 2] },
    { name: 'list', data: [[1], [2, 3]], type: 'JSON' },
  ]);
  expect((await read(json)).rows).toEqual([
    [1, '[1]'],
    [2, '[2,3]'],
  ]);
  const schema = [
    { name: 'root', num_children: 1 },
    { name: 'pair', num_children: 1, repetition_type: 'OPTIONAL' as const },
  ];
  const inner = { name: 'first', type: 'INT32' as const, repetition_type: 'OPTIONAL' as const };
  const struct = parquetWriteBuffer({ columnData: [{ name: 'pair', data: [{ first: 1 }] }], schema: [...schema, inner] });
  await expect(read(struct)).rejects.toThrow('f: nested columns cannot be read: "pair": leave them out or flatten them');
});

test('what does not fit the bound is refused with the limit and what to do', async () => {
  const large = written([{ name: 'a', data: Array.from({ length: 200_000 }, (_, index) => Math.sin(index)) }], 200_000);
  await expect(read(large, { pageBytes: 512 * 1024 })).rejects.toThrow(
    'f: row group 1: column "a": a page takes 1 MiB, the limit is 1 MiB: write pages of 1 MiB, row groups of fewer rows, or CSV',
  );
  await expect(read(large, { metadataBytes: 10 })).rejects.toThrow('write fewer row groups');
});

describe('pages of any size', () => {
  const times = fc.integer({ min: -1e12, max: 4e12 }).map((time) => new Date(time));
  const table = fc.integer({ min: 1, max: 100 }).chain((rows) => {
    const column = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown[]> =>
      fc.array(fc.option(value, { freq: 4 }), { minLength: rows, maxLength: rows });
    return fc.record({
      number: column(fc.double({ noNaN: true })),
      few: column(fc.constantFrom(1.5, 2.5)),
      text: column(fc.string({ unit: 'grapheme', maxLength: 40 })),
      city: column(fc.constantFrom('Oslo', 'Bergen', 'Tromsø')),
      truth: column(fc.boolean()),
      big: column(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      at: column(times),
    });
  });
  const TYPES = { number: 'DOUBLE', few: 'DOUBLE', text: 'STRING', city: 'STRING', truth: 'BOOLEAN', big: 'INT64', at: 'TIMESTAMP' } as const;

  const cellOf = (value: unknown): unknown => {
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    return value instanceof Date ? value.toISOString() : (value ?? undefined);
  };
  const read = async (bytes: ArrayBuffer, limits: ParquetLimits, inPlace: boolean): Promise<unknown[][]> => {
    const recorder = new Recorder();
    const into = async (target: Uint8Array, start: number): Promise<number> => {
      const part = new Uint8Array(bytes).subarray(start, start + target.length);
      target.set(part);
      return part.length;
    };
    const file = { ...fileOf(bytes), ...(inPlace && { read: into }) };
    await readParquet(file, 'f', recorder.open, recorder.rejections, limits);
    return recorder.rows.map((row) => row.map((cell) => (Number.isNaN(cell) ? undefined : cell)));
  };

  test('give the same rows, kept or read again, from memory that is used again or not', async () => {
    const codecs = fc.constantFrom('SNAPPY' as const, 'UNCOMPRESSED' as const);
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.integer({ min: 1, max: 4000 }),
        fc.integer({ min: 1, max: 200 }),
        codecs,
        async (columns, pageSize, groupRows, codec) => {
          const names = Object.keys(TYPES) as (keyof typeof TYPES)[];
          const columnData = names.map((name) => ({ name, data: columns[name], type: TYPES[name], nullable: true })) as Columns;
          const bytes = parquetWriteBuffer({ columnData, pageSize, rowGroupSize: groupRows, codec });
          const expected = columns.number.map((_, row) => names.map((name) => cellOf(columns[name][row])));
          for (const inPlace of [true, false]) {
            expect(await read(bytes, {}, inPlace)).toEqual(expected);
            expect(await read(bytes, { keptBytes: 0, partBytes: 700 }, inPlace)).toEqual(expected);
          }
        },
      ),
      { numRuns: 15 },
    );
  });
});

test('what is no Parquet file says so, wherever it is damaged', async () => {
  const good = written([
    { name: 'a', data: [1, 2, 3] },
    { name: 'b', data: ['x', 'y', 'z'] },
  ]);
  await expect(read(new TextEncoder().encode('a,b\n1,2\n3,4,5,6,7\n').buffer)).rejects.toThrow('no Parquet file');
  await expect(read(good.slice(0, -3))).rejects.toThrow('no Parquet file, or it is cut off');
  for (let place = 0; place < good.byteLength; place += 1) {
    const bad = new Uint8Array(good.slice(0));
    bad[place] ^= 0xff;
    const outcome = await read(bad.buffer).catch((error: unknown) => error);
    if (!(outcome instanceof Recorder || outcome instanceof UnreadableData)) {
      throw outcome;
    }
  }
});

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

test('rows come in their order over row groups', async () => {
  const data = Array.from({ length: 5000 }, (_, index) => index);
  const { rows } = await read(written([{ name: 'a', data }], 700));
  expect(rows.map(([cell]) => cell)).toEqual(data);
});

test('nested columns are refused by name', async () => {
  const json = written([{ name: 'plain', data: [1, 2] }, { name: 'list', data: [[1], [2, 3]], type: 'JSON' }]);
  expect((await read(json)).rows).toEqual([[1, '[1]'], [2, '[2,3]']]);
  const schema = [{ name: 'root', num_children: 1 }, { name: 'pair', num_children: 1, repetition_type: 'OPTIONAL' as const }];
  const inner = { name: 'first', type: 'INT32' as const, repetition_type: 'OPTIONAL' as const };
  const struct = parquetWriteBuffer({ columnData: [{ name: 'pair', data: [{ first: 1 }] }], schema: [...schema, inner] });
  await expect(read(struct)).rejects.toThrow('f: nested columns cannot be read: "pair": leave them out or flatten them');
});

test('what does not fit the bound is refused with the limit and what to do', async () => {
  const large = written([{ name: 'a', data: Array.from({ length: 200_000 }, (_, index) => Math.sin(index)) }], 200_000);
  await expect(read(large, { columnBytes: 1024 * 1024 })).rejects.toThrow(
    /^f: row group 1: column "a" takes 2 MiB, the limit is 1 MiB: write row groups of 6\d{4} rows or fewer, or CSV$/,
  );
  await expect(read(large, { metadataBytes: 10 })).rejects.toThrow('write fewer row groups');
});

test('what is no Parquet file says so, wherever it is damaged', async () => {
  const good = written([{ name: 'a', data: [1, 2, 3] }, { name: 'b', data: ['x', 'y', 'z'] }]);
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

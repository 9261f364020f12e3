import fc from 'fast-check';
import { keysOf, type ScoredHoldout } from '../../../lambda/pipeline/evaluation/scored-holdout';
import { LeakageCheck } from '../../../lambda/pipeline/gate/leakage';
import { RowKeys } from '../../../lambda/pipeline/row-keys';
import { KeyFile } from '../../../lambda/pipeline/rows/key-file';
import type { DataManifest, RowKeysRef } from '../../../lib/artifacts/contract';
import { MemoryBucket } from '../../fakes/memory-s3';

const keysOfRows = (rows: readonly (readonly string[])[], columns: readonly string[], keyColumns = columns): RowKeys => {
  const keys = new RowKeys(columns, keyColumns);
  rows.forEach((row) => keys.cells(row));
  return keys;
};

/** The file in pieces of this size. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

describe('keys of rows', () => {
  test.each([
    ['white space around a value', ' 5\t', '5', true],
    ['zeros behind the last digit of a fraction', '2.50', '2.5', true],
    ['a fraction that is none', '2.0', '2', true],
    ['a negative one', '-3.10', '-3.1', true],
    ['zeros before a number', '007', '7', false],
    ['zeros of a whole number', '100', '1', false],
    ['what only looks like a number', '1.2.30', '1.2.3', false],
    ['an exponent', '1.5e10', '1.5e1', false],
    ['a long id', '12345678901234567', '12345678901234568', false],
    ['another case', 'Ab', 'ab', false],
    ['a point alone', '.', '', false],
  ])('%s: %j and %j', async (_, a, b, same) => {
    const file = keysOfRows([[a]], ['x']).toBytes();
    expect((await keysOfRows([[b]], ['x']).countIn(pieces(file, 100))).shared).toBe(same ? 1 : 0);
  });

  test('tell cells apart, whatever stands in them', async () => {
    const shared = async (a: string[], b: string[]): Promise<number> =>
      (await keysOfRows([a], ['x', 'y']).countIn(pieces(keysOfRows([b], ['x', 'y']).toBytes(), 100))).shared;
    expect(await shared(['a', 'bc'], ['ab', 'c'])).toBe(0);
    expect(await shared(['', 'a'], ['a', ''])).toBe(0);
    expect(await shared(['a', 'b'], ['b', 'a'])).toBe(0);
    expect(await shared(['a', 'b'], ['a', 'b'])).toBe(1);
  });

  test('of chosen columns do not see the others', async () => {
    const file = keysOfRows([['1', 'x'], ['2', 'y']], ['id', 'note'], ['id']).toBytes();
    const own = keysOfRows([['z', '2'], ['z', '3']], ['note', 'id'], ['id']);
    expect(await own.countIn(pieces(file, 7))).toEqual({ shared: 1, keys: 2 });
    expect(() => new RowKeys(['a'], ['b'])).toThrow('no column is called b');
  });

  test('count what a set of the rows would, for any rows, in pieces of any size', async () => {
    const cell = fc.oneof(fc.string({ maxLength: 3 }).filter((text) => /^[^ \t.0]*$/.test(text)), fc.integer({ min: 0, max: 5 }).map(String));
    const table = fc.array(fc.tuple(cell, cell), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(table, table, fc.integer({ min: 1, max: 50 }), async (train, holdout, size) => {
        const known = new Set(train.map((row) => JSON.stringify(row)));
        const expected = holdout.filter((row) => known.has(JSON.stringify(row))).length;
        const file = keysOfRows(train, ['a', 'b']).toBytes();
        expect(await keysOfRows(holdout, ['a', 'b']).countIn(pieces(file, size))).toEqual({ shared: expected, keys: train.length });
      }),
      { numRuns: 100 },
    );
  });

  test('are the same file where they do not fit into memory', () => {
    const key = fc.tuple(fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    fc.assert(
      fc.property(fc.array(key, { maxLength: 60 }), (all) => {
        const files = [1000, 7].map((batch) => {
          const file = new KeyFile(batch);
          for (const [low, high] of all) file.add(low, high);
          const bytes = Buffer.concat([...file.bytes()].map((piece) => Buffer.from(piece)));
          file.close();
          return bytes;
        });
        expect(files[1].equals(files[0])).toBe(true);
        const sorted = all.map(([low, high]) => BigInt(high) * 2n ** 32n + BigInt(low)).sort((a, b) => (a < b ? -1 : 1));
        expect(sorted.map((_, index) => files[0].readBigUInt64LE(16 + 8 * index))).toEqual(sorted);
      }),
    );
  });

  test('do not collide among two hundred thousand rows', async () => {
    const columns = ['a', 'b', 'c'];
    const keys = new RowKeys(columns);
    const others = new RowKeys(columns);
    const bytes = Buffer.alloc(24);
    const add = (to: RowKeys, n: number): void => {
      const text = `2012-01-01${String(n).padStart(8, '0')}0.5`;
      bytes.write(text, 'latin1');
      to.text({ bytes, starts: Int32Array.of(0, 10, 18), ends: Int32Array.of(10, 18, 21), length: 3 });
    };
    for (let n = 0; n < 100_000; n += 1) {
      add(keys, n);
      add(others, 100_000 + n);
    }
    expect((await others.countIn(pieces(keys.toBytes(), 1 << 16))).shared).toBe(0);
  });

  test('hold nothing of the rows but eight bytes each', () => {
    expect(keysOfRows([['secret'], ['x']], ['a']).toBytes()).toHaveLength(16 + 2 * 8);
  });

  test.each<[string, (file: Buffer) => Buffer, RegExp]>([
    ['are none', (file) => Buffer.from(file.toString('latin1').replace('MLRK', 'PK__'), 'latin1'), /no row keys/],
    ['are of a later version', (file) => Buffer.concat([file.subarray(0, 4), Buffer.of(9), file.subarray(5)]), /version 9/],
    ['end too early', (file) => file.subarray(0, 20), /end after 0 of 2/],
    ['end within the head', (file) => file.subarray(0, 10), /end after 0 of all/],
    ['go on for too long', (file) => Buffer.concat([file, Buffer.alloc(8)]), /end after 3 of 2/],
  ])('that %s are refused', async (_, damage, message) => {
    const keys = keysOfRows([['a'], ['b']], ['x']);
    const counting = keys.countIn(pieces(damage(Buffer.from(keys.toBytes())), 64));
    await expect(counting).rejects.toMatchObject({ name: 'RowKeysInvalid', message: expect.stringMatching(message) });
  });
});

describe('the search for training rows in the holdout', () => {
  const bucket = new MemoryBucket();
  const files = bucket.files();
  const check = new LeakageCheck(files);
  const manifestOf = (more: object): DataManifest => ({ train: { rows: 3, to: '2012-01-03T00:00:00.000Z' }, ...more }) as unknown as DataManifest;
  const holdout = (columns = ['t', 'x']): ScoredHoldout => {
    const rows = [['2012-01-03', '3'], ['2012-01-04', '4,5'], ['2012-01-05', '5'], ['2012-01-06', '5']];
    return { rows: 4, from: 0, keys: new Map([[keysOf(columns), keysOfRows(rows, columns)]]), rowsUpTo: () => 1 } as unknown as ScoredHoldout;
  };
  const train = [['2012-01-01', '1'], ['2012-01-02', '2.0'], ['2012-01-03', '3']];
  const keep = async (uri: string): Promise<RowKeysRef> => {
    const keys = keysOfRows(train, ['t', 'x']);
    await files.put(uri, keys.toBytes());
    return { uri, columns: keys.keyColumns, rows: keys.count };
  };

  test('finds each of them, and rows that are as old as the training', async () => {
    const rowKeys = await keep('s3://a/train-keys.bin');
    expect(await check.check(manifestOf({ rowKeys }), holdout())).toEqual({
      status: 'checked',
      columns: ['t', 'x'],
      trainRows: 3,
      sharedRows: 1,
      share: 0.25,
      trainTo: '2012-01-03T00:00:00.000Z',
      rowsInTrainingPeriod: 1,
    });
  });

  test('says why it cannot be made: no manifest, none of keys, keys of other columns', async () => {
    expect(await check.check(await check.manifest('s3://a/none.json'), holdout())).toMatchObject({ status: 'not-checkable', reason: expect.stringContaining('manifest') });
    const old = await check.check(manifestOf({}), holdout());
    expect(old).toMatchObject({ status: 'not-checkable', reason: expect.stringContaining('before training rows') });
    const rowKeys = { uri: 's3://a/train-keys.bin', columns: ['id'], rows: 3 };
    expect(await check.check(manifestOf({ rowKeys }), holdout())).toMatchObject({ status: 'not-checkable', reason: expect.stringContaining('(id)') });
  });

  test('is lost where keys that have to be there are gone, damaged, or of other rows', async () => {
    const rowKeys = await keep('s3://a/lost.bin');
    const other = { ...manifestOf({ rowKeys }), train: { uri: 's3://t', rows: 4 } };
    expect(await check.check(other, holdout())).toMatchObject({ status: 'lost', reason: 'it has 4 training rows, but the keys of 3' });
    bucket.objects.set('a/lost.bin', 'MLRK?');
    expect(await check.check(manifestOf({ rowKeys }), holdout())).toMatchObject({ status: 'lost' });
    bucket.objects.delete('a/lost.bin');
    expect(await check.check(manifestOf({ rowKeys }), holdout())).toMatchObject({ status: 'lost', reason: expect.stringContaining('gone') });
  });
});

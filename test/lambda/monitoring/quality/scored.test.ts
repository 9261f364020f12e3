import fc from 'fast-check';
import { type AnsweredRow, decodeScored, ScoredEncoder, type ScoredRow } from '../../../../lambda/monitoring/quality';

const COLUMNS = ['sex', 'city'];

/** As the readers hand them over, ids as texts and in bytes by turns. */
const answered = (rows: readonly ScoredRow[]): AnsweredRow[] =>
  rows.map(({ inferenceId, ...rest }, index) => {
    const bytes = Buffer.from(`"${inferenceId}"`);
    const place = index % 2 === 0 ? { inferenceIdAt: { bytes, start: 1, end: bytes.length - 1 } } : {};
    return { ...rest, request: { inferenceId, ...place }, continues: index > 0 && rows[index - 1].inferenceId === inferenceId };
  });

function encode(rows: readonly ScoredRow[], columns: readonly string[] = COLUMNS): Buffer {
  const encoder = new ScoredEncoder(columns);
  const frames = answered(rows)
    .map((row) => encoder.add(row))
    .filter((frame) => frame !== undefined);
  return Buffer.concat([...frames, encoder.finish()]);
}

async function decode(bytes: Uint8Array, sizes: readonly number[] = [bytes.length], columns: readonly string[] = COLUMNS): Promise<ScoredRow[]> {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (let [at, turn] = [0, 0]; at < bytes.length; turn += 1) {
      const size = Math.max(1, sizes[turn % sizes.length]);
      yield bytes.subarray(at, at + size);
      await Promise.resolve();
      at += size;
    }
  };
  const rows: ScoredRow[] = [];
  for await (const batch of decodeScored(chunks(), columns)) rows.push(...batch);
  return rows;
}

const row: fc.Arbitrary<ScoredRow> = fc
  .record({
    inferenceId: fc.oneof(
      fc.uuid(),
      fc.uuid().map((id) => id.toUpperCase()),
      fc.uuid().map((id) => id.replace('-', '0')),
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.constant('same'),
    ),
    rowIndex: fc.nat(5000),
    time: fc.integer({ min: -1_000_000, max: 4e12 }),
    version: fc.option(fc.nat(100_000), { nil: undefined }),
    prediction: fc.oneof(fc.double(), fc.string({ unit: 'grapheme' })),
    groups: fc.tuple(fc.option(fc.constantFrom('f', 'm'), { nil: undefined }), fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined })),
  })
  .map(({ version, ...rest }) => (version === undefined ? rest : { ...rest, version }));

const rowAt = (index: number): ScoredRow => ({
  inferenceId: `00000000-0000-4000-8000-${String(index >> 2).padStart(12, '0')}`,
  rowIndex: index & 3,
  time: 1_770_000_000_000 + index * 250,
  version: 3,
  prediction: index / 7,
  groups: ['f', `city ${index % 50}`],
});

describe('scored rows', () => {
  test('come back as they were, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 40 }), fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), async (rows, sizes) => {
        expect(await decode(encode(rows), sizes)).toEqual(rows);
      }),
    );
  });

  test('are merged by putting files one behind the other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(row, { maxLength: 8 }), { maxLength: 5 }), async (files) => {
        expect(await decode(Buffer.concat(files.map((rows) => encode(rows))), [7])).toEqual(files.flat());
      }),
      { numRuns: 50 },
    );
  });

  test('take about thirty bytes, in frames of bounded size', async () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => rowAt(index));
    const encoder = new ScoredEncoder(COLUMNS);
    const frames = [...answered(rows).map((one) => encoder.add(one)), encoder.finish()].filter((frame) => frame !== undefined);
    expect(frames.length).toBeGreaterThan(4);
    expect(Math.max(...frames.map(({ length }) => length))).toBeLessThan(70_000);
    expect(frames.reduce((sum, { length }) => sum + length, 0) / rows.length).toBeLessThan(30);
    expect(await decode(Buffer.concat(frames), [10_000])).toEqual(rows);
    expect(encoder.finish()).toHaveLength(0);
  });

  test('written with other group columns are read by the names of these', async () => {
    const [read] = await decode(encode([rowAt(1)]), [1000], ['city', 'age']);
    expect(read.groups).toEqual(['city 1', undefined]);
  });

  test('hold texts of any length', async () => {
    const long = { ...rowAt(0), inferenceId: 'x'.repeat(300_000), groups: ['ü'.repeat(100_000), undefined] };
    expect(await decode(encode([long, rowAt(1)]), [5000])).toEqual([long, rowAt(1)]);
  });

  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 3), 'in the middle of a frame'],
    ['of something else', () => Buffer.from('inferenceId,value\n'), 'no scored rows'],
    ['of a later version', (bytes: Buffer) => Buffer.from(bytes).fill(9, 4, 5), 'version 9 cannot be read'],
    ['with a length that cannot be', (bytes: Buffer) => Buffer.from(bytes).fill(0xff, 5, 9), 'damaged'],
    ['with rows that are not there', (bytes: Buffer) => Buffer.from(bytes).fill(0x7f, 19, 20), 'in the middle of a row'],
  ])('%s are refused', async (_, damage, message) => {
    await expect(decode(damage(encode([rowAt(0)])))).rejects.toThrow(message);
  });

  test('that cannot be are not written', () => {
    expect(() => encode([{ ...rowAt(0), rowIndex: 0.5 }])).toThrow(RangeError);
  });
});

import { NamedError } from '../common/errors';
import { finish } from '../monitoring/profile/hash';
import type { Cell, Chunks, RowSink, TextRow } from '../monitoring/rows';

/**
 * 64-bit hashes of rows, which tell whether a row of one table is in another without holding any of its values.
 *
 *   file   "MLRK" · version (1 byte) · 3 zero bytes · number of keys (uint64) · keys (uint64 each, ascending); all little-endian
 *
 * Equal rows have equal keys however their cells are written where that is plain: white space around a value does not count, nor do zeros behind the
 * last digit of a decimal fraction (1.50 is 1.5, 2.0 is 2). All other text counts as it stands: 007 is not 7.
 */
const MAGIC = 'MLRK';
const VERSION = 1;
const HEADER = 16;
const KEY = 8;

const FACTOR_LOW = 0x01000193;
const FACTOR_HIGH = 0x85ebca6b;
const START_LOW = 0x811c9dc5;
const START_HIGH = 0x9e3779b9;
/** No byte of UTF-8 text: what ends a cell is in none. */
const CELL_END = 0xff;

const [SPACE, TAB, MINUS, POINT, ZERO, NINE] = [32, 9, 45, 46, 48, 57];
const FIRST_CAPACITY = 1024;
const { imul } = Math;

const invalid = (message: string): NamedError => new NamedError('RowKeysInvalid', message);

/** Hashes rows; the key of the last one stands in `low` and `high`. */
export class RowHasher implements RowSink {
  low = 0;
  high = 0;
  private readonly places: readonly number[];

  /**
   * @param columns of the rows
   * @param keyColumns those that are hashed, in this order; each has to be one of `columns`
   */
  constructor(
    columns: readonly string[],
    readonly keyColumns: readonly string[] = columns,
  ) {
    this.places = keyColumns.map((name) => columns.indexOf(name));
    const missing = keyColumns.filter((_, index) => this.places[index] < 0);
    if (missing.length > 0) throw new RangeError(`no column is called ${missing.join(', ')}, only ${columns.join(', ')}`);
  }

  public text({ bytes, starts, ends }: Pick<TextRow, 'bytes' | 'starts' | 'ends'>): void {
    let low = START_LOW;
    let high = START_HIGH;
    for (const place of this.places) {
      let [from, to] = [starts[place], ends[place]];
      while (from < to && isSpace(bytes[from])) from += 1;
      while (to > from && isSpace(bytes[to - 1])) to -= 1;
      to = withoutZeros(bytes, from, to);
      for (let at = from; at < to; at += 1) {
        low = imul(low ^ bytes[at], FACTOR_LOW);
        high = imul(((high << 5) | (high >>> 27)) ^ bytes[at], FACTOR_HIGH);
      }
      low = imul(low ^ CELL_END, FACTOR_LOW);
      high = imul(((high << 5) | (high >>> 27)) ^ CELL_END, FACTOR_HIGH);
    }
    this.low = finish(low) >>> 0;
    this.high = finish(high) >>> 0;
  }

  public cells(row: readonly Cell[]): void {
    const parts = row.map((cell) => Buffer.from(cell === null || cell === undefined ? '' : String(cell)));
    const ends: number[] = [];
    parts.forEach((part, index) => ends.push((ends[index - 1] ?? 0) + part.length));
    const starts = Int32Array.from(ends, (end, index) => end - parts[index].length);
    this.text({ bytes: Buffer.concat(parts), starts, ends: Int32Array.from(ends) });
  }
}

/** Collects the keys of rows, in the order in which they come. */
export class RowKeys implements RowSink {
  /** Low and high half of each key in turn, as the file holds them. */
  private words = new Uint32Array(2 * FIRST_CAPACITY);
  private readonly hasher: RowHasher;
  public count = 0;

  /** As those of `RowHasher`. */
  constructor(
    columns: readonly string[],
    readonly keyColumns: readonly string[] = columns,
  ) {
    this.hasher = new RowHasher(columns, keyColumns);
  }

  public text = (row: TextRow): void => {
    this.hasher.text(row);
    this.push(this.hasher.low, this.hasher.high);
  };

  public cells = (row: readonly Cell[]): void => {
    this.hasher.cells(row);
    this.push(this.hasher.low, this.hasher.high);
  };

  private push(low: number, high: number): void {
    if (2 * this.count === this.words.length) {
      const larger = new Uint32Array(Math.ceil(this.count * 1.5) * 2);
      larger.set(this.words);
      this.words = larger;
    }
    this.words[2 * this.count] = low;
    this.words[2 * this.count + 1] = high;
    this.count += 1;
  }

  /** The file. */
  public toBytes(): Uint8Array {
    const words = this.sorted();
    return Buffer.concat([keyFileHead(this.count), new Uint8Array(words.buffer, words.byteOffset, words.byteLength)]);
  }

  /** How many of the rows have a key that is in the file, each row counted. The file is read as a stream, and never stands in memory as a whole. */
  public async countIn(chunks: Chunks): Promise<{ readonly shared: number; readonly keys: number }> {
    const own = this.sorted();
    let [place, shared, keys] = [0, 0, 0];
    for await (const words of keyWords(chunks)) {
      for (let at = 0; at < words.length; at += 2) {
        const [low, high] = [words[at], words[at + 1]];
        while (place < own.length && (own[place + 1] < high || (own[place + 1] === high && own[place] < low))) place += 2;
        while (place < own.length && own[place] === low && own[place + 1] === high) {
          shared += 1;
          place += 2;
        }
      }
      keys += words.length / 2;
    }
    return { shared, keys };
  }

  private sorted(): Uint32Array {
    return sortKeys(this.words.slice(0, 2 * this.count));
  }
}

/** Sorts keys where they stand. */
export const sortKeys = (words: Uint32Array): Uint32Array => {
  // The machines that this runs on are little-endian, as the file is.
  new BigUint64Array(words.buffer, words.byteOffset, words.length / 2).sort();
  return words;
};

/** What the file begins with. */
export const keyFileHead = (keys: number): Buffer => {
  const head = Buffer.alloc(HEADER);
  head.write(MAGIC, 'latin1');
  head[4] = VERSION;
  head.writeBigUInt64LE(BigInt(keys), 8);
  return head;
};

const isSpace = (byte: number): boolean => byte === SPACE || byte === TAB;
const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE;

/** End of a decimal fraction without the zeros that end it, and without its point where nothing is left behind it; of all else its end. */
function withoutZeros(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 2 || (bytes[to - 1] !== ZERO && bytes[to - 1] !== POINT)) return to;
  let point = -1;
  for (let at = bytes[from] === MINUS ? from + 1 : from; at < to; at += 1) {
    if (bytes[at] === POINT && point < 0) point = at;
    else if (!isDigit(bytes[at])) return to;
  }
  if (point < 0 || !isDigit(bytes[point - 1])) return to;
  let end = to;
  while (bytes[end - 1] === ZERO) end -= 1;
  return bytes[end - 1] === POINT ? end - 1 : end;
}

/** Halves of the keys of a file, as many as a chunk holds. */
async function* keyWords(chunks: Chunks): AsyncGenerator<Uint32Array> {
  let rest = Buffer.alloc(0);
  let expected: number | undefined;
  let found = 0;
  for await (const chunk of chunks) {
    let bytes = rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([rest, chunk]);
    if (expected === undefined) {
      if (bytes.length < HEADER) {
        rest = Buffer.from(bytes);
        continue;
      }
      expected = countOf(bytes);
      bytes = bytes.subarray(HEADER);
    }
    const whole = bytes.length - (bytes.length % KEY);
    // A copy of its own lies where 32-bit words may.
    const words = new Uint32Array(whole / 4);
    new Uint8Array(words.buffer).set(bytes.subarray(0, whole));
    rest = Buffer.from(bytes.subarray(whole));
    found += whole / KEY;
    yield words;
  }
  if (expected === undefined || found !== expected || rest.length > 0) throw invalid(`the row keys end after ${found} of ${expected ?? 'all'}`);
}

function countOf(bytes: Buffer): number {
  if (bytes.toString('latin1', 0, 4) !== MAGIC) throw invalid('these bytes are no row keys');
  if (bytes[4] !== VERSION) throw invalid(`row keys of version ${bytes[4]} cannot be read, only those of version ${VERSION}`);
  return Number(bytes.readBigUInt64LE(8));
}

import type { DecodedArray, PageHeader, ParquetParsers } from 'hyparquet';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { decompressPage, readDataPage } from 'hyparquet/src/datapage.js';
import type { ColumnDecoder } from 'hyparquet/src/types.js';
import { compressors } from 'hyparquet-compressors';
import type { Cell } from '../rows';
import { textOf } from './bytes';
import { cellOf } from './json-body';
import { readRuns } from './parquet-runs';

/** What the values of a column are: numbers, times in milliseconds, or any cells. */
export type ColumnKind = 'numbers' | 'times' | 'cells';

/** Values of a page that are there, and which rows have one. */
export interface Page {
  readonly rows: number;
  /** 1 for each row that has a value; undefined where all have. */
  readonly present?: Uint8Array;
  readonly values: ArrayLike<number> | ArrayLike<Cell>;
  /** The values instead, as they stand in the file: numbers of eight bytes need no other form. */
  readonly plain?: DataView;
  /** The same of text. */
  readonly texts?: Texts;
  /** Places of the rows' values, where each value stands once. */
  readonly indexes?: Uint32Array;
  /** What it takes in memory. */
  readonly bytes: number;
  /** What of it was lent. */
  readonly lent: readonly ArrayBuffer[];
}

export type Dictionary = Pick<Page, 'values' | 'texts' | 'bytes'> & { readonly size: number };

/** Texts as they stand in a page, each behind its length: a string is made where one is delivered. */
export interface Texts {
  readonly bytes: Uint8Array;
  /** Where each begins, and where one more would. */
  readonly starts: Uint32Array;
}

export const textAt = ({ bytes, starts }: Texts, index: number): string => textOf(bytes, starts[index], starts[index + 1] - LENGTH_BYTES);

const LENGTH_BYTES = 4;
/** Of more texts than these in a dictionary, few are delivered often. */
const KNOWN_TEXTS = 10_000;

/**
 * Memory of pages, lent to one after the other: pages live too long for the collection of short-lived objects, and what lies outside the heap makes
 * the other one wait until much of it has come together.
 */
export class Memory {
  private readonly free: ArrayBuffer[] = [];
  private bytes = 0;

  /** `most`: bytes that are kept while nobody has them. */
  constructor(private readonly most: number) {}

  public lend(bytes: number): ArrayBuffer {
    const place = this.free.findIndex(({ byteLength }) => byteLength >= bytes && byteLength <= LOOSEST * bytes);
    if (place < 0) {
      return new ArrayBuffer(Math.ceil(bytes / PIECE) * PIECE);
    }
    const [buffer] = this.free.splice(place, 1);
    this.bytes -= buffer.byteLength;
    return buffer;
  }

  public take(buffers: readonly ArrayBuffer[]): void {
    for (const buffer of buffers) {
      this.free.push(buffer);
      this.bytes += buffer.byteLength;
    }
    while (this.bytes > this.most) {
      this.bytes -= this.free.shift()!.byteLength;
    }
  }
}

const PIECE = 4096;
/** A piece may be so many times as large as what is wanted. */
const LOOSEST = 4;

/** A string of a few bytes, with its place in a list. */
const STRING_BYTES = 32;

/** Times as numbers: whoever delivers them writes them out. */
export const PARSERS: ParquetParsers = {
  ...DEFAULT_PARSERS,
  timestampFromMilliseconds: (time: bigint) => Number(time),
  timestampFromMicroseconds: (time: bigint) => Number(time / 1000n),
  timestampFromNanoseconds: (time: bigint) => Number(time / 1_000_000n),
  dateFromDays: (days: number) => days * 86_400_000,
  stringFromBytes: (bytes: Uint8Array) => textOf(bytes, 0, bytes.length),
};

const TIMES = ['DATE', 'TIMESTAMP_MILLIS', 'TIMESTAMP_MICROS'];

export function kindOf({ type, converted_type: converted, logical_type: logical }: ColumnDecoder['element']): ColumnKind {
  if (TIMES.includes(converted ?? '') || (converted === undefined && (type === 'INT96' || logical?.type === 'TIMESTAMP'))) {
    return 'times';
  }
  const isNumber = type === 'INT32' || type === 'FLOAT' || type === 'DOUBLE' || converted === 'DECIMAL' || logical?.type === 'FLOAT16';
  return isNumber ? 'numbers' : 'cells';
}

/** Values of a dictionary, decoded once. */
export function dictionaryOf(packed: Uint8Array, header: PageHeader, decoder: ColumnDecoder): Dictionary {
  const size = header.dictionary_page_header!.num_values;
  const bytes = unpacked(packed, header.uncompressed_page_size, decoder);
  if (size > KNOWN_TEXTS && isText(decoder.element)) {
    return { size, values: [], texts: { bytes, starts: startsOf(bytes, new Uint32Array(size + 1)) }, bytes: bytes.length + 4 * size };
  }
  return { size, ...valuesOf(bytes, size, 'PLAIN', decoder) };
}

export function pageOf(packed: Uint8Array, header: PageHeader, decoder: ColumnDecoder, dictionary: Dictionary | undefined, memory: Memory): Page {
  const isFirst = header.data_page_header_v2 === undefined;
  const { bytes, levels, rows, encoding } = isFirst ? firstForm(packed, header, decoder) : secondForm(packed, header, decoder);
  const lent: ArrayBuffer[] = [];
  const lend = (size: number): ArrayBuffer => {
    lent.push(memory.lend(size));
    return lent[lent.length - 1];
  };
  let [count, present] = [rows, undefined as Uint8Array | undefined];
  if (levels !== undefined) {
    const marks = new Uint8Array(lend(rows), 0, rows);
    readRuns(levels, 0, levels.length, 1, marks);
    count = sumOf(marks);
    present = count === rows ? undefined : marks;
  }
  const page = (values: Page['values'], more: Partial<Page> = {}, others = 0): Page => {
    return { rows, present, lent, values, ...more, bytes: others + lent.reduce((sum, { byteLength }) => sum + byteLength, 0) };
  };
  if (count === 0) {
    return page([]);
  }
  const isListed = encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY';
  if (isListed || (encoding === 'RLE' && decoder.type === 'BOOLEAN')) {
    const { values, size, texts }: Omit<Dictionary, 'bytes'> = isListed ? (dictionary ?? { values: [], size: 0 }) : TRUTHS;
    const indexes = new Uint32Array(lend(4 * count), 0, count);
    readRuns(bytes, isListed ? 1 : 4, bytes.length, isListed ? bytes[0] : 1, indexes);
    if (largestOf(indexes) >= size) {
      throw new Error('a value is not in the dictionary');
    }
    return page(values, { indexes, texts });
  }
  if (encoding === 'PLAIN' && isPlain(decoder.element) && bytes.length >= 8 * count) {
    const plain = new DataView(lend(8 * count), 0, 8 * count);
    new Uint8Array(plain.buffer).set(bytes.subarray(0, 8 * count));
    return page([], { plain });
  }
  if (encoding === 'PLAIN' && isText(decoder.element)) {
    const starts = startsOf(bytes, new Uint32Array(lend(4 * (count + 1)), 0, count + 1));
    const texts = new Uint8Array(lend(bytes.length), 0, bytes.length);
    texts.set(bytes);
    return page([], { texts: { bytes: texts, starts } });
  }
  const found = valuesOf(bytes, count, encoding, decoder);
  return page(found.values, {}, found.bytes);
}

const TRUTHS = { values: [false, true], size: 2 };

function startsOf(bytes: Uint8Array, starts: Uint32Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = LENGTH_BYTES;
  for (let index = 0; index < starts.length - 1; index += 1) {
    starts[index] = at;
    at += view.getUint32(at - LENGTH_BYTES, true) + LENGTH_BYTES;
  }
  if (at > bytes.length + LENGTH_BYTES) {
    throw new Error('a text goes on beyond its page');
  }
  starts[starts.length - 1] = at;
  return starts;
}

const largestOf = (indexes: Uint32Array): number => {
  let largest = 0;
  for (let index = 0; index < indexes.length; index += 1) {
    largest = Math.max(largest, indexes[index]);
  }
  return largest;
};

const sumOf = (marks: Uint8Array): number => {
  let sum = 0;
  for (let row = 0; row < marks.length; row += 1) {
    sum += marks[row];
  }
  return sum;
};

interface Layout {
  /** Behind the levels. */
  readonly bytes: Uint8Array;
  /** Runs that say which rows have a value; absent where all must have one. */
  readonly levels?: Uint8Array;
  readonly rows: number;
  readonly encoding: string;
}

function firstForm(packed: Uint8Array, header: PageHeader, decoder: ColumnDecoder): Layout {
  const { num_values: rows, encoding, definition_level_encoding: levels } = header.data_page_header!;
  const bytes = unpacked(packed, header.uncompressed_page_size, decoder);
  if (decoder.element.repetition_type === 'REQUIRED') {
    return { bytes, rows, encoding };
  }
  if (levels !== 'RLE') {
    throw new Error(`levels as ${levels} are not read`);
  }
  const end = 4 + new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
  return { bytes: bytes.subarray(end), levels: bytes.subarray(4, end), rows, encoding };
}

function secondForm(packed: Uint8Array, header: PageHeader, decoder: ColumnDecoder): Layout {
  const second = header.data_page_header_v2!;
  const { num_values: rows, encoding, repetition_levels_byte_length: from, definition_levels_byte_length: length } = second;
  const size = header.uncompressed_page_size - from - length;
  const rest = packed.subarray(from + length);
  const bytes = second.is_compressed === false || size <= 0 ? rest.slice() : unpacked(rest, size, decoder);
  const isOptional = decoder.element.repetition_type !== 'REQUIRED';
  return { bytes, rows, encoding, ...(isOptional && { levels: packed.subarray(from, from + length) }) };
}

const isPlain = ({ type, converted_type: converted, logical_type: logical }: ColumnDecoder['element']): boolean =>
  type === 'DOUBLE' && converted === undefined && logical === undefined;

const isText = ({ type, converted_type: converted, logical_type: logical }: ColumnDecoder['element']): boolean =>
  type === 'BYTE_ARRAY' && (converted === undefined || converted === 'UTF8') && (logical === undefined || logical.type === 'STRING');

/** In memory of its own: what was fetched is overwritten. Not every decompressor knows that nothing is nothing. */
function unpacked(packed: Uint8Array, size: number, { codec }: ColumnDecoder): Uint8Array {
  if (size === 0) {
    return new Uint8Array(0);
  }
  return decompressPage(codec === 'UNCOMPRESSED' ? packed.slice() : packed, size, codec, compressors);
}

function valuesOf(bytes: Uint8Array, count: number, encoding: string, decoder: ColumnDecoder): Pick<Page, 'values' | 'bytes'> {
  const kind = kindOf(decoder.element);
  const raw = rawValues(bytes, count, encoding, decoder);
  if (raw.length !== count) {
    throw new Error(`it holds ${raw.length} values instead of ${count}`);
  }
  const values = convert(raw, decoder);
  if (kind === 'cells') {
    return { values: cellsOf(values), bytes: count * STRING_BYTES + 2 * bytes.length };
  }
  return { values: Array.isArray(values) ? Float64Array.from(values as number[]) : (values as ArrayLike<number>), bytes: count * 8 };
}

/** Without levels, as of a column that must have values. */
const rawValues = (bytes: Uint8Array, count: number, encoding: string, decoder: ColumnDecoder): DecodedArray =>
  readDataPage(bytes, { num_values: count, encoding, definition_level_encoding: 'RLE', repetition_level_encoding: 'RLE' } as never, {
    ...decoder,
    schemaPath: decoder.schemaPath.slice(0, 1),
  }).dataPage;

function cellsOf(values: DecodedArray): Cell[] {
  if (values instanceof BigInt64Array) {
    return wholeNumbers(values);
  }
  return Array.from(values as ArrayLike<unknown>, (value) => (typeof value === 'string' ? value : cellOfValue(value)));
}

/** From the halves of each: a big integer for every value would be waste. */
function wholeNumbers(values: BigInt64Array): Cell[] {
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  return Array.from({ length: values.length }, (_, index) => {
    const number = words[2 * index + 1] * 2 ** 32 + (words[2 * index] >>> 0);
    return Number.isSafeInteger(number) ? number : String(values[index]);
  });
}

function cellOfValue(value: unknown): Cell {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : cellOf(value);
}

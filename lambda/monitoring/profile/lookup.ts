import type { Cell } from '../rows';
import { readCategory } from '../values';
import { hashBytes, utf8 } from './hash';

const GRID = 4096;
const decoder = new TextDecoder();
const single = new Float32Array(1);
const singleBits = new Int32Array(single.buffer);

/** Order of values as whole numbers, evenly spaced within each power of two: for values whose scale spans many of them. */
const logarithmicKey = (value: number): number => {
  single[0] = value;
  const bits = singleBits[0];
  return bits ^ ((bits >> 31) & 0x7fffffff);
};

/**
 * Finds the bin of a value: as many edges as are below it. A grid over the edges says in one step which few can be near; since a larger value never
 * falls into an earlier grid cell, the answer is exactly that of a search over all edges.
 */
export class EdgeLookup {
  /** Ascending, then an infinity, so that there is one behind each bin. */
  public readonly edges: Float64Array;
  /** Edges before each grid cell; one more entry closes the last. */
  public readonly before = new Uint16Array(GRID + 1);
  public readonly logarithmic: boolean;
  public low = 0;
  public scale = 0;
  public readonly last = GRID - 1;

  constructor(edges: readonly number[]) {
    this.edges = new Float64Array(edges.length + 1).fill(Infinity);
    this.edges.set(edges);
    const [even, logarithmic] = [this.grid(false), this.grid(true)];
    this.logarithmic = logarithmic.cost < 0.9 * even.cost;
    const { low, scale, cells } = this.logarithmic ? logarithmic : even;
    this.low = low;
    this.scale = scale;
    for (let edge = 0, cell = 0; cell <= GRID; cell += 1) {
      while (edge < cells.length && cells[edge] < cell) {
        edge += 1;
      }
      this.before[cell] = edge;
    }
  }

  /** Cells of the edges, which ascend as the edges do, and the expected comparisons for a value that falls between any two edges equally often. */
  private grid(logarithmic: boolean) {
    const keys = this.edges.slice(0, -1);
    for (let edge = 0; logarithmic && edge < keys.length; edge += 1) {
      keys[edge] = logarithmicKey(keys[edge]);
    }
    const low = keys[0] ?? 0;
    const range = (keys.at(-1) ?? 0) - low;
    const scale = range > 0 && Number.isFinite(range) && Number.isFinite(GRID / range) ? GRID / range : 0;
    const cells = new Uint16Array(keys.length);
    let cost = 0;
    for (let edge = 0, first = 0; edge < keys.length; edge += 1) {
      cells[edge] = gridCell((keys[edge] - low) * scale, this.last);
      if (edge === keys.length - 1 || cells[first] !== gridCell((keys[edge + 1] - low) * scale, this.last)) {
        const held = edge + 1 - first;
        cost += held * Math.log2(held + 1);
        first = edge + 1;
      }
    }
    return { low, scale, cells, cost };
  }

  public binOf(value: number): number {
    const key = this.logarithmic ? logarithmicKey(value) : value;
    const cell = gridCell((key - this.low) * this.scale, this.last);
    return this.search(value, this.before[cell], this.before[cell + 1]);
  }

  /** The same where it is known to lie from `from` up to `to`. */
  public search(value: number, from: number, to: number): number {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.edges[middle] < value) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

/** Not a number where the range of the edges is infinite: then all are in the first cell. */
const gridCell = (position: number, last: number): number => (position >= last ? last : position > 0 ? position | 0 : 0);

/** Position of a value that is in no category, and of one that is missing. */
export const UNLISTED = -2;
export const MISSING = -1;

const LONGEST_SPELLING = 64;
const SPELLINGS = 4096;
/** Bytes of text that two 32-bit integers hold, the first byte lowest. */
export const SHORT = 8;
/** Bits of the first and of the second integer that belong to a text of so many bytes. */
export const FIRST_BITS = Int32Array.of(0, 0xff, 0xffff, 0xffffff, -1, -1, -1, -1, -1);
export const SECOND_BITS = Int32Array.of(0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff, -1);
const shortText = new Uint8Array(SHORT);
const shortWords = new Int32Array(shortText.buffer);

/**
 * Finds the category of a cell, of UTF-8 text without making a string of it. Spellings that mean a category are remembered, up to a bound. An entry
 * is four integers: short text itself, or hash and place of longer text; its length; its category.
 */
export class CategoryLookup {
  private readonly positions = new Map<Cell, number>();
  private readonly limit: number;
  private slots = new Int32Array(16).fill(-1);
  private table = new Int32Array(4 * 8);
  private entries = 0;
  private pool = new Uint8Array(64);
  private pooled = 0;

  constructor(categories: readonly string[]) {
    this.limit = categories.length + SPELLINGS;
    categories.forEach((name, position) => {
      const bytes = utf8(name);
      this.positions.set(name, position);
      this.remember(bytes, 0, bytes.length, position);
    });
  }

  /** Position of the category, `MISSING` or `UNLISTED`. */
  public ofText(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length <= SHORT) {
      return this.ofShort(packed(bytes, start, Math.min(end, start + 4)), packed(bytes, start + 4, end), length);
    }
    const hash = hashBytes(bytes, start, end);
    const { slots, table } = this;
    const mask = slots.length - 1;
    for (let slot = slotHash(hash, 0, length) & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot];
      if (entry < 0) {
        return this.spelled(bytes, start, end);
      }
      if (table[entry] === hash && table[entry + 2] === length && this.equals(table[entry + 1], bytes, start, end)) {
        return table[entry + 3];
      }
    }
  }

  /** The same of up to `SHORT` bytes of text: the first four and the next, zeros behind the end. */
  public ofShort(low: number, high: number, length: number): number {
    const { slots, table } = this;
    const mask = slots.length - 1;
    for (let slot = slotHash(low, high, length) & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot];
      if (entry < 0) {
        shortWords[0] = low;
        shortWords[1] = high;
        return this.spelled(shortText, 0, length);
      }
      if (table[entry] === low && table[entry + 1] === high && table[entry + 2] === length) {
        return table[entry + 3];
      }
    }
  }

  private equals(from: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { pool } = this;
    for (let byte = start, at = from; byte < end; byte += 1, at += 1) {
      if (pool[at] !== bytes[byte]) {
        return false;
      }
    }
    return true;
  }

  private spelled(bytes: Uint8Array, start: number, end: number): number {
    const value = this.ofCell(decoder.decode(bytes.subarray(start, end)));
    if (value !== UNLISTED && end - start <= LONGEST_SPELLING) {
      this.remember(bytes, start, end, value);
    }
    return value;
  }

  private remember(bytes: Uint8Array, start: number, end: number, value: number): void {
    if (this.entries === this.limit) {
      return;
    }
    if (8 * (this.entries + 1) > this.table.length) {
      this.grow();
    }
    const length = end - start;
    const { table } = this;
    const entry = 4 * this.entries;
    table[entry] = firstOf(bytes, start, end);
    table[entry + 1] = length > SHORT ? this.pooled : packed(bytes, start + 4, end);
    table[entry + 2] = length;
    table[entry + 3] = value;
    if (length > SHORT) {
      this.keep(bytes.subarray(start, end));
    }
    this.place(entry);
    this.entries += 1;
  }

  private keep(text: Uint8Array): void {
    const to = this.pooled + text.length;
    if (to > this.pool.length) {
      const grown = new Uint8Array(2 * to);
      grown.set(this.pool);
      this.pool = grown;
    }
    this.pool.set(text, this.pooled);
    this.pooled = to;
  }

  private place(entry: number): void {
    const { slots, table } = this;
    const mask = slots.length - 1;
    let slot = slotHash(table[entry], table[entry + 2] > SHORT ? 0 : table[entry + 1], table[entry + 2]) & mask;
    while (slots[slot] >= 0) {
      slot = (slot + 1) & mask;
    }
    slots[slot] = entry;
  }

  private grow(): void {
    const table = new Int32Array(2 * this.table.length);
    table.set(this.table);
    this.table = table;
    this.slots = new Int32Array(2 * this.slots.length).fill(-1);
    for (let entry = 0; entry < this.entries; entry += 1) {
      this.place(4 * entry);
    }
  }

  public ofCell(cell: Cell): number {
    const known = this.positions.get(cell);
    if (known !== undefined) {
      return known;
    }
    const name = readCategory(cell);
    const value = name === undefined ? MISSING : (this.positions.get(name) ?? UNLISTED);
    if (value !== UNLISTED && this.positions.size < this.limit && (typeof cell !== 'string' || cell.length <= LONGEST_SPELLING)) {
      this.positions.set(cell, value);
    }
    return value;
  }
}

/** The first four bytes; of longer text than an entry holds its hash. */
const firstOf = (bytes: Uint8Array, start: number, end: number): number =>
  end - start > SHORT ? hashBytes(bytes, start, end) : packed(bytes, start, Math.min(end, start + 4));

function packed(bytes: Uint8Array, start: number, end: number): number {
  let word = 0;
  for (let index = start; index < end; index += 1) {
    word |= bytes[index] << (8 * (index - start));
  }
  return word;
}

function slotHash(low: number, high: number, length: number): number {
  const hash = Math.imul(low ^ Math.imul(high, 0x85ebca6b) ^ length, 0x9e3779b1);
  return hash ^ (hash >>> 15);
}

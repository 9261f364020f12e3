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
  public readonly edges: Float64Array;
  /** Edges before each grid cell; one more entry closes the last. */
  public readonly before = new Uint16Array(GRID + 1);
  public readonly logarithmic: boolean;
  public low = 0;
  public scale = 0;
  public readonly last = GRID - 1;

  constructor(edges: readonly number[]) {
    this.edges = Float64Array.from(edges);
    const grids = [false, true].map((logarithmic) => this.grid(logarithmic));
    this.logarithmic = grids[1].cost < 0.9 * grids[0].cost;
    const { low, scale, cells } = grids[this.logarithmic ? 1 : 0];
    this.low = low;
    this.scale = scale;
    cells.forEach((cell) => (this.before[cell + 1] += 1));
    this.before.forEach((count, cell) => (this.before[cell] = count + (cell === 0 ? 0 : this.before[cell - 1])));
  }

  /** Expected comparisons for a value that falls between any two edges equally often. */
  private grid(logarithmic: boolean) {
    const keys = Array.from(this.edges, (edge) => (logarithmic ? logarithmicKey(edge) : edge));
    const low = keys[0] ?? 0;
    const range = (keys.at(-1) ?? 0) - low;
    const scale = range > 0 && Number.isFinite(range) && Number.isFinite(GRID / range) ? GRID / range : 0;
    const cells = keys.map((key) => gridCell((key - low) * scale, this.last));
    const held = new Map<number, number>();
    cells.forEach((cell) => held.set(cell, (held.get(cell) ?? 0) + 1));
    const cost = cells.reduce((sum, cell) => sum + Math.log2(held.get(cell)! + 1), 0);
    return { low, scale, cells, cost };
  }

  public binOf(value: number): number {
    const key = this.logarithmic ? logarithmicKey(value) : value;
    const cell = gridCell((key - this.low) * this.scale, this.last);
    let low = this.before[cell];
    let high = this.before[cell + 1];
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

/** Finds the category of a cell, of UTF-8 text without making a string of it. Spellings that mean a category are remembered, up to a bound. */
export class CategoryLookup {
  private readonly positions = new Map<Cell, number>();
  private readonly limit: number;
  private slots: Int32Array;
  private mask: number;
  private entries = 0;
  private readonly hashes: Int32Array;
  private readonly starts: Int32Array;
  private readonly values: Int32Array;
  private pool = new Uint8Array(4096);

  constructor(categories: readonly string[]) {
    this.limit = categories.length + SPELLINGS;
    this.mask = 2 ** Math.ceil(Math.log2(2 * this.limit)) - 1;
    this.slots = new Int32Array(this.mask + 1).fill(-1);
    this.hashes = new Int32Array(this.limit);
    this.starts = new Int32Array(this.limit + 1);
    this.values = new Int32Array(this.limit);
    categories.forEach((name, position) => {
      const bytes = utf8(name);
      this.positions.set(name, position);
      this.remember(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length), position);
    });
  }

  /** Position of the category, `MISSING` or `UNLISTED`; `hash` is that of `hashBytes`. */
  public ofText(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const signed = hash | 0;
    for (let slot = hash & this.mask; ; slot = (slot + 1) & this.mask) {
      const entry = this.slots[slot];
      if (entry < 0) {
        return this.spelled(bytes, start, end, hash);
      }
      if (this.hashes[entry] === signed && this.equals(entry, bytes, start, end)) {
        return this.values[entry];
      }
    }
  }

  private equals(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    let at = this.starts[entry];
    if (this.starts[entry + 1] - at !== end - start) {
      return false;
    }
    const { pool } = this;
    for (let byte = start; byte < end; byte += 1, at += 1) {
      if (pool[at] !== bytes[byte]) {
        return false;
      }
    }
    return true;
  }

  private spelled(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const value = this.ofCell(decoder.decode(bytes.subarray(start, end)));
    if (value !== UNLISTED && end - start <= LONGEST_SPELLING) {
      this.remember(bytes, start, end, hash, value);
    }
    return value;
  }

  private remember(bytes: Uint8Array, start: number, end: number, hash: number, value: number): void {
    if (this.entries === this.limit) {
      return;
    }
    const entry = this.entries;
    const from = this.starts[entry];
    const to = from + end - start;
    if (to > this.pool.length) {
      const grown = new Uint8Array(2 * to);
      grown.set(this.pool);
      this.pool = grown;
    }
    this.pool.set(bytes.subarray(start, end), from);
    this.starts[entry + 1] = to;
    this.hashes[entry] = hash | 0;
    this.values[entry] = value;
    this.entries += 1;
    let slot = hash & this.mask;
    while (this.slots[slot] >= 0) {
      slot = (slot + 1) & this.mask;
    }
    this.slots[slot] = entry;
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

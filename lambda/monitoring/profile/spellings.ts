import { textOf } from '../readers/bytes';
import type { Cell } from '../rows';
import { readCategory } from '../values';
import { hashBytes, utf8 } from './hash';

/** Names beyond these are not told apart while the training data is read. */
export const MAXIMUM_NAMES = 100_000;
const MAXIMUM_BYTES = 16 * 2 ** 20;

/** Counts texts as they are written, without making strings of them; names are made at the end. */
export class Spellings {
  private slots = new Int32Array(64).fill(-1);
  private hashes = new Int32Array(32);
  private starts = new Int32Array(33);
  private counts = new Float64Array(32);
  private pool = new Uint8Array(256);
  private size = 0;
  /** Texts that were not counted by name, since there were too many. */
  public dropped = 0;

  public add(bytes: Uint8Array, start: number, end: number): void {
    const hash = hashBytes(bytes, start, end) | 0;
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (let entry = this.slots[slot]; entry >= 0; entry = this.slots[slot]) {
      if (this.hashes[entry] === hash && this.equals(entry, bytes, start, end)) {
        this.counts[entry] += 1;
        return;
      }
      slot = (slot + 1) & mask;
    }
    this.insert(slot, hash, bytes.subarray(start, end));
  }

  public addCell(cell: Cell): void {
    const bytes = utf8(String(cell));
    this.add(bytes, 0, bytes.length);
  }

  private equals(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.starts[entry];
    if (this.starts[entry + 1] - from !== end - start) {
      return false;
    }
    for (let offset = 0; offset < end - start; offset += 1) {
      if (this.pool[from + offset] !== bytes[start + offset]) {
        return false;
      }
    }
    return true;
  }

  private insert(slot: number, hash: number, text: Uint8Array): void {
    const from = this.starts[this.size];
    const to = from + text.length;
    if (this.size === MAXIMUM_NAMES || to > MAXIMUM_BYTES) {
      this.dropped += 1;
      return;
    }
    if (this.size === this.hashes.length) {
      this.grow();
      this.insert(this.freeSlot(hash), hash, text);
      return;
    }
    this.pool = to > this.pool.length ? widened(this.pool, new Uint8Array(2 * to)) : this.pool;
    this.pool.set(text, from);
    this.slots[slot] = this.size;
    this.hashes[this.size] = hash;
    this.counts[this.size] = 1;
    this.starts[this.size + 1] = to;
    this.size += 1;
  }

  private freeSlot(hash: number): number {
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    while (this.slots[slot] >= 0) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private grow(): void {
    const size = 2 * this.hashes.length;
    this.hashes = widened(this.hashes, new Int32Array(size));
    this.counts = widened(this.counts, new Float64Array(size));
    this.starts = widened(this.starts, new Int32Array(size + 1));
    this.slots = new Int32Array(2 * size).fill(-1);
    for (let entry = 0; entry < this.size; entry += 1) {
      this.slots[this.freeSlot(this.hashes[entry])] = entry;
    }
  }

  /** Rows by category; spellings of one category together, blank ones left out. */
  public names(): Map<string, number> {
    const names = new Map<string, number>();
    for (let entry = 0; entry < this.size; entry += 1) {
      const name = readCategory(textOf(this.pool, this.starts[entry], this.starts[entry + 1]));
      if (name !== undefined) {
        names.set(name, (names.get(name) ?? 0) + this.counts[entry]);
      }
    }
    return names;
  }
}

const widened = <T extends Uint8Array | Int32Array | Float64Array>(from: T, to: T): T => {
  to.set(from);
  return to;
};

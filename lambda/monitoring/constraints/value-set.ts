import { finish } from '../profile/hash';

const FACTOR_LOW = 0x01000193;
const FACTOR_HIGH = 0x85ebca6b;
const START_LOW = 0x811c9dc5;
const START_HIGH = 0x9e3779b9;
const FIRST_PLACES = 1024;
const { imul } = Math;

/**
 * Which values came before, by 64-bit hashes in a table: 11 to 22 bytes for each value, three times as much while it grows, so that ids of tens of
 * millions of rows fit where a Set of them would not. That any two of ten million values are taken for one has odds of one in 300,000.
 */
export class ValueSet {
  size = 0;
  /** Low and high half of a hash in turn; both 0 where nothing stands. */
  private table = new Int32Array(2 * FIRST_PLACES);

  /** False where the value was there. */
  add(value: string): boolean {
    let low = START_LOW;
    let high = START_HIGH;
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      low = imul(low ^ code, FACTOR_LOW);
      high = imul(((high << 5) | (high >>> 27)) ^ code, FACTOR_HIGH);
    }
    const isNew = place(this.table, finish(low) | 0, finish(high ^ value.length) | 0 || 1);
    if (isNew) {
      this.size += 1;
      if (this.size * 2 > this.table.length * 0.7) this.grow();
    }
    return isNew;
  }

  private grow(): void {
    const { table } = this;
    this.table = new Int32Array(2 * table.length);
    for (let at = 0; at < table.length; at += 2) if (table[at + 1] !== 0) place(this.table, table[at], table[at + 1]);
  }
}

/** Puts a hash into the first free place from its own on; false where it stands there. */
const place = (table: Int32Array, low: number, high: number): boolean => {
  const mask = table.length - 2;
  let at = (low << 1) & mask;
  while (table[at + 1] !== 0) {
    if (table[at] === low && table[at + 1] === high) return false;
    at = (at + 2) & mask;
  }
  table[at] = low;
  table[at + 1] = high;
  return true;
};

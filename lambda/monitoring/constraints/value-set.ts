import { finish } from '../profile/hash';
import { HashSet } from '../profile/hash-set';

const FACTOR_LOW = 0x01000193;
const FACTOR_HIGH = 0x85ebca6b;
const START_LOW = 0x811c9dc5;
const START_HIGH = 0x9e3779b9;
const { imul } = Math;

/**
 * Which values came before, by 64-bit hashes in a table: 11 to 22 bytes for each value, three times as much while it grows, so that ids of tens of
 * millions of rows fit where a Set of them would not. That any two of ten million values are taken for one has odds of one in 300,000.
 */
export class ValueSet {
  private readonly hashes = new HashSet();

  get size(): number {
    return this.hashes.size;
  }

  /** False where the value was there. */
  add(value: string): boolean {
    let low = START_LOW;
    let high = START_HIGH;
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      low = imul(low ^ code, FACTOR_LOW);
      high = imul(((high << 5) | (high >>> 27)) ^ code, FACTOR_HIGH);
    }
    return this.hashes.add(finish(low), finish(high ^ value.length));
  }
}

import { isMissing, parseNumber, textOf } from '../readers/bytes';
import type { Cell, RowSink, TextRow } from '../rows';
import { readCategory } from '../values';
import { hashBytes, hashNumber, hashText } from './hash';
import { HashSet } from './hash-set';
import { Sketch } from './sketch';

/** Distinct values of a column: counted up to this many, estimated above. */
const EXACT = 1_000_000;
/** Hashes that are held of all columns together. */
const ALL_HASHES = 16_000_000;
const SEED = 0x5bd1e995;

export interface Distinct {
  readonly count: number;
  readonly exact: boolean;
}

/**
 * Counts distinct values by 64-bit hashes: up to a million values two differ in their hash with a probability of 1 - 3e-8. Numbers that are equal are
 * one value however they are written.
 */
class DistinctValues {
  private readonly sketch = new Sketch();
  private hashes?: HashSet = new HashSet();

  constructor(private readonly limit: number) {}

  public addText(bytes: Uint8Array, start: number, end: number): void {
    const value = parseNumber(bytes, start, end);
    if (value - value === 0) {
      this.addNumber(value + 0);
    } else if (!isMissing(bytes, start, end)) {
      const plain = bytes[start] > 32 && bytes[start] < 128 && bytes[end - 1] > 32 && bytes[end - 1] < 128;
      if (plain) {
        this.addHash(hashBytes(bytes, start, end), hashBytes(bytes, start, end, SEED));
      } else {
        this.addCell(textOf(bytes, start, end));
      }
    }
  }

  public addCell(cell: Cell): void {
    const name = readCategory(cell);
    const value = Number(name);
    if (name !== undefined && Number.isFinite(value)) {
      this.addNumber(value);
    } else if (name !== undefined) {
      this.addHash(hashText(name), hashText(name, SEED));
    }
  }

  private addNumber(value: number): void {
    this.addHash(hashNumber(value), hashNumber(value, SEED));
  }

  private addHash(hash: number, second: number): void {
    if (this.hashes === undefined) {
      this.sketch.add(hash);
    } else if (this.hashes.add(second | 0, hash | 0)) {
      this.sketch.add(hash);
      if (this.hashes.size > this.limit) {
        this.hashes = undefined;
      }
    }
  }

  public toDistinct(): Distinct {
    return this.hashes === undefined ? { count: this.sketch.estimate(), exact: false } : { count: this.hashes.size, exact: true };
  }
}

/** Distinct values of each column, missing ones aside: exact up to a million (fewer where there are many columns), else estimated. */
export class DistinctCounter implements RowSink {
  private readonly values: readonly DistinctValues[];

  constructor(private readonly columns: number, limit = Math.min(EXACT, Math.floor(ALL_HASHES / Math.max(1, columns)))) {
    this.values = Array.from({ length: columns }, () => new DistinctValues(limit));
  }

  public text(row: TextRow): void {
    const { bytes, starts, ends } = row;
    const length = Math.min(this.columns, row.length);
    for (let column = 0; column < length; column += 1) {
      this.values[column].addText(bytes, starts[column], ends[column]);
    }
  }

  public cells(row: readonly Cell[]): void {
    const length = Math.min(this.columns, row.length);
    for (let column = 0; column < length; column += 1) {
      this.values[column].addCell(row[column]);
    }
  }

  /** In the order of the columns. */
  public toDistinct(): Distinct[] {
    return this.values.map((values) => values.toDistinct());
  }
}

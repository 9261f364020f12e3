import type { Counts, Shape } from './counters';
import { Counter, mergeCounts } from './counters';
import type { Cell } from './values';
import { readCategory, readNumeric } from './values';

export type Role = 'feature' | 'prediction' | 'target';

/** One feature of a baseline: how it is counted, and its counts per calendar month (`YYYY-MM`, or `all` where rows have no time). */
export interface FeatureProfile {
  readonly name: string;
  readonly role: Role;
  readonly shape: Shape;
  readonly months: Readonly<Record<string, Counts>>;
}

/** A column that cannot be compared, with the reason. */
export interface SkippedColumn {
  readonly name: string;
  readonly reason: string;
}

export const ALL_MONTHS = 'all';

/** Numeric columns with this many values or fewer are counted by value. */
const FEW_VALUES = 20;
const MAXIMUM_EDGES = 99;
const MAXIMUM_CATEGORIES = 1000;
/** Names beyond these are not told apart while the training data is read. */
const MAXIMUM_NAMES = 100_000;
/** A column stays numeric while at most this share of its values is not a number; such values are counted as invalid. */
const TOLERATED_INVALID = 0.01;

/** Reads one column of the training data, then makes its shape and its counts per month. */
export class ColumnProfiler {
  private readonly cells: Cell[] = [];
  private readonly months: string[] = [];
  private readonly names = new Map<string, number>();
  private numbers = 0;
  private others = 0;
  private present = 0;

  constructor(
    private readonly name: string,
    private readonly role: Role,
  ) {}

  public add(cell: Cell, month: string): void {
    const number = readNumeric(cell);
    const category = readCategory(cell);
    this.numbers += typeof number === 'number' ? 1 : 0;
    this.others += number === 'invalid' ? 1 : 0;
    if (category !== undefined) {
      this.present += 1;
      if (this.names.size < MAXIMUM_NAMES || this.names.has(category)) {
        this.names.set(category, (this.names.get(category) ?? 0) + 1);
      }
    }
    this.cells.push(typeof number === 'number' ? number : cell);
    this.months.push(month);
  }

  public profile(): FeatureProfile | SkippedColumn {
    if (this.present === 0) {
      return { name: this.name, reason: 'no row of the training data has a value' };
    }
    const shape = this.isNumeric() ? this.numericShape() : this.categoricalShape();
    if (shape === undefined) {
      return { name: this.name, reason: 'nearly every row has its own text: an identifier cannot be compared' };
    }
    const counters = new Map<string, Counter>();
    this.cells.forEach((cell, row) => {
      const month = this.months[row];
      const counter = counters.get(month) ?? new Counter(shape);
      counters.set(month, counter);
      counter.add(cell);
    });
    const months = Object.fromEntries([...counters].sort(([a], [b]) => (a < b ? -1 : 1)).map(([month, counter]) => [month, counter.toCounts()]));
    return { name: this.name, role: this.role, shape, months };
  }

  private isNumeric(): boolean {
    return this.numbers > 0 && this.others <= TOLERATED_INVALID * (this.numbers + this.others) && this.distinctNumbers() > FEW_VALUES;
  }

  private distinctNumbers(): number {
    const seen = new Set<number>();
    for (let row = 0; row < this.cells.length && seen.size <= FEW_VALUES; row += 1) {
      const value = readNumeric(this.cells[row]);
      if (typeof value === 'number') {
        seen.add(value);
      }
    }
    return seen.size;
  }

  private numericShape(): Shape {
    const values = Float64Array.from(this.cells.map(readNumeric).filter((value) => typeof value === 'number')).sort();
    const mean = values.reduce((sum, value) => sum + value / values.length, 0);
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0);
    const ranks = Array.from({ length: MAXIMUM_EDGES }, (_, index) => Math.ceil(((index + 1) / (MAXIMUM_EDGES + 1)) * values.length) - 1);
    const edges = [...new Set(ranks.map((rank) => values[Math.max(0, rank)]))];
    return { kind: 'numeric', edges, mean, deviation: Math.min(Number.MAX_VALUE, Math.sqrt(variance)) };
  }

  private categoricalShape(): Shape | undefined {
    if (this.names.size > MAXIMUM_CATEGORIES && this.names.size > this.present / 2) {
      return undefined;
    }
    const ranked = [...this.names].sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1)).map(([name]) => name);
    return { kind: 'categorical', categories: ranked.slice(0, MAXIMUM_CATEGORIES), hasOther: ranked.length > MAXIMUM_CATEGORIES };
  }
}

/** Counts of the months that `wanted` takes, together; undefined where there are none. */
export function countsOf(profile: FeatureProfile, wanted: (month: string) => boolean): Counts | undefined {
  const chosen = Object.entries(profile.months).filter(([month]) => wanted(month));
  return chosen.length === 0 ? undefined : chosen.map(([, counts]) => counts).reduce(mergeCounts);
}

import type { Cell } from './values';
import { readCategory, readNumeric } from './values';

/** How a feature is counted; made once from the training data, so that counts of any two periods can be compared. */
export interface NumericShape {
  readonly kind: 'numeric';
  /** Ascending; bin i holds the values above edge i-1 up to edge i, the last bin those above every edge. */
  readonly edges: readonly number[];
  readonly mean: number;
  readonly deviation: number;
}

export interface CategoricalShape {
  readonly kind: 'categorical';
  /** Counted by name, most frequent first. */
  readonly categories: readonly string[];
  /** Whether the training data held more categories than these: then what is not listed is "other", else it was never seen. */
  readonly hasOther: boolean;
}

export type Shape = NumericShape | CategoricalShape;

/** Integers that add up: counters of any parts of the data, merged in any order, give the same counters. */
export interface Counts {
  readonly rows: number;
  readonly missing: number;
  /** Not a number where one is wanted. */
  readonly invalid: number;
  /** Numeric: per bin. Categorical: per category, then what is not listed. */
  readonly counts: readonly number[];
  /** Numeric: per bin, the sum of the values' distances from the mean in whole steps of `deviation / STEPS`. */
  readonly offsets?: readonly number[];
  readonly minimum?: number;
  readonly maximum?: number;
  /** Commonest names that the shape does not list. */
  readonly unlisted?: Readonly<Record<string, number>>;
}

/** Steps per standard deviation: a bin's mean is right to 1/2048 of one, and sums stay whole up to 60 million rows. */
const STEPS = 1024;
const FARTHEST = 2 ** 27;
const UNLISTED_NAMES = 1000;

/** Counts the values of one feature. */
export class Counter {
  private rows = 0;
  private missing = 0;
  private invalid = 0;
  private minimum?: number;
  private maximum?: number;
  private readonly counts: number[];
  private readonly offsets: number[];
  private readonly unlisted = new Map<string, number>();
  private readonly positions: Map<string, number>;

  constructor(private readonly shape: Shape) {
    const cells = shape.kind === 'numeric' ? shape.edges.length + 1 : shape.categories.length + 1;
    this.counts = new Array<number>(cells).fill(0);
    this.offsets = shape.kind === 'numeric' ? new Array<number>(cells).fill(0) : [];
    this.positions = new Map(shape.kind === 'categorical' ? shape.categories.map((name, index) => [name, index]) : []);
  }

  public add(cell: Cell): void {
    this.rows += 1;
    if (this.shape.kind === 'numeric') {
      this.addNumber(this.shape, cell);
    } else {
      this.addCategory(cell);
    }
  }

  private addNumber(shape: NumericShape, cell: Cell): void {
    const value = readNumeric(cell);
    if (value === 'missing') {
      this.missing += 1;
    } else if (value === 'invalid') {
      this.invalid += 1;
    } else {
      const bin = binOf(shape.edges, value);
      this.counts[bin] += 1;
      this.offsets[bin] += Math.max(-FARTHEST, Math.min(FARTHEST, Math.round(((value - shape.mean) / shape.deviation) * STEPS)));
      this.minimum = Math.min(this.minimum ?? value, value);
      this.maximum = Math.max(this.maximum ?? value, value);
    }
  }

  private addCategory(cell: Cell): void {
    const name = readCategory(cell);
    if (name === undefined) {
      this.missing += 1;
      return;
    }
    const position = this.positions.get(name);
    this.counts[position ?? this.counts.length - 1] += 1;
    if (position === undefined && (this.unlisted.has(name) || this.unlisted.size < UNLISTED_NAMES)) {
      this.unlisted.set(name, (this.unlisted.get(name) ?? 0) + 1);
    }
  }

  public toCounts(): Counts {
    return {
      rows: this.rows,
      missing: this.missing,
      invalid: this.invalid,
      counts: [...this.counts],
      ...(this.shape.kind === 'numeric' && { offsets: [...this.offsets] }),
      ...(this.minimum !== undefined && { minimum: this.minimum, maximum: this.maximum }),
      ...(this.unlisted.size > 0 && { unlisted: Object.fromEntries([...this.unlisted].sort(([a], [b]) => (a < b ? -1 : 1))) }),
    };
  }
}

/** First bin whose edge is not below the value. */
function binOf(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] >= value) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/** The counts of both parts. */
export function mergeCounts(a: Counts, b: Counts): Counts {
  const added = (left: readonly number[], right: readonly number[]): number[] => left.map((count, index) => count + right[index]);
  const bounds = [a, b].filter((part) => part.minimum !== undefined);
  const names = [...new Set([...Object.keys(a.unlisted ?? {}), ...Object.keys(b.unlisted ?? {})])].sort();
  return {
    rows: a.rows + b.rows,
    missing: a.missing + b.missing,
    invalid: a.invalid + b.invalid,
    counts: added(a.counts, b.counts),
    ...(a.offsets && b.offsets && { offsets: added(a.offsets, b.offsets) }),
    ...(bounds.length > 0 && {
      minimum: Math.min(...bounds.map((part) => part.minimum as number)),
      maximum: Math.max(...bounds.map((part) => part.maximum as number)),
    }),
    ...(names.length > 0 && {
      unlisted: Object.fromEntries(names.map((name) => [name, (own(a.unlisted, name) ?? 0) + (own(b.unlisted, name) ?? 0)])),
    }),
  };
}

const own = (record: Readonly<Record<string, number>> | undefined, name: string): number | undefined =>
  record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;

/** Rows whose value is present and of the right type. */
export const usable = (counts: Counts): number => counts.rows - counts.missing - counts.invalid;

/** Mean of each filled bin with its count: the sample as far as the counters know it. */
export function binMeans(shape: NumericShape, counts: Counts): { readonly values: number[]; readonly weights: number[] } {
  const filled = counts.counts.map((_, bin) => bin).filter((bin) => counts.counts[bin] > 0);
  return {
    values: filled.map((bin) => shape.mean + ((counts.offsets?.[bin] ?? 0) / counts.counts[bin] / STEPS) * shape.deviation),
    weights: filled.map((bin) => counts.counts[bin]),
  };
}

import type { Cell, RowSink, TextRow } from '../rows';
import type { Counter } from './counters';
import { BATCH, CategoricalCounter, createCounter, NumericCounter } from './counters';
import { emptyCounts, mergeCounts } from './counts';
import type { Profile, WatchedFeature } from './types';

/** Numbers between the batches of two features: at a distance of a power of two they would all need the same places of the processor's cache. */
const STRIDE = BATCH + 8;

/** Counts the rows of a part of the data. The prediction has no column: it comes beside the row. */
export class Profiler implements RowSink {
  // Each kind in a loop of its own, so that the calls in it have one target.
  private readonly numeric: readonly NumericCounter[];
  private readonly numericColumns: Int32Array;
  private readonly categorical: readonly CategoricalCounter[];
  private readonly categoricalColumns: Int32Array;
  private readonly predictions: readonly Counter[];
  private readonly all: readonly { readonly name: string; readonly counter: Counter }[];
  private rows = 0;
  /** Batches of the numeric features, one behind the other, which fill row by row. */
  private readonly batches: Float64Array;
  private filled = 0;
  // Rows come from the same bytes many times in a row.
  private bytes?: Uint8Array;
  private view: DataView = new DataView(new ArrayBuffer(0));

  constructor(features: readonly WatchedFeature[]) {
    const isBatched = ({ column, shape }: WatchedFeature): boolean => column !== undefined && shape.kind === 'numeric';
    this.batches = new Float64Array(STRIDE * features.filter(isBatched).length);
    let batches = 0;
    const counterOf = (feature: WatchedFeature): Counter => {
      if (feature.shape.kind !== 'numeric' || !isBatched(feature)) {
        return createCounter(feature.shape);
      }
      const from = STRIDE * batches;
      batches += 1;
      return new NumericCounter(feature.shape, this.batches.subarray(from, from + BATCH));
    };
    const made = features.map((feature) => ({ name: feature.name, column: feature.column, counter: counterOf(feature) }));
    const placed = made.filter(({ column }) => column !== undefined);
    this.all = made;
    const numeric = placed.filter(({ counter }) => counter instanceof NumericCounter);
    const categorical = placed.filter(({ counter }) => counter instanceof CategoricalCounter);
    this.numeric = numeric.map(({ counter }) => counter as NumericCounter);
    this.numericColumns = Int32Array.from(numeric, ({ column }) => column as number);
    this.categorical = categorical.map(({ counter }) => counter as CategoricalCounter);
    this.categoricalColumns = Int32Array.from(categorical, ({ column }) => column as number);
    this.predictions = made.filter(({ column }) => column === undefined).map(({ counter }) => counter);
  }

  public text(row: TextRow): void {
    const { bytes, starts, ends, length, numbers } = row;
    this.rows += 1;
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const { view, numeric, numericColumns, batches, filled } = this;
    for (let index = 0, place = filled; index < numeric.length; index += 1, place += STRIDE) {
      const column = numericColumns[index];
      if (numbers !== undefined && numbers[column] - numbers[column] === 0) {
        batches[place] = numbers[column] + 0;
      } else if (column < length) {
        numeric[index].putText(filled, bytes, starts[column], ends[column]);
      } else {
        numeric[index].putCell(filled, undefined);
      }
    }
    this.fill();
    for (let index = 0; index < this.categorical.length; index += 1) {
      const column = this.categoricalColumns[index];
      if (column < length) {
        this.categorical[index].addText(bytes, view, starts[column], ends[column]);
      } else {
        this.categorical[index].addCell(undefined);
      }
    }
  }

  public cells(row: readonly Cell[]): void {
    this.rows += 1;
    for (let index = 0; index < this.numeric.length; index += 1) {
      this.numeric[index].putCell(this.filled, row[this.numericColumns[index]]);
    }
    this.fill();
    for (let index = 0; index < this.categorical.length; index += 1) {
      this.categorical[index].addCell(row[this.categoricalColumns[index]]);
    }
  }

  private fill(): void {
    this.filled += 1;
    if (this.filled === BATCH) {
      this.flush();
    }
  }

  private flush(): void {
    this.numeric.forEach((counter) => counter.count(this.filled));
    this.filled = 0;
  }

  /** The prediction of the last row; a row without one is not counted as a missing one. */
  public prediction(cell: Cell): void {
    for (const counter of this.predictions) {
      counter.addCell(cell);
    }
  }

  public toProfile(): Profile {
    this.flush();
    return { rows: this.rows, features: new Map(this.all.map(({ name, counter }) => [name, counter.toCounts()])) };
  }
}

export const emptyProfile = (features: readonly WatchedFeature[]): Profile => ({
  rows: 0,
  features: new Map(features.map(({ name, shape }) => [name, emptyCounts(shape)])),
});

/** The profile of both parts, which must be made for the same features; in any order and grouping the same. */
export function mergeProfiles(a: Profile, b: Profile): Profile {
  const missing = [...b.features.keys()].filter((name) => !a.features.has(name));
  if (a.features.size !== b.features.size || missing.length > 0) {
    throw new Error(`profiles of different features cannot be merged${missing.length > 0 ? `: only one has ${missing.join(', ')}` : ''}`);
  }
  return {
    rows: a.rows + b.rows,
    features: new Map([...a.features].map(([name, counts]) => [name, mergeCounts(counts, b.features.get(name)!)])),
  };
}

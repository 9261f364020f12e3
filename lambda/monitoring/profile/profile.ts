import type { Cell, RowSink, TextRow } from '../rows';
import type { Counter } from './counters';
import { createCounter } from './counters';
import { emptyCounts, mergeCounts } from './counts';
import type { Profile, WatchedFeature } from './types';

/** Counts the rows of a part of the data. The prediction has no column: it comes beside the row. */
export class Profiler implements RowSink {
  private readonly columns: Int32Array;
  private readonly counters: readonly Counter[];
  private readonly predictions: readonly Counter[];
  private readonly all: readonly { readonly name: string; readonly counter: Counter }[];
  private rows = 0;

  constructor(features: readonly WatchedFeature[]) {
    const made = features.map(({ name, column, shape }) => ({ name, column, counter: createCounter(shape) }));
    const placed = made.filter(({ column }) => column !== undefined);
    this.all = made;
    this.columns = Int32Array.from(placed, ({ column }) => column as number);
    this.counters = placed.map(({ counter }) => counter);
    this.predictions = made.filter(({ column }) => column === undefined).map(({ counter }) => counter);
  }

  public text(row: TextRow): void {
    const { bytes, starts, ends, length } = row;
    const { columns, counters } = this;
    this.rows += 1;
    for (let index = 0; index < counters.length; index += 1) {
      const column = columns[index];
      if (column < length) {
        counters[index].addText(bytes, starts[column], ends[column]);
      } else {
        counters[index].addCell(undefined);
      }
    }
  }

  public cells(row: readonly Cell[]): void {
    const { columns, counters } = this;
    this.rows += 1;
    for (let index = 0; index < counters.length; index += 1) {
      counters[index].addCell(row[columns[index]]);
    }
  }

  /** The prediction of the last row; a row without one is not counted as a missing one. */
  public prediction(cell: Cell): void {
    for (const counter of this.predictions) {
      counter.addCell(cell);
    }
  }

  public toProfile(): Profile {
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

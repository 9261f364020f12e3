import type { Cell, RowSink, TextRow } from '../rows';
import { breaksRelation } from './rules';
import type { ConsistencyConstraint } from './types';

export type Pair = Pick<ConsistencyConstraint, 'left' | 'relation' | 'right'>;

/** How often a relation was broken, of the rows that it is about. Counts of parts of the data add up. */
export interface PairCount extends Pair {
  readonly broken: number;
  readonly of: number;
}

export const isSamePair = (a: Pair, b: Pair): boolean => a.left === b.left && a.relation === b.relation && a.right === b.right;

/** A candidate that fails more often than this is none, and is not counted on. */
const HOPELESS = { least: 20, share: 0.05 };

const text = new TextDecoder();

/** Counts relations between columns; columns that are not there leave their pairs uncounted. */
export class PairCounter implements RowSink {
  private readonly pairs: readonly (Pair & { readonly at: readonly [number, number] })[];
  private readonly broken: Float64Array;
  private readonly of: Float64Array;

  /** @param onlyPromising gives up on pairs that fail often: for candidates, whose exact counts nobody asks for then */
  constructor(
    columns: readonly string[],
    pairs: readonly Pair[],
    private readonly onlyPromising = false,
  ) {
    this.pairs = pairs
      .map(({ left, relation, right }) => ({ left, relation, right, at: [columns.indexOf(left), columns.indexOf(right)] as const }))
      .filter(({ at }) => at[0] >= 0 && at[1] >= 0);
    this.broken = new Float64Array(this.pairs.length);
    this.of = new Float64Array(this.pairs.length);
  }

  text({ bytes, starts, ends, length }: TextRow): void {
    this.count((column) => (column < length ? text.decode(bytes.subarray(starts[column], ends[column])) : undefined));
  }

  cells(row: readonly Cell[]): void {
    this.count((column) => row[column]);
  }

  counts(): PairCount[] {
    return this.pairs.map(({ left, relation, right }, index) => ({ left, relation, right, broken: this.broken[index], of: this.of[index] }));
  }

  private count(cell: (column: number) => Cell): void {
    for (let index = 0; index < this.pairs.length; index += 1) {
      if (this.onlyPromising && this.broken[index] > HOPELESS.least && this.broken[index] > HOPELESS.share * this.of[index]) continue;
      const pair = this.pairs[index];
      const isBroken = breaksRelation(pair, cell(pair.at[0]), cell(pair.at[1]));
      if (isBroken === undefined) continue;
      this.of[index] += 1;
      if (isBroken) this.broken[index] += 1;
    }
  }
}

/** Counts of several parts of the data together. */
export function addPairs(parts: readonly (readonly PairCount[])[]): PairCount[] {
  const sums = new Map<string, PairCount>();
  for (const count of parts.flat()) {
    const key = JSON.stringify([count.left, count.relation, count.right]);
    const before = sums.get(key);
    sums.set(key, before ? { ...before, broken: before.broken + count.broken, of: before.of + count.of } : count);
  }
  return [...sums.values()];
}

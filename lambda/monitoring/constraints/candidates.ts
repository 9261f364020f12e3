import type { BaselineFeature } from '../baseline/types';
import type { Counts, NumericShape } from '../profile/types';
import type { Pair, PairCount } from './pairs';
import { largestShare } from './shares';
import type { ConsistencyConstraint } from './types';

/** Candidates are counted in every row. */
const MOST_CANDIDATES = 50;
const MOST_RULES = 20;
/** Columns beyond these are not paired: the pairs grow with their square. */
const MOST_COLUMNS = 200;
/** A relation says something only where chance would have broken it so often. */
const FEWEST_BY_CHANCE = 30;
/** A relation may fail in so small a share of the rows. */
const TOLERATED = 0.001;

type Numeric = BaselineFeature & { readonly shape: NumericShape };

/**
 * Relations that may hold between columns, by their counts alone; whether they do is counted row by row (PairCounter). Only those are named that
 * unrelated columns would break often: that a column of ages is below one of incomes tells nothing.
 */
export function pairCandidates(features: readonly BaselineFeature[]): Pair[] {
  const columns = features.filter(({ role }) => role !== 'prediction').slice(0, MOST_COLUMNS);
  const numeric = columns.filter((feature): feature is Numeric => feature.shape.kind === 'numeric');
  const found: (Pair & { readonly byChance: number })[] = [];
  for (const a of columns) {
    for (const b of columns) {
      const byChance = a === b ? 0 : presenceByChance(a.counts, b.counts);
      if (byChance >= FEWEST_BY_CHANCE) found.push({ left: a.name, relation: 'present-with', right: b.name, byChance });
    }
  }
  for (const [index, a] of numeric.entries()) {
    for (const b of numeric.slice(index + 1)) {
      const pair = orderOf(a, b);
      if (pair && pair.byChance >= FEWEST_BY_CHANCE) found.push(pair);
    }
  }
  return found
    .sort((a, b) => b.byChance - a.byChance)
    .slice(0, MOST_CANDIDATES)
    .map(({ left, relation, right }) => ({ left, relation, right }));
}

/** Relations that the rows keep, most telling first. */
export function relationsOf(counts: readonly PairCount[]): ConsistencyConstraint[] {
  return counts
    .filter(({ broken, of }) => of > 0 && broken <= TOLERATED * of)
    .slice(0, MOST_RULES)
    .map(({ left, relation, right, broken, of }) => ({ left, relation, right, allowedShare: largestShare(broken, of), severity: 'warning' }));
}

/** Rows that would have the left value without the right one, if the two had nothing to do with each other. */
function presenceByChance(a: Counts, b: Counts): number {
  // Where the left has more values than the right, some must be without it.
  if (a.rows === 0 || a.missing < b.missing) return 0;
  return ((a.rows - a.missing) / a.rows) * b.missing;
}

/** The order that the quantiles of both stand in, with the rows that would break it if they had nothing to do with each other. */
function orderOf(a: Numeric, b: Numeric): (Pair & { readonly byChance: number }) | undefined {
  const [left, right] = [quantiles(a), quantiles(b)];
  const isEqual = left.every((value, index) => value === right[index]);
  const isBelow = left.every((value, index) => value <= right[index]);
  const isAbove = left.every((value, index) => value >= right[index]);
  if (!isBelow && !isAbove) return undefined;
  const [low, high] = isBelow ? [a, b] : [b, a];
  const [lower, upper] = isBelow ? [left, right] : [right, left];
  const rows = Math.min(a.counts.rows - a.counts.missing, b.counts.rows - b.counts.missing);
  const crossed = lower.reduce((sum, value) => sum + upper.filter((other) => value > other).length, 0) / lower.length ** 2;
  return { left: low.name, relation: isEqual ? '=' : '<=', right: high.name, byChance: crossed * rows };
}

const LEVELS = Array.from({ length: 19 }, (_, index) => (index + 1) / 20);

function quantiles({ shape, counts }: Numeric): number[] {
  const total = counts.counts.reduce((sum, count) => sum + count, 0);
  const found: number[] = [];
  let below = 0;
  counts.counts.forEach((count, bin) => {
    below += count;
    while (found.length < LEVELS.length && below >= LEVELS[found.length] * total) found.push(shape.edges[bin] ?? counts.maximum ?? 0);
  });
  return found;
}

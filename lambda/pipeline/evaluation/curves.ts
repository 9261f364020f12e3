import type { QualityTable } from '../../monitoring/quality/table';
import type { Curves } from './types';

const POINTS = 100;

/** ROC and precision against recall at a hundred thresholds; of binary tasks with both classes. */
export const curvesOf = ({ task, truth, prediction, rows }: QualityTable): Curves | undefined => {
  if (task.kind !== 'BINARY_CLASSIFICATION') return undefined;
  const scores = prediction.subarray(0, rows);
  const positives = scores.filter((_, row) => truth[row] === 1).sort();
  const negatives = scores.filter((_, row) => truth[row] !== 1).sort();
  if (positives.length === 0 || negatives.length === 0) return undefined;
  // As many thresholds from each class: a rare one would be a single step otherwise.
  const thresholds = [...new Set([positives, negatives].flatMap((side) => quantiles(side, POINTS / 2)))].sort((a, b) => b - a);
  const points = thresholds.map((threshold) => ({ hits: from(positives, threshold), misses: from(negatives, threshold) }));
  return {
    roc: [[0, 0], ...points.map(({ hits, misses }) => [rounded(misses / negatives.length), rounded(hits / positives.length)] as const), [1, 1]],
    precisionRecall: points
      .filter(({ hits, misses }) => hits + misses > 0)
      .map(({ hits, misses }) => [rounded(hits / positives.length), rounded(hits / (hits + misses))] as const),
  };
};

const quantiles = (sorted: Float64Array, count: number): number[] =>
  Array.from({ length: count }, (_, index) => sorted[Math.floor((index * (sorted.length - 1)) / (count - 1))]);

/** Values at or above the threshold. */
const from = (sorted: Float64Array, threshold: number): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < threshold) low = middle + 1;
    else high = middle;
  }
  return sorted.length - low;
};

const rounded = (share: number): number => Math.round(share * 1e5) / 1e5;

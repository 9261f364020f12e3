import { cellOfBins } from '../profile/cells';
import { binMean, STEPS } from '../profile/counts';
import type { Counts, NumericShape } from '../profile/types';

const LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

/** Upper edges of the cells but the last. */
export function cellEdges(shape: NumericShape, cellOfBin: Uint16Array): number[] {
  return shape.edges.filter((_, bin) => cellOfBin[bin] !== cellOfBin[bin + 1]);
}

/** Counts between ascending edges with what else is known of the values. */
export interface Histogram extends Pick<Counts, 'counts' | 'minimum' | 'maximum'> {
  readonly edges: readonly number[];
  /** Mean of a filled bin; absent where only cells are known. */
  readonly meanOf?: (bin: number) => number;
}

/** Counters as a histogram. */
export const histogramOf = (shape: NumericShape, counts: Counts): Histogram => ({
  ...counts,
  edges: shape.edges,
  meanOf: (bin) => binMean(shape, counts, bin),
});

/**
 * Quantiles, in a straight line within a bin unless all of its values stand at its upper edge; bins at the ends reach to the extremes where these are
 * known. Undefined where a bin has no end that is known.
 */
export function quantilesOf(histogram: Histogram, deviation: number): number[] | undefined {
  const { counts, edges, meanOf, minimum = -Infinity, maximum = Infinity } = histogram;
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const found = LEVELS.map((level) => {
    let [bin, below] = [0, 0];
    while (bin < counts.length - 1 && below + counts[bin] < level * rows) {
      below += counts[bin];
      bin += 1;
    }
    const upper = Math.min(edges[bin] ?? maximum, maximum);
    const lower = Math.max(edges[bin - 1] ?? minimum, minimum);
    const [from, to] = [Number.isFinite(lower) ? lower : upper, Number.isFinite(upper) ? upper : lower];
    const atEdge = Math.abs((meanOf?.(bin) ?? NaN) - to) <= deviation / STEPS;
    const part = atEdge || counts[bin] === 0 ? 1 : (level * rows - below) / counts[bin];
    // Written so that ends far from each other do not overflow.
    return part === 1 ? to : from * (1 - part) + to * part;
  });
  return rows > 0 && found.every(Number.isFinite) ? found : undefined;
}

/**
 * Area between the distribution functions in standard deviations of the training data, with both in a straight line within a cell; beyond the
 * outermost edges only the window's extremes are known.
 */
export function wassersteinOfCells(
  shape: NumericShape,
  sides: { readonly reference: readonly number[]; readonly window: readonly number[] },
  window: Counts,
): number | undefined {
  const edges = cellEdges(shape, cellOfBins(shape));
  const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
  const [n, m] = [total(sides.reference), total(sides.window)];
  if (edges.length === 0 || !(shape.deviation > 0)) {
    return undefined;
  }
  const from = Math.min(window.minimum ?? edges[0], edges[0]);
  const to = Math.max(window.maximum ?? edges[edges.length - 1], edges[edges.length - 1]);
  let [below, belowWindow, before, area] = [0, 0, 0, 0];
  [...edges, to].forEach((edge, cell) => {
    below += sides.reference[cell];
    belowWindow += sides.window[cell];
    const after = cell === edges.length ? 0 : below / n - belowWindow / m;
    const width = edge - (cell === 0 ? from : edges[cell - 1]);
    area += width * meanAbsolute(before, after);
    before = after;
  });
  const distance = area / shape.deviation;
  return Number.isFinite(distance) ? distance : undefined;
}

/** Mean of |x| along the straight line from `a` to `b`. */
const meanAbsolute = (a: number, b: number): number =>
  a * b >= 0 ? Math.abs(a + b) / 2 : (a * a + b * b) / (2 * (Math.abs(a) + Math.abs(b)));

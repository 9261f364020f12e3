import type { FeatureResult } from '../../../lib/monitoring/contract';
import { cellOfBins, toBlockCells } from '../profile/cells';
import { binMeans, usable } from '../profile/counts';
import { ranked } from '../profile/names';
import { estimateDistinct, SKETCH_ERROR } from '../profile/sketch';
import type { BlockCells, Counts, NumericShape, Shape } from '../profile/types';
import {
  chiSquareTwoSample,
  hellingerDistance,
  jensenShannonDistance,
  ksPValue,
  lInfinity,
  populationStabilityIndex,
  wassersteinDistance,
} from '../statistics';
import { rowsOf } from './components';
import { cellEdges, Histogram, histogramOf, quantilesOf, wassersteinOfCells } from './quantiles';

/** What the counters of a feature say about reference and window; what does not exist is left out. */
export type Figures = Pick<
  FeatureResult,
  | 'referenceRows'
  | 'rows'
  | 'missingShare'
  | 'referenceMissingShare'
  | 'invalidShare'
  | 'statistics'
  | 'minimum'
  | 'maximum'
  | 'quantiles'
  | 'distinct'
  | 'unseenShare'
  | 'unseen'
>;

/** Counts of both sides over the same cells. */
interface Sides {
  readonly reference: readonly number[];
  readonly window: readonly number[];
}

const GROUPS = 10;
/** Fewest rows that a cell of a chi-square test should expect. */
const EXPECTED = 5;
const UNSEEN_NAMES = 10;

/**
 * Figures of a window against full counters, or against the cells of some blocks; against cells, missing shares include invalid values. They
 * describe, the verdict does not rest on them: their p-values take rows for independent.
 */
export function compareCounts(shape: Shape, reference: Counts | BlockCells | undefined, window: Counts): Figures {
  return {
    referenceRows: reference === undefined ? 0 : isCells(reference) ? rowsOf(reference) : reference.rows,
    rows: window.rows,
    missingShare: share(window.missing, window.rows),
    referenceMissingShare: reference === undefined ? 0 : missingShareOf(reference),
    invalidShare: share(window.invalid, window.rows),
    statistics: reference === undefined ? {} : statisticsOf(shape, reference, window),
    ...(window.minimum !== undefined && { minimum: window.minimum }),
    ...(window.maximum !== undefined && { maximum: window.maximum }),
    ...(shape.kind === 'numeric' && quantiles(shape, reference, window)),
    ...(window.sketch !== undefined && { distinct: { count: estimateDistinct(window.sketch), relativeError: SKETCH_ERROR } }),
    ...(shape.kind === 'categorical' && !shape.hasOther && unseen(window)),
  };
}

const isCells = (reference: Counts | BlockCells): reference is BlockCells => Array.isArray(reference);

const share = (count: number, rows: number): number => (rows > 0 ? count / rows : 0);

const missingShareOf = (reference: Counts | BlockCells): number =>
  isCells(reference) ? share(reference[reference.length - 1], rowsOf(reference)) : share(reference.missing, reference.rows);

function statisticsOf(shape: Shape, reference: Counts | BlockCells, window: Counts): FeatureResult['statistics'] {
  const sides = sidesOf(shape, reference, window);
  const [n, m] = [total(sides.reference), total(sides.window)];
  if (n === 0 || m === 0) {
    return {};
  }
  const groups = shape.kind === 'numeric' ? quantileGroups(sides.reference) : categoryGroups(sides, n, m);
  const inGroups = (counts: readonly number[]): number[] => groups.map((group) => group.reduce((sum, cell) => sum + counts[cell], 0));
  const [expected, seen] = [inGroups(sides.reference), inGroups(sides.window)];
  const [p, q] = [expected.map((count) => count / n), seen.map((count) => count / m)];
  const chiSquare = chiSquareTwoSample(expected, seen);
  return {
    // An empty group only says that the share is below about half a row of the smaller side.
    psi: populationStabilityIndex(p, q, { zeroPolicy: 'floor', floor: 0.5 / Math.min(n, m) }),
    jensenShannon: jensenShannonDistance(p, q, 2),
    hellinger: hellingerDistance(p, q),
    ...(chiSquare && { chiSquare }),
    ...(shape.kind === 'numeric'
      ? numbers(shape, reference, window, sides)
      : { lInfinity: lInfinity(sides.reference.map((count) => count / n), sides.window.map((count) => count / m)) }),
  };
}

function sidesOf(shape: Shape, reference: Counts | BlockCells, window: Counts): Sides {
  return isCells(reference)
    ? { reference: reference.slice(0, -1), window: toBlockCells(shape, window).slice(0, -1) }
    : { reference: reference.counts, window: window.counts };
}

function numbers(shape: NumericShape, reference: Counts | BlockCells, window: Counts, sides: Sides): FeatureResult['statistics'] {
  const [n, m] = [total(sides.reference), total(sides.window)];
  let [below, belowWindow, statistic] = [0, 0, 0];
  sides.reference.forEach((count, cell) => {
    below += count;
    belowWindow += sides.window[cell];
    statistic = Math.max(statistic, Math.abs(below / n - belowWindow / m));
  });
  const wasserstein = isCells(reference) ? wassersteinOfCells(shape, sides, window) : wassersteinOfCounts(shape, reference, window);
  return { ks: { statistic, pValue: ksPValue(statistic, n, m) }, ...(wasserstein !== undefined && { wasserstein }) };
}

function wassersteinOfCounts(shape: NumericShape, reference: Counts, window: Counts): number | undefined {
  const [expected, seen] = [binMeans(shape, reference), binMeans(shape, window)];
  const mean = expected.values.reduce((sum, value, index) => sum + (value * expected.weights[index]) / usable(reference), 0);
  const variance = expected.values.reduce((sum, value, index) => sum + ((value - mean) ** 2 * expected.weights[index]) / usable(reference), 0);
  const distance = wassersteinDistance(expected.values, seen.values, expected.weights, seen.weights);
  return distance === undefined || !(variance > 0) ? undefined : finite(distance / Math.sqrt(variance));
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

function quantiles(shape: NumericShape, reference: Counts | BlockCells | undefined, window: Counts): Pick<Figures, 'quantiles'> {
  if (reference === undefined) {
    return {};
  }
  const cells = (counts: BlockCells): Histogram => ({ counts: counts.slice(0, -2), edges: cellEdges(shape, cellOfBins(shape)) });
  const before = quantilesOf(isCells(reference) ? cells(reference) : histogramOf(shape, reference), shape.deviation);
  const now = quantilesOf(histogramOf(shape, window), shape.deviation);
  return before === undefined || now === undefined ? {} : { quantiles: { reference: before, window: now } };
}

function unseen(window: Counts): Pick<Figures, 'unseenShare' | 'unseen'> {
  const names = ranked(window.unlisted).slice(0, UNSEEN_NAMES);
  return {
    ...(window.rows > 0 && { unseenShare: window.counts[window.counts.length - 1] / window.rows }),
    ...(names.length > 0 && { unseen: names }),
  };
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

/** Neighbouring bins taken together to about a tenth of the reference each; values that are frequent by themselves keep their own group. */
function quantileGroups(counts: readonly number[]): number[][] {
  const all = total(counts);
  const groups: number[][] = [[]];
  let [cumulative, closedAt] = [0, 0];
  counts.forEach((count, bin) => {
    groups[groups.length - 1].push(bin);
    cumulative += count;
    if (cumulative - closedAt >= all / GROUPS - 1e-9 && all - cumulative >= all / GROUPS / 2) {
      groups.push([]);
      closedAt = cumulative;
    }
  });
  return groups.filter((group) => group.length > 0);
}

/** Categories from common to rare; rare ones taken together until a window of this size should hold five rows of them. */
function categoryGroups({ reference, window }: Sides, n: number, m: number): number[][] {
  const last = reference.length - 1;
  const known = reference.map((_, cell) => cell).slice(0, last).sort((a, b) => reference[b] - reference[a] || a - b);
  const groups: number[][] = [];
  let [open, expected]: [number[], number] = [[], 0];
  for (const cell of known) {
    open.push(cell);
    expected += (reference[cell] * m) / n;
    if (expected >= EXPECTED) {
      groups.push(open);
      [open, expected] = [[], 0];
    }
  }
  const rest = [...open, last];
  return rest.some((cell) => reference[cell] + window[cell] > 0) ? [...groups, rest] : groups;
}

import type { FeatureChart } from '../drift/types';
import { cellOfBins } from '../profile/cells';
import type { BlockCells, CategoricalShape, Counts, NumericShape } from '../profile/types';

/** Reference and window in a form that can be drawn, whether the reference is full counters or the coarse cells of blocks. */

export interface Bins {
  /** Ascending; bin i lies between bounds i and i + 1. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly total: number;
}

const isCells = (side: Counts | BlockCells): side is BlockCells => Array.isArray(side);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Values that could be counted. */
export const present = (side: Counts | BlockCells | undefined): number =>
  side === undefined ? 0 : isCells(side) ? sum(side.slice(0, -1)) : sum(side.counts);

export function binsOf(shape: NumericShape, side: Counts | BlockCells, other: Counts): Bins {
  const { edges } = shape;
  const last = edges.length - 1;
  const span = last > 0 ? edges[last] - edges[0] : Math.abs(shape.deviation) || 1;
  const lowest = Math.min(edges[0] ?? shape.mean, (isCells(side) ? other : side).minimum ?? Infinity);
  const highest = Math.max(edges[last] ?? shape.mean, (isCells(side) ? other : side).maximum ?? -Infinity);
  const outer = span / 1000;
  const bounds = [lowest - outer, ...edges, Math.max(highest, (edges[last] ?? highest) + outer)];
  const counts = isCells(side) ? side.slice(0, -2) : side.counts;
  if (!isCells(side)) return { bounds, counts, total: sum(counts) };
  // A cell holds neighbouring bins: it begins where its first bin does.
  const cellOf = cellOfBins(shape);
  const starts = counts.map((_, cell) => cellOf.indexOf(cell));
  return { bounds: [...starts.map((start) => bounds[start]), bounds[bounds.length - 1]], counts, total: sum(counts) };
}

/** Whether bins hold single values, their upper edges, as counts and hours do. */
export const isDiscrete = ({ edges }: NumericShape): boolean => edges.length > 0 && edges.length <= 60;

/** Value below which a share of the counted values lies. */
export function quantile({ bounds, counts, total }: Bins, share: number): number {
  let left = share * total;
  for (let bin = 0; bin < counts.length; bin += 1) {
    if (counts[bin] > 0 && counts[bin] >= left) return bounds[bin] + (bounds[bin + 1] - bounds[bin]) * (left / counts[bin]);
    left -= counts[bin];
  }
  return bounds[bounds.length - 1];
}

/** Shares in bins of equal width: each counted bin is spread evenly over its own, what lies outside goes to the ends. */
export function spread({ bounds, counts, total }: Bins, low: number, high: number, bins: number): number[] {
  const shares = new Array<number>(bins).fill(0);
  const position = (value: number): number => Math.min(bins, Math.max(0, ((value - low) / (high - low)) * bins));
  counts.forEach((count, bin) => {
    if (count === 0) return;
    const [from, to] = [position(bounds[bin]), position(bounds[bin + 1])];
    const width = to - from;
    const first = Math.min(bins - 1, Math.floor(from));
    if (width < 1e-9) {
      shares[first] += count / total;
      return;
    }
    for (let index = first; index < to && index < bins; index += 1) {
      shares[index] += ((Math.min(index + 1, to) - Math.max(index, from)) / width) * (count / total);
    }
  });
  return shares;
}

export interface Bar {
  readonly name: string;
  readonly before?: number;
  readonly now: number;
}

/** The commonest categories of either side, the rest together, and what training never saw. */
export function barsOf(shape: CategoricalShape, { reference, window }: Pick<FeatureChart, 'reference' | 'window'>, most: number): Bar[] {
  const [before, now] = [reference && present(reference), present(window)];
  const coarse = reference !== undefined && isCells(reference);
  const cellOf = coarse ? cellOfBins(shape) : undefined;
  const named = cellOf ? shape.categories.filter((_, cell) => cellOf[cell] === cell).length : shape.categories.length;
  const old = (cell: number): number | undefined =>
    reference === undefined || !before ? undefined : ((isCells(reference) ? reference : reference.counts)[cell] ?? 0) / before;
  const current = (cell: number): number => (now === 0 ? 0 : (window.counts[cell] ?? 0) / now);
  const all = shape.categories.slice(0, named).map((name, cell): Bar => ({ name, before: old(cell), now: current(cell) }));
  const largest = ({ before: then = 0, now: here }: Bar): number => Math.max(then, here);
  const shown = new Set([...all].sort((a, b) => largest(b) - largest(a)).slice(0, most));
  const bars = all.filter((bar) => shown.has(bar));
  if (bars.every(({ name }) => name.trim() !== '' && Number.isFinite(Number(name)))) bars.sort((a, b) => Number(a.name) - Number(b.name));
  const shareOf = (pick: (bar: Bar) => number | undefined): number => sum(bars.map((bar) => pick(bar) ?? 0));
  const never = shape.hasOther ? 0 : current(shape.categories.length);
  // Of coarse cells the last but one counts what the reference never held.
  const neverBefore = coarse ? old(reference.length - 2) : shape.hasOther ? 0 : old(shape.categories.length);
  const rest: Bar = {
    name: 'others',
    before: before ? Math.max(0, 1 - shareOf((bar) => bar.before) - (neverBefore ?? 0)) : undefined,
    now: now === 0 ? 0 : Math.max(0, 1 - shareOf((bar) => bar.now) - never),
  };
  const unseen: Bar = { name: 'never seen', before: neverBefore, now: never };
  return [...bars, ...[rest, unseen].filter((bar) => largest(bar) > 1e-9)];
}

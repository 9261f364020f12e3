import { NameCounts } from './names';
import { Sketch } from './sketch';
import type { Counts, NumericShape, Shape } from './types';

/** Steps per standard deviation: a bin's mean is right to 1/2048 of one, and sums stay whole up to 60 million rows. */
export const STEPS = 1024;
/** Farther values count as this far, so that sums stay exact. */
export const FARTHEST = 2 ** 27;

/** Steps per unit of a numeric feature. */
export const stepsPerUnit = (shape: NumericShape): number => Math.min(Number.MAX_VALUE, STEPS / Math.max(shape.deviation, Number.MIN_VALUE));

/** Number of counts under a shape. */
export const countLength = (shape: Shape): number => (shape.kind === 'numeric' ? shape.edges.length : shape.categories.length) + 1;

export const emptyCounts = (shape: Shape): Counts => ({
  rows: 0,
  missing: 0,
  invalid: 0,
  counts: new Array<number>(countLength(shape)).fill(0),
  ...(shape.kind === 'numeric' && { offsets: new Array<number>(countLength(shape)).fill(0), negative: 0, fractional: 0 }),
});

/** The counts of both parts, which must be counted under one shape. */
export function mergeCounts(a: Counts, b: Counts): Counts {
  if (a.counts.length !== b.counts.length || (a.offsets === undefined) !== (b.offsets === undefined)) {
    throw new Error(`counts of ${a.counts.length} and of ${b.counts.length} cells: they were made under different shapes`);
  }
  const bounds = [a, b].filter((part) => part.minimum !== undefined);
  const unlisted = mergeNames(a.unlisted, b.unlisted);
  const sketch = mergeSketches(a.sketch, b.sketch);
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
    ...(a.negative !== undefined && b.negative !== undefined && { negative: a.negative + b.negative }),
    ...(a.fractional !== undefined && b.fractional !== undefined && { fractional: a.fractional + b.fractional }),
    ...(unlisted && { unlisted }),
    ...(sketch !== undefined && { sketch }),
  };
}

const added = (left: readonly number[], right: readonly number[]): number[] => left.map((count, index) => count + right[index]);

function mergeNames(a: Counts['unlisted'], b: Counts['unlisted']): Counts['unlisted'] {
  const names = new NameCounts();
  [a, b].forEach((part) => Object.entries(part ?? {}).forEach(([name, count]) => names.add(name, count)));
  return names.toRecord();
}

function mergeSketches(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined || a === b) {
    return a ?? b;
  }
  const sketch = Sketch.fromText(a);
  sketch.merge(Sketch.fromText(b));
  return sketch.toText();
}

/** Rows whose value is present and of the right type. */
export const usable = (counts: Counts): number => counts.rows - counts.missing - counts.invalid;

/** Mean of the values in a filled bin. */
export const binMean = (shape: NumericShape, { counts, offsets }: Counts, bin: number): number =>
  shape.mean + (offsets?.[bin] ?? 0) / counts[bin] / stepsPerUnit(shape);

/** Mean of each filled bin with its count: the sample as far as the counters know it. */
export function binMeans(shape: NumericShape, counts: Counts): { readonly values: number[]; readonly weights: number[] } {
  const filled = counts.counts.map((_, bin) => bin).filter((bin) => counts.counts[bin] > 0);
  return {
    values: filled.map((bin) => binMean(shape, counts, bin)),
    weights: filled.map((bin) => counts.counts[bin]),
  };
}

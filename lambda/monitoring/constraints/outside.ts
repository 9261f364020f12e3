import { FARTHEST, stepsPerUnit } from '../profile/counts';
import type { Counts, NumericShape } from '../profile/types';

/**
 * At least so many values lie outside a range: zero exactly where none does. Bins beyond a bound count whole. Of a bin that the bound divides, the
 * sum tells: values above the bound are at most as large as the bin's largest, so a large sum needs many of them.
 */
export function leastOutside(shape: NumericShape, counts: Counts, from = -Infinity, to = Infinity): number {
  const { minimum, maximum } = counts;
  if (minimum === undefined || maximum === undefined) return 0;
  const { edges, mean } = shape;
  const perUnit = stepsPerUnit(shape);
  let above = 0;
  let below = 0;
  counts.counts.forEach((count, bin) => {
    if (count === 0) return;
    const low = Math.max(bin === 0 ? -Infinity : edges[bin - 1], minimum);
    const high = Math.min(bin === edges.length ? Infinity : edges[bin], maximum);
    const offset = counts.offsets?.[bin];
    // Each value is rounded to whole steps, and far ones are cut off: neither may make the sum tell more than the values do.
    const isCut = (value: number): boolean => Math.abs(value - mean) * perUnit >= FARTHEST;
    const average = offset === undefined || isCut(low) || isCut(high) ? undefined : mean + offset / count / perUnit;
    above += portion(count, low - to, high - to, average === undefined ? undefined : average - to - 0.5 / perUnit);
    below += portion(count, from - high, from - low, average === undefined ? undefined : from - average - 0.5 / perUnit);
  });
  return Math.max(above, maximum > to ? 1 : 0) + Math.max(below, minimum < from ? 1 : 0);
}

/** Of so many values between `least` and `most` with this average, at least so many are above zero. */
function portion(count: number, least: number, most: number, average: number | undefined): number {
  if (!(most > 0)) return 0;
  if (least > 0) return count;
  if (average === undefined || !Number.isFinite(most)) return 0;
  return Math.min(count, Math.max(0, Math.ceil((count * average) / most - 1e-9)));
}

import type { CategoricalShape, Counts, NumericShape, Shape } from '../profile/types';
import { readCategory, readNumeric } from '../values';
import { largestShare, smallestShare } from './shares';
import type { FeatureConstraints, ValueType } from './types';

/** A domain is stated for at most so many values, of which at most this share was seen once only. */
const DOMAIN = { values: 100, singletons: 0.1 };
/** By chance all of n values in a range of R whole numbers differ where n² is not far above R. */
const CHANCE_OF_DISTINCT = 20;
const FEWEST_UNIQUE = 100;
/** A bound is written with so many digits below the spread of the middle half. */
const DIGITS = 100;

export interface ShapedCounts {
  readonly name: string;
  readonly shape: Shape;
  readonly counts: Counts;
  readonly distinct?: { readonly count: number; readonly exact: boolean };
}

/** Distances between the outer thousandths and the range, in interquartile ranges: the first that held-out data keeps is taken. */
export const WIDENINGS = [1.5, 3, 6, 12] as const;

/** Constraints that one column's counts suggest. What holds of every value is suggested with the share that this many values leave open. */
export function suggestFeature({ name, shape, counts, distinct }: ShapedCounts, widening: number = WIDENINGS[0]): FeatureConstraints {
  const present = counts.rows - counts.missing;
  if (present === 0) return { name };
  const type = typeOf(shape, counts);
  const domain = shape.kind === 'categorical' ? domainOf(shape, counts) : undefined;
  const unique = distinct !== undefined && isUnique(type, counts, distinct);
  const invalid = shape.kind === 'numeric' ? counts.invalid : 0;
  return {
    name,
    type: { is: type, allowedShare: largestShare(invalid, present), severity: 'error' },
    presence: { atLeast: smallestShare(present, counts.rows), severity: counts.missing === 0 ? 'error' : 'warning' },
    ...(domain && { domain: { values: domain, allowedUnseenShare: largestShare(0, present), severity: 'warning' } }),
    // Numbers that tell rows apart go on rising: yesterday's range is none of theirs.
    ...(shape.kind === 'numeric' && !unique && numericRules(shape, counts, widening)),
    ...(unique && { unique: { atLeast: 1, severity: 'warning' } }),
  };
}

export function typeOf(shape: Shape, counts: Counts): ValueType {
  if (shape.kind === 'numeric') return counts.fractional === 0 ? 'integral' : 'fractional';
  const names = seen(shape, counts);
  if (names.every((name) => /^(true|false)$/i.test(name))) return 'boolean';
  const values = names.map(readNumeric);
  if (shape.hasOther || values.some((value) => typeof value !== 'number')) return 'string';
  return values.every(Number.isInteger) ? 'integral' : 'fractional';
}

const seen = ({ categories }: CategoricalShape, { counts }: Counts): string[] => categories.filter((_, index) => counts[index] > 0);

function domainOf(shape: CategoricalShape, counts: Counts): string[] | undefined {
  const values = seen(shape, counts);
  const singletons = counts.counts.filter((count) => count === 1).length;
  if (shape.hasOther || values.length > DOMAIN.values || singletons > DOMAIN.singletons * values.length) return undefined;
  return values.map((value) => readCategory(value) ?? value).sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
}

function numericRules(shape: NumericShape, counts: Counts, widening: number): Pick<FeatureConstraints, 'range' | 'nonNegative'> {
  const { minimum, maximum, negative } = counts;
  if (minimum === undefined || maximum === undefined) return {};
  const quantile = (share: number): number => quantileOf(shape, counts, share);
  const spread = quantile(0.75) - quantile(0.25) || shape.deviation || Math.abs(quantile(0.5)) || 1;
  const unit = 10 ** Math.floor(Math.log10(spread / DIGITS));
  const from = downTo(quantile(0.001) - widening * spread, unit);
  const to = -downTo(-(quantile(0.999) + widening * spread), unit);
  const isNonNegative = negative === 0;
  const numbers = counts.rows - counts.missing - counts.invalid;
  const outside = numbers === 0 ? 0 : tail(shape, counts, from, to);
  const allowedShare = largestShare(outside, counts.rows - counts.missing);
  // Non-negativity says it already.
  const lower = isNonNegative && from <= 0 ? {} : { from };
  return {
    ...(Number.isFinite(from) && Number.isFinite(to) && { range: { ...lower, to, allowedShare, severity: 'warning' } }),
    ...(isNonNegative && { nonNegative: { severity: 'warning' } }),
  };
}

/** Smallest edge that so large a share of the values does not exceed; beyond the last edge the maximum. */
function quantileOf({ edges }: NumericShape, { counts, minimum = 0, maximum = 0 }: Counts, share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (let bin = 0; bin < edges.length; bin += 1) {
    below += counts[bin];
    if (below >= share * total && below > 0) return Math.min(Math.max(edges[bin], minimum), maximum);
  }
  return maximum;
}

/** At most so many values lie outside: every bin that reaches there. */
function tail({ edges }: NumericShape, { counts, minimum = 0, maximum = 0 }: Counts, from: number, to: number): number {
  const below = minimum < from ? counts.filter((_, bin) => bin === 0 || edges[bin - 1] < from).reduce((sum, count) => sum + count, 0) : 0;
  const above = maximum > to ? counts.filter((_, bin) => bin === edges.length || edges[bin] > to).reduce((sum, count) => sum + count, 0) : 0;
  return below + above;
}

/** The next multiple of a power of ten below, without the noise of binary fractions. */
const downTo = (value: number, unit: number): number => Number((Math.floor(value / unit) * unit).toPrecision(12));

function isUnique(type: ValueType, counts: Counts, distinct: NonNullable<ShapedCounts['distinct']>): boolean {
  const { rows, missing, minimum = 0, maximum = 0 } = counts;
  const present = rows - missing;
  if (!distinct.exact || distinct.count !== present || present < FEWEST_UNIQUE) return false;
  if (type === 'string') return true;
  return type === 'integral' && maximum - minimum + 1 <= present ** 2 / CHANCE_OF_DISTINCT;
}

import { wilsonInterval } from '../statistics';
import { logGamma } from '../statistics/special';
import { number, percent } from '../words';

/** A share is too large only where chance would show as much less than once in a million checks: a window has hundreds of rules. */
const CHANCE = 1e-6;
/** Confidence of the bounds that are suggested. */
const CONFIDENCE = 0.999;

/**
 * Whether `broken` of `of` is more than the allowed share, sampling noise apart: the exact binomial probability of so many is below one in a million.
 * Wilson's bound would claim it too early where one or two rows are broken.
 */
export function exceeds(broken: number, of: number, allowed: number): boolean {
  if (!(broken > 0) || allowed >= 1) return false;
  if (allowed <= 0) return true;
  return broken / of > allowed && upperTail(broken, of, allowed) < CHANCE;
}

/** P(X >= k) for X binomial, k above the mean: the terms fall at least geometrically. */
function upperTail(k: number, n: number, p: number): number {
  const odds = p / (1 - p);
  let term = Math.exp(logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1) + k * Math.log(p) + (n - k) * Math.log1p(-p));
  let sum = term;
  for (let i = k; i < n && term > sum * 1e-12; i += 1) {
    term *= ((n - i) / (i + 1)) * odds;
    sum += term;
  }
  return sum;
}

/** Largest share that fits so many, rounded up to a hundredth of a percent. */
export const largestShare = (broken: number, of: number): number =>
  Math.min(1, Math.ceil(wilsonInterval(broken, of, CONFIDENCE).high * 10_000 - 1e-9) / 10_000);

/** Smallest share that fits so many, rounded down likewise. */
export const smallestShare = (present: number, of: number): number =>
  Math.max(0, Math.floor((1 - largestShare(of - present, of)) * 10_000 + 1e-9) / 10_000);

/** `0.13 % (26 of 20,000 values)` */
export const shareText = (broken: number, of: number, what: string): string =>
  `${percent(of === 0 ? 0 : broken / of)} (${number(broken)} of ${number(of)} ${what})`;

import { chiSquareSurvival, normalQuantile, normalTwoSided } from './special';

export interface ChiSquareResult {
  readonly statistic: number;
  readonly degreesOfFreedom: number;
  readonly pValue: number;
}

/** Chi-square test of two samples of counts over the same categories, without Yates' correction; undefined below two categories or without a row. */
export function chiSquareTwoSample(referenceCounts: readonly number[], currentCounts: readonly number[]): ChiSquareResult | undefined {
  if (referenceCounts.length !== currentCounts.length) {
    throw new RangeError(`Both sides need the same categories, got ${referenceCounts.length} and ${currentCounts.length}.`);
  }
  const n = referenceCounts.reduce((sum, count) => sum + count, 0);
  const m = currentCounts.reduce((sum, count) => sum + count, 0);
  const categories = referenceCounts.map((count, index) => [count, currentCounts[index]]).filter(([a, b]) => a + b > 0);
  if (!(n > 0) || !(m > 0) || categories.length < 2) {
    return undefined;
  }
  const statistic = categories.reduce((sum, [a, b]) => sum + (m * a - n * b) ** 2 / (a + b) / n / m, 0);
  const degreesOfFreedom = categories.length - 1;
  return { statistic, degreesOfFreedom, pValue: chiSquareSurvival(statistic, degreesOfFreedom) };
}

/** Two-sided p-value that two shares are equal; undefined where no share can differ. */
export function twoProportionPValue(x: number, n: number, y: number, m: number): number | undefined {
  const pooled = (x + y) / (n + m);
  if (!(n > 0) || !(m > 0) || pooled === 0 || pooled === 1) {
    return undefined;
  }
  return normalTwoSided((x / n - y / m) / Math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m)));
}

/** p-values adjusted for the false-discovery rate, in the order of the input. */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[b] - pValues[a]);
  const adjusted = new Array<number>(pValues.length);
  let smallest = 1;
  order.forEach((index, fromTop) => {
    smallest = Math.min(smallest, pValues[index] * (pValues.length / (pValues.length - fromTop)));
    adjusted[index] = smallest;
  });
  return adjusted;
}

/** Wilson's score interval of a share; without a trial nothing is known and it is 0 to 1. */
export function wilsonInterval(successes: number, trials: number, confidence: number): { low: number; high: number } {
  if (trials === 0) {
    return { low: 0, high: 1 };
  }
  if (!(successes >= 0 && successes <= trials) || !(confidence > 0 && confidence < 1)) {
    throw new RangeError(`Needs 0 <= successes <= trials and 0 < confidence < 1, got ${successes} of ${trials} at ${confidence}.`);
  }
  const z = normalQuantile((1 + confidence) / 2);
  const share = successes / trials;
  const centre = (successes + (z * z) / 2) / (trials + z * z);
  const half = (z / (trials + z * z)) * Math.sqrt(trials * share * (1 - share) + (z * z) / 4);
  return { low: successes === 0 ? 0 : Math.max(0, centre - half), high: successes === trials ? 1 : Math.min(1, centre + half) };
}

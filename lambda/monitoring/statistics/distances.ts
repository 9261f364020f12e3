/** Distances between two distributions given as shares over the same categories or bins, and between two samples. */

/** What to do where a share is zero: raise every smaller share to `floor`. */
export interface PsiOptions {
  readonly zeroPolicy: 'floor';
  readonly floor: number;
}

/** Σ (p - q) ln(p / q); p is the reference. Without a zero policy a category that only one side knows makes it infinite. */
export function populationStabilityIndex(p: readonly number[], q: readonly number[], options?: PsiOptions): number {
  sameLength(p, q);
  const floor = options?.floor ?? 0;
  let sum = 0;
  for (let index = 0; index < p.length; index += 1) {
    const reference = Math.max(p[index], floor);
    const current = Math.max(q[index], floor);
    if (reference !== current) {
      sum += (reference - current) * Math.log(reference / current);
    }
  }
  return sum;
}

/** Square root of the Jensen–Shannon divergence with logarithms to `base`; in base 2 it ends at 1. */
export function jensenShannonDistance(p: readonly number[], q: readonly number[], base: number): number {
  const [reference, current] = [normalised(p), normalised(q)];
  sameLength(reference, current);
  let divergence = 0;
  for (let index = 0; index < reference.length; index += 1) {
    const middle = (reference[index] + current[index]) / 2;
    divergence += relativeEntropy(reference[index], middle) + relativeEntropy(current[index], middle);
  }
  return Math.sqrt(Math.max(0, divergence / 2 / Math.log(base)));
}

const relativeEntropy = (share: number, middle: number): number => (share > 0 ? share * Math.log(share / middle) : 0);

/** √(1 - Σ √(p q)), between 0 and 1. */
export function hellingerDistance(p: readonly number[], q: readonly number[]): number {
  sameLength(p, q);
  // Σ(√p - √q)² / 2 is the same number for shares that add up to 1 and does not cancel near zero.
  return Math.sqrt(p.reduce((sum, share, index) => sum + (Math.sqrt(share) - Math.sqrt(q[index])) ** 2, 0) / 2);
}

/** Largest difference of two shares. */
export function lInfinity(p: readonly number[], q: readonly number[]): number {
  sameLength(p, q);
  return p.reduce((largest, share, index) => Math.max(largest, Math.abs(share - q[index])), 0);
}

/** Area between the two distribution functions, in the unit of the values; undefined where a side is empty, weightless or not finite. */
export function wassersteinDistance(
  reference: readonly number[],
  current: readonly number[],
  referenceWeights?: readonly number[],
  currentWeights?: readonly number[],
): number | undefined {
  const p = points(reference, referenceWeights);
  const q = points(current, currentWeights);
  if (p === undefined || q === undefined) {
    return undefined;
  }
  let [i, j, cumulativeP, cumulativeQ, area] = [0, 0, 0, 0, 0];
  let previous = Math.min(p[0].value, q[0].value);
  while (i < p.length || j < q.length) {
    const value = Math.min(p[i]?.value ?? Infinity, q[j]?.value ?? Infinity);
    area += Math.abs(cumulativeP - cumulativeQ) * (value - previous);
    for (; i < p.length && p[i].value === value; i += 1) {
      cumulativeP += p[i].weight;
    }
    for (; j < q.length && q[j].value === value; j += 1) {
      cumulativeQ += q[j].weight;
    }
    previous = value;
  }
  return Number.isFinite(area) ? area : undefined;
}

function points(values: readonly number[], weights?: readonly number[]): { value: number; weight: number }[] | undefined {
  if (weights !== undefined) {
    sameLength(values, weights);
  }
  const total = weights === undefined ? values.length : weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0 && Number.isFinite(total)) || !values.every(Number.isFinite) || weights?.some((weight) => weight < 0)) {
    return undefined;
  }
  return values
    .map((value, index) => ({ value, weight: (weights?.[index] ?? 1) / total }))
    .sort((a, b) => a.value - b.value);
}

function normalised(shares: readonly number[]): readonly number[] {
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (!(total > 0)) {
    throw new RangeError('A distribution needs at least one share above zero.');
  }
  return shares.map((share) => share / total);
}

function sameLength(a: readonly unknown[], b: readonly unknown[]): void {
  if (a.length !== b.length) {
    throw new RangeError(`Both sides need the same number of entries, got ${a.length} and ${b.length}.`);
  }
}

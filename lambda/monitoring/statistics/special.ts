/** Special functions that the tests' p-values need; double precision, no dependency. */

const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];

/** Natural logarithm of the gamma function for x > 0. */
export function logGamma(x: number): number {
  if (x <= 0) {
    throw new RangeError(`logGamma needs a positive argument, got ${x}`);
  }
  let shift = 1;
  let z = x;
  while (z < 12) {
    shift *= z;
    z += 1;
  }
  const inverse = 1 / (z * z);
  let series = 0;
  for (let index = STIRLING.length - 1; index >= 0; index -= 1) {
    series = series * inverse + STIRLING[index];
  }
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series / z - Math.log(shift);
}

/** Upper regularized incomplete gamma function Q(a, x). */
function gammaUpper(a: number, x: number): number {
  if (x <= 0) {
    return 1;
  }
  if (x === Infinity) {
    return 0;
  }
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  return x < a + 1 ? 1 - front * lowerSeries(a, x) : front * upperFraction(a, x);
}

function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < 100_000 && term > sum * 1e-17; n += 1) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

/** Continued fraction by the modified Lentz method. */
function upperFraction(a: number, x: number): number {
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let value = d;
  for (let n = 1; n < 100_000; n += 1) {
    const factor = -n * (n - a);
    b += 2;
    d = factor * d + b;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    c = b + factor / c;
    c = Math.abs(c) < tiny ? tiny : c;
    const change = c * d;
    value *= change;
    if (Math.abs(change - 1) < 1e-16) {
      break;
    }
  }
  return value;
}

/** Probability that a chi-square variable with these degrees of freedom exceeds `statistic`. */
export function chiSquareSurvival(statistic: number, degreesOfFreedom: number): number {
  return gammaUpper(degreesOfFreedom / 2, statistic / 2);
}

/** Probability that |Z| exceeds |z| for a standard normal Z. */
export function normalTwoSided(z: number): number {
  return gammaUpper(0.5, (z * z) / 2);
}

/** Probability that a standard normal Z exceeds z. */
export function normalSurvival(z: number): number {
  return z < 0 ? 1 - normalTwoSided(z) / 2 : normalTwoSided(z) / 2;
}

/** Quantile of the standard normal distribution, 0 < p < 1. */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) {
    throw new RangeError(`normalQuantile needs a probability between 0 and 1, got ${p}`);
  }
  if (p > 0.5) {
    return -normalQuantile(1 - p);
  }
  if (p === 0.5) {
    return 0;
  }
  // A bracket and Newton's method on the tail probability; the start is Hastings' approximation.
  const t = Math.sqrt(-2 * Math.log(p));
  let z = t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t);
  for (let step = 0; step < 20; step += 1) {
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const change = (normalTwoSided(z) / 2 - p) / density;
    z += change;
    if (Math.abs(change) < 1e-15 * Math.max(1, z)) {
      break;
    }
  }
  return -z;
}

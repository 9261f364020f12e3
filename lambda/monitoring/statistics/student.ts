import { logGamma, normalQuantile } from './special';

/** Regularized incomplete beta function I_x(a, b) for a, b > 0. */
function betaRegularized(x: number, a: number, b: number): number {
  if (x <= 0) {
    return 0;
  }
  if (x >= 1) {
    return 1;
  }
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  // The fraction converges fast below the mean; above it the other tail is computed.
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b;
}

/** Continued fraction by the modified Lentz method. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m < 100_000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    value *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    const change = c * d;
    value *= change;
    if (Math.abs(change - 1) < 1e-16) {
      break;
    }
  }
  return value;
}

/** Probability that a Student variable with these degrees of freedom, which need not be whole, exceeds `t`. */
export function studentSurvival(t: number, degreesOfFreedom: number): number {
  const tail = betaRegularized(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5) / 2;
  return t >= 0 ? tail : 1 - tail;
}

/** Degrees of freedom above which the normal distribution is used instead. */
const NORMAL_ABOVE = 1e7;

/** The value that a Student variable exceeds with probability `upper`, 0 < upper < 1. */
export function studentQuantile(upper: number, degreesOfFreedom: number): number {
  if (!(upper > 0 && upper < 1) || !(degreesOfFreedom > 0)) {
    throw new RangeError(`studentQuantile needs a probability between 0 and 1 and positive degrees of freedom, got ${upper}, ${degreesOfFreedom}`);
  }
  if (upper >= 0.5) {
    return upper === 0.5 ? 0 : -studentQuantile(1 - upper, degreesOfFreedom);
  }
  if (degreesOfFreedom > NORMAL_ABOVE) {
    return -normalQuantile(upper);
  }
  const logDensity = logGamma((degreesOfFreedom + 1) / 2) - logGamma(degreesOfFreedom / 2) - Math.log(degreesOfFreedom * Math.PI) / 2;
  // Newton's method on log survival over log t, which is concave: after one step it closes in from the right.
  let u = Math.log(-normalQuantile(upper));
  for (let step = 0; step < 200; step += 1) {
    const t = Math.exp(u);
    const survival = studentSurvival(t, degreesOfFreedom);
    const density = Math.exp(logDensity - ((degreesOfFreedom + 1) / 2) * Math.log1p((t * t) / degreesOfFreedom));
    const change = (Math.log(survival / upper) * survival) / (density * t);
    // A far overshoot would leave the range of numbers; doubling t a few times is enough.
    u += Math.min(change, 3);
    if (Math.abs(change) < 1e-14) {
      break;
    }
  }
  return Math.exp(u);
}

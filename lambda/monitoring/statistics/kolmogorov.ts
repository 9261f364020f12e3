import { logGamma } from './special';

export interface KsResult {
  readonly statistic: number;
  readonly pValue: number;
}

/** Two-sample Kolmogorov–Smirnov test; undefined where a sample is empty or holds NaN. */
export function ksTwoSample(reference: readonly number[], current: readonly number[]): KsResult | undefined {
  if (reference.length === 0 || current.length === 0 || reference.some(Number.isNaN) || current.some(Number.isNaN)) {
    return undefined;
  }
  const statistic = largestDistance(Float64Array.from(reference).sort(), Float64Array.from(current).sort());
  return { statistic, pValue: ksPValue(statistic, reference.length, current.length) };
}

function largestDistance(x: Float64Array, y: Float64Array): number {
  let i = 0;
  let j = 0;
  let distance = 0;
  while (i < x.length && j < y.length) {
    const value = Math.min(x[i], y[j]);
    while (i < x.length && x[i] === value) {
      i += 1;
    }
    while (j < y.length && y[j] === value) {
      j += 1;
    }
    distance = Math.max(distance, Math.abs(i * y.length - j * x.length));
  }
  return distance / (x.length * y.length);
}

/** p-value of a two-sample distance: the one-sample law at n·m/(n+m), rounded, halves to the even number as SciPy does. */
export function ksPValue(statistic: number, n: number, m: number): number {
  const size = (n * m) / (n + m);
  const nearest = size % 1 === 0.5 ? 2 * Math.round(size / 2) : Math.round(size);
  return oneSampleSurvival(statistic, Math.max(1, nearest));
}

const LARGE = 100_000;
/** At smaller n·d² the limit law differs from 1 by less than 1e-13. */
const CERTAIN = 0.036;

/** P(D_n ≥ d), each region by the method that is exact or closest there (after Simard and L'Ecuyer, 2011). */
export function oneSampleSurvival(d: number, n: number): number {
  if (d <= 0.5 / n) {
    return 1;
  }
  if (d >= 1) {
    return 0;
  }
  const squared = n * d * d;
  if (squared > 370) {
    return 0;
  }
  if (n > 1000 && squared < CERTAIN) {
    return 1;
  }
  if (d >= 0.5 || squared >= (n > 140 ? 2.2 : 4)) {
    return clamp(n <= LARGE ? 2 * oneSidedSurvival(d, n) : limitTail(d, n));
  }
  return clamp(1 - (n <= 140 || (n <= LARGE && n * d ** 1.5 <= 1.4) ? durbin(d, n) : pelzGood(d, n)));
}

const clamp = (p: number): number => Math.min(1, Math.max(0, p));

/** Tail of Kolmogorov's limit law at the argument that Vrbik (2018) corrected for finite n. */
function limitTail(d: number, n: number): number {
  const root = Math.sqrt(n);
  const x = root * d + 1 / (6 * root) + (root * d - 1) / (4 * n);
  let survival = 0;
  for (let k = 1; k < 10; k += 1) {
    survival += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * x * x);
  }
  return survival;
}

/** Smirnov's exact one-sided law: a sum of positive terms. */
function oneSidedSurvival(d: number, n: number): number {
  const last = Math.floor(n * (1 - d));
  const logFactorial = logGamma(n + 1);
  let sum = 0;
  for (let j = 0; j <= last; j += 1) {
    const rest = 1 - d - j / n;
    if (rest <= 0) {
      continue;
    }
    const choose = logFactorial - logGamma(j + 1) - logGamma(n - j + 1);
    sum += Math.exp(choose + (j - 1) * Math.log(d + j / n) + (n - j) * Math.log(rest));
  }
  return d * sum;
}

/** Durbin's matrix (Marsaglia, Tsang and Wang, 2003): exact cumulative probability. */
function durbin(d: number, n: number): number {
  const k = Math.ceil(n * d);
  const size = 2 * k - 1;
  const h = k - n * d;
  const matrix = new Float64Array(size * size);
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column <= Math.min(row + 1, size - 1); column += 1) {
      matrix[row * size + column] = 1;
    }
  }
  for (let index = 0; index < size; index += 1) {
    matrix[index * size] -= h ** (index + 1);
    matrix[(size - 1) * size + index] -= h ** (size - index);
  }
  matrix[(size - 1) * size] += 2 * h - 1 > 0 ? (2 * h - 1) ** size : 0;
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < Math.min(row + 1, size); column += 1) {
      for (let g = 1; g <= row - column + 1; g += 1) {
        matrix[row * size + column] /= g;
      }
    }
  }
  const power = matrixPower({ values: matrix, exponent: 0 }, size, n);
  let value = power.values[(k - 1) * size + k - 1];
  let exponent = power.exponent;
  for (let g = 1; g <= n; g += 1) {
    value = (value * g) / n;
    if (value < 1e-140) {
      value *= 1e140;
      exponent -= 140;
    }
  }
  return value * 10 ** exponent;
}

interface Scaled {
  readonly values: Float64Array;
  readonly exponent: number;
}

function matrixPower(base: Scaled, size: number, n: number): Scaled {
  if (n === 1) {
    return base;
  }
  const half = matrixPower(base, size, Math.floor(n / 2));
  const squared = rescale({ values: multiply(half.values, half.values, size), exponent: 2 * half.exponent }, size);
  return n % 2 === 0 ? squared : { values: multiply(base.values, squared.values, size), exponent: squared.exponent };
}

function multiply(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const product = new Float64Array(size * size);
  for (let row = 0; row < size; row += 1) {
    for (let inner = 0; inner < size; inner += 1) {
      const factor = a[row * size + inner];
      for (let column = 0; column < size; column += 1) {
        product[row * size + column] += factor * b[inner * size + column];
      }
    }
  }
  return product;
}

function rescale(scaled: Scaled, size: number): Scaled {
  const middle = Math.floor(size / 2);
  return scaled.values[middle * size + middle] > 1e140
    ? { values: scaled.values.map((value) => value * 1e-140), exponent: scaled.exponent + 140 }
    : scaled;
}

/** Pelz and Good's expansion (1976) of the cumulative probability up to n^(-3/2). */
function pelzGood(d: number, n: number): number {
  const z = Math.sqrt(n) * d;
  const pi2 = Math.PI ** 2;
  const pi4 = pi2 ** 2;
  const z2 = z * z;
  const z4 = z2 * z2;
  const z6 = z4 * z2;
  const terms = [0, 0, 0, 0];
  for (let k = 0; k < 30; k += 1) {
    const odd = (k + 0.5) ** 2;
    const e = Math.exp((-pi2 * odd) / (2 * z2));
    terms[0] += e;
    terms[1] += (pi2 * odd - z2) * e;
    terms[2] += (6 * z6 + 2 * z4 + pi2 * (2 * z4 - 5 * z2) * odd + pi4 * (1 - 2 * z2) * odd ** 2) * e;
    terms[3] += (-30 * z6 - 90 * z6 * z2 + pi2 * (135 * z4 - 96 * z6) * odd
      + pi4 * (212 * z4 - 60 * z2) * odd ** 2 + pi4 * pi2 * (5 - 30 * z2) * odd ** 3) * e;
  }
  let even2 = 0;
  let even3 = 0;
  for (let k = 1; k < 30; k += 1) {
    const e = Math.exp((-pi2 * k * k) / (2 * z2));
    even2 += pi2 * k * k * e;
    even3 += (3 * z2 * k * k * pi2 - pi4 * k ** 4) * e;
  }
  const root = Math.sqrt(2 * Math.PI);
  const k0 = (root * terms[0]) / z;
  const k1 = (root * terms[1]) / (6 * z4);
  const k2 = (root * terms[2]) / (72 * z6 * z) - (root * even2) / (36 * z2 * z);
  const k3 = (root * terms[3]) / (6480 * z6 * z4) + (root * even3) / (216 * z6);
  return k0 + k1 / Math.sqrt(n) + k2 / n + k3 / n ** 1.5;
}

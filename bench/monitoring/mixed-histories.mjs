import { generator } from './histories.mjs';

/**
 * Histories of rows without drift, for tools that read rows: a reference of 364 days and 91 days that follow, 14 numbers of four distributions and 6
 * categories, 48 rows a day. `dependent`: the rows of an hour share a state that follows an hourly AR(1) process of coefficient 0.97; `independent`:
 * every row is drawn for itself. The marginal distributions are the same.
 */
export const ROWS_PER_DAY = 48;
export const REFERENCE_DAYS = 364;
export const LIVE_DAYS = 91;

const COEFFICIENT = 0.97;
/** Part of a row's variance that it shares with the other rows of its hour. */
const SHARED = 0.8;

export const FEATURES = Array.from({ length: 20 }, (_, index) => {
  const name = `f${String(index).padStart(2, '0')}`;
  if (index < 14) return { name, kind: 'numeric' };
  return { name, kind: 'categorical', levels: [5, 8, 12, 20, 2, 2][index - 14] };
});

const TAIL = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153];

/** Share of a standard normal variable below x, to 1e-7 (Abramowitz and Stegun 26.2.17). */
const below = (x) => {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail = (TAIL.reduce((sum, factor) => (sum + factor) * t, 0) * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
  return x > 0 ? 1 - tail : tail;
};

/** Normal, lognormal, exponential and uniform numbers in turn; categories of equal share. */
const valueOf = (feature, index, x) => {
  if (feature.kind === 'categorical') return Math.min(feature.levels - 1, Math.floor(below(x) * feature.levels));
  return [x, Math.exp(x / 2), -Math.log(1 - below(x) + 1e-12), below(x)][index % 4];
};

/**
 * One history as rows of 20 numbers; categories are their number. `shift`: from the first live day on f00 (standard normal) is higher by this.
 * Reference and live part lie one after the other.
 */
export const rowsOfHistory = (kind, seed, shift) => {
  const { normal } = generator(seed * 2 + (kind === 'dependent' ? 1 : 0));
  const rows = (REFERENCE_DAYS + LIVE_DAYS) * ROWS_PER_DAY;
  const data = new Float32Array(rows * FEATURES.length);
  const perHour = ROWS_PER_DAY / 24;
  FEATURES.forEach((feature, column) => {
    let state = normal();
    for (let row = 0; row < rows; row += 1) {
      if (row > 0 && row % perHour === 0) state = COEFFICIENT * state + Math.sqrt(1 - COEFFICIENT ** 2) * normal();
      let x = kind === 'dependent' ? Math.sqrt(SHARED) * state + Math.sqrt(1 - SHARED) * normal() : normal();
      if (column === 0 && row >= REFERENCE_DAYS * ROWS_PER_DAY) x += shift;
      data[row * FEATURES.length + column] = valueOf(feature, column, x);
    }
  });
  return data;
};

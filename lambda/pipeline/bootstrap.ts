/** Figures of one resampled holdout; undefined where a definition leaves one open. */
export type Statistic = (rows: readonly number[]) => number | undefined;

export interface Interval {
  /** Share of resamples that lie inside. */
  readonly confidence: number;
  readonly low: number;
  readonly high: number;
  /** Units that were drawn with replacement: days, or rows where rows have no time. */
  readonly blocks: number;
  readonly blockUnit: 'day' | 'row';
  readonly resamples: number;
  readonly seed: number;
}

const CONFIDENCE = 0.95;
const MOST_RESAMPLES = 1000;
const FEWEST_RESAMPLES = 100;
/** Rows that all resamples together may go through: bounds the time on large holdouts. */
const ROWS_TO_DRAW = 10_000_000;

/**
 * Percentile interval of a statistic by resampling whole blocks: the hours of a day resemble each other, so resampling single rows would promise
 * more certainty than the data holds. Undefined where the statistic is open on every tenth resample or more.
 */
export const blockBootstrap = (
  blocks: readonly (readonly number[])[],
  blockUnit: Interval['blockUnit'],
  statistic: Statistic,
  seed: number,
): Interval | undefined => {
  const rows = blocks.reduce((sum, block) => sum + block.length, 0);
  if (blocks.length < 2) return undefined;
  const resamples = Math.min(MOST_RESAMPLES, Math.max(FEWEST_RESAMPLES, Math.floor(ROWS_TO_DRAW / rows)));
  const random = generator(seed);
  const values: number[] = [];
  for (let resample = 0; resample < resamples; resample += 1) {
    const drawn: number[] = [];
    for (let index = 0; index < blocks.length; index += 1) {
      for (const row of blocks[Math.floor(random() * blocks.length)]) drawn.push(row);
    }
    const value = statistic(drawn);
    if (value !== undefined && Number.isFinite(value)) values.push(value);
  }
  if (values.length < resamples * 0.9) return undefined;
  values.sort((a, b) => a - b);
  const tail = (1 - CONFIDENCE) / 2;
  const [low, high] = [quantile(values, tail), quantile(values, 1 - tail)];
  return { confidence: CONFIDENCE, low, high, blocks: blocks.length, blockUnit, resamples, seed };
};

/** Linear interpolation between the sorted values around the position. */
const quantile = (sorted: readonly number[], probability: number): number => {
  const position = probability * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
};

/** Mulberry32: the same seed draws the same resamples, so that a gate can be computed again. */
const generator = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

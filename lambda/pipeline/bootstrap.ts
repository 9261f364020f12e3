import type { BlockValue } from '../monitoring/quality/block-value';
import { normalSurvival } from '../monitoring/statistics/special';
import { studentQuantile } from '../monitoring/statistics/student';
import { seeded } from './seeded';

export interface BootstrapRange {
  readonly low: number;
  readonly high: number;
  readonly resamples: number;
  readonly seed: number;
}

const FEWEST_RESAMPLES = 1000;
const MOST_RESAMPLES = 10_000;
/** Resamples that have to lie beyond an end, or the end is one of chance. */
const FEWEST_BEYOND = 25;
/** Share of resamples on which the figure has to be defined. */
const MOSTLY = 0.9;

/**
 * Range of a figure under resampling of whole blocks with replacement, each end with this error: percentiles, taken further out by what Student's t
 * is wider than the normal distribution at as many blocks, without which few blocks promise more than they hold. Undefined where the figure cannot
 * be drawn, or is not defined on a tenth of the resamples or more.
 *
 * @param oneSided probability that is left beyond each end
 * @param degreesOfFreedom fewer than of as many blocks where neighbours are alike
 */
export const blockBootstrap = (
  figure: BlockValue,
  blocks: number,
  oneSided: number,
  seed: number,
  degreesOfFreedom = blocks - 1,
): BootstrapRange | undefined => {
  const { drawn } = figure;
  if (!drawn || blocks < 2) return undefined;
  const error = normalSurvival(Math.sqrt(blocks / (blocks - 1)) * studentQuantile(oneSided, degreesOfFreedom));
  const resamples = Math.min(MOST_RESAMPLES, Math.max(FEWEST_RESAMPLES, Math.ceil(FEWEST_BEYOND / error)));
  const random = seeded(seed);
  const times = new Float64Array(figure.weight.length);
  const values = new Float64Array(resamples);
  let known = 0;
  for (let resample = 0; resample < resamples; resample += 1) {
    times.fill(0);
    for (let index = 0; index < times.length; index += 1) times[Math.floor(random() * times.length)] += 1;
    const value = drawn(times);
    if (!Number.isNaN(value)) values[known++] = value;
  }
  if (known < resamples * MOSTLY) return undefined;
  const sorted = values.subarray(0, known).sort();
  return { low: quantile(sorted, error), high: quantile(sorted, 1 - error), resamples, seed };
};

/** Linear interpolation between the sorted values around the position. */
const quantile = (sorted: Float64Array, probability: number): number => {
  const position = probability * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] === sorted[above] ? sorted[below] : sorted[below] + (sorted[above] - sorted[below]) * (position - below);
};

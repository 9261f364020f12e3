import type { GateSpec } from '../../../lib/pipeline/contract';
import { type BlockValue, combined, estimateOf, intervalOf } from '../../monitoring/quality/block-value';
import { blockBootstrap } from '../bootstrap';

/** Range in which the improvement lies; each end holds with the confidence on its own. */
export interface PairedInterval {
  readonly method: 'bootstrap' | 'student';
  /** One-sided. */
  readonly confidence: number;
  readonly low: number;
  readonly high: number;
  /** Blocks that say something about the figure. */
  readonly blocks: number;
  /** What it is wider by since neighbouring blocks are alike; 1 where they are not. */
  readonly widened: number;
  readonly resamples?: number;
  readonly seed?: number;
}

/** By how much the candidate is better, on the same rows. */
export interface Improvement {
  readonly figure: BlockValue;
  /** A share of the champion's value has no meaning where that is zero: then the difference itself. */
  readonly unit: 'share' | 'difference';
}

/** @param direction 1 where a larger value is better, else -1 */
export const improvementOf = (candidate: BlockValue, champion: BlockValue, direction: 1 | -1): Improvement => {
  const unit = champion.value === 0 ? 'difference' : 'share';
  const better = (a: number, b: number): number => {
    const difference = (a - b) * direction;
    if (difference === 0 || unit === 'difference') return difference + 0;
    return difference / Math.abs(b);
  };
  return { figure: combined(candidate, champion, better), unit };
};

/**
 * Interval of an improvement: by the bootstrap over blocks, by Student's t over them where they are fewer than the gate asks for, or why there is
 * none. Neighbouring days are alike, which drawing days one by one does not see: both are wider by what it costs.
 *
 * @param noun of the blocks
 */
export const pairedInterval = (
  figure: BlockValue,
  { confidence, minimumBlocks, fewBlocks }: Pick<GateSpec, 'confidence' | 'minimumBlocks' | 'fewBlocks'>,
  noun: string,
  seed: number,
): PairedInterval | { readonly none: string } => {
  const there = figure.weight.reduce((count, one) => count + (one > 0 ? 1 : 0), 0);
  if (there < minimumBlocks && fewBlocks === 'refuse') {
    return { none: `the holdout has ${there} ${noun} that say something about it, the gate needs ${minimumBlocks}` };
  }
  if (there < 2) return { none: `${there} ${noun} of the holdout tell nothing of others: hold out more` };
  const estimate = estimateOf(figure);
  if (!estimate) return { none: `it hangs on a single one of the ${there} ${noun} of the holdout` };
  const { widened = 1 } = estimate;
  if (there < minimumBlocks) {
    const { low, high } = intervalOf(estimate, 1 - confidence);
    return { method: 'student', confidence, low, high, blocks: there, widened };
  }
  const range = blockBootstrap(figure, there, 1 - confidence, seed, Math.min(there - 1, estimate.degreesOfFreedom));
  if (!range) return { none: `it is not defined on enough resamples of the ${there} ${noun} of the holdout` };
  const from = (end: number): number => (end === figure.value ? end : figure.value + (end - figure.value) * widened);
  return { method: 'bootstrap', confidence, low: from(range.low), high: from(range.high), blocks: there, widened, resamples: range.resamples, seed };
};

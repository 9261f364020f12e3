import { type Estimate, FEWEST_BLOCKS } from '../../../lib/monitoring/contract';
import { studentQuantile } from '../statistics/student';

/** A figure over all blocks and without each of them; NaN where it is not defined without that block. */
export interface BlockValue {
  readonly value: number;
  /** One for each block, in the order of the blocks' ids. */
  readonly without: Float64Array;
  /** What each block weighs in the figure: rows, or those of a class that it is a share of. */
  readonly weight: Float64Array;
  /** The figure is a share of `weight`: its error is at least that of as many independent trials. */
  readonly share?: boolean;
  /** The figure where each block counts as often as told, for resampling; NaN where it is not defined then. */
  readonly drawn?: (times: Float64Array) => number;
}

/** A figure with its standard error over blocks. */
export interface BlockEstimate {
  readonly value: number;
  readonly standardError: number;
  /** What the error is wider by since neighbouring blocks are alike; 1 where they are not. */
  readonly widened?: number;
  readonly degreesOfFreedom: number;
  /** Blocks that weigh something in it. */
  readonly blocks: number;
}

/** Blocks that weigh something, and how many blocks of equal weight they are worth. */
export function blocksOf(weight: Float64Array): { readonly blocks: number; readonly effective: number } {
  let [blocks, sum, squares] = [0, 0, 0];
  for (const one of weight) {
    blocks += one > 0 ? 1 : 0;
    sum += one;
    squares += one * one;
  }
  return { blocks, effective: squares > 0 ? (sum * sum) / squares : 0 };
}

/** Largest correlation of neighbouring blocks that is allowed for; beyond it the blocks say next to nothing. */
const MOST_CORRELATION = 0.9;
/** Smallest share of the degrees of freedom that is left then: the factor itself has made the error wide. */
const LEAST_KEPT = 1 / 3;

/**
 * Delete-one-block jackknife around the figure itself. Blocks that follow each other may be alike: where they are, the error is wider by the factor
 * of an autoregression of first order, and the degrees of freedom fewer. Undefined below two blocks, or where one block alone carries the figure.
 */
export function estimateOf(figure: BlockValue): BlockEstimate | undefined {
  const { value, without, weight, share } = figure;
  const { blocks, effective } = blocksOf(weight);
  if (blocks < 2 || !Number.isFinite(value)) {
    return undefined;
  }
  let [squares, products, before, first, mean] = [0, 0, 0, true, 0];
  for (let index = 0; index < without.length; index += 1) {
    mean += (value - without[index]) / blocks;
  }
  let spread = 0;
  for (let index = 0; index < without.length; index += 1) {
    const influence = value - without[index];
    // Days without a positive still say something about ranks; those that say nothing are no neighbours.
    if (!(weight[index] > 0) && influence === 0) {
      continue;
    }
    squares += influence * influence;
    spread += (influence - mean) ** 2;
    products += first ? 0 : (influence - mean) * before;
    before = influence - mean;
    first = false;
  }
  if (!Number.isFinite(squares)) {
    return undefined;
  }
  const { factor, kept } = neighbours(spread > 0 ? products / spread : 0, blocks);
  let variance = (((blocks - 1) / blocks) * squares) * factor;
  if (share === true) {
    const trials = weight.reduce((sum, one) => sum + one, 0);
    const middle = (value * trials + 2) / (trials + 4);
    variance = Math.max(variance, (middle * (1 - middle)) / (trials + 4));
  }
  return { value, standardError: Math.sqrt(variance), widened: Math.sqrt(factor), degreesOfFreedom: Math.max(1, effective * kept - 1), blocks };
}

/** Factor of the variance, and the share of the degrees of freedom that is left, at this correlation of neighbours; fewer blocks do not tell it. */
function neighbours(correlation: number, blocks: number): { factor: number; kept: number } {
  if (blocks < FEWEST_BLOCKS) {
    return { factor: 1, kept: 1 };
  }
  // The correlation of a short series is estimated too low.
  const corrected = Math.min(MOST_CORRELATION, Math.max(0, correlation + (1 + 3 * Math.max(0, correlation)) / blocks));
  return { factor: (1 + corrected) / (1 - corrected), kept: Math.max(LEAST_KEPT, (1 - corrected ** 2) / (1 + corrected) ** 2) };
}

/** Interval with this error on each side. */
export function intervalOf({ value, standardError, degreesOfFreedom }: BlockEstimate, oneSided: number): Required<Estimate> {
  const half = standardError === 0 ? 0 : studentQuantile(oneSided, degreesOfFreedom) * standardError;
  return { value, low: value - half, high: value + half };
}

/**
 * The difference of a figure and one from before, on other blocks; degrees of freedom by Welch and Satterthwaite. Few blocks that happen to be alike
 * say too little about their error: that of the figure before is at least what as many of today's blocks would have.
 */
export function differenceOf(a: BlockEstimate, b: BlockEstimate): BlockEstimate {
  const va = a.standardError ** 2;
  const vb = Math.max(b.standardError ** 2, (va * (a.degreesOfFreedom + 1)) / (b.degreesOfFreedom + 1));
  const degreesOfFreedom = va + vb > 0 ? (va + vb) ** 2 / (va ** 2 / a.degreesOfFreedom + vb ** 2 / b.degreesOfFreedom) : a.degreesOfFreedom;
  return { value: a.value - b.value, standardError: Math.sqrt(va + vb), degreesOfFreedom, blocks: Math.min(a.blocks, b.blocks) };
}

/** A function of two figures over the same blocks, such as their difference; blocks that weigh in either of them count. */
export function combined(a: BlockValue, b: BlockValue, of: (a: number, b: number) => number): BlockValue {
  const without = a.without.map((one, index) => of(one, b.without[index]));
  const [sumA, sumB] = [a.weight, b.weight].map((weight) => weight.reduce((sum, one) => sum + one, 0));
  // Each side's share of its own weight: a small group is as much a part of the difference as a large one.
  const weight = a.weight.map((one, index) => (sumA > 0 ? one / sumA : 0) + (sumB > 0 ? b.weight[index] / sumB : 0));
  const [drawnA, drawnB] = [a.drawn, b.drawn];
  const drawn = drawnA && drawnB && ((times: Float64Array): number => of(drawnA(times), drawnB(times)));
  return { value: of(a.value, b.value), without, weight, ...(drawn && { drawn }) };
}

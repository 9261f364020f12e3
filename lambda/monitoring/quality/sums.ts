import type { BlockValue } from './block-value';

/** Sums of one part of the rows by block: `sums[quantity][block]`. */
export type BlockSums = readonly Float64Array[];

/** A figure that is a function of sums: over all blocks and without each. Undefined where the function is, over all blocks. */
export function figureOf(
  sums: BlockSums,
  of: (sums: readonly number[]) => number | undefined,
  weigh: (sums: readonly number[]) => number,
  share = false,
): BlockValue | undefined {
  const totals = sums.map((values) => values.reduce((sum, one) => sum + one, 0));
  const value = of(totals);
  if (value === undefined) {
    return undefined;
  }
  const blocks = sums[0].length;
  const [without, weight] = [new Float64Array(blocks), new Float64Array(blocks)];
  const rest = totals.slice();
  const own = totals.slice();
  for (let block = 0; block < blocks; block += 1) {
    for (let quantity = 0; quantity < totals.length; quantity += 1) {
      own[quantity] = sums[quantity][block];
      rest[quantity] = totals[quantity] - own[quantity];
    }
    weight[block] = weigh(own);
    without[block] = weight[block] === 0 ? value : (of(rest) ?? NaN);
  }
  const drawn = (times: Float64Array): number => of(sums.map((values) => weighted(values, times))) ?? NaN;
  return { value, without, weight, share, drawn };
}

function weighted(values: Float64Array, times: Float64Array): number {
  let sum = 0;
  for (let block = 0; block < values.length; block += 1) {
    sum += values[block] * times[block];
  }
  return sum;
}

export const ratio = (part: number, whole: number): number | undefined => (whole > 0 ? part / whole : undefined);

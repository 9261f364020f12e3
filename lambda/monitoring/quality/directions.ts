import { HIGHER_IS_BETTER } from '../../../lib/common/contract';

/** Gaps between groups, by Fairlearn's names; larger differences are worse, larger ratios are better. */
const GAP_HIGHER_IS_BETTER: Readonly<Record<string, boolean>> = {
  demographicParityDifference: false,
  demographicParityRatio: true,
  equalOpportunityDifference: false,
  equalizedOddsDifference: false,
};

/** Whether a larger value is better. A metric that is in no table must state it; one that is must not state the opposite. */
export function directionOf(metric: string, stated?: boolean): boolean {
  const known = Object.hasOwn(HIGHER_IS_BETTER, metric)
    ? HIGHER_IS_BETTER[metric]
    : Object.hasOwn(GAP_HIGHER_IS_BETTER, metric)
      ? GAP_HIGHER_IS_BETTER[metric]
      : undefined;
  if (known === undefined && stated === undefined) {
    throw new RangeError(`the direction of metric ${metric} is not known: a rule on it must state higherIsBetter`);
  }
  if (known !== undefined && stated !== undefined && known !== stated) {
    throw new RangeError(`${metric} is better the ${known ? 'higher' : 'lower'} it is: a rule on it states the opposite`);
  }
  return known ?? stated ?? false;
}

/** Ends of the range of a metric, for intervals that people read. */
export function rangeOf(metric: string): { readonly low: number; readonly high: number } {
  switch (metric) {
    case 'r2':
      return { low: -Infinity, high: 1 };
    case 'rmse':
    case 'mae':
    case 'mse':
    case 'logLoss':
      return { low: 0, high: Infinity };
    default:
      return Object.hasOwn(HIGHER_IS_BETTER, metric) || /Rate$|Difference$|Ratio$/.test(metric)
        ? { low: 0, high: 1 }
        : { low: -Infinity, high: Infinity };
  }
}

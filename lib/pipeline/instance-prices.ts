import { Token } from 'aws-cdk-lib';
import { Validator } from '../common/validation';
import { INSTANCE_TYPE } from './job-settings';

/** Functions carry them in their environment, which ends at 4 KiB. */
const MOST = 20;
/** SageMaker's dearest instance costs a tenth of it. */
const DEAREST = 2_000;

/**
 * Prices by type of instance. Where any is stated, so has to be that of each type that is known to be used: the cost of a run is a sum, and with
 * one part unknown nothing can be said of it.
 *
 * @internal
 */
export const checkPrices = (validator: Validator, prices: { readonly [type: string]: number } | undefined, used: readonly string[]): void => {
  if (prices === undefined) return;
  const stated = Object.entries(prices);
  validator.range('instancePrices', stated.length, 0, MOST, 'state the prices of the types that jobs of this pipeline use');
  for (const [type, price] of stated) {
    const place = `instancePrices['${type}']`;
    validator
      .pattern(place, type, INSTANCE_TYPE, 'must be for a type of SageMaker’s instances', "name it as SageMaker does, e.g. 'ml.m5.large'")
      .check(price >= 0 && price <= DEAREST, {
        rule: `must be from 0 to ${DEAREST}`,
        place,
        got: String(price),
        fix: 'state US dollars for an hour of one instance, from the price list of your region',
      });
  }
  for (const type of used) {
    if (Token.isUnresolved(type)) continue;
    validator.check(prices[type] !== undefined, {
      rule: `must have a price for ${type}, which the pipeline uses`,
      place: 'instancePrices',
      got: stated.map(([name]) => name).join(', ') || 'none',
      fix: 'state it, or leave instancePrices out: without one of its prices the cost of a run is unknown',
    });
  }
};

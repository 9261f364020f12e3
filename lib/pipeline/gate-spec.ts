import { Validator } from '../common/validation';
import { GateSpec } from './contract';
import { FewBlocks, GateOptions } from './gate-options';

const DEFAULT_CONFIDENCE = 0.95;
const DEFAULT_MINIMUM_BLOCKS = 20;
const DEFAULT_GROUP_ROWS = 100;
const DEFAULT_DUPLICATE_SHARE = 0.01;

/**
 * The gate as the function that judges takes it; throws with all problems of the options.
 *
 * @internal
 */
export const gateSpec = (options: GateOptions, minimumImprovement: number, validator: Validator): GateSpec => {
  const { metric, bounds = [], groups = [], rowKey, maximumMillisecondsPerRow, maximumModelSize } = options;
  const { confidence = DEFAULT_CONFIDENCE, minimumBlocks = DEFAULT_MINIMUM_BLOCKS, allowedDuplicateShare = DEFAULT_DUPLICATE_SHARE } = options;
  const finite = (place: string, worseThan: number): Validator =>
    validator.check(Number.isFinite(worseThan), {
      rule: 'must be a number',
      place: `${place}.worseThan`,
      got: String(worseThan),
      fix: 'state the worst value that is still accepted',
    });
  validator
    .filled('metric', metric, 'name one of the metrics of the task')
    .range('confidence', confidence, 0.5, 0.999, 'state it as a share: 0.95 means that one of twenty equal candidates passes by chance')
    .range('minimumBlocks', minimumBlocks, 2, 10_000, 'state a number of days or rows')
    .range('allowedDuplicateShare', allowedDuplicateShare, 0, 1, 'state it as a share: 0.01 allows one row of a hundred')
    .check(maximumMillisecondsPerRow === undefined || maximumMillisecondsPerRow > 0, {
      rule: 'must be more than 0',
      place: 'maximumMillisecondsPerRow',
      got: String(maximumMillisecondsPerRow),
      fix: 'state the longest mean time per row, or leave it out',
    })
    .check(rowKey === undefined || (rowKey.length > 0 && new Set(rowKey).size === rowKey.length && rowKey.every((name) => name.trim() !== '')), {
      rule: 'must name columns, each once',
      place: 'rowKey',
      got: JSON.stringify(rowKey),
      fix: 'name the columns that identify a row, or leave it out for all columns',
    });
  bounds.forEach(({ worseThan }, index) => finite(`bounds[${index}]`, worseThan));
  groups.forEach(({ column, worseThan, minimumRows = DEFAULT_GROUP_ROWS }, index) => {
    finite(`groups[${index}]`, worseThan);
    validator
      .filled(`groups[${index}].column`, column, 'name the column whose values are the groups')
      .range(`groups[${index}].minimumRows`, minimumRows, 1, Infinity, 'state the rows from which a group is judged');
  });
  validator.throwIfAny();
  return {
    metric,
    minimumImprovement,
    confidence,
    minimumBlocks: Math.ceil(minimumBlocks),
    fewBlocks: options.fewBlocks === FewBlocks.REFUSE ? 'refuse' : 'widen',
    bounds,
    groups: groups.map((group) => ({ ...group, minimumRows: group.minimumRows ?? DEFAULT_GROUP_ROWS })),
    ...(maximumMillisecondsPerRow !== undefined && { maximumMillisecondsPerRow }),
    ...(maximumModelSize && { maximumModelBytes: maximumModelSize.toBytes() }),
    allowedDuplicateShare,
    ...(rowKey && { rowKey }),
  };
};

import type { MonitorSpec } from '../../../lib/monitoring/contract';
import type { HoldoutQuality } from '../baseline/types';
import { estimateOf } from './block-value';
import { figuresOf } from './estimate';
import { groupParts } from './group-parts';
import { estimateShown, labelledBlocks } from './judge';
import { dayOf, QualityTable } from './table';
import type { LabelledRow } from './types';

/** Of the baseline's intervals: 95 %. */
const ONE_SIDED = 0.025;
/** Blocks of rows without a time: at most as many, of at least as many rows. */
const MOST_ROW_BLOCKS = 100;
const FEWEST_BLOCK_ROWS = 10;

/** Quality on the holdout by whole days; where rows have no time, by blocks of consecutive rows, which takes them for independent. */
export function holdoutQuality(spec: Pick<MonitorSpec, 'task' | 'groupColumns'>, rows: readonly LabelledRow[]): HoldoutQuality {
  const table = new QualityTable(spec.task, spec.groupColumns);
  const perBlock = Math.max(FEWEST_BLOCK_ROWS, Math.ceil(rows.length / MOST_ROW_BLOCKS));
  rows.forEach(({ time, truth, prediction, groups }, index) => {
    table.add(spec.task.timeColumn === undefined || !Number.isFinite(time) ? Math.floor(index / perBlock) : dayOf(time), prediction, truth, groups);
  });
  return tableQuality(spec, table);
}

/** The same of rows that stand in a table already. */
export function tableQuality(spec: Pick<MonitorSpec, 'groupColumns'>, table: QualityTable): HoldoutQuality {
  const [{ metrics }] = figuresOf(table);
  return {
    rows: table.rows,
    blocks: labelledBlocks(table),
    metrics: Object.fromEntries(
      Object.entries(metrics).map(([name, one]) => {
        const estimate = estimateOf(one);
        const error = estimate === undefined ? {} : { standardError: estimate.standardError, degreesOfFreedom: estimate.degreesOfFreedom };
        return [name, { ...estimateShown(name, one.value, estimate, ONE_SIDED, 2), ...error }];
      }),
    ),
    groups: Object.fromEntries(
      spec.groupColumns.map((column, index) => {
        const { names, parts } = groupParts(table, index);
        const entries = figuresOf(table, parts).map(({ rows: count, metrics: own, rates }, part) => [
          names[part],
          { rows: count, metrics: Object.fromEntries(Object.entries({ ...own, ...rates }).map(([name, { value }]) => [name, value])) },
        ]);
        return [column, Object.fromEntries(entries)];
      }),
    ),
  };
}

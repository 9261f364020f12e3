import { hash } from 'node:crypto';
import type { PipelineSpec } from '../../lib/pipeline/contract';
import type { SortedRows } from './rows/sorted-rows';

const DAY = 86_400_000;

/**
 * Time of the first row that is kept out of training: the newest rows are. Every row lands on exactly one side, no training row is as new as a row of
 * the holdout, and rows of one moment never stand on both sides.
 */
export const holdoutStart = (rows: Pick<SortedRows, 'count' | 'newest' | 'timeAt'>, { days, share = 0 }: PipelineSpec['holdout']): number => {
  if (days !== undefined) return Math.floor(rows.newest / DAY) * DAY - (days - 1) * DAY;
  const first = Math.max(0, rows.count - Math.round(rows.count * share));
  return first === rows.count ? Infinity : rows.timeAt(first);
};

/** Which rows without a time are kept out of training: a hash of the row's content decides, so that it stays where it is when data is added. */
export const isHeldOut = (line: Uint8Array, share: number): boolean => parseInt(hash('sha256', line, 'hex').slice(0, 8), 16) / 2 ** 32 < share;

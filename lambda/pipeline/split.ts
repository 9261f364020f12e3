import { createHash } from 'node:crypto';
import type { PipelineSpec } from '../../lib/pipeline/contract';
import type { Row } from './data-reader';

const DAY = 86_400_000;

export interface Split {
  readonly train: readonly Row[];
  readonly holdout: readonly Row[];
}

/** Oldest first; rows of the same time keep the order of the files. Rows without a time stay as they are. */
export const sortedByTime = (rows: readonly Row[]): readonly Row[] =>
  rows.some(({ time }) => time === undefined) ? rows : [...rows].sort((a, b) => (a.time ?? 0) - (b.time ?? 0));

/**
 * Keeps the newest rows out of training. Every row lands on exactly one side, and no training row is newer than a holdout row where rows have a
 * time. Without a time a hash of the row's content decides.
 */
export const splitHoldout = (sorted: readonly Row[], holdout: PipelineSpec['holdout']): Split => {
  const newest = sorted.at(-1)?.time;
  if (newest === undefined) return byHash(sorted, holdout.share ?? 0);
  if (holdout.days !== undefined) return since(sorted, Math.floor(newest / DAY) * DAY - (holdout.days - 1) * DAY);
  const first = Math.max(0, sorted.length - Math.round(sorted.length * (holdout.share ?? 0)));
  return first === sorted.length ? { train: sorted, holdout: [] } : since(sorted, sorted[first].time ?? newest);
};

/** Rows of one moment never stand on both sides. */
const since = (sorted: readonly Row[], start: number): Split => {
  const found = sorted.findIndex(({ time = 0 }) => time >= start);
  const cut = found === -1 ? sorted.length : found;
  return { train: sorted.slice(0, cut), holdout: sorted.slice(cut) };
};

const byHash = (rows: readonly Row[], share: number): Split => {
  const isHeldOut = ({ line }: Row): boolean => createHash('sha256').update(line).digest().readUInt32BE(0) / 2 ** 32 < share;
  const held = rows.map(isHeldOut);
  return { train: rows.filter((_, index) => !held[index]), holdout: rows.filter((_, index) => held[index]) };
};

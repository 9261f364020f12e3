import { QualityTable } from '../../../lambda/monitoring/quality';
import type { ScoredHoldout } from '../../../lambda/pipeline/evaluation/scored-holdout';
import type { GateEvidence, Leakage } from '../../../lambda/pipeline/gate/types';
import type { GateSpec } from '../../../lib/pipeline/contract';

type Value = number | string;

export const REGRESSION = { kind: 'REGRESSION', target: 'cnt', timeColumn: 'timestamp' };
export const BINARY = { kind: 'BINARY_CLASSIFICATION', target: 'y', positiveLabel: '1' };
export const CLASSES = { kind: 'MULTICLASS_CLASSIFICATION', target: 'y' };

export const GATE: GateSpec = {
  metric: 'rmse',
  minimumImprovement: 0,
  confidence: 0.95,
  minimumBlocks: 20,
  fewBlocks: 'widen',
  bounds: [],
  groups: [],
  allowedDuplicateShare: 0.01,
};

export interface Rows {
  readonly truth: readonly Value[];
  readonly candidate: readonly Value[];
  readonly champion?: readonly Value[];
  /** Days from 1970 of each row. */
  readonly days?: readonly number[];
  /** By column. */
  readonly groups?: Readonly<Record<string, readonly (string | undefined)[]>>;
}

const DAY = 86_400_000;

/** A holdout as the reader makes it; without days blocks are rows, or consecutive rows where there are many. */
export const holdoutOf = (task: typeof REGRESSION | typeof BINARY | typeof CLASSES, rows: Rows): ScoredHoldout => {
  const { truth, days, groups = {} } = rows;
  const rowsPerBlock = Math.ceil(truth.length / 500);
  const table = (scores: readonly Value[], columns: readonly string[]): QualityTable => {
    const made = new QualityTable(task, columns);
    const blockOf = (row: number): number => (days ? days[row] : Math.floor(row / rowsPerBlock));
    truth.forEach((value, row) => made.add(blockOf(row), scores[row], value, columns.map((column) => groups[column][row])));
    return made;
  };
  const candidate = table(rows.candidate, Object.keys(groups));
  const times = Float64Array.from(days ?? [], (day) => day * DAY).sort();
  return {
    rows: truth.length,
    columns: [task.target, ...Object.keys(groups)],
    candidate,
    ...(rows.champion && { champion: table(rows.champion, []) }),
    blocks: { unit: days ? 'day' : 'rows', count: candidate.blockIds.length, ...(days ? {} : { rowsPerBlock }) },
    ...(days && { from: times[0], to: times[times.length - 1] }),
    keys: new Map(),
    rowsUpTo: (time) => times.filter((one) => one <= time).length,
  };
};

/** Nothing is in both; the training ends before 1970. */
export const CLEAN: Extract<Leakage, { readonly status: 'checked' }> = {
  status: 'checked',
  columns: ['a'],
  trainRows: 100,
  sharedRows: 0,
  share: 0,
  trainTo: '1969-12-31T00:00:00.000Z',
  rowsInTrainingPeriod: 0,
};

export const EVIDENCE: GateEvidence = { leakage: { candidate: CLEAN, champion: CLEAN }, scoringMilliseconds: 1000, modelBytes: 1024 };

/** Numbers that look like chance and are the same each time: standard normal. */
export const normals = (seed: number): (() => number) => {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
    return (((mixed ^ (mixed >>> 15)) >>> 0) + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
};

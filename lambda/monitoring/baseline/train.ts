import type { MonitorSpec } from '../../../lib/monitoring/contract';
import { pairCandidates } from '../constraints/candidates';
import type { Fold } from '../constraints/folds';
import { type PairCount, PairCounter } from '../constraints/pairs';
import type { BlockCounter, ShapedColumn, SkippedColumn } from '../profile';
import { DistinctCounter, isSkipped, mergeProfiles, Profiler, Sampler, shapesOf, timeOfText } from '../profile';
import type { WatchedFeature } from '../profile/types';
import type { RowSink } from '../rows';
import { readTime } from '../values';
import { readTable, type TableSource, toAll } from './table';
import type { BaselineFeature } from './types';

/** Suggested constraints are checked on so many parts of the training data. */
const FOLDS = 5;

/** What the first pass over the training data finds: how its columns are counted. */
export interface TrainShapes {
  /** Header of the training data. */
  readonly columns: readonly string[];
  readonly rows: number;
  readonly shaped: readonly ShapedColumn[];
  readonly skipped: readonly SkippedColumn[];
}

export async function shapeTraining({ task }: MonitorSpec, train: TableSource): Promise<TrainShapes> {
  let sampler: Sampler | undefined;
  const { rows } = await readTable(train, (columns) => {
    requireColumns(task, columns, 'training data');
    sampler = new Sampler(columns);
    return sampler;
  });
  if (sampler === undefined || rows === 0) {
    throw new Error('the training data holds no row: no baseline can be made');
  }
  const { columns } = sampler;
  const made = shapesOf(sampler, columns.filter((name) => name !== task.timeColumn));
  return { columns, rows, shaped: made.filter((column): column is ShapedColumn => !isSkipped(column)), skipped: made.filter(isSkipped) };
}

/** The columns of a header that are counted. */
export const watchedColumns = ({ task }: Pick<MonitorSpec, 'task'>, shaped: readonly ShapedColumn[], columns: readonly string[]): WatchedFeature[] =>
  shaped.map(({ name, shape }) => ({ name, role: name === task.target ? 'target' : 'feature', column: columns.indexOf(name), shape }));

export interface CountedTraining {
  readonly features: readonly BaselineFeature[];
  readonly folds: readonly Fold[];
  /** Longest time between two rows that follow each other; absent where the rows have no time or are not in its order. */
  readonly longestGapSeconds?: number;
}

/** The second pass counts, and the third, where some columns may stand in a relation, counts these relations. */
export async function countTraining(
  spec: Pick<MonitorSpec, 'task'>,
  train: TableSource,
  shapes: TrainShapes,
  blocks: BlockCounter,
): Promise<CountedTraining> {
  const watched = watchedColumns(spec, shapes.shaped, shapes.columns);
  const parts = inFolds(shapes.rows, () => new Profiler(watched));
  const gaps = new Gaps(spec.task.timeColumn === undefined ? -1 : shapes.columns.indexOf(spec.task.timeColumn));
  const values = new DistinctCounter(shapes.columns.length);
  await readTable(train, () => toAll(parts.sink, blocks, gaps, values));
  const distinct = values.toDistinct();
  const profiles = parts.members.map((profiler) => profiler.toProfile());
  const all = profiles.reduce(mergeProfiles);
  const features = watched.map(({ name, role, column, shape }): BaselineFeature => {
    return { name, role, shape, counts: all.features.get(name)!, distinct: distinct[column as number] };
  });
  const pairs = await countPairs(train, shapes, features);
  const folds = profiles.map((profile, index): Fold => ({ profile, ...(pairs && { pairs: pairs[index] }) }));
  return { features, folds, ...(gaps.longest !== undefined && { longestGapSeconds: gaps.longest / 1000 }) };
}

async function countPairs(train: TableSource, shapes: TrainShapes, features: readonly BaselineFeature[]): Promise<PairCount[][] | undefined> {
  const candidates = pairCandidates(features);
  if (candidates.length === 0) return undefined;
  const parts = inFolds(shapes.rows, () => new PairCounter(shapes.columns, candidates, true));
  await readTable(train, () => parts.sink);
  return parts.members.map((counter) => counter.counts());
}

/** Consecutive parts of equally many rows, each counted by a member of its own. */
function inFolds<S extends RowSink>(rows: number, make: () => S): { readonly members: readonly S[]; readonly sink: RowSink } {
  const members = Array.from({ length: Math.min(FOLDS, rows) }, make);
  let row = 0;
  const next = (): S => members[Math.min(members.length - 1, Math.floor((row++ * members.length) / rows))];
  return { members, sink: { text: (values) => next().text(values), cells: (values) => next().cells(values) } };
}

class Gaps implements RowSink {
  public longest: number | undefined;
  private last = NaN;
  private sorted = true;

  constructor(private readonly column: number) {}

  public text: RowSink['text'] = ({ bytes, starts, ends }) => {
    if (this.column >= 0) this.add(timeOfText(bytes, starts[this.column], ends[this.column]));
  };

  public cells: RowSink['cells'] = (row) => {
    if (this.column >= 0) this.add(readTime(row[this.column]) ?? NaN);
  };

  private add(time: number): void {
    this.sorted &&= !(time < this.last);
    const gap = time - this.last;
    this.longest = this.sorted ? (gap > (this.longest ?? -1) ? gap : this.longest) : undefined;
    this.last = time;
  }
}

export function requireColumns({ target, timeColumn }: MonitorSpec['task'], columns: readonly string[], where: string): void {
  const missing = [target, ...(timeColumn === undefined ? [] : [timeColumn])].filter((name) => !columns.includes(name));
  if (missing.length > 0) {
    throw new Error(`the header of the ${where} lacks ${missing.join(' and ')}: it has ${columns.join(', ')}`);
  }
}

import type { MonitorSpec } from '../../../lib/monitoring/contract';
import type { BlockCounter, Distinct } from '../profile';
import { DistinctCounter, ImportanceCounter, Profiler, Sampler, timeOfText } from '../profile';
import type { Counts, Shape, WatchedFeature } from '../profile/types';
import type { LabelledRow } from '../quality/types';
import { textOf } from '../readers/bytes';
import type { Cell, RowSink } from '../rows';
import { readPrediction, readTruth } from '../task-metrics';
import { readCategory } from '../values';
import { readTable, type TableSource } from './table';
import { requireColumns } from './train';

/** Predictions of the holdout's rows in their order; each reading begins anew. */
export type ScoreSource = () => AsyncIterable<Cell>;

/** Predictions as a batch transform writes them: numbers in eight bytes each, all else as it is. */
export class Scores {
  private constructor(private readonly cells: readonly Cell[]) {}

  static async read(source: ScoreSource): Promise<Scores> {
    const cells: Cell[] = [];
    for await (const cell of source()) cells.push(typeof cell === 'string' && cell !== '' && Number.isFinite(Number(cell)) ? Number(cell) : cell);
    return new Scores(cells);
  }

  get length(): number {
    return this.cells.length;
  }

  at(row: number): Cell {
    return this.cells[row];
  }

  /** How predictions are counted. */
  shape(): { readonly shape: Shape } | { readonly reason: string } {
    const sampler = new Sampler(['prediction']);
    this.cells.forEach((cell) => sampler.cells([cell]));
    const shape = sampler.shapeOf(0);
    return 'reason' in shape ? { reason: 'no row of the holdout has a prediction' } : { shape };
  }

  distinct(): Distinct {
    const values = new DistinctCounter(1);
    this.cells.forEach((cell) => values.cells([cell]));
    return values.toDistinct()[0];
  }
}

export interface HoldoutCounts {
  readonly rows: number;
  /** Truth and prediction of each row. */
  readonly pairs: readonly LabelledRow[];
  /** Of the prediction; absent where it has no shape. */
  readonly counts?: Counts;
  readonly importance: ReadonlyMap<string, number>;
  /** Event time of the newest row. */
  readonly newest?: number;
}

/** Counts the holdout with the candidate's predictions of it. `watched`: the columns that are counted, and the prediction where it has a shape. */
export async function countHoldout(
  spec: MonitorSpec,
  holdout: TableSource,
  scores: Scores,
  watched: readonly WatchedFeature[],
  blocks: BlockCounter,
): Promise<HoldoutCounts> {
  let reader: HoldoutReader | undefined;
  const { rows } = await readTable(holdout, (columns) => {
    requireColumns(spec.task, columns, 'holdout');
    reader = new HoldoutReader(spec, columns, scores, watched, blocks);
    return reader;
  });
  if (reader === undefined || rows === 0) {
    throw new Error('the holdout holds no row: no baseline can be made');
  }
  if (scores.length > rows) {
    throw new Error(`the candidate has more scores than the holdout has rows (${rows}): scores and holdout must be of one run`);
  }
  return reader.result(rows);
}

class HoldoutReader implements RowSink {
  private readonly pairs: LabelledRow[] = [];
  private readonly predictions: Profiler;
  private readonly importance?: ImportanceCounter;
  private readonly target: number;
  private readonly time: number;
  private readonly groups: readonly number[];
  private row = 0;
  private newest = -Infinity;

  constructor(
    private readonly spec: MonitorSpec,
    columns: readonly string[],
    private readonly scores: Scores,
    watched: readonly WatchedFeature[],
    private readonly blocks: BlockCounter,
  ) {
    const { task, groupColumns } = spec;
    const prediction = watched.filter(({ column }) => column === undefined);
    this.predictions = new Profiler(prediction);
    this.importance = prediction.length > 0 ? new ImportanceCounter(watched.filter(({ role }) => role !== 'target')) : undefined;
    this.target = columns.indexOf(task.target);
    this.time = task.timeColumn === undefined ? -1 : columns.indexOf(task.timeColumn);
    this.groups = groupColumns.map((name) => columns.indexOf(name));
  }

  public text: RowSink['text'] = (row) => {
    const { bytes, starts, ends } = row;
    const cell = (column: number): string => textOf(bytes, starts[column], ends[column]);
    this.blocks.text(row);
    this.importance?.text(row);
    this.add(cell, this.time < 0 ? undefined : timeOfText(bytes, starts[this.time], ends[this.time]));
  };

  /** The pipeline writes CSV. */
  public cells: RowSink['cells'] = () => {
    throw new Error('a holdout is CSV');
  };

  private add(cell: (column: number) => string, time: number | undefined): void {
    const { task } = this.spec;
    const number = this.row + 1;
    if (this.row >= this.scores.length) {
      throw new Error(`the candidate's scores end after ${this.row} rows, the holdout goes on: scores and holdout must be of one run`);
    }
    const score = this.scores.at(this.row);
    const truth = readTruth(task, cell(this.target));
    const prediction = readPrediction(task, score);
    if (truth === undefined || prediction === undefined) {
      const what = truth === undefined ? 'the target' : 'the prediction';
      throw new Error(`holdout row ${number}: ${what} cannot be read as the task ${task.kind} needs it`);
    }
    this.predictions.cells([]);
    this.predictions.prediction(score);
    this.blocks.prediction(score);
    this.importance?.prediction(score);
    const groups = this.groups.map((column) => (column < 0 ? undefined : readCategory(cell(column))));
    this.pairs.push({ time: time ?? NaN, truth, prediction, groups });
    this.newest = Math.max(this.newest, time ?? -Infinity);
    this.row += 1;
  }

  public result(rows: number): HoldoutCounts {
    const [counts] = this.predictions.toProfile().features.values();
    return {
      rows,
      pairs: this.pairs,
      ...(counts && { counts }),
      importance: this.importance?.toImportance() ?? new Map<string, number>(),
      ...(this.newest > -Infinity && { newest: this.newest }),
    };
  }
}

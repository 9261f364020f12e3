import { PIPELINE_ERRORS } from '../../../lib/pipeline/contract';
import { NamedError } from '../../common/errors';
import { timeOfText } from '../../monitoring/profile/time';
import { dayOf, QualityTable } from '../../monitoring/quality';
import { textOf } from '../../monitoring/readers/bytes';
import type { Cell, RowSink, TextRow } from '../../monitoring/rows';
import { readTruth, type RuntimeTask } from '../../monitoring/task-metrics';
import { readCategory } from '../../monitoring/values';
import { RowKeys } from '../row-keys';
import type { Scores } from './scores';

/** Blocks of rows that have no time: at most as many, of consecutive rows. */
const MOST_ROW_BLOCKS = 500;
/** Rows that name no group are one of their own. */
export const NO_VALUE = '(no value)';

/** Units that are drawn and left out as a whole. */
export interface HoldoutBlocks {
  readonly unit: 'day' | 'rows';
  readonly count: number;
  /** Of blocks of rows; the last one may have fewer. */
  readonly rowsPerBlock?: number;
}

/** The holdout with what both models make of it. */
export interface ScoredHoldout {
  readonly rows: number;
  readonly columns: readonly string[];
  /** With the group columns that the gate names. */
  readonly candidate: QualityTable;
  /** The same rows in the same blocks; absent for the first version. */
  readonly champion?: QualityTable;
  readonly blocks: HoldoutBlocks;
  /** Event times, milliseconds; absent where rows have none. */
  readonly from?: number;
  readonly to?: number;
  /** By the list of columns (`keysOf`) that they are made of. */
  readonly keys: ReadonlyMap<string, RowKeys>;
  /** Rows whose event time is not after this one. */
  rowsUpTo(time: number): number;
}

/** Names keys by the columns that they are made of. */
export const keysOf = (columns: readonly string[]): string => JSON.stringify(columns);

export const incomplete = (message: string, cause?: unknown): NamedError => new NamedError(PIPELINE_ERRORS.gateIncomplete, message, { cause });

export interface HoldoutRequest {
  readonly task: RuntimeTask;
  readonly groupColumns: readonly string[];
  /** Lists of columns to make keys of; one that names a column that is not there is left out. */
  readonly keyColumns: readonly (readonly string[])[];
  readonly candidate: Scores;
  readonly champion?: Scores;
}

/** Puts the rows of the holdout beside what both models made of them. */
export class HoldoutBuilder implements RowSink {
  private readonly candidate: QualityTable;
  private readonly champion?: QualityTable;
  private readonly keys: readonly RowKeys[];
  private readonly target: number;
  private readonly time: number;
  private readonly groups: readonly number[];
  private readonly rowsPerBlock: number;
  private readonly groupNames: (string | undefined)[];
  private readonly times: Float64Array;
  private rows = 0;

  constructor(
    private readonly request: HoldoutRequest,
    private readonly columns: readonly string[],
  ) {
    const { task, groupColumns, keyColumns, candidate, champion } = request;
    for (const [role, name] of [['target', task.target], ['time', task.timeColumn], ...groupColumns.map((column) => ['group', column])] as const) {
      if (name !== undefined && !columns.includes(name)) throw incomplete(`the holdout has no ${role} column '${name}', only ${columns.join(', ')}`);
    }
    this.candidate = new QualityTable(task, groupColumns);
    if (champion) this.champion = new QualityTable(task);
    this.keys = keyColumns.filter((names) => names.every((name) => columns.includes(name))).map((names) => new RowKeys(columns, names));
    this.target = columns.indexOf(task.target);
    this.time = task.timeColumn === undefined ? -1 : columns.indexOf(task.timeColumn);
    this.groups = groupColumns.map((name) => columns.indexOf(name));
    this.groupNames = new Array<string | undefined>(groupColumns.length);
    this.rowsPerBlock = Math.max(1, Math.ceil(candidate.count / MOST_ROW_BLOCKS));
    this.times = new Float64Array(this.time < 0 ? 0 : candidate.count);
  }

  public text = (row: TextRow): void => {
    const { bytes, starts, ends, numbers } = row;
    const index = this.rows;
    this.rows += 1;
    const { task, candidate, champion } = this.request;
    // How many there are is what is missed then.
    if (index >= candidate.count || (champion && index >= champion.count)) return;
    const known = task.kind === 'REGRESSION' && numbers ? numbers[this.target] : NaN;
    const truth = Number.isNaN(known) ? readTruth(task, textOf(bytes, starts[this.target], ends[this.target])) : known;
    if (truth === undefined) throw incomplete(`the target of holdout row ${index + 1} cannot be read`);
    let block = Math.floor(index / this.rowsPerBlock);
    if (this.time >= 0) {
      const time = timeOfText(bytes, starts[this.time], ends[this.time]);
      if (Number.isNaN(time)) throw incomplete(`the time of holdout row ${index + 1} cannot be read`);
      this.times[index] = time;
      block = dayOf(time);
    }
    for (let at = 0; at < this.groups.length; at += 1) {
      const column = this.groups[at];
      this.groupNames[at] = readCategory(textOf(bytes, starts[column], ends[column])) ?? NO_VALUE;
    }
    this.candidate.add(block, candidate.at(index), truth, this.groupNames);
    if (champion) this.champion?.add(block, champion.at(index), truth);
    for (const keys of this.keys) keys.text(row);
  };

  /** The pipeline writes CSV. */
  public cells = (_: readonly Cell[]): never => {
    throw incomplete('a holdout is CSV');
  };

  public result(): ScoredHoldout {
    const { rows, times, request } = this;
    if (rows === 0) throw incomplete('the holdout holds no row');
    requireAll('candidate', request.candidate.count, rows);
    if (request.champion) requireAll('champion', request.champion.count, rows);
    const sorted = times.slice().sort();
    const unit = this.time < 0 ? ('rows' as const) : ('day' as const);
    return {
      rows,
      columns: this.columns,
      candidate: this.candidate,
      ...(this.champion && { champion: this.champion }),
      blocks: { unit, count: this.candidate.blockIds.length, ...(unit === 'rows' && { rowsPerBlock: this.rowsPerBlock }) },
      ...(unit === 'day' && { from: sorted[0], to: sorted[sorted.length - 1] }),
      keys: new Map(this.keys.map((keys) => [keysOf(keys.keyColumns), keys])),
      rowsUpTo: (time) => countUpTo(sorted, time),
    };
  }
}

const requireAll = (whose: string, scores: number, rows: number): void => {
  if (scores !== rows) throw incomplete(`the ${whose} has ${scores} scores for ${rows} holdout rows`);
};

/** Values of an ascending list that are not larger. */
export function countUpTo(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

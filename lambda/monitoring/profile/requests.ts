import type { AnsweredRow } from '../quality/types';
import { textOf } from '../readers/bytes';
import type { Rejections } from '../rejections';
import type { Cell, Place, RequestHead, RequestSink, RowSink, TextRow } from '../rows';
import type { RuntimeTask } from '../task-metrics';
import { readPrediction } from '../task-metrics';
import { readCategory, readTime } from '../values';
import { hashText, ID_SEED } from './hash';
import { RecentIds } from './hash-set';
import { Profiler } from './profile';
import { timeOfText } from './time';
import type { Profile, WatchedFeature } from './types';

/** Ids among which duplicates are recognised. */
export const REMEMBERED_IDS = 2 ** 20;
const NO_GROUPS: readonly undefined[] = [];

export interface RequestProfilerOptions {
  readonly features: readonly WatchedFeature[];
  /** Columns of a request row, in order. */
  readonly columns: readonly string[];
  readonly task: RuntimeTask;
  /** Event times in milliseconds; the end is not part of it. */
  readonly window: { readonly start: number; readonly end: number };
  /** When each version began to serve, oldest first, in milliseconds of wall-clock time. */
  readonly promotions: readonly { readonly version: number; readonly at: number }[];
  readonly groupColumns: readonly string[];
  readonly rejections: Rejections;
  readonly onScored?: (row: AnsweredRow) => void;
  /** Takes each row that is counted. */
  readonly onRow?: RowSink;
  /** Ids that came in another part of the data: hashes as `idHash` makes them. */
  readonly seen?: { readonly events: readonly IdHash[]; readonly inferenceIds: readonly IdHash[] };
}

/** Two halves of 32 bits. */
export type IdHash = readonly [number, number];

export const idHash = (id: string): IdHash => [hashText(id), hashText(id, ID_SEED)];

/** Hashes of event id and inference id, which the reader has made perhaps. */
export const hashesOf = (head: RequestHead): Int32Array =>
  // Heads make their texts when they are asked for.
  head.hashes ?? Int32Array.of(...idHash(head.eventId), ...idHash(head.inferenceId));

/** What a part of a window holds, besides its profile. */
export interface RequestCounts {
  readonly requests: number;
  readonly rows: number;
  /** Most rows first. */
  readonly servedBy: readonly { readonly version: number; readonly rows: number }[];
  /** Rows whose request was recorded when the window had ended. */
  readonly lateRows: number;
  /** Rows with times outside the window: they belong to other windows. */
  readonly outsideRows: number;
  /** Event time of the newest row, in milliseconds. */
  readonly newestRow?: number;
}

/** Profiles the rows of recorded requests whose event time lies in a window. */
export class RequestProfiler implements RequestSink {
  private readonly profiler: Profiler;
  private readonly timeIndex: number;
  private readonly groupIndexes: readonly number[];
  private readonly hasGroups: boolean;
  private readonly events = new RecentIds(REMEMBERED_IDS);
  private readonly callerIds = new RecentIds(REMEMBERED_IDS);
  private readonly served = new Map<number, number>();
  /** The version of the last row, with those of its rows that are not in `served` yet. */
  private lastServed?: number;
  private lastRows = 0;
  private requests = 0;
  private rows = 0;
  private lateRows = 0;
  private outsideRows = 0;
  private newestRow = -Infinity;
  // The request whose rows come.
  private head: RequestHead = { eventId: '', inferenceId: '', time: 0 };
  private isAnswered = false;
  private where: Place = '';
  private rowIndex = 0;
  private state: 'new' | 'counted' | 'refused' = 'new';
  private duplicate?: 'duplicate-record' | 'duplicate-id';
  private version?: number;

  constructor(private readonly options: RequestProfilerOptions) {
    const { task, columns } = options;
    this.profiler = new Profiler(options.features);
    this.timeIndex = task.timeColumn === undefined ? -1 : columns.indexOf(task.timeColumn);
    if (task.timeColumn !== undefined && this.timeIndex < 0) {
      throw new Error(`the requests have no column ${task.timeColumn}, which tells the time of a row`);
    }
    this.groupIndexes = options.groupColumns.map((name) => columns.indexOf(name));
    this.hasGroups = this.groupIndexes.length > 0;
    options.seen?.events.forEach((hash) => this.events.add(...hash));
    options.seen?.inferenceIds.forEach((hash) => this.callerIds.add(...hash));
  }

  public begin(head: RequestHead, where: Place): boolean {
    this.head = head;
    this.isAnswered = false;
    this.where = where;
    this.rowIndex = 0;
    this.state = 'new';
    this.version = this.versionAt(head.time);
    if (this.timeIndex < 0 && !this.isInside(head.time)) {
      return false;
    }
    // Delivery is at least once: the same record may stand in two files.
    const hashes = hashesOf(head);
    const isNew = this.events.add(hashes[0], hashes[1]);
    const isOwnId = hashes[0] === hashes[2] && hashes[1] === hashes[3];
    const isNewId = !isNew || isOwnId || this.callerIds.add(hashes[2], hashes[3]);
    this.duplicate = !isNew ? 'duplicate-record' : !isNewId ? 'duplicate-id' : undefined;
    if (this.timeIndex < 0 && this.duplicate !== undefined) {
      this.refuse();
      return false;
    }
    return true;
  }

  public text(row: TextRow, prediction: Cell): void {
    const { timeIndex } = this;
    const { bytes, starts, ends, length } = row;
    const complete = this.hasColumns(length);
    const time = !complete ? NaN : timeIndex < 0 ? this.head.time : timeOfText(bytes, starts[timeIndex], ends[timeIndex]);
    if (complete && this.accept(time)) {
      this.profiler.text(row);
      this.options.onRow?.text(row);
      this.score(time, prediction, this.hasGroups ? (index) => readCategory(textOf(bytes, starts[index], ends[index])) : undefined);
    }
    this.rowIndex += 1;
  }

  public cells(row: readonly Cell[], prediction: Cell): void {
    const { timeIndex } = this;
    const complete = this.hasColumns(row.length);
    const time = !complete ? NaN : timeIndex < 0 ? this.head.time : (readTime(row[timeIndex]) ?? NaN);
    if (complete && this.accept(time)) {
      this.profiler.cells(row);
      this.options.onRow?.cells(row);
      this.score(time, prediction, this.hasGroups ? (index) => readCategory(row[index]) : undefined);
    }
    this.rowIndex += 1;
  }

  public skip(): void {
    this.rowIndex += 1;
  }

  private hasColumns(length: number): boolean {
    const { columns } = this.options;
    if (length !== columns.length) {
      this.reject('column-count', `${length} values instead of ${columns.length}`);
    }
    return length === columns.length;
  }

  /** Whether a row of this time is counted: it lies in the window and its request is no duplicate. */
  private accept(time: number): boolean {
    if (time !== time) {
      this.reject('row-time', `column ${this.options.columns[this.timeIndex]} is no ISO 8601 time`);
      return false;
    }
    if (!this.isInside(time)) {
      this.outsideRows += 1;
      return false;
    }
    if (this.duplicate !== undefined) {
      this.refuse();
      return false;
    }
    if (this.state === 'new') {
      this.state = 'counted';
      this.requests += 1;
    }
    this.rows += 1;
    this.lateRows += this.head.time >= this.options.window.end ? 1 : 0;
    this.newestRow = Math.max(this.newestRow, time);
    if (this.version !== this.lastServed) {
      this.countServed();
      this.lastServed = this.version;
    }
    this.lastRows += 1;
    return true;
  }

  private countServed(): void {
    if (this.lastServed !== undefined) {
      this.served.set(this.lastServed, (this.served.get(this.lastServed) ?? 0) + this.lastRows);
    }
    this.lastRows = 0;
  }

  /** A duplicate is counted once, however many rows it has. */
  private refuse(): void {
    if (this.state === 'new' && this.duplicate !== undefined) {
      this.state = 'refused';
      const isRecord = this.duplicate === 'duplicate-record';
      const why = isRecord ? 'the same record was delivered before' : 'another request had this inference id: ids must be unique';
      this.options.rejections.add(this.duplicate, this.where.toString(), why);
    }
  }

  private score(time: number, cell: Cell, groupOf: ((column: number) => string | undefined) | undefined): void {
    if (cell === undefined) {
      return;
    }
    this.profiler.prediction(cell);
    const { onScored, task } = this.options;
    const prediction = readPrediction(task, cell);
    if (prediction === undefined) {
      this.reject('prediction-value', `the answer is no prediction of a ${task.kind} task`);
    } else if (onScored !== undefined) {
      const groups = groupOf === undefined ? NO_GROUPS : this.groupIndexes.map((index) => (index < 0 ? undefined : groupOf(index)));
      onScored({ request: this.head, continues: this.isAnswered, rowIndex: this.rowIndex, time, version: this.version, prediction, groups });
      this.isAnswered = true;
    }
  }

  private reject(cause: string, why: string): void {
    this.options.rejections.add(cause, `${this.where.toString()} row ${this.rowIndex}`, why);
  }

  private isInside(time: number): boolean {
    return time >= this.options.window.start && time < this.options.window.end;
  }

  /** The version that served at a time; the first one also in the moments between its release and its promotion. */
  private versionAt(time: number): number | undefined {
    const { promotions } = this.options;
    let index = promotions.length - 1;
    while (index > 0 && promotions[index].at > time) {
      index -= 1;
    }
    return promotions[index]?.version;
  }

  public toProfile(): Profile {
    return this.profiler.toProfile();
  }

  public toCounts(): RequestCounts {
    this.countServed();
    const { requests, rows, lateRows, outsideRows, newestRow } = this;
    return {
      requests,
      rows,
      servedBy: [...this.served].map(([version, count]) => ({ version, rows: count })).sort((a, b) => b.rows - a.rows || b.version - a.version),
      lateRows,
      outsideRows,
      ...(rows > 0 && { newestRow }),
    };
  }
}

/** The counts of both parts. A request that stands in both, because it was delivered twice, is counted twice: only ids within a part are compared. */
export function mergeRequestCounts(a: RequestCounts, b: RequestCounts): RequestCounts {
  const served = new Map(a.servedBy.map(({ version, rows }) => [version, rows]));
  b.servedBy.forEach(({ version, rows }) => served.set(version, (served.get(version) ?? 0) + rows));
  const newest = [a.newestRow, b.newestRow].filter((time) => time !== undefined);
  return {
    requests: a.requests + b.requests,
    rows: a.rows + b.rows,
    servedBy: [...served].map(([version, rows]) => ({ version, rows })).sort((x, y) => y.rows - x.rows || y.version - x.version),
    lateRows: a.lateRows + b.lateRows,
    outsideRows: a.outsideRows + b.outsideRows,
    ...(newest.length > 0 && { newestRow: Math.max(...newest) }),
  };
}

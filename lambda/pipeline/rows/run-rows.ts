import type { PipelineSpec } from '../../../lib/pipeline/contract';
import { readCategory } from '../../monitoring/values';
import { dataInvalid } from '../data-invalid';
import type { DataRows, Rejection } from '../data-reader';
import { RowHasher } from '../row-keys';
import { holdoutStart, isHeldOut } from '../split';
import type { CsvRow } from './csv-row';
import { SetAside } from './quarantine';
import { SortedRows } from './sorted-rows';

/** Labels of the target that are told apart; a task of so many classes is none. */
const MOST_LABELS = 10_000;

/** Times of rows without one: of those in training, and of those that are held out. */
const [IN_TRAINING, HELD_OUT] = [0, 1];

/** Rows of one side, oldest first. */
export interface Side {
  readonly rows: number;
  /** Milliseconds of the first and the last one; absent where rows have no time. */
  readonly from?: number;
  readonly to?: number;
}

/** The rows of one run, which come in the order of its files, and go in that of their times. */
export class RunRows implements DataRows {
  names: readonly string[] = [];
  readonly sorted: SortedRows;
  /** Rows that cannot be read as rows of this data. */
  readonly rejections = new SetAside();
  /** Rows that break a constraint. */
  readonly broken = new SetAside();
  /** Version of the file at hand, where the bucket keeps versions. */
  versionId?: string;
  /** Categories of the target by their number. */
  readonly labels: string[] = [];
  private readonly numbers = new Map<string, number>();
  private hasher?: RowHasher;
  private target = -1;

  constructor(
    private readonly spec: Pick<PipelineSpec, 'task' | 'holdout' | 'gate'>,
    batchBytes?: number,
  ) {
    this.sorted = new SortedRows(batchBytes);
    // Told apart from others however many come before it.
    const positive = readCategory(spec.task.positiveLabel ?? '');
    if (positive !== undefined) this.numberOf(positive);
  }

  /** Of the row key's columns. */
  get keyColumns(): readonly string[] {
    return this.spec.gate.rowKey ?? this.names;
  }

  get hasTime(): boolean {
    return this.spec.task.timeColumn !== undefined;
  }

  get setAside(): number {
    return this.rejections.count + this.broken.count;
  }

  columns(names: readonly string[]): void {
    if (this.hasher) return;
    this.names = names;
    this.target = names.indexOf(this.spec.task.target);
    const missing = this.keyColumns.filter((name) => !names.includes(name));
    if (missing.length > 0) {
      const rule = `the gate's row key names ${missing.join(', ')}, which is no column of the data`;
      throw dataInvalid('the header', rule, `name some of ${names.join(', ')}`);
    }
    this.hasher = new RowHasher(names, this.keyColumns);
  }

  row(row: CsvRow, time: number | undefined, target: string): void {
    const { hasher, spec, sorted } = this;
    if (row.parsed) hasher!.cells(row.parsed);
    else hasher!.text(row);
    sorted.add(row, {
      time: time ?? (isHeldOut(row.bytes.subarray(row.from, row.to), spec.holdout.share ?? 0) ? HELD_OUT : IN_TRAINING),
      label: spec.task.kind === 'REGRESSION' ? 0 : this.numberOf(readCategory(target) ?? ''),
      target: this.target,
      keyLow: hasher!.low,
      keyHigh: hasher!.high,
    });
  }

  rejected(rejection: Rejection): void {
    this.rejections.add(rejection);
  }

  violating(rejection: Rejection): void {
    this.broken.add({ ...rejection, ...(this.versionId !== undefined && { versionId: this.versionId }) });
  }

  /** Ends the coming of rows, and says from which time on they are held out. */
  split(): { readonly start: number; readonly train: Side; readonly holdout: Side } {
    const { sorted, spec } = this;
    sorted.finish();
    const start = this.hasTime ? holdoutStart(sorted, spec.holdout) : HELD_OUT;
    const rows = sorted.countBefore(start);
    return { start, train: this.side(0, rows), holdout: this.side(rows, sorted.count) };
  }

  /** Rows from one place of the order to another. */
  side(from: number, to: number): Side {
    const rows = to - from;
    return this.hasTime && rows > 0 ? { rows, from: this.sorted.timeAt(from), to: this.sorted.timeAt(to - 1) } : { rows };
  }

  close(): void {
    for (const part of [this.sorted, this.rejections, this.broken]) part.close();
  }

  private numberOf(label: string): number {
    const known = this.numbers.get(label);
    if (known !== undefined) return known;
    if (this.labels.length === MOST_LABELS) return MOST_LABELS;
    this.numbers.set(label, this.labels.length);
    return this.labels.push(label) - 1;
  }
}

import type { Rejections } from '../rejections';
import type { RuntimeTask } from '../task-metrics';
import { readTruth } from '../task-metrics';
import { parseLabelLine } from './label-line';
import { LabelStore } from './label-store';
import { Names } from './table';

/** A label as it is known: `truth` is undefined where it was taken back. */
export interface KnownLabel {
  readonly truth: number | string | undefined;
  readonly observedAt: number;
}

/**
 * The truth by row. The last label version wins, among equal ones the one observed last, among these the larger value; a label that takes the truth
 * back (null) is the smallest. So the order of the lines does not matter. About 40 bytes a label.
 */
export class Labels {
  private readonly store: LabelStore;
  private readonly classes = new Names();

  constructor(
    private readonly task: RuntimeTask,
    private readonly rejections: Rejections,
  ) {
    this.store = new LabelStore((a, b) => this.larger(a, b));
  }

  /** Rows that have a label, those that were taken back included. */
  public get size(): number {
    return this.store.size;
  }

  /** A line of a label file, ours or Model Monitor's; `arrivedAt` (milliseconds) is when it was observed, where the line does not tell. */
  public add(line: string, where: string, arrivedAt: number): void {
    if (line.trim() === '') {
      return;
    }
    const labels = parseLabelLine(line, arrivedAt);
    if (typeof labels === 'string') {
      this.rejections.add('label-malformed', where, labels);
      return;
    }
    for (const { inferenceId, rowIndex, value, observedAt, labelVersion } of labels) {
      const truth = value === null ? NaN : this.encode(readTruth(this.task, value));
      if (truth === undefined) {
        this.rejections.add('label-value', where, `the value cannot be the truth of a ${this.task.kind} task`);
      } else {
        this.store.put(inferenceId, rowIndex, truth, labelVersion, observedAt);
      }
    }
  }

  /** The label of a row; undefined where none is known. Marks it as one whose row is known. */
  public find(inferenceId: string, rowIndex: number): KnownLabel | undefined {
    const at = this.store.find(inferenceId, rowIndex);
    if (at < 0) {
      return undefined;
    }
    this.store.mark(at);
    const value = this.store.value(at);
    const truth = Number.isNaN(value) ? undefined : this.task.kind === 'MULTICLASS_CLASSIFICATION' ? this.classes.list[value] : value;
    return { truth, observedAt: this.store.observedAt(at) };
  }

  /** Counts the labels whose row nobody asked for as rejected: ask for every row that was captured first, of other versions and windows too. */
  public rejectUnknown(where: string): number {
    const unknown = this.store.unmarked();
    if (unknown > 0) {
      this.rejections.add('label-unknown-id', where, 'the id and row belong to no recorded prediction', unknown);
    }
    return unknown;
  }

  private encode(truth: number | string | undefined): number | undefined {
    return typeof truth === 'string' ? this.classes.code(truth) : truth;
  }

  /** Whether value `a` wins over `b`; NaN, no value, wins over nothing. */
  private larger(a: number, b: number): boolean {
    if (Number.isNaN(a) || Number.isNaN(b)) {
      return !Number.isNaN(a);
    }
    return this.task.kind === 'MULTICLASS_CLASSIFICATION' ? this.classes.list[a] > this.classes.list[b] : a > b;
  }
}

import type { RuntimeTask } from '../task-metrics';
import type { Labels } from './labels';
import { dayOf, QualityTable } from './table';
import type { ScoredRow } from './types';

export interface JoinSpec {
  readonly task: RuntimeTask;
  readonly groupColumns: readonly string[];
  /** Milliseconds of event time; `to` is not part of it. */
  readonly from: number;
  readonly to: number;
  /** Rows that another version answered are left out; all rows where it is undefined. */
  readonly version?: number;
}

/**
 * Puts the labels that are known now to the scored rows, in blocks of whole days. Load the labels first, then add the rows in any order: what stays
 * is about 24 bytes a row beside the labels.
 */
export class LabelJoin {
  readonly table: QualityTable;

  constructor(
    private readonly spec: JoinSpec,
    private readonly labels: Labels,
  ) {
    this.table = new QualityTable(spec.task, spec.groupColumns);
  }

  /** Rows outside the days or of another version only tell that their labels are no strangers. */
  public add({ inferenceId, rowIndex, time, version, prediction, groups }: ScoredRow): void {
    const label = this.labels.find(inferenceId, rowIndex);
    const { from, to, version: wanted } = this.spec;
    if (time < from || time >= to || (wanted !== undefined && version !== wanted)) {
      return;
    }
    // A label that says that it was seen before the prediction comes from a clock that is off: no time has passed.
    const age = label?.truth === undefined ? undefined : Math.max(0, label.observedAt - time) / 1000;
    this.table.add(dayOf(time), prediction, label?.truth, groups, age);
  }

  public async addAll(batches: AsyncIterable<readonly ScoredRow[]>): Promise<void> {
    for await (const batch of batches) {
      for (const row of batch) {
        this.add(row);
      }
    }
  }
}

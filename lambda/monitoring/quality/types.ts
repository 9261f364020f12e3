import type { RequestHead } from '../rows';

/** A prediction of the window with what a label is joined by; groups in the order of the spec's groupColumns. */
export interface ScoredRow {
  readonly inferenceId: string;
  readonly rowIndex: number;
  /** Event time in milliseconds. */
  readonly time: number;
  /** Version that answered. */
  readonly version?: number;
  readonly prediction: number | string;
  readonly groups: readonly (string | undefined)[];
}

/** The same as it is read, good until the next one: its request tells the id. */
export interface AnsweredRow extends Omit<ScoredRow, 'inferenceId'> {
  readonly request: Pick<RequestHead, 'inferenceId' | 'inferenceIdAt'>;
  /** The row before was of the same request. */
  readonly continues: boolean;
}

/** A prediction with its truth, in the form that the task's metrics take. */
export interface LabelledRow {
  readonly time: number;
  readonly truth: number | string;
  readonly prediction: number | string;
  readonly groups: readonly (string | undefined)[];
}

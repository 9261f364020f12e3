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

/** A prediction with its truth, in the form that the task's metrics take. */
export interface LabelledRow {
  readonly time: number;
  readonly truth: number | string;
  readonly prediction: number | string;
  readonly groups: readonly (string | undefined)[];
}

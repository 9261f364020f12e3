// Shared by synth time and run time: imports nothing.

/** Environment variables that every function of the platform carries. */
export const COMMON_ENV = {
  /** Name of the platform; value of the `service` dimension of every metric. */
  platform: 'MLOPS_PLATFORM',
} as const;

/** Kind of learning task; decides metrics, their directions and the gate's comparisons. */
export type TaskKind = 'REGRESSION' | 'BINARY_CLASSIFICATION' | 'MULTICLASS_CLASSIFICATION';

/** What a model predicts, as the run time sees it. */
export interface TaskSpec {
  readonly kind: TaskKind;
  /** Column of the training data that holds the truth. */
  readonly target: string;
  /** Column that holds the event time (ISO 8601, UTC where no offset is given); decides holdout and monitoring windows. */
  readonly timeColumn?: string;
  /** Binary classification: the label counted as positive, as text. */
  readonly positiveLabel?: string;
}

/** Whether a larger value of a metric is better; a metric that is not listed must state its direction. */
export const HIGHER_IS_BETTER: Readonly<Record<string, boolean>> = {
  rmse: false,
  mae: false,
  mse: false,
  r2: true,
  accuracy: true,
  precision: true,
  recall: true,
  f1: true,
  macroF1: true,
  weightedF1: true,
  auc: true,
  averagePrecision: true,
  logLoss: false,
  brier: false,
  falsePositiveRate: false,
};

/** Metrics that the run time computes for each task. */
export const TASK_METRICS: Readonly<Record<TaskKind, readonly string[]>> = {
  REGRESSION: ['rmse', 'mae', 'mse', 'r2'],
  BINARY_CLASSIFICATION: ['accuracy', 'precision', 'recall', 'f1', 'falsePositiveRate', 'auc', 'averagePrecision', 'logLoss', 'brier'],
  MULTICLASS_CLASSIFICATION: ['accuracy', 'macroF1', 'weightedF1'],
};

/** Model names: letters, digits and hyphens, first a letter, at most 32; they appear in keys, events and job names. */
export const MODEL_NAME_PATTERN = /^[A-Za-z][A-Za-z0-9-]{0,31}$/;

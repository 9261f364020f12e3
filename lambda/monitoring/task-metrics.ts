import { TASK_METRICS, TaskKind } from '../../lib/common/contract';
import { binaryClassification, multiclassClassification, regression } from './statistics';
import type { Cell } from './values';
import { readCategory, readNumeric } from './values';

/** The task as functions know it at run time. */
export interface RuntimeTask {
  readonly kind: string;
  readonly target: string;
  readonly timeColumn?: string;
  readonly positiveLabel?: string;
}

/** A score at or above this predicts the positive label. */
export const SCORE_THRESHOLD = 0.5;

/** Truth and prediction as the task compares them; undefined where the cell cannot be either. */
export function readTruth(task: RuntimeTask, cell: Cell): number | string | undefined {
  const name = readCategory(cell);
  if (task.kind === 'REGRESSION') {
    return numberOf(cell);
  }
  return name === undefined || task.kind !== 'BINARY_CLASSIFICATION' ? name : Number(name === readCategory(task.positiveLabel));
}

export function readPrediction(task: RuntimeTask, cell: Cell): number | string | undefined {
  return task.kind === 'MULTICLASS_CLASSIFICATION' ? readCategory(cell) : numberOf(cell);
}

const numberOf = (cell: Cell): number | undefined => {
  const value = readNumeric(cell);
  return typeof value === 'number' ? value : undefined;
};

/** Metrics of the task; one that its definition leaves open on this data is absent. */
export function taskMetrics(
  task: RuntimeTask,
  pairs: readonly { readonly truth: number | string; readonly prediction: number | string }[],
): Record<string, number> {
  const truths = pairs.map(({ truth }) => truth);
  const predictions = pairs.map(({ prediction }) => prediction);
  const computed: object = {
    REGRESSION: () => regression(truths as number[], predictions as number[]),
    BINARY_CLASSIFICATION: () => binaryClassification(truths as number[], predictions as number[], SCORE_THRESHOLD),
    MULTICLASS_CLASSIFICATION: () =>
      multiclassClassification(truths as string[], predictions as string[], [...new Set([...truths, ...predictions] as string[])].sort()),
  }[task.kind as TaskKind]();
  const known = new Set(TASK_METRICS[task.kind as TaskKind]);
  return Object.fromEntries(Object.entries(computed).filter(([name, value]) => known.has(name) && typeof value === 'number'));
}

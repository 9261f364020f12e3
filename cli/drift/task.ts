import type { Shape } from '../../lambda/monitoring/profile/types';
import type { RuntimeTask } from '../../lambda/monitoring/task-metrics';
import { UsageError } from '../errors';

export const TASKS = { regression: 'REGRESSION', binary: 'BINARY_CLASSIFICATION', multiclass: 'MULTICLASS_CLASSIFICATION' } as const;
export type TaskName = keyof typeof TASKS;

export interface TaskOptions {
  readonly task?: TaskName;
  readonly positive?: string;
}

const POSITIVE = ['1', 'true', 'yes'];

/** What the predictions are, told by the values of target and predictions where nobody says it. */
export function taskOf(target: string, truth: Shape, prediction: Shape, { task, positive }: TaskOptions): RuntimeTask {
  const name = task ?? guess(truth, prediction, positive);
  if (name !== 'binary') return { kind: TASKS[name], target };
  const labels = truth.kind === 'categorical' ? truth.categories : [];
  const positiveLabel = positive ?? labels.find((label) => POSITIVE.includes(label.toLowerCase()));
  if (positiveLabel !== undefined) return { kind: TASKS.binary, target, positiveLabel };
  throw new UsageError(`which value of ${target} is the positive one cannot be told: ${labels.join(', ')}`, 'name it with --positive');
}

function guess(truth: Shape, prediction: Shape, positive?: string): TaskName {
  if (positive !== undefined) return 'binary';
  if (truth.kind === 'numeric') return 'regression';
  const numbers = truth.categories.every((name) => Number.isFinite(Number(name)));
  // Few whole numbers that are answered by fractions are counts, not classes.
  const between = prediction.kind === 'numeric' ? prediction.edges[prediction.edges.length - 1] > 1 || prediction.edges[0] < 0 : false;
  if (numbers && between) return 'regression';
  return truth.categories.length === 2 && (prediction.kind === 'numeric' || numbers) ? 'binary' : 'multiclass';
}

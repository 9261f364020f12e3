import { Duration } from 'aws-cdk-lib';
import { TaskSpec } from '../common/contract';
import { Validator } from '../common/validation';
import { checkJob, DEFAULT_MAX_RUNTIME, secondsOf } from './job-settings';
import { MetricDefinition, TrainingOptions } from './training-options';

/** Functions carry them in their environment, which ends at 4 KiB; SageMaker itself takes 2500 characters for each value. */
const LARGEST_HYPERPARAMETERS = 2000;
const LONGEST_WAIT = 28 * 86_400;

/**
 * What no training may have, whatever its kind.
 *
 * @internal
 */
export const checkTraining = (validator: Validator, options: TrainingOptions, metricDefinitions: readonly MetricDefinition[] = []): void => {
  checkJob(validator, options);
  const { hyperparameters = {}, minimumRows, spot, keepAlive } = options;
  const maxRuntime = secondsOf(options.maxRuntime ?? DEFAULT_MAX_RUNTIME);
  validator
    .range('minimumRows', minimumRows, 1, Infinity)
    .range('retryAttempts', options.retryAttempts, 1, 30)
    .range('keepAlive', secondsOf(keepAlive), 1, 3600, 'SageMaker keeps instances for a second to an hour')
    .check(keepAlive === undefined || spot === undefined, {
      rule: 'instances of spare capacity cannot be kept',
      place: 'keepAlive',
      fix: 'leave keepAlive or spot out',
    })
    .range('spot.maxWait', secondsOf(spot?.maxWait), maxRuntime ?? 1, LONGEST_WAIT, 'the wait includes the training itself: not below maxRuntime')
    .range('metricDefinitions', metricDefinitions.length, 0, 40, 'SageMaker reads at most 40 figures');
  checkHyperparameters(validator, hyperparameters);
  metricDefinitions.forEach((definition, index) => checkMetric(validator, definition, `metricDefinitions[${index}]`));
};

/**
 * What the built-in XGBoost cannot do.
 *
 * @internal
 */
export const checkAlgorithm = (validator: Validator, task: TaskSpec, { hyperparameters = {} }: TrainingOptions, tuned: boolean): void => {
  const objective = hyperparameters.objective ?? '';
  validator
    .check(task.kind !== 'MULTICLASS_CLASSIFICATION', {
      ...{ rule: 'the algorithm answers with numbers, which name no classes', place: 'training', got: task.kind },
      fix: 'use Training.script()',
    })
    .check(task.kind !== 'BINARY_CLASSIFICATION' || objective === 'binary:logistic', {
      ...{ rule: 'two classes need the objective that answers with a probability', place: 'training.hyperparameters.objective' },
      ...{ got: `'${objective}'`, fix: "state 'binary:logistic'" },
    })
    .check(task.timeColumn === undefined, {
      ...{ rule: 'the algorithm takes every column as a number, times are none', place: 'training', got: `timeColumn '${task.timeColumn}'` },
      fix: 'use Training.script(), which can leave the column out',
    })
    .check(!tuned, {
      ...{ rule: 'the algorithm would be tuned on the rows that it was trained on', place: 'training.tuned' },
      fix: 'use Training.script(), which can keep rows back',
    });
};

const checkHyperparameters = (validator: Validator, hyperparameters: { readonly [name: string]: string }): void => {
  validator.range('hyperparameters', Object.keys(hyperparameters).length, 0, 95, 'SageMaker takes 100, some of them say where the code is');
  for (const [name, value] of Object.entries(hyperparameters)) {
    validator
      .check(!name.startsWith('sagemaker_'), { rule: 'sagemaker_ is reserved', place: `hyperparameters.${name}`, fix: 'choose another name' })
      .check(typeof value === 'string', {
        rule: 'must be a string',
        place: `hyperparameters.${name}`,
        got: typeof value,
        fix: 'write it in quotes',
      });
  }
  const size = JSON.stringify(hyperparameters).length;
  validator.check(size <= LARGEST_HYPERPARAMETERS, {
    rule: `must take at most ${LARGEST_HYPERPARAMETERS} characters as JSON`,
    place: 'hyperparameters',
    got: String(size),
    fix: 'put long values into a file beside the script',
  });
};

const checkMetric = (validator: Validator, { name, regex }: MetricDefinition, place: string): void => {
  validator
    .pattern(`${place}.name`, name, /^.{1,255}$/, 'must have 1 to 255 characters', 'choose a shorter name')
    .pattern(`${place}.regex`, regex, /^.{1,500}$/, 'must have 1 to 500 characters', 'choose a shorter expression')
    .check(groupsOf(regex) === 1, {
      rule: 'must be a regular expression with one group, around the number',
      place: `${place}.regex`,
      got: `'${regex}'`,
      fix: "e.g. 'rmse: ([0-9.]+)'",
    });
};

/** Groups that capture; undefined where the expression is none. */
const groupsOf = (regex: string): number | undefined => {
  try {
    return new RegExp(`${regex}|`).exec('')!.length - 1;
  } catch {
    return undefined;
  }
};

/**
 * Longest time that a training takes once it has its instances, waiting for spare ones included.
 *
 * @internal
 */
export const longestOf = ({ maxRuntime = DEFAULT_MAX_RUNTIME, spot }: TrainingOptions): Duration => spot?.maxWait ?? maxRuntime;

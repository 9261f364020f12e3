import { TASK_METRICS, TaskSpec } from '../common/contract';
import { Task } from '../common/task';
import { Validator } from '../common/validation';
import { VARIANT_NAME } from '../serving/contract';
import { MonitorSpec } from './contract';
import { Monitoring } from './monitoring';

/** The part of a monitor's properties that its functions are told. */
interface MonitorChoices {
  readonly modelName: string;
  readonly platformName: string;
  readonly task: Task;
  readonly endpointName: string;
  readonly monitoring: Monitoring;
  readonly qualityBounds?: readonly { readonly metric: string; readonly worseThan: number }[];
}

/** @internal */
export const monitorSpec = ({ modelName, task, endpointName, monitoring, qualityBounds }: MonitorChoices): MonitorSpec => ({
  model: modelName,
  task: task._toSpec(),
  endpointName,
  variantName: VARIANT_NAME,
  windowSeconds: monitoring._windowSeconds,
  minimumRows: monitoring._minimumRows,
  reference: monitoring._reference._toSpec(),
  qualityBounds: (qualityBounds ?? []).map(({ metric, worseThan }) => ({ metric, worseThan })),
});

/** @internal */
export const validateMonitor = (where: string, { modelName, platformName, task, monitoring, qualityBounds }: MonitorChoices): void => {
  const { kind } = task._toSpec();
  const validator = new Validator(`ModelMonitor ${where}`).name('modelName', modelName).name('platformName', platformName);
  (qualityBounds ?? []).forEach(({ metric, worseThan }, index) => {
    const place = `qualityBounds[${index}]`;
    validator
      .check(TASK_METRICS[kind].includes(metric), {
        rule: `must be a metric of the task (${TASK_METRICS[kind].join(', ')})`,
        place: `${place}.metric`,
        got: `'${metric}'`,
        fix: 'use one of them',
      })
      .check(Number.isFinite(worseThan), {
        rule: 'must be a number',
        place: `${place}.worseThan`,
        got: String(worseThan),
        fix: 'state the worst value that is still good',
      });
  });
  checkReference(validator, task._toSpec(), monitoring).throwIfAny();
};

/** @internal */
export const checkReference = (validator: Validator, { timeColumn }: TaskSpec, monitoring: Monitoring): Validator =>
  validator.check(timeColumn !== undefined || monitoring._reference._toSpec() !== 'SAME_SEASON', {
    rule: 'needs a task with a timeColumn',
    place: 'monitoring.reference',
    got: 'DriftReference.sameSeason()',
    fix: 'state the timeColumn of the task, or use DriftReference.trainingData()',
  });

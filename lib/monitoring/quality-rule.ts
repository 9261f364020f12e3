import { HIGHER_IS_BETTER, TASK_METRICS, TaskSpec } from '../common/contract';
import { Problem } from '../common/validation';
import { QualityRuleSpec } from './contract';

/** Largest magnitude that a rule of EventBridge can compare. */
const LARGEST_NUMBER = 5e9;

/** When live quality is degraded: exactly one of worseThan and tolerance is stated. */
export interface QualityRule {
  /** Metric of the model's task, e.g. `rmse` or `f1`, whose direction is known; metrics of your own are refused, since nothing would measure them. */
  readonly metric: string;

  /**
   * Bound in the metric's unit, between -5e9 and 5e9: degraded is what is worse (above it where smaller is better, below it where larger is better)
   * by more than chance.
   *
   * @default - tolerance is stated
   */
  readonly worseThan?: number;

  /**
   * How much worse than on the holdout of the serving version the metric may be, in its unit, between 0 and 5e9: degraded is what is worse than that
   * by more than chance. Moves with every version.
   *
   * @default - worseThan is stated
   */
  readonly tolerance?: number;
}

/** @internal */
export const qualityRuleSpec = ({ metric, worseThan, tolerance }: QualityRule): QualityRuleSpec => ({
  metric,
  higherIsBetter: HIGHER_IS_BETTER[metric],
  worseThan,
  tolerance,
});

/** @internal */
export const qualityRuleProblems = (place: string, rule: QualityRule, task?: TaskSpec): Problem[] => {
  const { metric, worseThan, tolerance } = rule;
  const known = task ? TASK_METRICS[task.kind] : Object.keys(HIGHER_IS_BETTER);
  const problems: Problem[] = [];
  if (!known.includes(metric)) {
    const rule = `must be a metric of ${task ? 'the task' : 'some task'} (${known.join(', ')})`;
    problems.push({ rule, place: `${place}.metric`, got: `'${metric}'`, fix: 'use one of them: metrics of your own are not measured' });
  }
  if ((worseThan === undefined) === (tolerance === undefined)) {
    const got = worseThan === undefined ? 'neither' : 'both';
    const fix = 'state worseThan for a fixed bound, or tolerance for one that follows the baseline';
    problems.push({ rule: 'must state exactly one of worseThan and tolerance', place, got, fix });
  }
  if (worseThan !== undefined && !(Math.abs(worseThan) <= LARGEST_NUMBER)) {
    problems.push({
      rule: 'must be between -5e9 and 5e9, what event rules can compare',
      place: `${place}.worseThan`,
      got: String(worseThan),
      fix: 'choose a metric with smaller values, e.g. rmse instead of mse',
    });
  }
  if (tolerance !== undefined && !(tolerance >= 0 && tolerance <= LARGEST_NUMBER)) {
    const fix = 'state how much worse is still good';
    problems.push({ rule: 'must be between 0 and 5e9', place: `${place}.tolerance`, got: String(tolerance), fix });
  }
  return problems;
};

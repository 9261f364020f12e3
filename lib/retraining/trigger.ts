import * as events from 'aws-cdk-lib/aws-events';
import { HIGHER_IS_BETTER, TASK_METRICS, TaskSpec } from '../common/contract';
import { Problem } from '../common/validation';
import { EVENTS, EVENT_SOURCE } from './contract';

/** Largest magnitude that a rule of EventBridge can compare. */
const LARGEST_NUMBER = 5e9;

/** When live quality is a cause to retrain. */
export interface QualityTriggerOptions {
  /** Metric of the model's task, e.g. `rmse` or `f1`. */
  readonly metric: string;

  /**
   * Bound in the metric's unit, between -5e9 and 5e9: a window whose value is worse is a cause (above it where smaller is better, below it where
   * larger is better).
   */
  readonly worseThan: number;
}

/** When drift is a cause to retrain. */
export interface DriftTriggerOptions {
  /**
   * Fewer drifted features than this are no cause.
   *
   * @default 1
   */
  readonly minimumFeatures?: number;
}

/** A fact that is a cause to retrain. Whether a cause becomes a run is the governor's decision. */
export class Trigger {
  /**
   * Live quality, measured with late labels, is worse than a bound.
   *
   * The bound is also what the monitor judges by and what the quality alarm tells. Fails at synth if the model's task has no such metric.
   */
  public static quality(options: QualityTriggerOptions): Trigger {
    return new Trigger('quality', options.metric, { quality: options });
  }

  /** The requests differ from the data that the serving version was trained with. */
  public static drift(options: DriftTriggerOptions = {}): Trigger {
    return new Trigger('drift', 'drift', { minimumFeatures: options.minimumFeatures ?? 1 });
  }

  /** A point in time, whatever the monitor says. */
  public static schedule(schedule: events.Schedule): Trigger {
    return new Trigger('schedule', schedule.expressionString, { schedule });
  }

  private constructor(
    private readonly kind: 'quality' | 'drift' | 'schedule',
    private readonly key: string,
    private readonly options: { readonly quality?: QualityTriggerOptions; readonly minimumFeatures?: number; readonly schedule?: events.Schedule },
  ) {}

  /** @internal */
  public get _rule(): string {
    return `${this.kind}#${this.key}`;
  }

  /** @internal */
  public get _quality(): QualityTriggerOptions | undefined {
    return this.options.quality;
  }

  /** @internal */
  public get _minimumFeatures(): number | undefined {
    return this.options.minimumFeatures;
  }

  /** @internal */
  public get _schedule(): events.Schedule | undefined {
    return this.options.schedule;
  }

  /**
   * Events of the bus that are this cause; none for a schedule.
   *
   * @internal
   */
  public _pattern(platform: string, model: string): events.EventPattern | undefined {
    const address = { platform: [platform], model: [model] };
    if (this.options.quality) {
      const { metric, worseThan } = this.options.quality;
      const value = [{ numeric: [HIGHER_IS_BETTER[metric] ? '<' : '>', worseThan] }];
      return { source: [EVENT_SOURCE], detailType: [EVENTS.qualityDegraded], detail: { ...address, metric: [metric], value } };
    }
    return this.kind === 'drift' ? { source: [EVENT_SOURCE], detailType: [EVENTS.driftDetected], detail: address } : undefined;
  }

  /** @internal */
  public _problems(place: string, task?: TaskSpec): Problem[] {
    const { quality, minimumFeatures } = this.options;
    const known = task ? TASK_METRICS[task.kind] : Object.keys(HIGHER_IS_BETTER);
    const problems: Problem[] = [];
    if (quality && !known.includes(quality.metric)) {
      problems.push({
        rule: `must be a metric of ${task ? 'the task' : 'some task'} (${known.join(', ')})`,
        place: `${place}.metric`,
        got: `'${quality.metric}'`,
        fix: 'use one of them',
      });
    }
    if (quality && !(Math.abs(quality.worseThan) <= LARGEST_NUMBER)) {
      problems.push({
        rule: 'must be between -5e9 and 5e9, what event rules can compare',
        place: `${place}.worseThan`,
        got: String(quality.worseThan),
        fix: 'choose a metric with smaller values, e.g. rmse instead of mse',
      });
    }
    if (minimumFeatures !== undefined && !(Number.isInteger(minimumFeatures) && minimumFeatures >= 1)) {
      problems.push({
        rule: 'must be a whole number of at least 1',
        place: `${place}.minimumFeatures`,
        got: String(minimumFeatures),
        fix: 'count features',
      });
    }
    return problems;
  }
}

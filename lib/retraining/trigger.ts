import * as events from 'aws-cdk-lib/aws-events';
import { HIGHER_IS_BETTER, TaskSpec } from '../common/contract';
import { Problem } from '../common/validation';
import { QualityRule, qualityRuleProblems } from '../monitoring/quality-rule';
import { EVENTS, EVENT_SOURCE } from './contract';

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
   * Live quality, measured with late labels, is worse than a bound, or than the baseline by more than a tolerance, and by more than chance.
   *
   * The rule is also what the monitor judges by and what the quality alarm tells. Fails at synth if the model's task has no such metric, or not
   * exactly one of worseThan and tolerance is stated.
   */
  public static quality(rule: QualityRule): Trigger {
    return new Trigger('quality', rule.metric, { quality: rule });
  }

  /** A gap between groups breaks one of the monitor's group rules. Fails at synth if the model has none. */
  public static groups(): Trigger {
    return new Trigger('groups', 'groups', {});
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
    private readonly kind: 'quality' | 'drift' | 'groups' | 'schedule',
    private readonly key: string,
    private readonly options: { readonly quality?: QualityRule; readonly minimumFeatures?: number; readonly schedule?: events.Schedule },
  ) {}

  /** @internal */
  public get _rule(): string {
    return `${this.kind}#${this.key}`;
  }

  /** @internal */
  public get _quality(): QualityRule | undefined {
    return this.options.quality;
  }

  /** @internal */
  public get _needsGroups(): boolean {
    return this.kind === 'groups';
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
      // A bound that moves with the baseline is known to the monitor alone: its event is the finding.
      const value = worseThan === undefined ? {} : { value: [{ numeric: [HIGHER_IS_BETTER[metric] ? '<' : '>', worseThan] }] };
      return { source: [EVENT_SOURCE], detailType: [EVENTS.qualityDegraded], detail: { ...address, metric: [metric], ...value } };
    }
    if (this.kind === 'schedule') return undefined;
    return { source: [EVENT_SOURCE], detailType: [this.kind === 'drift' ? EVENTS.driftDetected : EVENTS.groupGapDetected], detail: address };
  }

  /** @internal */
  public _problems(place: string, task?: TaskSpec): Problem[] {
    const { quality, minimumFeatures } = this.options;
    const problems = quality ? qualityRuleProblems(place, quality, task) : [];
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

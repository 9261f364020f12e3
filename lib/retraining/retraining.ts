import { Duration } from 'aws-cdk-lib';
import { TaskSpec } from '../common/contract';
import { Problem } from '../common/validation';
import { Monitoring } from '../monitoring/monitoring';
import { QualityRule } from '../monitoring/quality-rule';
import { Trigger } from './trigger';

const DEFAULT_LEASE = Duration.hours(6);

/** How causes become runs. */
export interface RetrainingOptions {
  /**
   * Least time between the causes of two retrainings, in event time.
   *
   * It begins with a promotion and then holds for every cause; a run whose candidate was rejected begins it for causes of the same trigger only;
   * a run that failed begins none. A person's request is not held back by it.
   */
  readonly cooldown: Duration;

  /**
   * After this time without a sign of its end a run is looked up before its place is given to another; at least 5 minutes.
   *
   * A run that still works keeps its place however long it takes.
   *
   * @default Duration.hours(6)
   */
  readonly lease?: Duration;
}

/** When a model is trained again, and how often at most. */
export class Retraining {
  /**
   * Retrains on causes. At most one run at a time; causes that arrive meanwhile are attached to it.
   *
   * @param triggers what is a cause; an empty list leaves requests of a person as the only one
   */
  public static on(triggers: Trigger[], options: RetrainingOptions): Retraining {
    return new Retraining(triggers, options);
  }

  private constructor(
    private readonly triggers: Trigger[],
    private readonly options: RetrainingOptions,
  ) {}

  /** @internal */
  public get _triggers(): readonly Trigger[] {
    return this.triggers;
  }

  /** @internal */
  public get _cooldownSeconds(): number {
    return this.options.cooldown.toSeconds();
  }

  /** @internal */
  public get _leaseSeconds(): number {
    return (this.options.lease ?? DEFAULT_LEASE).toSeconds();
  }

  /** @internal */
  public get _minimumDriftedFeatures(): number | undefined {
    return this.triggers.find((trigger) => trigger._minimumFeatures !== undefined)?._minimumFeatures;
  }

  /**
   * What the monitor judges quality by.
   *
   * @internal
   */
  public get _qualityRules(): QualityRule[] {
    return this.triggers.flatMap((trigger) => trigger._quality ?? []);
  }

  /**
   * What is wrong, also with regard to task and monitoring where those are known.
   *
   * @internal
   */
  public _problems(place: string, task?: TaskSpec, monitoring?: Monitoring): Problem[] {
    const problems = this.triggers.flatMap((trigger, index) => trigger._problems(`${place}.triggers[${index}]`, task));
    this.triggers.forEach((trigger, index) => {
      if (trigger._needsGroups && monitoring && !monitoring._judgesGroups) {
        const fix = 'state GroupRule.within() in monitoring.groups, or leave the trigger out';
        problems.push({ rule: 'needs a rule on groups', place: `${place}.triggers[${index}]`, got: 'Trigger.groups()', fix });
      }
      if (this.triggers.findIndex((other) => other._rule === trigger._rule) < index) {
        const fix = 'leave one of them out';
        problems.push({ rule: 'must differ from the other triggers', place: `${place}.triggers[${index}]`, got: `a second ${trigger._rule}`, fix });
      }
    });
    if (this._leaseSeconds < 300) {
      problems.push({ rule: 'must be at least 5 minutes', place: `${place}.lease`, got: `${this._leaseSeconds} s`, fix: 'leave it out for 6 hours' });
    }
    return problems;
  }
}

import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { Validator } from '../common/validation';
import { DriftReference } from './drift-reference';

/** What a monitor run looks at. */
export interface MonitoringOptions {
  /** Length of the window of event time that one run judges; it ends when the run starts. At least one hour. */
  readonly window: Duration;

  /**
   * Fewer rows than this in a window give the verdict "insufficient data", never "drift" and never "fine". At least 30.
   *
   * @default 300
   */
  readonly minimumRows?: number;

  /**
   * What the window is compared with.
   *
   * @default DriftReference.trainingData()
   */
  readonly reference?: DriftReference;
}

/** How often a model is watched, and how much must be seen before a verdict. */
export class Monitoring {
  /**
   * Runs the monitor on a schedule; windows may overlap, where the schedule is denser than the window is long.
   *
   * Fails at synth if the window is shorter than one hour or minimumRows is not a whole number of at least 30.
   */
  public static every(schedule: events.Schedule, options: MonitoringOptions): Monitoring {
    return new Monitoring(schedule, options);
  }

  private constructor(
    private readonly schedule: events.Schedule,
    private readonly options: MonitoringOptions,
  ) {
    new Validator('Monitoring.every')
      .check(options.window.isUnresolved() || options.window.toSeconds() >= 3600, {
        rule: 'must be at least one hour',
        place: 'window',
        got: options.window.toHumanString(),
        fix: 'use Duration.hours(1) or more',
      })
      .check(Number.isInteger(this._minimumRows) && this._minimumRows >= 30, {
        rule: 'must be a whole number of at least 30',
        place: 'minimumRows',
        got: String(this._minimumRows),
        fix: 'below 300 rows small shifts stay unseen, below 30 the tests mean nothing',
      })
      .throwIfAny();
  }

  /** @internal */
  public get _scheduleExpression(): string {
    return this.schedule.expressionString;
  }

  /** @internal */
  public get _windowSeconds(): number {
    return this.options.window.toSeconds();
  }

  /** @internal */
  public get _minimumRows(): number {
    return this.options.minimumRows ?? 300;
  }

  /** @internal */
  public get _reference(): DriftReference {
    return this.options.reference ?? DriftReference.trainingData();
  }
}

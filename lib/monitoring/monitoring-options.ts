import { Duration } from 'aws-cdk-lib';
import { DriftReference } from './drift-reference';
import { FalseAlarms } from './false-alarms';
import { GroupRule } from './group-rule';

/** What a monitor compares, and when it tells. */
export interface MonitoringOptions {
  /**
   * What a window is compared with, one to four. Those that support a promise share the accepted false alarms of drift equally; the others are
   * shown for information.
   *
   * @default [DriftReference.trainingData()]
   */
  readonly references?: DriftReference[];

  /**
   * Fewer rows than this in a window give the verdict "insufficient data", never "drift" and never "fine". At least 20.
   *
   * @default 300
   */
  readonly minimumRows?: number;

  /**
   * How long after its end a window is judged, so that late records are in; whole minutes below a day. What comes later still is judged with a
   * later run.
   *
   * @default Duration.minutes(15)
   */
  readonly delay?: Duration;

  /**
   * How many false alarms are accepted.
   *
   * @default FalseAlarms.atMost(1, Duration.days(90)), of which drift may spend half, quality and groups a quarter each
   */
  readonly falseAlarms?: FalseAlarms;

  /**
   * Windows that must exceed before drift is told, among the last `outOf`. At least 1.
   *
   * @default 2
   */
  readonly breaches?: number;

  /**
   * Windows among which breaches are counted, 1 to 10. An episode ends after as many quiet windows.
   *
   * @default 3
   */
  readonly outOf?: number;

  /**
   * Quality and groups are judged over the rows of this long before a window's end: whole days, 10 to 366, and at least the window. Shorter ones
   * see a change sooner, longer ones see smaller changes.
   *
   * @default Duration.days(28), or the window where that is longer
   */
  readonly qualityWindow?: Duration;

  /**
   * Groups that are looked at by themselves, in at most 10 columns.
   *
   * @default - none
   */
  readonly groups?: GroupRule[];

  /**
   * Labelled rows below which a group is shown without a verdict. At least 10.
   *
   * @default 30
   */
  readonly groupMinimumRows?: number;

  /**
   * Features with a CloudWatch metric of their own, 0 to 10: the most important ones. All others stand in the report and in S3.
   *
   * @default 3
   */
  readonly featureMetrics?: number;
}

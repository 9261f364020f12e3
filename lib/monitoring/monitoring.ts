import { Duration } from 'aws-cdk-lib';
import { TaskSpec } from '../common/contract';
import { Problem, Validator } from '../common/validation';
import { DriftReference } from './drift-reference';
import { FalseAlarms } from './false-alarms';
import { MonitoringOptions } from './monitoring-options';
import { checkMonitoring } from './monitoring-rules';

const DAY = 24 * 3600;
const QUALITY_WINDOW = Duration.days(28);

const isLongerThan = (window: Duration, other: Duration): boolean => !window.isUnresolved() && window.toDays({ integral: false }) > other.toDays();

/** How a model is watched: in windows on a grid of event time, and how much must be seen before a verdict. */
export class Monitoring {
  /**
   * Judges every window once it is over: windows of hours at their end, windows of days every night, each after the delay. Windows lie on a grid in
   * UTC: days begin at midnight, weeks on Monday. A window whose records changed since, because they came late, is judged again.
   *
   * Fails at synth if an option is out of its range, references are the same or hold no window, or group rules are the same.
   *
   * @param window 1, 2, 3, 4, 6, 8 or 12 hours, or 1 to 31 whole days
   */
  public static every(window: Duration, options: MonitoringOptions = {}): Monitoring {
    return new Monitoring(window, options);
  }

  /** @internal */
  public readonly _options: Required<MonitoringOptions>;

  private constructor(
    private readonly window: Duration,
    options: MonitoringOptions,
  ) {
    this._options = {
      references: options.references ?? [DriftReference.trainingData()],
      minimumRows: options.minimumRows ?? 300,
      delay: options.delay ?? Duration.minutes(15),
      falseAlarms: options.falseAlarms ?? FalseAlarms.atMost(1, Duration.days(90)),
      breaches: options.breaches ?? 2,
      outOf: options.outOf ?? 3,
      qualityWindow: options.qualityWindow ?? (isLongerThan(window, QUALITY_WINDOW) ? window : QUALITY_WINDOW),
      groups: options.groups ?? [],
      groupMinimumRows: options.groupMinimumRows ?? 30,
      featureMetrics: options.featureMetrics ?? 3,
    };
    checkMonitoring(new Validator('Monitoring.every'), window, this._options).throwIfAny();
  }

  /** @internal */
  public get _windowSeconds(): number {
    return this.window.toSeconds();
  }

  /**
   * What starts the monitor: each end of a window of hours, else every night, after the delay.
   *
   * @internal
   */
  public get _scheduleExpression(): string {
    const delay = this._options.delay.toMinutes();
    const length = Math.min(this._windowSeconds, DAY) / 60;
    const times = Array.from({ length: (24 * 60) / length }, (_, index) => (index * length + delay) % (24 * 60));
    const hours = times.map((time) => Math.floor(time / 60)).sort((one, other) => one - other);
    return `cron(${delay % 60} ${hours.length === 24 ? '*' : hours.join(',')} * * ? *)`;
  }

  /**
   * Time without a finished run after which one is missing: two intervals of the schedule.
   *
   * @internal
   */
  public get _silence(): Duration {
    return Duration.seconds(2 * Math.min(this._windowSeconds, DAY));
  }

  /** @internal */
  public get _judgesGroups(): boolean {
    return this._options.groups.some((rule) => rule._toSpec() !== undefined);
  }

  /**
   * What is wrong with regard to the task.
   *
   * @internal
   */
  public _problems(place: string, task: TaskSpec): Problem[] {
    const { references, groups } = this._options;
    const timeless = task.timeColumn === undefined ? references.map((reference, index) => ({ reference, index })) : [];
    return [
      ...timeless
        .filter(({ reference }) => reference._needsTime)
        .map(({ reference, index }) => ({
          rule: 'needs a task with a timeColumn',
          place: `${place}.references[${index}]`,
          got: reference._factory,
          fix: 'state the timeColumn of the task, or use DriftReference.trainingData()',
        })),
      ...groups.flatMap((rule, index) => rule._problems(`${place}.groups[${index}]`, task)),
    ];
  }
}

import { Duration } from 'aws-cdk-lib';
import { Problem, Validator } from '../common/validation';
import { ReferenceSpec } from './contract';

const DAY_SECONDS = 86_400;
/** ISO 8601 in UTC: a day, or a time with its offset. */
const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

/**
 * What a window's data is compared with: blocks of the window's length from the past. A false-alarm promise takes at least ten blocks beside those
 * that fit it; a reference with fewer is shown for information and never alarms, and the baseline says so.
 */
export class DriftReference {
  /** All rows of the baseline: those that the serving version was trained with, and its holdout. */
  public static trainingData(): DriftReference {
    return new DriftReference({ kind: 'TRAINING' });
  }

  /**
   * The rows of earlier years that lie in the calendar months of the window: a summer is compared with summers. Needs a task with a time column.
   * One earlier year holds few blocks of a week: state a second reference that supports a promise.
   */
  public static sameSeason(): DriftReference {
    return new DriftReference({ kind: 'SAME_SEASON' });
  }

  /**
   * The days before the window: rows that the serving version was trained and judged with, and windows that were monitored since. Needs a task with
   * a time column.
   *
   * Fails at synth if days is not a whole number from 1 to 3650.
   */
  public static lastDays(days: number): DriftReference {
    new Validator('DriftReference.lastDays')
      .check(Number.isInteger(days) && days >= 1 && days <= 3650, {
        rule: 'must be a whole number from 1 to 3650',
        place: 'days',
        got: String(days),
        fix: 'count whole days, e.g. 364 for a year of weeks',
      })
      .throwIfAny();
    return new DriftReference({ kind: 'LAST_DAYS', days });
  }

  /**
   * A period that is known to be sound. Needs a task with a time column.
   *
   * Fails at synth if a time is none, or the period is empty.
   *
   * @param from first time of the period, ISO 8601: a day in UTC (`2026-03-01`), or a time with its offset
   * @param to end of the period, not part of it
   */
  public static fixedWindow(from: string, to: string): DriftReference {
    const validator = new Validator('DriftReference.fixedWindow');
    const fix = "write e.g. '2026-03-01' or '2026-03-01T06:00:00Z'";
    for (const [place, value] of Object.entries({ from, to })) {
      const holds = TIME.test(value) && !Number.isNaN(Date.parse(value));
      validator.check(holds, { rule: 'must be a day or a time with its offset (ISO 8601)', place, got: `'${value}'`, fix });
    }
    const empty = Date.parse(from) >= Date.parse(to);
    validator.check(!empty, { rule: 'must lie after from', place: 'to', got: `'${to}'`, fix: 'the end is not part of the period' }).throwIfAny();
    return new DriftReference({ kind: 'FIXED', from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  }

  private constructor(private readonly spec: ReferenceSpec) {}

  /** @internal */
  public _toSpec(): ReferenceSpec {
    return this.spec;
  }

  /** @internal */
  public get _needsTime(): boolean {
    return this.spec.kind !== 'TRAINING';
  }

  /** @internal */
  public get _factory(): string {
    switch (this.spec.kind) {
      case 'TRAINING':
        return 'DriftReference.trainingData()';
      case 'SAME_SEASON':
        return 'DriftReference.sameSeason()';
      case 'LAST_DAYS':
        return `DriftReference.lastDays(${this.spec.days})`;
      case 'FIXED':
        return `DriftReference.fixedWindow('${this.spec.from}', '${this.spec.to}')`;
    }
  }

  /**
   * What is wrong with regard to the window's length.
   *
   * @internal
   */
  public _problems(place: string, window: Duration): Problem[] {
    const seconds = secondsOf(this.spec);
    if (seconds === undefined || seconds >= window.toSeconds()) return [];
    const fix = 'reach back further, best for ten windows and more';
    return [{ rule: 'must hold at least one window', place, got: this._factory, fix }];
  }
}

const secondsOf = (spec: ReferenceSpec): number | undefined => {
  if (spec.kind === 'LAST_DAYS') return spec.days * DAY_SECONDS;
  return spec.kind === 'FIXED' ? (Date.parse(spec.to) - Date.parse(spec.from)) / 1000 : undefined;
};

import { Duration } from 'aws-cdk-lib';
import { Problem } from '../common/validation';

const UNITS: Readonly<Record<string, number>> = { minute: 60, hour: 3600, day: 86_400 };
const DAY = UNITS.day;
/** CloudWatch looks back at most 7 days. */
const LONGEST = 7 * DAY;

/**
 * How long a schedule may be silent before somebody is told: two intervals. A cron expression that names days counts as one run a week.
 *
 * @internal
 */
export const silenceOf = (expression: string): Duration => {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  const seconds = rate ? Number(rate[1]) * UNITS[rate[2]] * 2 : everyDay(expression) ? 2 * DAY : LONGEST;
  return Duration.seconds(Math.min(Math.max(seconds, UNITS.hour), LONGEST));
};

/** @internal */
export const silenceProblems = (place: string, expression: string): Problem[] => {
  const rate = /^rate\((\d+) days?\)$/.exec(expression);
  if (!rate || Number(rate[1]) * DAY < LONGEST) return [];
  const fix = 'run the monitor at least every 6 days; its window may be longer than that';
  return [{ rule: 'must leave less than 7 days between two runs, or nobody could be told that one is missing', place, got: expression, fix }];
};

const everyDay = (expression: string): boolean => {
  const [, , dayOfMonth, month, dayOfWeek] = /^cron\((.*)\)$/.exec(expression)?.[1].trim().split(/\s+/) ?? [];
  return [dayOfMonth, month, dayOfWeek].every((field) => field === '*' || field === '?');
};

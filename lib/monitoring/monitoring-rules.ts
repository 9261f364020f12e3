import { Duration } from 'aws-cdk-lib';
import { Validator } from '../common/validation';
import { FEWEST_BLOCKS } from './contract';
import { MonitoringOptions } from './monitoring-options';

type Options = Required<MonitoringOptions>;

const HOUR = 3600;
const DAY = 24 * HOUR;
/** Hours that divide a day, so that windows begin at the same hours every day. */
const HOURS = [1, 2, 3, 4, 6, 8, 12];
const MOST_REFERENCES = 4;
const MOST_GROUP_COLUMNS = 10;

/**
 * What must hold of a monitor's options, whatever the task.
 *
 * @internal
 */
export const checkMonitoring = (validator: Validator, window: Duration, options: Options): Validator => {
  if (checkWindow(validator, window)) {
    checkReferences(validator, window, options);
    checkFalseAlarms(validator, window, options);
  }
  checkNumbers(validator, window, options);
  checkGroups(validator, options);
  return validator;
};

const checkWindow = (validator: Validator, window: Duration): boolean => {
  const seconds = window.isUnresolved() ? NaN : window.toSeconds();
  const holds = seconds < DAY ? HOURS.includes(seconds / HOUR) : seconds % DAY === 0 && seconds <= 31 * DAY;
  validator.check(holds, {
    rule: `must be ${HOURS.slice(0, -1).join(', ')} or 12 hours, or 1 to 31 whole days`,
    place: 'window',
    got: Number.isNaN(seconds) ? 'a token' : window.toHumanString(),
    fix: 'choose a length of the grid',
  });
  return holds;
};

const checkReferences = (validator: Validator, window: Duration, { references }: Options): void => {
  validator.check(references.length >= 1 && references.length <= MOST_REFERENCES, {
    rule: `must be 1 to ${MOST_REFERENCES}`,
    place: 'references',
    got: String(references.length),
    fix: 'each further one leaves less of the accepted false alarms to the others',
  });
  references.forEach((reference, index) => {
    const place = `references[${index}]`;
    const first = references.findIndex(({ _factory }) => _factory === reference._factory);
    const fix = 'leave one of them out';
    validator
      .add(reference._problems(place, window))
      .check(first === index, { rule: 'must differ from the other references', place, got: `a second ${reference._factory}`, fix });
  });
};

const checkFalseAlarms = (validator: Validator, window: Duration, { falseAlarms, groups }: Options): void => {
  const { episodes, days, shares } = falseAlarms._toSpec();
  const perWindow = (episodes * shares.drift * window.toSeconds()) / (days * DAY);
  validator
    .check(perWindow <= 0.5, {
      rule: 'must leave drift less than a false alarm every other window',
      place: 'falseAlarms',
      got: `${episodes} in ${days} days`,
      fix: 'accept fewer, or state a longer period',
    })
    .check(shares.drift > 0, { rule: 'must leave drift a share', place: 'falseAlarms', got: `drift ${shares.drift}`, fix: 'drift is always judged' })
    .check(shares.groups > 0 || !groups.some((rule) => rule._toSpec()), {
      rule: 'must leave groups a share, since there are rules on them',
      place: 'falseAlarms',
      got: 'groups 0',
      fix: 'state a share, or use GroupRule.measured()',
    });
};

const checkNumbers = (validator: Validator, window: Duration, options: Options): void => {
  const { minimumRows, delay, breaches, outOf, qualityWindow, groupMinimumRows, featureMetrics } = options;
  const days = qualityWindow.toDays({ integral: false });
  const minutes = delay.toMinutes({ integral: false });
  const whole = (place: string, value: number, minimum: number, maximum: number, fix: string) =>
    validator.check(Number.isInteger(value) && value >= minimum && value <= maximum, {
      rule: maximum === Infinity ? `must be a whole number of at least ${minimum}` : `must be a whole number from ${minimum} to ${maximum}`,
      place,
      got: String(value),
      fix,
    });
  whole('minimumRows', minimumRows, 20, Infinity, 'below 300 rows small shifts stay unseen, below 20 a distribution means nothing');
  whole('outOf', outOf, 1, 10, 'count windows');
  whole('breaches', breaches, 1, Number.isInteger(outOf) ? outOf : 10, 'drift needs at least one of the last outOf windows');
  whole('groupMinimumRows', groupMinimumRows, 10, Infinity, 'gaps between smaller groups are chance');
  whole('featureMetrics', featureMetrics, 0, 10, 'each is billed by CloudWatch; the report shows all features');
  validator
    .check(Number.isInteger(minutes) && minutes >= 0 && minutes < 24 * 60, {
      rule: 'must be whole minutes below a day',
      place: 'delay',
      got: delay.toHumanString(),
      fix: 'later records are judged with a later run',
    })
    .check(Number.isInteger(days) && days >= FEWEST_BLOCKS && days <= 366, {
      rule: `must be ${FEWEST_BLOCKS} to 366 whole days`,
      place: 'qualityWindow',
      got: qualityWindow.toHumanString(),
      fix: 'intervals rest on whole days, and fewer than ten support none',
    })
    .check(window.isUnresolved() || !(days * DAY < window.toSeconds({ integral: false })), {
      rule: 'must not be shorter than the window',
      place: 'qualityWindow',
      got: qualityWindow.toHumanString(),
      fix: 'state at least the window',
    });
};

const checkGroups = (validator: Validator, { groups }: Options): void => {
  const columns = new Set(groups.map(({ _column }) => _column));
  const fix = 'leave one of them out';
  groups.forEach((rule, index) => {
    const place = `groups[${index}]`;
    validator
      .add(rule._problems(place))
      .check(groups.findIndex(({ _key }) => _key === rule._key) === index, { rule: 'must differ from the other rules', place, got: rule._key, fix });
  });
  validator.check(columns.size <= MOST_GROUP_COLUMNS, {
    rule: `must name at most ${MOST_GROUP_COLUMNS} columns`,
    place: 'groups',
    got: String(columns.size),
    fix: 'each further one makes gaps harder to tell from chance',
  });
};

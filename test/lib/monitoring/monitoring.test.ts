import { Duration } from 'aws-cdk-lib';
import fc from 'fast-check';
import { Task } from '../../../lib/common/task';
import { DriftReference } from '../../../lib/monitoring/drift-reference';
import { FalseAlarms } from '../../../lib/monitoring/false-alarms';
import { GroupRule } from '../../../lib/monitoring/group-rule';
import { Monitoring } from '../../../lib/monitoring/monitoring';
import { MonitoringOptions } from '../../../lib/monitoring/monitoring-options';

const DAY = Duration.days(1);
const every = (options: MonitoringOptions, window = DAY) => Monitoring.every(window, options);
const columns = (count: number) => Array.from({ length: count }, (_, index) => GroupRule.measured(`c${index}`));
const lastDays = (count: number) => Array.from({ length: count }, (_, index) => DriftReference.lastDays(index + 1));
const gap = (metric: string, bound: number) => GroupRule.within('region', { metric, bound });
const alarms = (episodes: number, days: number, shares = {}) => FalseAlarms.atMost(episodes, Duration.days(days), shares);

describe('windows', () => {
  it.each([1, 2, 3, 4, 6, 8, 12])('of %d hours lie on the grid', (hours) => {
    expect(Monitoring.every(Duration.hours(hours))._windowSeconds).toBe(hours * 3600);
  });
  it.each([1, 7, 31])('of %d days lie on the grid', (days) => expect(Monitoring.every(Duration.days(days))._windowSeconds).toBe(days * 86_400));
  it.each([Duration.minutes(30), Duration.hours(5), Duration.hours(24.5), Duration.hours(36), Duration.days(32), Duration.minutes(90)])(
    'of %s do not',
    (window) => expect(() => Monitoring.every(window)).toThrow(/window: must be 1, 2, 3, 4, 6, 8 or 12 hours, or 1 to 31 whole days, got .*; choose/),
  );

  it.each<[string, Duration, MonitoringOptions, string]>([
    ['an hour', Duration.hours(1), {}, 'cron(15 * * * ? *)'],
    ['six hours', Duration.hours(6), {}, 'cron(15 0,6,12,18 * * ? *)'],
    ['six hours, late records', Duration.hours(6), { delay: Duration.minutes(7 * 60 + 5) }, 'cron(5 1,7,13,19 * * ? *)'],
    ['a day', DAY, {}, 'cron(15 0 * * ? *)'],
    ['a week, late records', Duration.days(7), { delay: Duration.hours(5) }, 'cron(0 5 * * ? *)'],
  ])('of %s are judged once they are over', (_, window, options, expression) => {
    expect(Monitoring.every(window, options)._scheduleExpression).toBe(expression);
  });

  it('are missed after two intervals of the schedule', () => {
    expect(Monitoring.every(Duration.hours(1))._silence.toHours()).toBe(2);
    expect(Monitoring.every(Duration.days(31))._silence.toDays()).toBe(2);
  });

  it('are judged as often as they end, at least once a day, whatever the delay', () => {
    const lengths = fc.constantFrom(...[1, 2, 3, 4, 6, 8, 12].map((hours) => Duration.hours(hours)));
    fc.assert(
      fc.property(lengths, fc.integer({ min: 0, max: 1439 }), (window, delay) => {
        const expression = Monitoring.every(window, { delay: Duration.minutes(delay) })._scheduleExpression;
        const [minute, hours] = expression.slice(5, -1).split(' ');
        const runs = hours === '*' ? 24 : hours.split(',').length;
        expect([Number(minute), runs]).toEqual([delay % 60, 24 / window.toHours()]);
      }),
    );
  });
});

/** One that holds for each rule, beside one that does not. */
describe.each<[string, () => unknown, () => unknown, RegExp]>([
  [
    'minimumRows',
    () => every({ minimumRows: 20 }),
    () => every({ minimumRows: 19 }),
    /minimumRows: must be a whole number of at least 20, got 19; below/,
  ],
  ['whole minimumRows', () => every({ minimumRows: 21 }), () => every({ minimumRows: 99.5 }), /minimumRows: .*got 99.5/],
  ['breaches', () => every({ breaches: 3 }), () => every({ breaches: 4 }), /breaches: must be a whole number from 1 to 3, got 4/],
  ['some breaches', () => every({ breaches: 1 }), () => every({ breaches: 0 }), /breaches: .*got 0/],
  ['outOf', () => every({ outOf: 10 }), () => every({ outOf: 11 }), /outOf: must be a whole number from 1 to 10, got 11/],
  ['delay', () => every({ delay: Duration.minutes(1439) }), () => every({ delay: DAY }), /delay: must be whole minutes below a day, got 1 day/],
  ['whole delay', () => every({ delay: Duration.minutes(1) }), () => every({ delay: Duration.seconds(30) }), /delay: .*got 30 seconds/],
  [
    'qualityWindow',
    () => every({ qualityWindow: Duration.days(10) }),
    () => every({ qualityWindow: Duration.days(9) }),
    /10 to 366 whole days, got 9 days/,
  ],
  [
    'qualityWindow of a window',
    () => every({ qualityWindow: Duration.days(14) }, Duration.days(14)),
    () => every({ qualityWindow: Duration.days(13) }, Duration.days(14)),
    /qualityWindow: must not be shorter than the window, got 13 days/,
  ],
  ['groupMinimumRows', () => every({ groupMinimumRows: 10 }), () => every({ groupMinimumRows: 9 }), /groupMinimumRows: .*at least 10, got 9/],
  [
    'featureMetrics',
    () => every({ featureMetrics: 0 }),
    () => every({ featureMetrics: 11 }),
    /featureMetrics: must be a whole number from 0 to 10, got 11/,
  ],
  ['number of references', () => every({ references: lastDays(4) }), () => every({ references: lastDays(5) }), /references: must be 1 to 4, got 5/],
  ['references', () => every({ references: lastDays(1) }), () => every({ references: [] }), /references: must be 1 to 4, got 0/],
  [
    'different references',
    () => every({ references: [DriftReference.lastDays(7), DriftReference.lastDays(14)] }),
    () => every({ references: [DriftReference.lastDays(7), DriftReference.lastDays(7)] }),
    /references\[1\]: must differ from the other references, got a second DriftReference\.lastDays\(7\)/,
  ],
  [
    'a reference that holds a window',
    () => every({ references: [DriftReference.lastDays(7)] }, Duration.days(7)),
    () => every({ references: [DriftReference.lastDays(6)] }, Duration.days(7)),
    /references\[0\]: must hold at least one window, got DriftReference\.lastDays\(6\)/,
  ],
  [
    'lastDays',
    () => DriftReference.lastDays(3650),
    () => DriftReference.lastDays(0),
    /DriftReference\.lastDays: days: must be a whole number from 1/,
  ],
  [
    'times of a fixed window',
    () => DriftReference.fixedWindow('2026-03-01', '2026-06-01T06:00:00+02:00'),
    () => DriftReference.fixedWindow('March', '2026-06-01T06:00'),
    /2 problems[\s\S]*from: must be a day or a time with its offset \(ISO 8601\), got 'March'[\s\S]*to: .*got '2026-06-01T06:00'/,
  ],
  [
    'a fixed window that is not empty',
    () => DriftReference.fixedWindow('2026-03-01', '2026-03-02'),
    () => DriftReference.fixedWindow('2026-03-01', '2026-03-01'),
    /to: must lie after from, got '2026-03-01'/,
  ],
  ['episodes', () => alarms(0.5, 90), () => alarms(0, 90), /FalseAlarms\.atMost: episodes: must be above 0, got 0/],
  ['period', () => alarms(1, 1), () => FalseAlarms.atMost(1, Duration.hours(36)), /period: must be whole days from 1 to 3650, got 1 day 12 hours/],
  [
    'shares',
    () => alarms(1, 90, { drift: 0.75, groups: 0 }),
    () => alarms(1, 90, { drift: 0.75 }),
    /shares: must add up to 1, got drift 0\.75, .*: 1\.25/,
  ],
  [
    'a share',
    () => alarms(1, 90, { drift: 1, quality: 0, groups: 0 }),
    () => alarms(1, 90, { drift: 1.5, quality: -0.75 }),
    /shares\.quality: must be between/,
  ],
  [
    'a rate',
    () => every({ falseAlarms: alarms(1, 1) }),
    () => every({ falseAlarms: alarms(2, 1) }),
    /falseAlarms: must leave drift less than a false alarm/,
  ],
  [
    'a share of drift',
    () => every({ falseAlarms: alarms(1, 90, { drift: 0.5, quality: 0.5, groups: 0 }) }),
    () => every({ falseAlarms: alarms(1, 90, { drift: 0, quality: 0.5, groups: 0.5 }) }),
    /falseAlarms: must leave drift a share/,
  ],
  [
    'a share of groups',
    () => every({ groups: [GroupRule.measured('region')], falseAlarms: alarms(1, 90, { quality: 0.5, groups: 0 }) }),
    () => every({ groups: [gap('rmse', 1)], falseAlarms: alarms(1, 90, { quality: 0.5, groups: 0 }) }),
    /falseAlarms: must leave groups a share, since there are rules on them/,
  ],
  [
    'different group rules',
    () => every({ groups: [gap('rmse', 1), gap('mae', 1), GroupRule.measured('region')] }),
    () => every({ groups: [gap('rmse', 1), gap('rmse', 2)] }),
    /groups\[1\]: must differ from the other rules, got region: rmse/,
  ],
  [
    'number of group columns',
    () => every({ groups: columns(10) }),
    () => every({ groups: columns(11) }),
    /groups: must name at most 10 columns, got 11/,
  ],
  [
    'a group column',
    () => every({ groups: [GroupRule.measured('a')] }),
    () => every({ groups: [GroupRule.measured(' ')] }),
    /groups\[0\]\.column: must not be/,
  ],
  [
    'a bound of rates',
    () => every({ groups: [gap('accuracy', 1)] }),
    () => every({ groups: [gap('f1', 1.1)] }),
    /bound: must be between 0 and 1, got 1\.1/,
  ],
  [
    'a bound',
    () => every({ groups: [gap('rmse', 1000)] }),
    () => every({ groups: [gap('rmse', NaN)] }),
    /bound: must be a number of at least 0, got NaN/,
  ],
  [
    'a metric of groups',
    () => every({ groups: [gap('auc', 0.1)] }),
    () => every({ groups: [gap('parity', 0.1)] }),
    /metric: must be a gap that some task has/,
  ],
])('%s', (_, holds, fails, message) => {
  it('is taken where the rule holds', () => expect(holds).not.toThrow());
  it('is refused where it does not, with place, rule and fix', () => expect(fails).toThrow(message));
});

describe('with regard to the task', () => {
  const timeless = Task.regression({ target: 'y' })._toSpec();
  const binary = Task.binaryClassification({ target: 'y', positiveLabel: '1', timeColumn: 't' })._toSpec();
  const problems = (options: MonitoringOptions, task = timeless) =>
    every(options)
      ._problems('monitoring', task)
      .map(({ place, got }) => `${place} ${got}`);

  it('references by time need a time column, all training data do not', () => {
    const fixed = DriftReference.fixedWindow('2026-01-01', '2026-02-01');
    const references = [DriftReference.trainingData(), DriftReference.sameSeason(), DriftReference.lastDays(30), fixed];
    expect(problems({ references })).toEqual([
      'monitoring.references[1] DriftReference.sameSeason()',
      'monitoring.references[2] DriftReference.lastDays(30)',
      "monitoring.references[3] DriftReference.fixedWindow('2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z')",
    ]);
    expect(problems({ references }, binary)).toEqual([]);
  });

  it('rates of groups need two classes; a regression compares its metrics', () => {
    const groups = [gap('demographicParityDifference', 0.1), gap('rmse', 10)];
    expect(problems({ groups })).toEqual(["monitoring.groups[0].metric 'demographicParityDifference'"]);
    expect(problems({ groups }, binary)).toEqual(["monitoring.groups[1].metric 'rmse'"]);
  });

  it('groups are not told by the target', () => {
    expect(problems({ groups: [GroupRule.measured('y')] })).toEqual(["monitoring.groups[0].column 'y'"]);
    expect(problems({ groups: [GroupRule.measured('region')] })).toEqual([]);
  });
});

it('names every problem at once', () => {
  const wrong = () => every({ minimumRows: 1, featureMetrics: 99 }, Duration.hours(5));
  expect(wrong).toThrow(/Monitoring\.every: 3 problems\n {2}- window[\s\S]*minimumRows[\s\S]*featureMetrics/);
});

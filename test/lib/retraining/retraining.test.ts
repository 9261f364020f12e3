import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import type { TaskSpec } from '../../../lib/common/contract';
import { Retraining } from '../../../lib/retraining/retraining';
import { Trigger } from '../../../lib/retraining/trigger';

const task: TaskSpec = { kind: 'REGRESSION', target: 'cnt' };
const problemsOf = (triggers: Trigger[], lease?: Duration) =>
  Retraining.on(triggers, { cooldown: Duration.days(1), lease })
    ._problems('retraining', task)
    .map(({ place, rule, got }) => `${place}: ${rule}, got ${got}`);

test('sound triggers are no problem', () => {
  const quality = [Trigger.quality({ metric: 'rmse', worseThan: 1 }), Trigger.quality({ metric: 'r2', tolerance: 0 })];
  const triggers = [...quality, Trigger.drift(), Trigger.groups(), Trigger.schedule(events.Schedule.rate(Duration.days(1)))];
  expect(problemsOf(triggers)).toEqual([]);
});

const COMPARABLE = 'must be between -5e9 and 5e9, what event rules can compare';
const ONE = 'must state exactly one of worseThan and tolerance';
const quality = (metric: string, worseThan: number) => [Trigger.quality({ metric, worseThan })];

test.each([
  ['a metric of another task', quality('f1', 0.5), "triggers[0].metric: must be a metric of the task (rmse, mae, mse, r2), got 'f1'"],
  ['a metric of one\'s own', quality('profit', 1), "triggers[0].metric: must be a metric of the task (rmse, mae, mse, r2), got 'profit'"],
  ['a bound that rules cannot compare', quality('mse', 6e9), `triggers[0].worseThan: ${COMPARABLE}, got 6000000000`],
  ['a bound that is no number', quality('mse', NaN), `triggers[0].worseThan: ${COMPARABLE}, got NaN`],
  ['a tolerance below zero', [Trigger.quality({ metric: 'mse', tolerance: -1 })], 'triggers[0].tolerance: must be between 0 and 5e9, got -1'],
  ['no bound', [Trigger.quality({ metric: 'mse' })], 'triggers[0]: must state exactly one of worseThan and tolerance, got neither'],
  ['two bounds', [Trigger.quality({ metric: 'mse', worseThan: 1, tolerance: 1 })], `triggers[0]: ${ONE}, got both`],
  ['no feature at all', [Trigger.drift({ minimumFeatures: 0 })], 'triggers[0].minimumFeatures: must be a whole number of at least 1, got 0'],
  ['one trigger twice', [Trigger.drift(), Trigger.drift()], 'triggers[1]: must differ from the other triggers, got a second drift#drift'],
])('refuses %s', (_, triggers, message) => {
  expect(problemsOf(triggers)).toEqual([`retraining.${message}`]);
});

test('refuses a lease so short that runs would be looked up for nothing', () => {
  expect(problemsOf([], Duration.minutes(4))).toEqual(['retraining.lease: must be at least 5 minutes, got 240 s']);
});

test('the rules of the quality triggers are what the monitor judges by', () => {
  const triggers = [Trigger.drift(), Trigger.quality({ metric: 'rmse', worseThan: 100 })];
  expect(Retraining.on(triggers, { cooldown: Duration.days(1) })._qualityRules).toEqual([{ metric: 'rmse', worseThan: 100 }]);
});

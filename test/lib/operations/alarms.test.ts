import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import cdkJson from '../../../cdk.json';
import { METRICS, METRICS_NAMESPACE } from '../../../lib/operations/contract';
import { ModelAlarms } from '../../../lib/operations/model-alarms';
import { ModelAlarmsProps } from '../../../lib/operations/model-alarms-props';
import { ModelDashboard } from '../../../lib/operations/model-dashboard';
import { PlatformAlarms } from '../../../lib/operations/platform-alarms';
import { RUNBOOK } from '../../../lib/operations/runbook';
import { RetrainGovernor } from '../../../lib/retraining/retrain-governor';
import { alarmProblems, alarmsOf, runbookAnchors } from './synthesized-alarms';

interface Options extends Pick<ModelAlarmsProps, 'monitorSilence' | 'monitorWindow' | 'judgesQuality' | 'judgesGroups'> {
  readonly topic?: boolean;
  readonly recorder?: boolean;
}

const build = ({ topic, recorder, ...options }: Options = {}): Template => {
  const stack = new Stack(new App({ context: cdkJson.context }), 'Stack');
  const fn = (name: string) => lambda.Function.fromFunctionName(stack, name, name);
  const alarmTopic = topic ? sns.Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:eu-west-1:111122223333:alarms') : undefined;
  const alarms = new ModelAlarms(stack, 'Alarms', {
    platformName: 'mlops',
    modelName: 'BikeDemand',
    monitor: sfn.StateMachine.fromStateMachineName(stack, 'Monitor', 'monitor'),
    ...options,
    recorder: recorder ? fn('recorder') : undefined,
    deadLetters: [new sqs.Queue(stack, 'One'), new sqs.Queue(stack, 'Two')],
    alarmTopic,
  });
  new PlatformAlarms(stack, 'Governor', { governor: new RetrainGovernor(stack, 'G', { platformName: 'mlops' }), alarmTopic });
  new ModelDashboard(stack, 'Dashboard', {
    platformName: 'mlops',
    modelName: 'BikeDemand',
    qualityMetrics: ['rmse', 'mae'],
    qualityBounds: [{ metric: 'rmse', worseThan: 100 }],
    stateMachine: sfn.StateMachine.fromStateMachineName(stack, 'Pipeline', 'pipeline'),
    alarms: alarms.alarms,
  });
  return Template.fromStack(stack);
};

test.each([true, false])('every alarm says what happened, links its runbook section and states how silence counts (topic: %s)', (topic) => {
  const alarms = alarmsOf(build({ topic, recorder: true, judgesGroups: true }));
  expect(alarms).toHaveLength(14);
  expect(alarms.filter(([, alarm]) => alarmProblems(alarm, topic).length > 0)).toEqual([]);
});

test('every runbook section belongs to an alarm and tells description, investigation and resolution', () => {
  expect([...runbookAnchors()].sort()).toEqual(Object.values(RUNBOOK).sort());
  const sections = readFileSync(path.join(__dirname, '../../../docs/runbook.md'), 'utf8').split(/^## /m).slice(1);
  for (const section of sections) {
    expect(section.match(/^### .*/gm)).toEqual(['### Description', '### Investigation', '### Resolution']);
  }
});

test('what a window told stands until another one is judged, also where that is a month away', () => {
  const template = build({ judgesGroups: true });
  const common = { Namespace: METRICS_NAMESPACE, TreatMissingData: 'ignore' };
  const alarm = (metric: string, properties: object) =>
    template.hasResourceProperties('AWS::CloudWatch::Alarm', { MetricName: metric, ...common, ...properties });
  alarm(METRICS.driftScore, { Threshold: 1, ComparisonOperator: 'GreaterThanThreshold' });
  for (const metric of [METRICS.qualityDegraded, METRICS.groupGapsBreached, METRICS.constraintsViolated]) {
    alarm(metric, { Threshold: 1, ComparisonOperator: 'GreaterThanOrEqualToThreshold' });
  }
  template.hasResourceProperties('AWS::CloudWatch::Alarm', { MetricName: METRICS.pipelineFailed, TreatMissingData: 'notBreaching' });
});

test('a monitor that stops, fails or runs out of time has its own alarm', () => {
  const template = build();
  template.hasResourceProperties('AWS::CloudWatch::Alarm', {
    ...{ Namespace: 'AWS/States', MetricName: 'ExecutionsSucceeded', Statistic: 'Sum', Threshold: 1 },
    ...{ TreatMissingData: 'breaching', ComparisonOperator: 'LessThanThreshold', Period: 86_400, EvaluationPeriods: 2 },
  });
  const [failed] = alarmsOf(template).filter(([id]) => id.includes('MonitorFailed'));
  const metrics = JSON.stringify(failed);
  for (const name of ['FILL(failed, 0) + FILL(late, 0)', 'ExecutionsFailed', 'ExecutionsTimedOut']) expect(metrics).toContain(name);
});

test.each<[string, Duration, number, number, number, number]>([
  ['an hour', Duration.hours(1), 3600, 2, 86_400, 7],
  ['twelve hours', Duration.hours(12), 43_200, 2, 86_400, 7],
  ['a day', Duration.days(1), 86_400, 2, 86_400, 7],
  ['three days', Duration.days(3), 3 * 86_400, 2, 3 * 86_400, 2],
  // CloudWatch looks back 7 days: the last window decides.
  ['a week', Duration.days(7), 86_400, 1, 86_400, 1],
])('windows of %s without requests, or without labels, are told', (_, monitorWindow, rowsPeriod, rowsPeriods, labelsPeriod, labelsPeriods) => {
  const template = build({ monitorWindow });
  const alarm = (metric: string, properties: object) =>
    template.hasResourceProperties('AWS::CloudWatch::Alarm', { MetricName: metric, TreatMissingData: 'ignore', ...properties });
  alarm(METRICS.monitoredRows, { Threshold: 1, ComparisonOperator: 'LessThanThreshold', Period: rowsPeriod, EvaluationPeriods: rowsPeriods });
  const none = { Threshold: 0, ComparisonOperator: 'LessThanOrEqualToThreshold' };
  alarm(METRICS.labelCoverage, { ...none, Period: labelsPeriod, EvaluationPeriods: labelsPeriods });
});

test('CloudWatch takes every look back: at most 7 days', () => {
  const windows = [1, 2, 3, 4, 6, 8, 12].map((hours) => Duration.hours(hours)).concat([1, 2, 3, 4, 7, 31].map((days) => Duration.days(days)));
  for (const monitorWindow of windows) {
    for (const [id, { Period = 300, EvaluationPeriods = 1 }] of alarmsOf(build({ monitorWindow }))) {
      expect([id, Period * EvaluationPeriods <= 7 * 86_400]).toEqual([id, true]);
    }
  }
});

test('rules that are not there have no alarm: no quality without its rules, and no groups without theirs', () => {
  const idsOf = (options: Options) => alarmsOf(build(options)).map(([id]) => id).join();
  expect(idsOf({ judgesQuality: false })).not.toMatch(/QualityDegraded|LabelsLost|GroupGapDetected/);
  expect(idsOf({ judgesGroups: true })).toMatch(/GroupGapDetected/);
});

test('alarms read the metric under exactly the dimensions that the functions publish', () => {
  for (const [, alarm] of alarmsOf(build({ recorder: true })).filter(([, { Namespace }]) => Namespace === METRICS_NAMESPACE)) {
    expect(alarm.Dimensions).toEqual([
      { Name: 'Model', Value: 'BikeDemand' },
      { Name: 'service', Value: 'mlops' },
    ]);
    expect(Object.values(METRICS)).toContain(alarm.MetricName);
  }
});

test('an endpoint that records by itself has no alarm on recording', () => {
  expect(alarmsOf(build()).map(([, { MetricName }]) => MetricName)).not.toContain(METRICS.recordingFailed);
});

test.each([
  [Duration.hours(2), 3600, 2],
  [Duration.hours(24), 3600, 24],
  [Duration.days(2), 86_400, 2],
  [Duration.days(7), 86_400, 7],
])('a monitor that has not run for %s is missed', (monitorSilence, period, periods) => {
  build({ monitorSilence }).hasResourceProperties('AWS::CloudWatch::Alarm', {
    MetricName: 'ExecutionsSucceeded',
    Period: period,
    EvaluationPeriods: periods,
  });
});

test('the dashboard shows alarms, predictions, quality with its bound, drift with its threshold, labels, violations, decisions and runs', () => {
  const { DashboardBody } = Object.values(build({ recorder: true }).findResources('AWS::CloudWatch::Dashboard'))[0].Properties;
  const text = JSON.stringify(DashboardBody);
  const { predictions, driftScore, labelCoverage, labelAge, constraintsViolated, retrainStarted, retrainHeldBack, pipelineFailed } = METRICS;
  const drawn = [predictions, driftScore, labelCoverage, labelAge, constraintsViolated, retrainStarted, retrainHeldBack, pipelineFailed];
  for (const name of drawn) expect(text).toContain(name);
  expect(text).toContain('Quality.rmse');
  expect(text).toContain('Live quality: mae');
  expect(text.match(/\\"value\\":100\b/g)).toHaveLength(1);
  expect(text.match(/\\"value\\":1\b/g)).toHaveLength(1);
  expect(text).toMatch(/SEARCH\('\{CdkMlOps,service,Model,Feature\} MetricName=.*FeatureDriftScore/);
  build().hasResourceProperties('AWS::CloudWatch::Dashboard', { DashboardName: Match.absent() });
});

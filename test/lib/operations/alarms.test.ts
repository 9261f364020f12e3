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
import { ModelDashboard } from '../../../lib/operations/model-dashboard';
import { PlatformAlarms } from '../../../lib/operations/platform-alarms';
import { RUNBOOK } from '../../../lib/operations/runbook';
import { silenceOf, silenceProblems } from '../../../lib/operations/silence';
import { RetrainGovernor } from '../../../lib/retraining/retrain-governor';
import { alarmProblems, alarmsOf, runbookAnchors } from './synthesized-alarms';

const build = (options: { topic?: boolean; recorder?: boolean; silence?: Duration } = {}): Template => {
  const stack = new Stack(new App({ context: cdkJson.context }), 'Stack');
  const fn = (name: string) => lambda.Function.fromFunctionName(stack, name, name);
  const alarmTopic = options.topic ? sns.Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:eu-west-1:111122223333:alarms') : undefined;
  const alarms = new ModelAlarms(stack, 'Alarms', {
    platformName: 'mlops',
    modelName: 'BikeDemand',
    monitorFunction: fn('monitor'),
    monitorSilence: options.silence,
    recorder: options.recorder ? fn('recorder') : undefined,
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
  const alarms = alarmsOf(build({ topic, recorder: true }));
  expect(alarms).toHaveLength(11);
  expect(alarms.filter(([, alarm]) => alarmProblems(alarm, topic).length > 0)).toEqual([]);
});

test('every runbook section belongs to an alarm and tells description, investigation and resolution', () => {
  expect([...runbookAnchors()].sort()).toEqual(Object.values(RUNBOOK).sort());
  const sections = readFileSync(path.join(__dirname, '../../../docs/runbook.md'), 'utf8').split(/^## /m).slice(1);
  for (const section of sections) {
    expect(section.match(/^### .*/gm)).toEqual(['### Description', '### Investigation', '### Resolution']);
  }
});

test('a drift or quality verdict stands until the next run; a silent monitor is an alarm by itself', () => {
  const template = build();
  const alarm = (metric: string, properties: object) =>
    template.hasResourceProperties('AWS::CloudWatch::Alarm', { MetricName: metric, Namespace: METRICS_NAMESPACE, ...properties });
  alarm(METRICS.driftDetected, { TreatMissingData: 'ignore', Threshold: 1 });
  alarm(METRICS.qualityDegraded, { TreatMissingData: 'ignore', Threshold: 1 });
  alarm(METRICS.monitorRuns, { TreatMissingData: 'breaching', ComparisonOperator: 'LessThanThreshold', Period: 86_400, EvaluationPeriods: 2 });
  alarm(METRICS.pipelineFailed, { TreatMissingData: 'notBreaching' });
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
  ['rate(10 minutes)', 3600, 1],
  ['rate(6 hours)', 3600, 12],
  ['rate(1 day)', 86_400, 2],
  ['rate(6 days)', 86_400, 7],
  ['cron(0 6 * * ? *)', 86_400, 2],
  ['cron(0 6 ? * MON *)', 86_400, 7],
])('a monitor that runs %s is missed in time', (expression, period, periods) => {
  build({ silence: silenceOf(expression) }).hasResourceProperties('AWS::CloudWatch::Alarm', {
    MetricName: METRICS.monitorRuns,
    Period: period,
    EvaluationPeriods: periods,
  });
});

test('a schedule whose silence nobody could be told of is refused', () => {
  expect(silenceProblems('monitoring.schedule', 'rate(6 days)')).toEqual([]);
  expect(silenceProblems('monitoring.schedule', 'rate(7 days)')).toHaveLength(1);
});

test('the dashboard shows alarms, predictions, quality with its bound, drift, decisions and runs', () => {
  const { DashboardBody } = Object.values(build({ recorder: true }).findResources('AWS::CloudWatch::Dashboard'))[0].Properties;
  const text = JSON.stringify(DashboardBody);
  for (const name of [METRICS.predictions, METRICS.driftedFeatures, METRICS.retrainStarted, METRICS.retrainHeldBack, METRICS.pipelineFailed]) {
    expect(text).toContain(name);
  }
  expect(text).toContain('Quality.rmse');
  expect(text).toContain('Live quality: mae');
  expect(text.match(/\\"value\\":100/g)).toHaveLength(1);
  build().hasResourceProperties('AWS::CloudWatch::Dashboard', { DashboardName: Match.absent() });
});

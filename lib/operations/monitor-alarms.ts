import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { AlarmFactory, modelMetric } from './alarm-factory';
import { METRICS } from './contract';
import { ModelAlarmsProps } from './model-alarms-props';
import { RUNBOOK } from './runbook';

const HOUR = Duration.hours(1);
const DAY = Duration.days(1);
const DAY_SECONDS = DAY.toSeconds();
/** CloudWatch looks back at most 7 days. */
const LONGEST = 7 * DAY_SECONDS;

interface MonitorAlarmsProps extends ModelAlarmsProps {
  readonly silence: Duration;
  readonly window: Duration;
}

/**
 * A period that holds one window, and how many of them make `wanted` seconds; one where CloudWatch cannot look back that far: then the last window
 * decides, however long ago it was judged.
 */
const lookBack = (window: Duration, shortest: Duration, wanted: number): { readonly period: Duration; readonly periods: number } => {
  const seconds = Math.max(window.toSeconds(), shortest.toSeconds());
  const periods = Math.floor(Math.min(wanted, LONGEST) / seconds);
  return periods < 2 ? { period: DAY, periods: 1 } : { period: Duration.seconds(seconds), periods };
};

/**
 * Alarms on what the monitor found, and on a monitor that failed, is late, saw nothing or lost its labels. A verdict stands until the next one: what
 * a window told is true until another window tells something else, however long that takes.
 *
 * @internal
 */
export const monitorAlarms = (factory: AlarmFactory, props: MonitorAlarmsProps): cloudwatch.Alarm[] => [
  ...findings(factory, props),
  ...watch(factory, props),
  ...blindness(factory, props),
];

const metricOf = ({ platformName, modelName }: ModelAlarmsProps, name: string, period?: Duration): cloudwatch.Metric =>
  modelMetric(platformName, modelName, name, { statistic: cloudwatch.Stats.MAXIMUM, period });

const findings = (factory: AlarmFactory, props: MonitorAlarmsProps): cloudwatch.Alarm[] => {
  const { modelName } = props;
  const treatMissingData = cloudwatch.TreatMissingData.IGNORE;
  const finding = (id: string, metric: string, happened: string, section: keyof typeof RUNBOOK, extra: object = {}) =>
    factory.add(id, { metric: metricOf(props, metric), happened, section: RUNBOOK[section], treatMissingData, ...extra });
  const alarms = [
    // The score is over its threshold: 1 itself is not yet drift.
    finding('DriftDetected', METRICS.driftScore, `The requests to ${modelName} differ from a reference by more than chance.`, 'driftDetected', {
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    }),
    finding('DataQualityViolated', METRICS.constraintsViolated, `The requests to ${modelName} violate constraints on data.`, 'dataQualityViolated'),
  ];
  if (props.judgesQuality ?? true) {
    const happened = `The live predictions of ${modelName} are worse than a rule on their quality allows.`;
    alarms.push(finding('QualityDegraded', METRICS.qualityDegraded, happened, 'qualityDegraded'));
  }
  if (props.judgesGroups ?? false) {
    const happened = `The predictions of ${modelName} treat groups more differently than a rule allows.`;
    alarms.push(finding('GroupGapDetected', METRICS.groupGapsBreached, happened, 'groupGapDetected'));
  }
  return alarms;
};

const watch = (factory: AlarmFactory, { modelName, monitor, silence }: MonitorAlarmsProps): cloudwatch.Alarm[] => {
  const period = silence.toSeconds() <= DAY_SECONDS ? HOUR : DAY;
  const options = { statistic: cloudwatch.Stats.SUM, period: Duration.minutes(5) };
  return [
    factory.add('MonitorDidNotRun', {
      metric: monitor.metricSucceeded({ statistic: cloudwatch.Stats.SUM, period }),
      happened: `No monitor run of ${modelName} has finished for ${silence.toHumanString()}: nobody watches the model.`,
      section: RUNBOOK.monitorDidNotRun,
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: Math.ceil(silence.toSeconds() / period.toSeconds()),
      // The dead man's switch: a monitor that stopped writes nothing at all.
      treatMissingData: cloudwatch.TreatMissingData.BREACHING,
    }),
    factory.add('MonitorFailed', {
      metric: new cloudwatch.MathExpression({
        expression: 'FILL(failed, 0) + FILL(late, 0)',
        usingMetrics: { failed: monitor.metricFailed(options), late: monitor.metricTimedOut(options) },
        label: 'runs that failed',
        period: options.period,
      }),
      happened: `A monitor run of ${modelName} failed; its windows have no verdict.`,
      section: RUNBOOK.monitorFailed,
      // Step Functions writes the metrics only when an execution ends that way.
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    }),
  ];
};

const blindness = (factory: AlarmFactory, props: MonitorAlarmsProps): cloudwatch.Alarm[] => {
  const { modelName, window } = props;
  const rows = lookBack(window, HOUR, 2 * window.toSeconds());
  const alarms = [
    factory.add('MonitorSawNothing', {
      metric: metricOf(props, METRICS.monitoredRows, rows.period),
      happened: `The monitor of ${modelName} sees no requests: either nobody asks, or nothing is recorded.`,
      section: RUNBOOK.monitorSawNothing,
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: rows.periods,
      // A run without a new window writes nothing; a monitor that does not run has its own alarm.
      treatMissingData: cloudwatch.TreatMissingData.IGNORE,
    }),
  ];
  if (props.judgesQuality ?? true) {
    const labels = lookBack(window, DAY, LONGEST);
    alarms.push(
      factory.add('LabelsLost', {
        metric: metricOf(props, METRICS.labelCoverage, labels.period),
        happened: `No label has come for the recent predictions of ${modelName}: its quality cannot be judged.`,
        section: RUNBOOK.labelsLost,
        threshold: 0,
        comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: labels.periods,
        // As for the requests.
        treatMissingData: cloudwatch.TreatMissingData.IGNORE,
      }),
    );
  }
  return alarms;
};

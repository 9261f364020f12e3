import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE, MODEL_DIMENSION, PLATFORM_DIMENSION } from './contract';
import { runbookUrl } from './runbook';

/**
 * One alarm of the loop.
 *
 * @internal
 */
export interface LoopAlarm {
  readonly metric: cloudwatch.IMetric;
  /** Whole sentence: what happened, without "alarm". */
  readonly happened: string;
  /** Section of docs/runbook.md. */
  readonly section: string;
  /** Stated by every alarm, since each default of CloudWatch is wrong for some of them. */
  readonly treatMissingData: cloudwatch.TreatMissingData;
  /** @default 1: the metric counts what must not happen */
  readonly threshold?: number;
  /** @default - at or above the threshold */
  readonly comparisonOperator?: cloudwatch.ComparisonOperator;
  /** @default 1 */
  readonly evaluationPeriods?: number;
}

/**
 * A metric that the platform's functions publish about one model.
 *
 * @internal
 */
export const modelMetric = (
  platform: string,
  model: string,
  name: string,
  options: { readonly statistic?: string; readonly period?: Duration; readonly label?: string } = {},
): cloudwatch.Metric =>
  new cloudwatch.Metric({
    namespace: METRICS_NAMESPACE,
    metricName: name,
    dimensionsMap: { [PLATFORM_DIMENSION]: platform, [MODEL_DIMENSION]: model },
    statistic: options.statistic ?? cloudwatch.Stats.SUM,
    period: options.period ?? Duration.minutes(5),
    label: options.label,
  });

/**
 * Makes alarms that a person can act on: each says what happened, links the runbook and reaches the topic, if there is one.
 *
 * @internal
 */
export class AlarmFactory {
  constructor(
    private readonly scope: Construct,
    private readonly topic?: sns.ITopic,
  ) {}

  public add(id: string, alarm: LoopAlarm): cloudwatch.Alarm {
    const made = new cloudwatch.Alarm(this.scope, id, {
      metric: alarm.metric,
      threshold: alarm.threshold ?? 1,
      comparisonOperator: alarm.comparisonOperator ?? cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: alarm.evaluationPeriods ?? 1,
      treatMissingData: alarm.treatMissingData,
      alarmDescription: `${alarm.happened} What to do: ${runbookUrl(alarm.section)}`,
    });
    if (this.topic) made.addAlarmAction(new actions.SnsAction(this.topic));
    return made;
  }
}

import { Duration } from 'aws-cdk-lib';
import * as apigatewayv2 from 'aws-cdk-lib/aws-apigatewayv2';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { AlarmFactory } from './alarm-factory';
import { METRICS, METRICS_NAMESPACE, PLATFORM_DIMENSION } from './contract';
import { RUNBOOK } from './runbook';

/**
 * What the alarms of an MLflow API look at.
 *
 * @internal
 */
export interface ApiAlarmsProps {
  readonly platformName: string;
  readonly stage: apigatewayv2.HttpStage;
  readonly apiFunction: lambda.IFunction;
  readonly accessLog: logs.LogGroup;
  readonly alarmTopic?: sns.ITopic;
}

const PERIOD = Duration.minutes(5);
/** MLflow's client tries again seven times: fewer failures than this nobody has noticed. */
const FAILURES = 5;

/**
 * Alarms on requests that failed, and on requests that were refused because there were too many.
 *
 * @internal
 */
export const apiAlarms = (scope: Construct, { platformName, stage, apiFunction, accessLog, alarmTopic }: ApiAlarmsProps): cloudwatch.Alarm[] => {
  const factory = new AlarmFactory(scope, alarmTopic);
  // API Gateway counts 429 among all errors of clients: only the access log tells them apart.
  new logs.MetricFilter(scope, 'Refused', {
    logGroup: accessLog,
    filterPattern: logs.FilterPattern.stringValue('$.status', '=', '429'),
    metricNamespace: METRICS_NAMESPACE,
    metricName: METRICS.apiThrottled,
    dimensions: { [PLATFORM_DIMENSION]: '$.platform' },
  });
  const throttled = new cloudwatch.MathExpression({
    expression: 'FILL(refused, 0) + FILL(busy, 0)',
    usingMetrics: {
      refused: new cloudwatch.Metric({
        namespace: METRICS_NAMESPACE,
        metricName: METRICS.apiThrottled,
        dimensionsMap: { [PLATFORM_DIMENSION]: platformName },
        statistic: cloudwatch.Stats.SUM,
        period: PERIOD,
      }),
      busy: apiFunction.metricThrottles({ statistic: cloudwatch.Stats.SUM, period: PERIOD }),
    },
    label: 'requests refused',
    period: PERIOD,
  });
  return [
    factory.add('ServerErrors', {
      metric: stage.metricServerError({ statistic: cloudwatch.Stats.SUM, period: PERIOD }),
      happened: `The MLflow API of ${platformName} answered requests with a server error.`,
      section: RUNBOOK.apiErrors,
      threshold: FAILURES,
      // API Gateway writes the metric only when somebody asks.
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    }),
    factory.add('Throttled', {
      metric: throttled,
      happened: `The MLflow API of ${platformName} refused requests because there were too many of them.`,
      section: RUNBOOK.apiThrottled,
      threshold: FAILURES,
      // Only a refusal writes the metrics.
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    }),
  ];
};

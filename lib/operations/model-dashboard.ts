import { Aws, Duration, Stack, Token } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { modelMetric } from './alarm-factory';
import { FEATURE_DIMENSION, METRICS, METRICS_NAMESPACE, MODEL_DIMENSION, PLATFORM_DIMENSION, QUALITY_METRIC_PREFIX } from './contract';

/** A bound on live quality, drawn as a line. */
export interface QualityBound {
  /** Name of the metric, e.g. `rmse`. */
  readonly metric: string;
  /** Worst value that is still good, in the metric's unit. */
  readonly worseThan: number;
}

/** Properties of a ModelDashboard. */
export interface ModelDashboardProps {
  /** Name of the platform; value of the metrics' `service` dimension. */
  readonly platformName: string;

  /** Name of the model; value of the metrics' `Model` dimension. */
  readonly modelName: string;

  /**
   * Requests that were answered.
   *
   * @default - those that the recording function of a serverless endpoint counts
   */
  readonly predictions?: cloudwatch.IMetric;

  /** Live quality metrics to draw, each with its own graph: those with a rule are published. */
  readonly qualityMetrics: string[];

  /**
   * Bounds to draw beside the metrics.
   *
   * @default - none
   */
  readonly qualityBounds?: QualityBound[];

  /** Training pipeline, for its executions. */
  readonly stateMachine: sfn.IStateMachine;

  /**
   * Alarms whose status stands on top.
   *
   * @default - none
   */
  readonly alarms?: cloudwatch.IAlarm[];
}

const HALF = 12;
const WHOLE = 24;

/** Other partitions have other consoles; a region that is known only at deploy counts as one of the partition `aws`. */
const consoleOf = (region: string): string => {
  if (Token.isUnresolved(region)) return `${region}.console.aws.amazon.com`;
  if (region.startsWith('cn-')) return `${region}.console.amazonaws.cn`;
  return region.startsWith('us-gov-') ? 'console.amazonaws-us-gov.com' : `${region}.console.aws.amazon.com`;
};

/** What one model does, on one page: alarms, predictions, quality against its bounds, drift, retraining decisions, pipeline. */
export class ModelDashboard extends Construct {
  /** The dashboard; its name is generated. */
  public readonly dashboard: cloudwatch.Dashboard;

  /** One page in the stack's region. */
  constructor(scope: Construct, id: string, props: ModelDashboardProps) {
    super(scope, id);
    const { modelName, platformName, stateMachine } = props;
    const metric = (name: string, label: string, statistic?: string) =>
      modelMetric(platformName, modelName, name, { label, statistic, period: Duration.hours(1) });
    const graph = (title: string, left: cloudwatch.IMetric[], bounds: number[] = []) =>
      new cloudwatch.GraphWidget({
        title,
        width: HALF,
        left,
        leftYAxis: { min: 0 },
        leftAnnotations: bounds.map((value) => ({ value, label: 'bound', color: cloudwatch.Color.RED })),
      });
    // Which features are the most important ones is known when a version has a baseline.
    const featureScores = new cloudwatch.MathExpression({
      expression:
        `SEARCH('{${METRICS_NAMESPACE},${PLATFORM_DIMENSION},${MODEL_DIMENSION},${FEATURE_DIMENSION}} MetricName="${METRICS.featureDriftScore}" ` +
        `${PLATFORM_DIMENSION}="${platformName}" ${MODEL_DIMENSION}="${modelName}"', 'Maximum', 3600)`,
      usingMetrics: {},
      label: '',
      period: Duration.hours(1),
    });
    const bounds = props.qualityBounds ?? [];
    const states = `https://${consoleOf(Stack.of(this).region)}/states/home?region=${Aws.REGION}`;
    const runs = `${states}#/statemachines/view/${stateMachine.stateMachineArn}`;

    this.dashboard = new cloudwatch.Dashboard(this, 'Resource', { defaultInterval: Duration.days(14) });
    this.dashboard.addWidgets(
      new cloudwatch.TextWidget({
        width: WHOLE,
        height: 2,
        markdown: `# ${modelName} (${platformName})\n[Training runs](${runs}) · \`npx mlops models show ${modelName}\``,
      }),
    );
    if (props.alarms?.length) {
      this.dashboard.addWidgets(new cloudwatch.AlarmStatusWidget({ title: 'Alarms', width: WHOLE, alarms: props.alarms }));
    }
    this.dashboard.addWidgets(
      graph('Predictions', [props.predictions ?? metric(METRICS.predictions, 'requests answered'), metric(METRICS.recordingFailed, 'not recorded')]),
      graph('What the monitor could use', [
        metric(METRICS.monitoredRows, 'rows monitored', cloudwatch.Stats.MAXIMUM),
        metric(METRICS.rejectedRows, 'rejected', cloudwatch.Stats.MAXIMUM),
      ]),
      graph('Drift: score over its threshold', [metric(METRICS.driftScore, 'window', cloudwatch.Stats.MAXIMUM), featureScores], [1]),
      ...props.qualityMetrics.map((name) =>
        graph(
          `Live quality: ${name}`,
          [metric(`${QUALITY_METRIC_PREFIX}${name}`, name, cloudwatch.Stats.AVERAGE)],
          bounds.filter((bound) => bound.metric === name).map(({ worseThan }) => worseThan),
        ),
      ),
      graph('Share of rows with a label', [metric(METRICS.labelCoverage, 'coverage', cloudwatch.Stats.AVERAGE)]),
      graph('Time from prediction to label', [metric(METRICS.labelAge, 'median, in seconds', cloudwatch.Stats.MAXIMUM)]),
      graph('Violations', [
        metric(METRICS.constraintsViolated, 'constraints', cloudwatch.Stats.MAXIMUM),
        metric(METRICS.qualityDegraded, 'rules on quality', cloudwatch.Stats.MAXIMUM),
        metric(METRICS.groupGapsBreached, 'rules on groups', cloudwatch.Stats.MAXIMUM),
      ]),
      graph('Retraining decisions', [metric(METRICS.retrainStarted, 'started'), metric(METRICS.retrainHeldBack, 'held back')]),
      graph('Runs', [
        metric(METRICS.pipelineSucceeded, 'succeeded'),
        metric(METRICS.candidateRejected, 'candidate rejected'),
        metric(METRICS.pipelineFailed, 'failed'),
      ]),
      graph('Duration of runs', [stateMachine.metricTime({ label: 'longest', statistic: cloudwatch.Stats.MAXIMUM, period: Duration.hours(1) })]),
    );
  }
}

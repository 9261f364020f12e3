import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import {
  baselinesPrefix,
  capturePrefix,
  gateReportsPrefix,
  labelsPrefix,
  modelRunsPrefix,
  monitoringPrefix,
  monitoringWorkPrefix,
} from '../artifacts/contract';
import { acknowledgeWildcards } from '../common/acknowledge';
import { COMMON_ENV } from '../common/contract';
import { deadLetterQueue } from '../common/dead-letter-queue';
import { executionsOf } from '../common/executions';
import { FUNCTION_LOGS, PlatformFunction } from '../common/function';
import { modelMetric } from '../operations/alarm-factory';
import { FEATURE_DIMENSION, METRICS, QUALITY_METRIC_PREFIX } from '../operations/contract';
import { RETRAINING_ENV } from '../retraining/contract';
import { VARIANT_NAME } from '../serving/contract';
import { constraintsKey, MONITORING_ENV } from './contract';
import { ModelMonitorProps } from './model-monitor-props';
import { addSchedule } from './monitor-schedule';
import { monitorSpec, validateMonitor } from './monitor-spec';
import { MonitorWorkflow } from './monitor-workflow';

/**
 * Watches one model: compares the recorded requests of each window with what a sound window looked like, checks them against the constraints on the
 * data, and compares the predictions with the labels that came later. Each run writes a result and a report for every window, publishes metrics, and
 * puts one event on the bus for each finding.
 */
export class ModelMonitor extends Construct {
  /** A run of the monitor; by schedule, or on demand with `{ windowStart, windowEnd }` for every window that ends between these times. */
  public readonly stateMachine: sfn.StateMachine;
  /** Does the work of its states. */
  public readonly monitorFunction: lambda.Function;
  /** Makes the baseline of a version, a step of the training pipeline. */
  public readonly baselineFunction: lambda.Function;
  /** Starts the monitor. */
  public readonly schedule: scheduler.Schedule;
  /** Runs that could not be started. */
  public readonly deadLetters: sqs.IQueue;

  private readonly platformName: string;
  private readonly modelName: string;

  /**
   * Fails at synth if a name is not allowed, a rule on quality or groups does not fit the task, or a reference by time meets a task without a time
   * column.
   */
  constructor(scope: Construct, id: string, props: ModelMonitorProps) {
    super(scope, id);
    validateMonitor(this.node.path, props);
    const { platformName, modelName, monitoring } = props;
    this.platformName = platformName;
    this.modelName = modelName;
    this.deadLetters = props.deadLetters ?? deadLetterQueue(this, 'DeadLetters');
    // Of functions and state machine alike. The prefix spares an entry in the account's resource policy for logs, which is full after some ten.
    const logGroup = new logs.LogGroup(this, FUNCTION_LOGS, {
      logGroupName: `/aws/vendedlogs/states/${platformName}-${modelName}-monitor`,
      retention: logs.RetentionDays.THREE_MONTHS,
      // The name would be taken when the stack comes back.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const environment = {
      [COMMON_ENV.platform]: platformName,
      [MONITORING_ENV.spec]: Stack.of(this).toJsonString(monitorSpec(props)),
    };
    this.monitorFunction = new PlatformFunction(this, 'Monitor', {
      handler: 'monitoring/run-monitor',
      description: `Plans, profiles and judges windows of ${modelName}`,
      environment: { ...environment, [RETRAINING_ENV.busName]: props.bus.eventBusName },
      timeout: Duration.minutes(15),
      memorySize: 1769,
    });
    this.baselineFunction = new PlatformFunction(this, 'Baseline', {
      handler: 'monitoring/create-baseline',
      description: `Makes the baseline of a version of ${modelName}`,
      environment,
      timeout: Duration.minutes(15),
      memorySize: 1769,
    });
    this.grantStore(props);
    props.registry.grantRead(this.monitorFunction);
    props.bus.grantPutEventsTo(this.monitorFunction);
    // What the endpoint counted, to tell whether everything was recorded.
    this.monitorFunction.addToRolePolicy(new iam.PolicyStatement({ actions: ['cloudwatch:GetMetricStatistics'], resources: ['*'] }));
    acknowledgeWildcards(this.monitorFunction, ['*'], 'Reading metrics knows no resources.');
    this.stateMachine = new MonitorWorkflow(this, 'Workflow', {
      platformName,
      modelName,
      monitorFunction: this.monitorFunction,
      logGroup,
      store: props.store,
    }).stateMachine;
    this.schedule = addSchedule(this, modelName, monitoring, this.stateMachine, this.deadLetters);
  }

  /** Lets somebody run the monitor on demand and see how the run ends. */
  public grantRun(grantee: iam.IGrantable): iam.Grant {
    const executions = executionsOf(this.stateMachine);
    acknowledgeWildcards(grantee, [executions], 'Executions are named at run time; the statement is bound to one monitor.');
    return this.stateMachine.grantStartExecution(grantee).combine(this.stateMachine.grantExecution(grantee, 'states:DescribeExecution'));
  }

  /** Score of a window over its threshold, 0 to 10: above 1 is drift. A window without a verdict writes nothing. */
  public metricDriftScore(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.driftScore, cloudwatch.Stats.MAXIMUM, options);
  }

  /** Score of one feature over the same threshold; only the most important features, as many as Monitoring.every() says. */
  public metricFeatureDriftScore(feature: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    const made = this.metric(METRICS.featureDriftScore, cloudwatch.Stats.MAXIMUM, options);
    return made.with({ dimensionsMap: { ...made.dimensions, [FEATURE_DIMENSION]: feature } as { [name: string]: string } });
  }

  /** Rules on quality that a window breaks; a window without a verdict writes nothing. */
  public metricQualityDegraded(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.qualityDegraded, cloudwatch.Stats.MAXIMUM, options);
  }

  /** Rules on groups that a window breaks; a window without a verdict writes nothing. */
  public metricGroupGapsBreached(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.groupGapsBreached, cloudwatch.Stats.MAXIMUM, options);
  }

  /** Violated constraints on the data, of severity error. */
  public metricConstraintsViolated(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.constraintsViolated, cloudwatch.Stats.MAXIMUM, options);
  }

  /** Live quality, e.g. `rmse`, in the metric's own unit; only metrics with a rule. */
  public metricQuality(metric: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(`${QUALITY_METRIC_PREFIX}${metric}`, cloudwatch.Stats.AVERAGE, options);
  }

  /** Share of the rows that quality looks at whose label is known, 0 to 1. */
  public metricLabelCoverage(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.labelCoverage, cloudwatch.Stats.AVERAGE, options);
  }

  /** Median time from a prediction to its label, in seconds. */
  public metricLabelAge(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.labelAge, cloudwatch.Stats.MAXIMUM, options);
  }

  /** Rows of a window. */
  public metricMonitoredRows(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.monitoredRows, cloudwatch.Stats.MAXIMUM, options);
  }

  /** Lines and rows of a window that could not be used; written where there are some. */
  public metricRejectedRows(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.rejectedRows, cloudwatch.Stats.MAXIMUM, options);
  }

  private metric(name: string, statistic: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return modelMetric(this.platformName, this.modelName, name, { statistic }).with(options ?? {});
  }

  private grantStore({ store, modelName, endpointName }: ModelMonitorProps): void {
    store.grantReadPredictions(this.monitorFunction, capturePrefix(endpointName, VARIANT_NAME));
    store.grantReadPredictions(this.monitorFunction, labelsPrefix(modelName));
    store.grantReadData(this.monitorFunction, constraintsKey(modelName));
    store.grantReadReports(this.monitorFunction, baselinesPrefix(modelName));
    for (const prefix of [monitoringPrefix(modelName), monitoringWorkPrefix(modelName)]) {
      store.grantReadReports(this.monitorFunction, prefix);
      store.grantWriteReports(this.monitorFunction, prefix);
    }
    store.grantReadData(this.baselineFunction, modelRunsPrefix(modelName));
    store.grantReadArtifacts(this.baselineFunction, modelRunsPrefix(modelName));
    store.grantReadReports(this.baselineFunction, gateReportsPrefix(modelName));
    store.grantWriteReports(this.baselineFunction, baselinesPrefix(modelName));
  }
}

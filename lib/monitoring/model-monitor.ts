import { Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as destinations from 'aws-cdk-lib/aws-lambda-destinations';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ArtifactStore } from '../artifacts/artifact-store';
import { baselinesPrefix, capturePrefix, labelsPrefix, modelRunsPrefix, monitoringPrefix } from '../artifacts/contract';
import { COMMON_ENV } from '../common/contract';
import { deadLetterQueue } from '../common/dead-letter-queue';
import { PlatformFunction } from '../common/function';
import { Task } from '../common/task';
import { modelMetric } from '../operations/alarm-factory';
import { METRICS, QUALITY_METRIC_PREFIX } from '../operations/contract';
import { QualityBound } from '../operations/model-dashboard';
import { IModelRegistry } from '../registry/model-registry';
import { RETRAINING_ENV } from '../retraining/contract';
import { VARIANT_NAME } from '../serving/contract';
import { MONITORING_ENV } from './contract';
import { addSchedule } from './monitor-schedule';
import { monitorSpec, validateMonitor } from './monitor-spec';
import { Monitoring } from './monitoring';

/** Properties of a ModelMonitor. */
export interface ModelMonitorProps {
  /** Name of the model: letters, digits and hyphens, first a letter, at most 32. */
  readonly modelName: string;

  /** Name of the platform, as allowed for the model's. */
  readonly platformName: string;

  /** What the model predicts; decides the quality metrics. */
  readonly task: Task;

  /** Endpoint whose recorded requests are watched. */
  readonly endpointName: string;

  /** How often, and how much must be seen before a verdict. */
  readonly monitoring: Monitoring;

  /**
   * Bounds on live quality; a window whose metric is worse is degraded.
   *
   * @default - quality is measured but not judged
   */
  readonly qualityBounds?: QualityBound[];

  /** Where recorded requests, labels, baselines and results lie. */
  readonly store: ArtifactStore;

  /** Which version serves, and its baseline. */
  readonly registry: IModelRegistry;

  /** Where findings become events. */
  readonly bus: events.IEventBus;

  /**
   * Takes runs that could not be started or failed for good.
   *
   * @default - a new queue
   */
  readonly deadLetters?: sqs.IQueue;
}

/**
 * Watches one model: compares the recorded requests of a window with the data that the serving version was trained with, and its predictions with the
 * labels that came later. Each run writes a result and a report, publishes metrics, and puts an event on the bus where something is wrong.
 */
export class ModelMonitor extends Construct {
  /** Judges one window; by schedule, or on demand with `{ windowStart, windowEnd }`. */
  public readonly monitorFunction: lambda.Function;
  /** Makes the baseline of a version, a step of the training pipeline. */
  public readonly baselineFunction: lambda.Function;
  /** Starts the monitor. */
  public readonly schedule: scheduler.Schedule;
  /** Runs that could not be started or failed for good. */
  public readonly deadLetters: sqs.IQueue;

  private readonly platformName: string;
  private readonly modelName: string;

  /**
   * Fails at synth if a name is not allowed, a bound names no metric of the task or is no number, or a seasonal
   * reference meets a task without a time column.
   */
  constructor(scope: Construct, id: string, props: ModelMonitorProps) {
    super(scope, id);
    validateMonitor(this.node.path, props);
    this.platformName = props.platformName;
    this.modelName = props.modelName;
    this.deadLetters = props.deadLetters ?? deadLetterQueue(this, 'DeadLetters');
    const environment = {
      [COMMON_ENV.platform]: props.platformName,
      [MONITORING_ENV.spec]: Stack.of(this).toJsonString(monitorSpec(props)),
    };
    this.monitorFunction = new PlatformFunction(this, 'Monitor', {
      handler: 'monitoring/run-monitor',
      description: `Judges drift and quality of ${props.modelName}`,
      environment: { ...environment, [RETRAINING_ENV.busName]: props.bus.eventBusName },
      timeout: Duration.minutes(15),
      memorySize: 1769,
    });
    this.monitorFunction.configureAsyncInvoke({
      onFailure: new destinations.SqsDestination(this.deadLetters),
      retryAttempts: 2,
      maxEventAge: Duration.hours(1),
    });
    this.baselineFunction = new PlatformFunction(this, 'Baseline', {
      handler: 'monitoring/create-baseline',
      description: `Makes the baseline of a version of ${props.modelName}`,
      environment,
      timeout: Duration.minutes(15),
      memorySize: 1769,
    });
    this.grantStore(props);
    props.registry.grantRead(this.monitorFunction);
    props.bus.grantPutEventsTo(this.monitorFunction);
    this.schedule = addSchedule(this, this.modelName, props.monitoring, this.monitorFunction, this.deadLetters);
  }

  /** Lets somebody run the monitor on demand. */
  public grantRun(grantee: iam.IGrantable): iam.Grant {
    return this.monitorFunction.grantInvoke(grantee);
  }

  /** 1 where a run found drift, 0 where it found none; a run without a verdict writes nothing. */
  public metricDriftDetected(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.driftDetected, cloudwatch.Stats.MAXIMUM, options);
  }

  /** Number of features that drifted in a window. */
  public metricDriftedFeatures(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.driftedFeatures, cloudwatch.Stats.MAXIMUM, options);
  }

  /** 1 where live quality is worse than a bound, 0 where it is not; a run without a verdict writes nothing. */
  public metricQualityDegraded(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.qualityDegraded, cloudwatch.Stats.MAXIMUM, options);
  }

  /** Live quality of a window, e.g. `rmse`, in the metric's own unit. */
  public metricQuality(metric: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(`${QUALITY_METRIC_PREFIX}${metric}`, cloudwatch.Stats.AVERAGE, options);
  }

  /** Share of a window's rows whose label is known, 0 to 1. */
  public metricLabelCoverage(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.labelCoverage, cloudwatch.Stats.AVERAGE, options);
  }

  /** Monitor runs that finished, with or without a verdict. */
  public metricRuns(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.monitorRuns, cloudwatch.Stats.SUM, options);
  }

  /** Rows of a window. */
  public metricMonitoredRows(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.monitoredRows, cloudwatch.Stats.MAXIMUM, options);
  }

  /** Lines and rows of a window that could not be used. */
  public metricRejectedRows(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.rejectedRows, cloudwatch.Stats.MAXIMUM, options);
  }

  private metric(name: string, statistic: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return modelMetric(this.platformName, this.modelName, name, { statistic }).with(options ?? {});
  }

  private grantStore({ store, modelName, endpointName }: ModelMonitorProps): void {
    store.grantReadPredictions(this.monitorFunction, capturePrefix(endpointName, VARIANT_NAME));
    store.grantReadPredictions(this.monitorFunction, labelsPrefix(modelName));
    store.grantReadReports(this.monitorFunction, baselinesPrefix(modelName));
    store.grantWriteReports(this.monitorFunction, monitoringPrefix(modelName));
    store.grantReadData(this.baselineFunction, modelRunsPrefix(modelName));
    store.grantReadArtifacts(this.baselineFunction, modelRunsPrefix(modelName));
    store.grantWriteReports(this.baselineFunction, baselinesPrefix(modelName));
  }
}

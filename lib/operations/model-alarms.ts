import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { Validator } from '../common/validation';
import { AlarmFactory, modelMetric } from './alarm-factory';
import { METRICS } from './contract';
import { addDeadLetterAlarm } from './dead-letter-alarm';
import { RUNBOOK } from './runbook';

/** Properties of ModelAlarms. */
export interface ModelAlarmsProps {
  /** Name of the platform; value of the metrics' `service` dimension. */
  readonly platformName: string;

  /** Name of the model; value of the metrics' `Model` dimension. */
  readonly modelName: string;

  /** Function that a scheduled monitor run invokes. */
  readonly monitorFunction: lambda.IFunction;

  /**
   * Time without a finished monitor run after which somebody is told, at most 7 days; whole hours up to a day, whole days above.
   * Twice the time between two runs is a good choice.
   *
   * @default Duration.days(2)
   */
  readonly monitorSilence?: Duration;

  /**
   * Function that records predictions on the way.
   *
   * @default - the endpoint records them itself; there is no alarm on recording
   */
  readonly recorder?: lambda.IFunction;

  /**
   * Queues that take monitor runs that failed for good; each gets an alarm.
   *
   * @default - none
   */
  readonly deadLetters?: sqs.IQueue[];

  /**
   * Who is told.
   *
   * @default - nobody: the alarms only change their state
   */
  readonly alarmTopic?: sns.ITopic;
}

/** Alarms of one model's loop: drift, quality, pipeline, monitor, recording, dead letters. */
export class ModelAlarms extends Construct {
  /** The alarms, in the order of the dashboard. */
  public readonly alarms: cloudwatch.Alarm[] = [];

  /** Fails at synth if monitorSilence is not between one hour and 7 days. */
  constructor(scope: Construct, id: string, props: ModelAlarmsProps) {
    super(scope, id);
    const { platformName, modelName, monitorSilence: silence = Duration.days(2) } = props;
    new Validator(`ModelAlarms ${this.node.path}`)
      .range('monitorSilence', silence.toHours({ integral: false }), 1, 7 * 24, 'count in hours; CloudWatch looks back at most 7 days')
      .throwIfAny();
    const period = silence.toSeconds() <= Duration.days(1).toSeconds() ? Duration.hours(1) : Duration.days(1);
    const factory = new AlarmFactory(this, props.alarmTopic);
    const metric = (name: string, statistic?: string, period?: Duration) => modelMetric(platformName, modelName, name, { statistic, period });

    this.alarms.push(
      factory.add('DriftDetected', {
        metric: metric(METRICS.driftDetected, cloudwatch.Stats.MAXIMUM),
        happened: `The requests to ${modelName} differ from the data its serving version was trained with.`,
        section: RUNBOOK.driftDetected,
        // A run says it once and the next one may be a day away: until then what was seen still holds.
        treatMissingData: cloudwatch.TreatMissingData.IGNORE,
      }),
      factory.add('QualityDegraded', {
        metric: metric(METRICS.qualityDegraded, cloudwatch.Stats.MAXIMUM),
        happened: `The live predictions of ${modelName} are worse than a bound of its retraining triggers.`,
        section: RUNBOOK.qualityDegraded,
        // As for drift: silence between two runs is no recovery.
        treatMissingData: cloudwatch.TreatMissingData.IGNORE,
      }),
      factory.add('PipelineFailed', {
        metric: metric(METRICS.pipelineFailed),
        happened: `A training run of ${modelName} failed; the version that served before still serves.`,
        section: RUNBOOK.pipelineFailed,
        // Only a failure writes the metric: no data is no failure.
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      }),
      factory.add('MonitorDidNotRun', {
        metric: metric(METRICS.monitorRuns, cloudwatch.Stats.SUM, period),
        happened: `No monitor run of ${modelName} has finished for ${silence.toHumanString()}: nobody watches the model.`,
        section: RUNBOOK.monitorDidNotRun,
        comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        evaluationPeriods: Math.ceil(silence.toSeconds() / period.toSeconds()),
        // The dead man's switch: a monitor that stopped writes nothing at all.
        treatMissingData: cloudwatch.TreatMissingData.BREACHING,
      }),
      factory.add('MonitorErrors', {
        metric: props.monitorFunction.metricErrors({ statistic: cloudwatch.Stats.SUM, period: Duration.minutes(5) }),
        happened: `A monitor run of ${modelName} ended with an error; its window has no verdict.`,
        section: RUNBOOK.monitorErrors,
        // Lambda writes the metric only when the function runs.
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      }),
    );
    if (props.recorder) {
      this.alarms.push(
        factory.add('RecordingFailed', {
          metric: metric(METRICS.recordingFailed),
          happened: `Predictions of ${modelName} were answered but not recorded: the monitor will not see them.`,
          section: RUNBOOK.recordingFailed,
          // Only a failure writes the metric.
          treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
        }),
      );
    }
    (props.deadLetters ?? []).forEach((queue, index) => {
      const id = `DeadLetters${index === 0 ? '' : index}`;
      this.alarms.push(addDeadLetterAlarm(factory, id, queue, `a run of the monitor of ${modelName} was not done`));
    });
  }
}

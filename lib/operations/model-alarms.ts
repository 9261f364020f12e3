import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { Validator } from '../common/validation';
import { AlarmFactory, modelMetric } from './alarm-factory';
import { METRICS } from './contract';
import { addDeadLetterAlarm } from './dead-letter-alarm';
import { ModelAlarmsProps } from './model-alarms-props';
import { monitorAlarms } from './monitor-alarms';
import { RUNBOOK } from './runbook';

/** Alarms of one model's loop: findings of the monitor, the monitor itself, pipeline, recording, dead letters. */
export class ModelAlarms extends Construct {
  /** The alarms, in the order of the dashboard. */
  public readonly alarms: cloudwatch.Alarm[] = [];

  /** Fails at synth if monitorSilence is not between one hour and 7 days, or monitorWindow not between one hour and 31 days. */
  constructor(scope: Construct, id: string, props: ModelAlarmsProps) {
    super(scope, id);
    const { platformName, modelName, monitorSilence: silence = Duration.days(2), monitorWindow: window = Duration.days(1) } = props;
    new Validator(`ModelAlarms ${this.node.path}`)
      .range('monitorSilence', silence.toHours({ integral: false }), 1, 7 * 24, 'count in hours; CloudWatch looks back at most 7 days')
      .range('monitorWindow', window.toHours({ integral: false }), 1, 31 * 24, 'count in hours')
      .throwIfAny();
    const factory = new AlarmFactory(this, props.alarmTopic);
    this.alarms.push(
      ...monitorAlarms(factory, { ...props, silence, window }),
      factory.add('PipelineFailed', {
        metric: modelMetric(platformName, modelName, METRICS.pipelineFailed),
        happened: `A training run of ${modelName} failed; the version that served before still serves.`,
        section: RUNBOOK.pipelineFailed,
        // Only a failure writes the metric: no data is no failure.
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      }),
    );
    if (props.recorder) {
      this.alarms.push(
        factory.add('RecordingFailed', {
          metric: modelMetric(platformName, modelName, METRICS.recordingFailed),
          happened: `Predictions of ${modelName} were answered but not recorded: the monitor will not see them.`,
          section: RUNBOOK.recordingFailed,
          // Only a failure writes the metric.
          treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
        }),
      );
    }
    (props.deadLetters ?? []).forEach((queue, index) => {
      const id = `DeadLetters${index === 0 ? '' : index}`;
      this.alarms.push(addDeadLetterAlarm(factory, id, queue, `a run of the monitor of ${modelName} was not started`));
    });
  }
}

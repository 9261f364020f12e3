import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { RetrainGovernor } from '../retraining/retrain-governor';
import { AlarmFactory } from './alarm-factory';
import { addDeadLetterAlarm } from './dead-letter-alarm';
import { RUNBOOK } from './runbook';

/** Properties of GovernorAlarms. */
export interface GovernorAlarmsProps {
  /** The governor to watch. */
  readonly governor: RetrainGovernor;

  /**
   * Who is told.
   *
   * @default - nobody: the alarms only change their state
   */
  readonly alarmTopic?: sns.ITopic;
}

/** Alarms of what all models of a platform share: the governor's functions and its dead letters. */
export class GovernorAlarms extends Construct {
  /** The alarms. */
  public readonly alarms: cloudwatch.Alarm[];

  constructor(scope: Construct, id: string, props: GovernorAlarmsProps) {
    super(scope, id);
    const { governor } = props;
    const factory = new AlarmFactory(this, props.alarmTopic);
    const errors = (name: string, fn: lambda.IFunction, happened: string) =>
      factory.add(name, {
        metric: fn.metricErrors({ statistic: cloudwatch.Stats.SUM, period: Duration.minutes(5) }),
        happened,
        section: RUNBOOK.governorErrors,
        // Lambda writes the metric only when the function runs.
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      });
    this.alarms = [
      errors('GovernorErrors', governor.governorFunction, 'The governor could not decide on a cause; after its retries the cause is a dead letter.'),
      errors('ReleaseErrors', governor.releaseFunction, 'The end of a run could not be noted: its model stays locked until the lease ends.'),
      addDeadLetterAlarm(factory, 'DeadLetters', governor.deadLetters, 'a cause was not decided or the end of a run not noted'),
    ];
  }
}

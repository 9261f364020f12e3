import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { RetrainGovernor } from '../retraining/retrain-governor';
import { AlarmFactory } from './alarm-factory';
import { addDeadLetterAlarm } from './dead-letter-alarm';
import { RUNBOOK } from './runbook';

/** Properties of PlatformAlarms. */
export interface PlatformAlarmsProps {
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
export class PlatformAlarms extends Construct {
  /** The alarms. */
  public readonly alarms: cloudwatch.Alarm[];

  private readonly factory: AlarmFactory;
  private readonly queues = new Set<sqs.IQueue>();

  /** Watches the governor's functions and its dead letters from the start. */
  constructor(scope: Construct, id: string, props: PlatformAlarmsProps) {
    super(scope, id);
    const { governor } = props;
    this.factory = new AlarmFactory(this, props.alarmTopic);
    const errors = (name: string, fn: lambda.IFunction, happened: string) =>
      this.factory.add(name, {
        metric: fn.metricErrors({ statistic: cloudwatch.Stats.SUM, period: Duration.minutes(5) }),
        happened,
        section: RUNBOOK.governorErrors,
        // Lambda writes the metric only when the function runs.
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      });
    this.alarms = [
      errors('GovernorErrors', governor.governorFunction, 'The governor could not decide on a cause; after its retries the cause is a dead letter.'),
      errors('ReleaseErrors', governor.releaseFunction, 'The end of a run could not be noted: its place is given back only with the next cause.'),
    ];
    this.watchDeadLetters(governor.deadLetters, 'a monitor run was not done, a cause not decided, or the end of a run not noted');
  }

  /**
   * Tells when something waits in a dead-letter queue. Naming a queue again changes nothing.
   *
   * @param work what was not done then, as part of a sentence
   */
  public watchDeadLetters(queue: sqs.IQueue, work: string): void {
    if (this.queues.has(queue)) return;
    const id = `DeadLetters${this.queues.size === 0 ? '' : this.queues.size}`;
    this.queues.add(queue);
    this.alarms.push(addDeadLetterAlarm(this.factory, id, queue, work));
  }
}

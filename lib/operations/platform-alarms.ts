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

const PERIOD = Duration.minutes(5);
/** What the queue of a platform's governor takes. */
const LOST = 'a cause was not decided, a run’s end or failure not noted, a monitor not started, labels not recorded, or a change not indexed';

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
    const errors = (fn: lambda.IFunction) => fn.metricErrors({ statistic: cloudwatch.Stats.SUM, period: PERIOD });
    this.alarms = [
      this.factory.add('GovernorErrors', {
        metric: new cloudwatch.MathExpression({
          expression: 'FILL(decide, 0) + FILL(release, 0)',
          usingMetrics: { decide: errors(governor.governorFunction), release: errors(governor.releaseFunction) },
          label: 'errors',
          period: PERIOD,
        }),
        happened: 'The governor could not decide on a cause, or not note the end of a run; after its retries the event is a dead letter.',
        section: RUNBOOK.governorErrors,
        // Lambda writes the metrics only when the functions run.
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      }),
    ];
    this.watchDeadLetters(governor.deadLetters, LOST);
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

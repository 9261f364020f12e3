import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { AlarmFactory } from './alarm-factory';
import { RUNBOOK } from './runbook';

/** @internal */
export const addDeadLetterAlarm = (factory: AlarmFactory, id: string, queue: sqs.IQueue, work: string): cloudwatch.Alarm =>
  factory.add(id, {
    metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: cloudwatch.Stats.MAXIMUM, period: Duration.minutes(5) }),
    happened: `An event or invocation failed for good and waits in a dead-letter queue: ${work}.`,
    section: RUNBOOK.deadLetters,
    // SQS stops writing the metric of a queue that nobody used for six hours: such a queue is empty or was already reported.
    treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
  });

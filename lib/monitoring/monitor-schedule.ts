import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../common/acknowledge';
import { InlineRole } from '../common/inline-role';
import { Monitoring } from './monitoring';

/**
 * What starts a monitor, under a role that may start nothing else.
 *
 * @internal
 */
export const addSchedule = (
  scope: Construct,
  modelName: string,
  monitoring: Monitoring,
  monitorFunction: lambda.IFunction,
  deadLetters: sqs.IQueue,
): scheduler.Schedule => {
  const stack = Stack.of(scope);
  const group = stack.formatArn({ service: 'scheduler', resource: 'schedule-group', resourceName: 'default' });
  const role = new InlineRole(scope, 'ScheduleRole', {
    assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': stack.account, 'aws:SourceArn': group } },
    }),
  });
  const schedule = new scheduler.Schedule(scope, 'Schedule', {
    schedule: scheduler.ScheduleExpression.expression(monitoring._scheduleExpression),
    description: `Monitor of ${modelName}`,
    target: new targets.LambdaInvoke(monitorFunction, {
      role,
      // The planned time, not the time of the attempt, ends the window: a retry judges the same window and writes the same result.
      input: scheduler.ScheduleTargetInput.fromObject({ windowEnd: scheduler.ContextAttribute.scheduledTime }),
      deadLetterQueue: deadLetters,
      retryAttempts: 10,
      maxEventAge: Duration.hours(1),
    }),
  });
  acknowledgeWildcards(role, [`${monitorFunction.functionArn}:*`], 'Versions of the one function that the schedule starts.');
  return schedule;
};

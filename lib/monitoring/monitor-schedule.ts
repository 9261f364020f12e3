import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { InlineRole } from '../common/inline-role';
import { Monitoring } from './monitoring';

const ROLE = 'MlOpsMonitorSchedules';

/** One role for the schedules of all monitors of a stack: it may start monitors, and nothing else. */
const scheduleRole = (scope: Construct): iam.Role => {
  const stack = Stack.of(scope);
  const group = stack.formatArn({ service: 'scheduler', resource: 'schedule-group', resourceName: 'default' });
  return (
    (stack.node.tryFindChild(ROLE) as iam.Role | undefined) ??
    new InlineRole(stack, ROLE, {
      description: `Starts the monitors of ${stack.node.path}`,
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account, 'aws:SourceArn': group } },
      }),
    })
  );
};

/**
 * What starts a monitor.
 *
 * @internal
 */
export const addSchedule = (
  scope: Construct,
  modelName: string,
  monitoring: Monitoring,
  stateMachine: sfn.IStateMachine,
  deadLetters: sqs.IQueue,
): scheduler.Schedule =>
  new scheduler.Schedule(scope, 'Schedule', {
    schedule: scheduler.ScheduleExpression.expression(monitoring._scheduleExpression),
    description: `Monitor of ${modelName}`,
    target: new targets.StepFunctionsStartExecution(stateMachine, {
      role: scheduleRole(scope),
      // The planned time, not the time of the attempt, ends the windows: a retry plans the same ones and writes the same results.
      input: scheduler.ScheduleTargetInput.fromObject({ scheduledTime: scheduler.ContextAttribute.scheduledTime }),
      deadLetterQueue: deadLetters,
      retryAttempts: 10,
      maxEventAge: Duration.hours(1),
    }),
  });

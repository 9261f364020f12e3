import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';

/** Properties of ModelAlarms. */
export interface ModelAlarmsProps {
  /** Name of the platform; value of the metrics' `service` dimension. */
  readonly platformName: string;

  /** Name of the model; value of the metrics' `Model` dimension. */
  readonly modelName: string;

  /** State machine of the monitor. */
  readonly monitor: sfn.IStateMachine;

  /**
   * Time without a finished monitor run after which somebody is told, at most 7 days; whole hours up to a day, whole days above.
   * Twice the time between two runs is a good choice.
   *
   * @default Duration.days(2)
   */
  readonly monitorSilence?: Duration;

  /**
   * Length of the monitor's windows: decides how long nothing may be seen before somebody is told.
   *
   * @default Duration.days(1)
   */
  readonly monitorWindow?: Duration;

  /**
   * Whether there are rules on live quality, and so labels are waited for.
   *
   * @default true
   */
  readonly judgesQuality?: boolean;

  /**
   * Whether there are rules on gaps between groups.
   *
   * @default false
   */
  readonly judgesGroups?: boolean;

  /**
   * Function that records predictions on the way.
   *
   * @default - the endpoint records them itself; there is no alarm on recording
   */
  readonly recorder?: lambda.IFunction;

  /**
   * Queues that take monitor runs that could not be started; each gets an alarm.
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

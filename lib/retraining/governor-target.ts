import { Duration, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sqs from 'aws-cdk-lib/aws-sqs';

const RETRY_ATTEMPTS = 10;
const MAX_EVENT_AGE = Duration.hours(1);

/** How often and how long an event is tried again before it becomes a dead letter. */
export const DELIVERY = { retryAttempts: RETRY_ATTEMPTS, maxEventAge: MAX_EVENT_AGE } as const;

/**
 * A function as the target of any number of rules on one bus. CDK's own target adds a permission for each rule; here one covers the bus, whose rules
 * only its owner can make.
 *
 * @internal
 */
export class GovernorTarget implements events.IRuleTarget {
  constructor(
    bus: events.IEventBus,
    private readonly handler: lambda.Function,
    private readonly deadLetters: sqs.Queue,
  ) {
    const stack = Stack.of(handler);
    const rules = stack.formatArn({ service: 'events', resource: 'rule', resourceName: `${bus.eventBusName}/*` });
    const principal = new iam.ServicePrincipal('events.amazonaws.com');
    handler.addPermission('Bus', { principal, sourceArn: rules });
    deadLetters.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'RulesOfTheBus',
        principals: [principal],
        actions: ['sqs:SendMessage'],
        resources: [deadLetters.queueArn],
        conditions: { ArnLike: { 'aws:SourceArn': rules } },
      }),
    );
  }

  public bind(): events.RuleTargetConfig {
    return {
      arn: this.handler.functionArn,
      targetResource: this.handler,
      deadLetterConfig: { arn: this.deadLetters.queueArn },
      retryPolicy: { maximumEventAgeInSeconds: MAX_EVENT_AGE.toSeconds(), maximumRetryAttempts: RETRY_ATTEMPTS },
    };
  }
}

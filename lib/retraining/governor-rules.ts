import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { EVENTS, EVENT_SOURCE } from './contract';
import { DELIVERY, GovernorTarget } from './governor-target';

export interface GovernorRulesProps {
  readonly platformName: string;
  readonly bus: events.IEventBus;
  readonly governorFunction: lambda.Function;
  readonly releaseFunction: lambda.Function;
  readonly deadLetters: sqs.Queue;
}

/**
 * What brings causes, and the ends of runs, to the governor's functions.
 *
 * @internal
 */
export class GovernorRules {
  private readonly target: GovernorTarget;
  private runEnded?: events.Rule;

  constructor(
    private readonly scope: Construct,
    private readonly props: GovernorRulesProps,
  ) {
    this.target = new GovernorTarget(props.bus, props.governorFunction, props.deadLetters);
  }

  public onBus(id: string, eventPattern: events.EventPattern, scope: Construct = this.scope): void {
    new events.Rule(scope, id, { eventBus: this.props.bus, eventPattern, targets: [this.target] });
  }

  /** Schedules live on the default bus: their target gets the event that a monitor would have put on ours. */
  public onSchedule(id: string, schedule: events.Schedule, model: string, scope: Construct): void {
    const { platformName, governorFunction, deadLetters } = this.props;
    const detail = { platform: platformName, model, occurredAt: events.EventField.time, schedule: schedule.expressionString };
    const event = events.RuleTargetInput.fromObject({ source: EVENT_SOURCE, 'detail-type': EVENTS.retrainScheduled, detail });
    const target = new targets.LambdaFunction(governorFunction, { event, deadLetterQueue: deadLetters, ...DELIVERY });
    new events.Rule(scope, id, { schedule, targets: [target] });
  }

  /** One rule for all pipelines; made with the first, since without a state machine it would match every execution of the account. */
  public onRunEnded(stateMachineArn: string): void {
    const { platformName, releaseFunction, deadLetters } = this.props;
    const detail = { stateMachineArn: [stateMachineArn] };
    if (this.runEnded) {
      this.runEnded.addEventPattern({ detail });
      return;
    }
    this.runEnded = new events.Rule(this.scope, 'RunEnded', {
      description: `Training runs of ${platformName} that ended, and their redrives`,
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        // RUNNING tells of redrives; of first starts too, which the function passes over.
        detail: { ...detail, status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'RUNNING'] },
      },
      targets: [new targets.LambdaFunction(releaseFunction, { deadLetterQueue: deadLetters, ...DELIVERY })],
    });
  }
}

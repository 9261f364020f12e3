import { Duration, Lazy, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as destinations from 'aws-cdk-lib/aws-lambda-destinations';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { COMMON_ENV } from '../common/contract';
import { PlatformFunction } from '../common/function';
import { addressOf, oncePerStack } from '../common/once-per-stack';
import { IModelRegistry } from '../registry/model-registry';
import { SERVING_ENV, ServingSpec, WatchedModel } from './contract';

export interface ReleaseWatchProps {
  readonly platformName: string;
  readonly registry: IModelRegistry;
  readonly deadLetters: sqs.IQueue;
}

/**
 * Brings the version before back where an alarm of the live configuration goes off soon after a promotion: one function for all models of a stack
 * whose deployments ask for it.
 *
 * @internal
 */
export class ReleaseWatch extends Construct {
  public static of(scope: Construct, props: ReleaseWatchProps): ReleaseWatch {
    const about = [props.platformName, addressOf(props.registry)];
    return oncePerStack(scope, 'MlOpsReleaseWatch', about, (stack, id) => new ReleaseWatch(stack, id, props));
  }

  private readonly function: lambda.Function;
  private readonly watched: { [endpointName: string]: WatchedModel } = {};
  private rule?: events.Rule;

  private constructor(
    scope: Construct,
    id: string,
    private readonly props: ReleaseWatchProps,
  ) {
    super(scope, id);
    const json = Lazy.string({ produce: () => Stack.of(this).toJsonString(this.watched) });
    this.function = new PlatformFunction(this, 'Function', {
      handler: 'serving/watch-release',
      description: `Rolls back versions of ${props.platformName} whose alarms go off soon after their promotion`,
      environment: { [COMMON_ENV.platform]: props.platformName, [SERVING_ENV.watched]: json },
      // An alarm may come a moment before the promotion of what it is about.
      timeout: Duration.minutes(3),
      memorySize: 256,
    });
    props.registry.grantRead(this.function);
    this.function.configureAsyncInvoke({
      onFailure: new destinations.SqsDestination(props.deadLetters),
      retryAttempts: 2,
      maxEventAge: Duration.hours(1),
    });
  }

  public watch({ model, endpointName, deployment }: ServingSpec, stateMachine: sfn.StateMachine): void {
    this.watched[endpointName] = { model, stateMachineArn: stateMachine.stateMachineArn, watchSeconds: deployment.watchSeconds };
    stateMachine.grantStartExecution(this.function);
    const detail = { alarmName: [{ prefix: `${endpointName}-v` }] };
    if (this.rule) {
      this.rule.addEventPattern({ detail });
      return;
    }
    // Made with the first model: without a name it would match every alarm of the account.
    this.rule = new events.Rule(this, 'Alarmed', {
      description: 'Alarms of endpoint configurations that have gone off',
      eventPattern: { source: ['aws.cloudwatch'], detailType: ['CloudWatch Alarm State Change'], detail: { ...detail, state: { value: ['ALARM'] } } },
      targets: [
        new targets.LambdaFunction(this.function, { deadLetterQueue: this.props.deadLetters, retryAttempts: 20, maxEventAge: Duration.hours(1) }),
      ],
    });
  }
}

import { Duration, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as destinations from 'aws-cdk-lib/aws-lambda-destinations';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../common/acknowledge';
import { COMMON_ENV } from '../common/contract';
import { deadLetterQueue } from '../common/dead-letter-queue';
import { executionsOf } from '../common/executions';
import { PlatformFunction } from '../common/function';
import { addressOf, oncePerStack } from '../common/once-per-stack';
import { IModelRegistry } from '../registry/model-registry';
import { RETRAINING_ENV } from '../retraining/contract';
import { platformSlug } from '../serving/endpoint-name';
import { IRunTracker } from '../tracking/run-tracker';

/** So much of a platform's name begins short names of jobs. */
const SHORT_PREFIX = 6;

export interface SharedStepsProps {
  readonly platformName: string;
  readonly registry: IModelRegistry;
  readonly tracker: IRunTracker;
  readonly bus: events.IEventBus;
  readonly deadLetters?: sqs.IQueue;
}

/**
 * Steps that know nothing of a single model: one function each for all pipelines of a stack that write to the same registry, tracker and bus.
 *
 * @internal
 */
export class SharedSteps extends Construct {
  public static of(scope: Construct, props: SharedStepsProps): SharedSteps {
    const { platformName, registry, tracker, bus } = props;
    const about = [platformName, ...[registry, tracker, bus].map(addressOf)];
    return oncePerStack(scope, 'MlOpsSteps', about, (stack, id) => new SharedSteps(stack, id, props));
  }

  public readonly approve: lambda.Function;
  public readonly promote: lambda.Function;
  public readonly finish: lambda.Function;
  /** Status events that could not be handled. */
  public readonly deadLetters: sqs.IQueue;

  private readonly handleFailure: lambda.Function;
  private ended?: events.Rule;

  private constructor(scope: Construct, id: string, props: SharedStepsProps) {
    super(scope, id);
    const environment = { [COMMON_ENV.platform]: props.platformName };
    const withBus = { ...environment, [RETRAINING_ENV.busName]: props.bus.eventBusName };
    const short = { timeout: Duration.minutes(1), memorySize: 256 };

    this.approve = new PlatformFunction(this, 'Approve', {
      handler: 'registry/approve-version',
      description: 'Records the approval of a version',
      environment,
      ...short,
    });
    this.promote = new PlatformFunction(this, 'Promote', {
      handler: 'registry/promote-version',
      description: 'Makes the version that the endpoint runs the champion',
      environment: withBus,
      ...short,
    });
    this.finish = new PlatformFunction(this, 'Finish', {
      handler: 'tracking/finish-run',
      description: 'Ends a run on record',
      environment,
      ...short,
    });
    this.deadLetters = props.deadLetters ?? deadLetterQueue(this, 'DeadLetters');
    this.handleFailure = new PlatformFunction(this, 'HandleFailure', {
      handler: 'pipeline/handle-failure',
      description: 'Records what the steps of a run did and cost, why it failed, and removes what it left unfinished',
      environment: withBus,
      // An endpoint that is being created cannot be deleted before that is over.
      timeout: Duration.minutes(15),
    });

    for (const step of [this.approve, this.promote, this.finish, this.handleFailure]) props.tracker.grantReadWrite(step);
    props.registry.grantReadWrite(this.approve);
    props.registry.grantReadWrite(this.promote);
    props.bus.grantPutEventsTo(this.promote);
    props.bus.grantPutEventsTo(this.handleFailure);
    this.allowTidying(props.platformName);
    this.handleFailure.configureAsyncInvoke({
      onFailure: new destinations.SqsDestination(this.deadLetters),
      retryAttempts: 2,
      maxEventAge: Duration.hours(2),
    });
  }

  /** From now on every execution of the machine is on record with its steps, and how it ended badly, or went on after that. */
  public watch(stateMachine: sfn.StateMachine): void {
    stateMachine.grantExecution(this.handleFailure, 'states:DescribeExecution', 'states:GetExecutionHistory');
    acknowledgeWildcards(this.handleFailure, [executionsOf(stateMachine)], 'Executions are named at run time; this is bound to one pipeline.');
    const detail = { stateMachineArn: [stateMachine.stateMachineArn] };
    if (this.ended) {
      this.ended.addEventPattern({ detail });
      return;
    }
    // Made with the first pipeline: without a state machine it would match every execution of the account.
    this.ended = new events.Rule(this, 'EndedBadly', {
      description: 'Training runs that ended, and their redrives',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        // RUNNING tells of redrives; of first starts too, which the function passes over.
        detail: { ...detail, status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'RUNNING'] },
      },
      targets: [
        new targets.LambdaFunction(this.handleFailure, {
          deadLetterQueue: this.deadLetters,
          retryAttempts: 20,
          maxEventAge: Duration.hours(2),
        }),
      ],
    });
  }

  /** Jobs that a run left running and what it is billed for, and an endpoint that it had begun to make. */
  private allowTidying(platformName: string): void {
    const slug = platformSlug(platformName);
    const below = (resource: string, prefix: string) => Stack.of(this).formatArn({ service: 'sagemaker', resource, resourceName: `${prefix}*` });
    const allow = (actions: string[], resources: string[]) =>
      this.handleFailure.addToRolePolicy(new iam.PolicyStatement({ actions: actions.map((name) => `sagemaker:${name}`), resources }));
    const short = slug.slice(0, SHORT_PREFIX);
    const onJobs: [string[], string][] = [
      [['StopTrainingJob'], below('training-job', `${slug}-`)],
      [['StopTransformJob', 'DescribeTransformJob'], below('transform-job', `${slug}-`)],
      [['StopProcessingJob', 'DescribeProcessingJob'], below('processing-job', `${slug}-`)],
      // Names of these are short: they begin with no more than this of the platform. The jobs of a tuning are named after it.
      [
        ['StopHyperParameterTuningJob', 'DescribeHyperParameterTuningJob', 'ListTrainingJobsForHyperParameterTuningJob'],
        below('hyper-parameter-tuning-job', short),
      ],
      [['DescribeTrainingJob'], below('training-job', short)],
      [['StopAutoMLJob'], below('automl-job', short)],
    ];
    for (const [actions, resource] of onJobs) allow(actions, [resource]);
    const endpoints = below('endpoint', `${slug}-`);
    allow(['DescribeEndpoint', 'DeleteEndpoint'], [endpoints]);
    // Lists know no resources; only jobs whose names carry the run's hash are stopped.
    allow(['Training', 'Transform', 'Processing', 'HyperParameterTuning', 'AutoML'].map((kind) => `List${kind}Jobs`), ['*']);
    const wildcards = [...onJobs.map(([, resource]) => resource), endpoints, '*'];
    acknowledgeWildcards(this.handleFailure, wildcards, 'Jobs and endpoints are named at run time below the platform; lists know no resources.');
  }
}

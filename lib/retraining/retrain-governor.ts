import { Duration, Lazy, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
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
import { addEnvironment } from '../common/environment';
import { executionsOf } from '../common/executions';
import { PlatformFunction } from '../common/function';
import { grantTable, READ_ITEMS, TABLE_DEFAULTS } from '../common/table-access';
import { EVENTS, EVENT_SOURCE, GovernorPolicy, RETRAINING_ENV } from './contract';
import { DELIVERY, GovernorTarget } from './governor-target';
import { Retraining } from './retraining';

/** Lambda's variables end at 4 KiB, event patterns at 2 KiB; ARNs, known only at deploy, count with their longest form. */
const MOST_MODELS = 12;

/** Properties of a RetrainGovernor. */
export interface RetrainGovernorProps {
  /** Name of the platform whose events are governed. */
  readonly platformName: string;

  /**
   * How long the events of the bus can be replayed.
   *
   * @default Duration.days(30)
   */
  readonly archiveRetention?: Duration;

  /**
   * Whether the table refuses to be deleted until the protection is lifted.
   *
   * @default - true, false where removalPolicy is DESTROY
   */
  readonly deletionProtection?: boolean;

  /**
   * What happens to the decisions when they leave the stack.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** A model whose retraining is governed. */
export interface GovernedModelOptions {
  readonly modelName: string;
  /** Training pipeline of the model. */
  readonly stateMachine: sfn.IStateMachine;
  readonly retraining: Retraining;
}

/**
 * Decides whether a cause becomes a training run, and keeps every decision with its cause.
 *
 * Owns the bus of the platform: monitors put causes on it, the governor its decisions. One run per model at a time, a cooldown in event time,
 * a pause.
 */
export class RetrainGovernor extends Construct {
  /** The platform's bus, with an archive. Only identities of this account may put events, by their own policies. */
  public readonly bus: events.EventBus;
  /** Table of locks, cooldowns and decisions. */
  public readonly table: dynamodb.ITableV2;
  /** Name of that table. */
  public readonly governorTableName: string;
  /** Events and invocations that failed for good. */
  public readonly deadLetters: sqs.Queue;
  /** Decides on causes. */
  public readonly governorFunction: lambda.Function;
  /** Gives the place of a run back when it ended. */
  public readonly releaseFunction: lambda.Function;

  private readonly platformName: string;
  private readonly policies: Record<string, GovernorPolicy> = {};
  private readonly target: GovernorTarget;
  private runEnded?: events.Rule;

  constructor(scope: Construct, id: string, props: RetrainGovernorProps) {
    super(scope, id);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    this.platformName = props.platformName;

    this.bus = new events.EventBus(this, 'Bus', { description: `Events of the MLOps platform ${props.platformName}` });
    this.bus.archive('Archive', {
      description: `Replay of the events of ${props.platformName}`,
      eventPattern: { source: [EVENT_SOURCE] },
      retention: props.archiveRetention ?? Duration.days(30),
    });
    this.table = new dynamodb.TableV2(this, 'Table', {
      ...TABLE_DEFAULTS,
      deletionProtection: props.deletionProtection ?? removalPolicy !== RemovalPolicy.DESTROY,
      removalPolicy,
    });
    this.governorTableName = this.table.tableName;
    this.deadLetters = deadLetterQueue(this, 'DeadLetters');

    const actions = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'].map((action) => `dynamodb:${action}`);
    this.governorFunction = this.addFunction('Govern', 'retraining/govern', 'Decides whether a cause becomes a training run', actions);
    this.governorFunction.addEnvironment(RETRAINING_ENV.policies, Lazy.string({ produce: () => Stack.of(this).toJsonString(this.policies) }));
    this.grantPutEvents(this.governorFunction);
    this.releaseFunction = this.addFunction('Release', 'retraining/release-lock', 'Gives the place of a run back that ended', actions.slice(0, 2));

    this.target = new GovernorTarget(this.bus, this.governorFunction, this.deadLetters);
    this.onBus('Requested', { source: [EVENT_SOURCE], detailType: [EVENTS.retrainRequested], detail: { platform: [props.platformName] } });
    this.node.addValidation({ validate: () => this.validateSize() });
  }

  /** Governs the retraining of a model: its triggers become rules, the end of its runs gives their place back. */
  public addModel(options: GovernedModelOptions): void {
    const { modelName, stateMachine, retraining } = options;
    const scope = new Construct(this, modelName);
    this.policies[modelName] = {
      stateMachineArn: stateMachine.stateMachineArn,
      cooldownSeconds: retraining._cooldownSeconds,
      leaseSeconds: retraining._leaseSeconds,
      minimumDriftedFeatures: retraining._minimumDriftedFeatures,
    };
    retraining._triggers.forEach((trigger, index) => {
      const pattern = trigger._pattern(this.platformName, modelName);
      if (pattern) this.onBus(`Trigger${index}`, pattern, scope);
      else if (trigger._schedule) this.onSchedule(`Trigger${index}`, trigger._schedule, modelName, scope);
    });
    this.onRunEnded(stateMachine.stateMachineArn);
    stateMachine.grantStartExecution(this.governorFunction);
    for (const fn of [this.governorFunction, this.releaseFunction]) {
      stateMachine.grantExecution(fn, 'states:DescribeExecution');
      acknowledgeWildcards(fn, [executionsOf(stateMachine)], 'Executions are named at run time; the statement is bound to one pipeline.');
    }
  }

  /** Lets somebody put events on the platform's bus; a function also learns the bus's name. */
  public grantPutEvents(grantee: iam.IGrantable): iam.Grant {
    addEnvironment(grantee, { [RETRAINING_ENV.busName]: this.bus.eventBusName });
    return this.bus.grantPutEventsTo(grantee);
  }

  /** Lets somebody read states and decisions. */
  public grantRead(grantee: iam.IGrantable): iam.Grant {
    addEnvironment(grantee, { [RETRAINING_ENV.governorTable]: this.table.tableName });
    return grantTable(grantee, { tableArn: this.table.tableArn, actions: READ_ITEMS });
  }

  /** Lets somebody request, pause and resume retraining, and read decisions. */
  public grantControl(grantee: iam.IGrantable): iam.Grant {
    addEnvironment(grantee, { [RETRAINING_ENV.governorTable]: this.table.tableName });
    return this.grantPutEvents(grantee).combine(
      grantTable(grantee, { tableArn: this.table.tableArn, actions: [...READ_ITEMS, 'dynamodb:PutItem'] }),
    );
  }

  private addFunction(id: string, handler: string, description: string, actions: string[]): lambda.Function {
    const environment = { [COMMON_ENV.platform]: this.platformName, [RETRAINING_ENV.governorTable]: this.table.tableName };
    const fn = new PlatformFunction(this, id, { handler, description, environment });
    fn.configureAsyncInvoke({ onFailure: new destinations.SqsDestination(this.deadLetters), retryAttempts: 2, maxEventAge: Duration.hours(1) });
    grantTable(fn, { tableArn: this.table.tableArn, actions });
    return fn;
  }

  private onBus(id: string, eventPattern: events.EventPattern, scope: Construct = this): void {
    new events.Rule(scope, id, { eventBus: this.bus, eventPattern, targets: [this.target] });
  }

  /** One rule for all pipelines; made with the first, since without a state machine it would match every execution of the account. */
  private onRunEnded(stateMachineArn: string): void {
    const detail = { stateMachineArn: [stateMachineArn] };
    if (this.runEnded) {
      this.runEnded.addEventPattern({ detail });
      return;
    }
    this.runEnded = new events.Rule(this, 'RunEnded', {
      description: `Training runs of ${this.platformName} that ended`,
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { ...detail, status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] },
      },
      targets: [new targets.LambdaFunction(this.releaseFunction, { deadLetterQueue: this.deadLetters, ...DELIVERY })],
    });
  }

  /** Schedules live on the default bus: their target gets the event that a monitor would have put on ours. */
  private onSchedule(id: string, schedule: events.Schedule, model: string, scope: Construct): void {
    const detail = { platform: this.platformName, model, occurredAt: events.EventField.time, schedule: schedule.expressionString };
    const event = events.RuleTargetInput.fromObject({ source: EVENT_SOURCE, 'detail-type': EVENTS.retrainScheduled, detail });
    const target = new targets.LambdaFunction(this.governorFunction, { event, deadLetterQueue: this.deadLetters, ...DELIVERY });
    new events.Rule(scope, id, { schedule, targets: [target] });
  }

  private validateSize(): string[] {
    const models = Object.keys(this.policies).length;
    return models <= MOST_MODELS ? [] : [`a governor knows at most ${MOST_MODELS} models, got ${models}; give the others a platform of their own`];
  }
}

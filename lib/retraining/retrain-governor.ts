import { Duration, Lazy, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as destinations from 'aws-cdk-lib/aws-lambda-destinations';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../common/acknowledge';
import { COMMON_ENV } from '../common/contract';
import { deadLetterQueue } from '../common/dead-letter-queue';
import { addEnvironment } from '../common/environment';
import { executionsOf } from '../common/executions';
import { PlatformFunction } from '../common/function';
import { grantTable, READ_ITEMS, TABLE_DEFAULTS } from '../common/table-access';
import { Validator } from '../common/validation';
import { modelMetric } from '../operations/alarm-factory';
import { METRICS } from '../operations/contract';
import { EVENTS, EVENT_SOURCE, GovernorPolicy, RETRAINING_ENV } from './contract';
import { GovernedModelOptions, RetrainGovernorProps } from './governor-props';
import { GovernorRules } from './governor-rules';

/** Lambda's variables end at 4 KiB, event patterns at 2 KiB; ARNs, known only at deploy, count with their longest form. */
const MOST_MODELS = 12;

/**
 * Decides whether a cause becomes a training run, and keeps every decision with its cause.
 *
 * Brings the bus of the platform: monitors put causes on it, the governor its decisions. One run per model at a time, a cooldown in event time,
 * a pause.
 */
export class RetrainGovernor extends Construct {
  /** The platform's bus, with an archive of its events. On a bus made here only identities of this account may put events, by their own policies. */
  public readonly bus: events.IEventBus;
  /** Table of locks, cooldowns and decisions. */
  public readonly table: dynamodb.ITableV2;
  /** Name of that table. */
  public readonly governorTableName: string;
  /** Events and invocations that failed for good. */
  public readonly deadLetters: sqs.Queue;
  /** Decides on causes. */
  public readonly governorFunction: lambda.Function;
  /** Gives the place of a run back when it ended, and takes it again for one that is redriven. */
  public readonly releaseFunction: lambda.Function;

  private readonly platformName: string;
  private readonly policies: Record<string, GovernorPolicy> = {};
  private readonly rules: GovernorRules;

  /** Fails at synth if platformName is not allowed, the bus is the account's default one, or more than 12 models are added. */
  constructor(scope: Construct, id: string, props: RetrainGovernorProps) {
    super(scope, id);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    this.platformName = props.platformName;
    new Validator(`RetrainGovernor ${this.node.path}`)
      .name('platformName', props.platformName)
      .check(props.bus?.eventBusName !== 'default', {
        rule: 'must be a bus of its own, not the default one, whose rules have other ARNs',
        place: 'bus',
        fix: 'leave it out for a new bus',
      })
      .throwIfAny();

    this.bus = props.bus ?? new events.EventBus(this, 'Bus', { description: `Events of the MLOps platform ${props.platformName}` });
    new events.Archive(this, 'Archive', {
      sourceEventBus: this.bus,
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
    this.grantPutEvents(this.governorFunction);
    const description = 'Gives the place of a run back that ended, and takes it again for one that is redriven';
    this.releaseFunction = this.addFunction('Release', 'retraining/release-lock', description, actions.slice(0, 2));
    const policies = Lazy.string({ produce: () => Stack.of(this).toJsonString(this.policies) });
    for (const fn of [this.governorFunction, this.releaseFunction]) fn.addEnvironment(RETRAINING_ENV.policies, policies);

    const { platformName, bus, governorFunction, releaseFunction, deadLetters } = this;
    this.rules = new GovernorRules(this, { platformName, bus, governorFunction, releaseFunction, deadLetters });
    this.rules.onBus('Requested', { source: [EVENT_SOURCE], detailType: [EVENTS.retrainRequested], detail: { platform: [props.platformName] } });
    this.node.addValidation({ validate: () => this.validateSize() });
  }

  /**
   * Governs the retraining of a model: its triggers become rules, the end of its runs gives their place back.
   *
   * Fails at synth if the name is not allowed or taken, or a trigger or the lease is not sound.
   */
  public addModel(options: GovernedModelOptions): void {
    const { modelName, stateMachine, retraining } = options;
    new Validator(`RetrainGovernor ${this.node.path}`)
      .name('modelName', modelName)
      .check(!Object.hasOwn(this.policies, modelName), {
        rule: 'is governed already',
        place: 'modelName',
        got: `'${modelName}'`,
        fix: 'add each model once',
      })
      .add(retraining._problems('retraining'))
      .throwIfAny();
    const scope = new Construct(this, modelName);
    this.policies[modelName] = {
      stateMachineArn: stateMachine.stateMachineArn,
      cooldownSeconds: retraining._cooldownSeconds,
      leaseSeconds: retraining._leaseSeconds,
      minimumDriftedFeatures: retraining._minimumDriftedFeatures,
    };
    retraining._triggers.forEach((trigger, index) => {
      const pattern = trigger._pattern(this.platformName, modelName);
      if (pattern) this.rules.onBus(`Trigger${index}`, pattern, scope);
      else if (trigger._schedule) this.rules.onSchedule(`Trigger${index}`, trigger._schedule, modelName, scope);
    });
    this.rules.onRunEnded(stateMachine.stateMachineArn);
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

  /**
   * Training runs of a model that the governor started.
   *
   * @default - sum over 5 minutes
   */
  public metricStarted(modelName: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return modelMetric(this.platformName, modelName, METRICS.retrainStarted).with(options);
  }

  /**
   * Causes that became no run of their own: attached to a run under way, or refused by cooldown or pause.
   *
   * @default - sum over 5 minutes
   */
  public metricHeldBack(modelName: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return modelMetric(this.platformName, modelName, METRICS.retrainHeldBack).with(options);
  }

  private addFunction(id: string, handler: string, description: string, actions: string[]): lambda.Function {
    const environment = { [COMMON_ENV.platform]: this.platformName, [RETRAINING_ENV.governorTable]: this.table.tableName };
    const fn = new PlatformFunction(this, id, { handler, description, environment });
    fn.configureAsyncInvoke({ onFailure: new destinations.SqsDestination(this.deadLetters), retryAttempts: 2, maxEventAge: Duration.hours(1) });
    grantTable(fn, { tableArn: this.table.tableArn, actions });
    return fn;
  }

  private validateSize(): string[] {
    const models = Object.keys(this.policies).length;
    return models <= MOST_MODELS ? [] : [`a governor knows at most ${MOST_MODELS} models, got ${models}; give the others a platform of their own`];
  }
}

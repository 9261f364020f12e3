import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as destinations from 'aws-cdk-lib/aws-lambda-destinations';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../../common/acknowledge';
import { COMMON_ENV } from '../../common/contract';
import { executionsOf } from '../../common/executions';
import { PlatformFunction } from '../../common/function';
import { addressOf, oncePerStack } from '../../common/once-per-stack';
import { grantTable, READ_ITEMS, tableIndex, TABLE_DEFAULTS } from '../../common/table-access';
import { IModelRegistry } from '../../registry/model-registry';
import { EVENT_SOURCE, EVENTS, RETRAINING_ENV } from '../../retraining/contract';
import { IRunTracker } from '../../tracking/run-tracker';
import { Approval } from './approval';
import { APPROVAL_ENV, APPROVAL_KEYS } from './contract';

/** How often what waits for persons is looked after. */
const SWEEP = Duration.minutes(5);

export interface ApprovalFunctionsProps {
  readonly platformName: string;
  readonly registry: IModelRegistry;
  readonly tracker: IRunTracker;
  readonly bus: events.IEventBus;
  /** Takes sweeps and messages that failed for good. */
  readonly deadLetters: sqs.IQueue;
}

/**
 * What approval by persons needs: a table of questions, the function that asks, the one that persons call, and a sweep. Once for all pipelines of a
 * stack with the same registry, tracker and bus, made with the first model whose versions persons approve.
 *
 * @internal
 */
export class ApprovalFunctions extends Construct {
  public static of(scope: Construct, props: ApprovalFunctionsProps): ApprovalFunctions {
    const { platformName, registry, tracker, bus } = props;
    const about = [platformName, ...[registry, tracker, bus].map(addressOf)];
    return oncePerStack(scope, 'MlOpsApproval', about, (stack, id) => new ApprovalFunctions(stack, id, props));
  }

  /** Step of a pipeline: asks, with a task token. */
  public readonly request: lambda.Function;
  /** What persons call. */
  public readonly decide: lambda.Function;

  private readonly sweep: lambda.Function;
  private readonly table: dynamodb.TableV2;

  private constructor(
    scope: Construct,
    id: string,
    private readonly props: ApprovalFunctionsProps,
  ) {
    super(scope, id);
    // What was decided stands in the registry's history; this is only what still waits.
    this.table = new dynamodb.TableV2(this, 'Table', {
      ...TABLE_DEFAULTS,
      globalSecondaryIndexes: [tableIndex(APPROVAL_KEYS.openIndex)],
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.request = this.make('Request', 'pipeline/approval/request', 'Asks persons to approve a version');
    this.decide = this.make('Decide', 'pipeline/approval/decide', 'Takes the decisions of persons on versions');
    this.sweep = this.make('Sweep', 'pipeline/approval/sweep', 'Reminds of approvals, ends those that expired, and answers runs');
    this.sweep.configureAsyncInvoke({ onFailure: new destinations.SqsDestination(props.deadLetters), retryAttempts: 1, maxEventAge: SWEEP });
    new events.Rule(this, 'Sweeps', {
      description: 'Looks after versions that wait for approval',
      schedule: events.Schedule.rate(SWEEP),
      targets: [new targets.LambdaFunction(this.sweep, { deadLetterQueue: props.deadLetters, retryAttempts: 2, maxEventAge: SWEEP })],
    });
  }

  /** From now on runs of this pipeline can be answered, and those who are to be told are. */
  public serve(modelName: string, approval: Approval, stateMachine: sfn.StateMachine): void {
    for (const fn of [this.decide, this.sweep]) {
      stateMachine.grantExecution(fn, 'states:DescribeExecution');
      stateMachine.grantTaskResponse(fn);
      acknowledgeWildcards(fn, [executionsOf(stateMachine)], 'Executions are named at run time; this is bound to one pipeline.');
    }
    if (approval._topic) this.tell(modelName, approval._topic);
    approval._approvers.forEach((role) => this.grantDecide(role));
  }

  /** Lets somebody list what waits, and decide. */
  public grantDecide(grantee: iam.IGrantable): iam.Grant {
    return iam.Grant.addToPrincipal({ grantee, actions: ['lambda:InvokeFunction'], resourceArns: [this.decide.functionArn] });
  }

  private tell(modelName: string, topic: sns.ITopic): void {
    const { platformName, bus, deadLetters } = this.props;
    const of = (field: string): string => events.EventField.fromPath(`$.detail.${field}`);
    const named = `${modelName} ${of('version')}`;
    const message = [
      `Version ${of('version')} of ${modelName} (platform ${platformName}) waits for approval until ${of('expiresAt')}.`,
      `Gate: ${of('reason')}`,
      `Report: ${of('reportUri')} (the same name with .html for reading)`,
      `Policy: ${of('policy')}. Run: ${of('runId')}. Reminder: ${of('reminder')}.`,
      `To decide: mlops approve ${named} --reason TEXT, or: mlops reject ${named} --reason TEXT`,
    ].join('\n');
    new events.Rule(new Construct(this, modelName), 'Message', {
      description: `Tells who approves versions of ${modelName}`,
      eventBus: bus,
      eventPattern: { source: [EVENT_SOURCE], detailType: [EVENTS.approvalRequested], detail: { platform: [platformName], model: [modelName] } },
      targets: [
        new targets.SnsTopic(topic, { message: events.RuleTargetInput.fromMultilineText(message), deadLetterQueue: deadLetters, retryAttempts: 20 }),
      ],
    });
  }

  private make(id: string, handler: string, description: string): lambda.Function {
    const { platformName, registry, tracker, bus } = this.props;
    const environment = {
      [COMMON_ENV.platform]: platformName,
      [RETRAINING_ENV.busName]: bus.eventBusName,
      [APPROVAL_ENV.table]: this.table.tableName,
    };
    const fn = new PlatformFunction(this, id, { handler, description, environment, timeout: Duration.minutes(1), memorySize: 256 });
    const indexes = [APPROVAL_KEYS.openIndex];
    grantTable(fn, { tableArn: this.table.tableArn, indexes, actions: [...READ_ITEMS, 'dynamodb:PutItem'] });
    registry.grantReadWrite(fn);
    tracker.grantReadWrite(fn);
    bus.grantPutEventsTo(fn);
    return fn;
  }
}

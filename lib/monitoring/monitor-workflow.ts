import { ArnFormat, Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ArtifactStore } from '../artifacts/artifact-store';
import { monitoringWorkPrefix } from '../artifacts/contract';
import { acknowledgeWildcards } from '../common/acknowledge';
import { InlineRole } from '../common/inline-role';
import { FunctionTask } from '../pipeline/function-task';
import { MONITOR_ERRORS, MONITOR_LIMITS } from './workflow/contract';

/** Longer than the function may run, so that its own timeout names the cause. */
const STEP_TIMEOUT = Duration.minutes(16);
/** A backfill of the most windows that one execution takes. */
const TIMEOUT = Duration.hours(12);
const CONCURRENCY = { map: 10, distributed: 40 };

export interface MonitorWorkflowProps {
  readonly platformName: string;
  readonly modelName: string;
  /** Answers every state; its input's `action` tells which one. */
  readonly monitorFunction: lambda.IFunction;
  readonly logGroup: logs.ILogGroup;
  readonly store: ArtifactStore;
}

/**
 * A run of the monitor: plan, then window after window the profile of its shards and the verdict. Only references pass between the states. No state
 * catches: what fails for good fails the execution, which has an alarm, and a redrive goes on from there.
 *
 * @internal
 */
export class MonitorWorkflow extends Construct {
  public readonly stateMachine: sfn.StateMachine;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: MonitorWorkflowProps,
  ) {
    super(scope, id);
    // Named, since a distributed map starts executions of its own machine, and a role that names what is made after it could not be deployed.
    const stateMachineName = `${props.platformName}-${props.modelName}-monitor`;
    const role = new InlineRole(this, 'Role', {
      description: `Runs the monitor of ${props.modelName}`,
      assumedBy: new iam.ServicePrincipal('states.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } } }),
    });
    this.allowDistributedMap(role, stateMachineName);
    props.store.grantReadReports(role, monitoringWorkPrefix(props.modelName));
    this.stateMachine = new sfn.StateMachine(this, 'Resource', {
      stateMachineName,
      role,
      comment: `Watches ${props.modelName}`,
      definitionBody: sfn.DefinitionBody.fromChainable(this.plan().next(this.windows())),
      timeout: TIMEOUT,
      logs: { destination: props.logGroup, level: sfn.LogLevel.ALL, includeExecutionData: true },
      tracingEnabled: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledgeWildcards(role, ['*'], 'Delivery of execution logs and traces knows no resources.');
  }

  private plan(): FunctionTask {
    // The input as a whole, since a path to what it lacks fails the execution.
    return this.step('Plan', { action: 'plan', request: sfn.JsonPath.objectAt('$') });
  }

  /** One after the other: what a window is compared with includes the windows before it. */
  private windows(): sfn.Map {
    const judge = this.step('Judge', { action: 'judge', window: sfn.JsonPath.objectAt('$.window') });
    // 26 minutes: longer than a judge that was cut off keeps others out.
    judge.addRetry({
      errors: [MONITOR_ERRORS.busy],
      interval: Duration.seconds(30),
      backoffRate: 1.5,
      maxAttempts: 15,
      maxDelay: Duration.minutes(2),
    });
    const windows = new sfn.Map(this, 'Windows', {
      itemsPath: '$.windows',
      itemSelector: { window: sfn.JsonPath.objectAt('$$.Map.Item.Value') },
      maxConcurrency: 1,
      resultPath: '$.windows',
    });
    return windows.itemProcessor(
      new sfn.Choice(this, 'Size')
        .when(sfn.Condition.stringEquals('$.window.mode', 'map'), this.shards().next(judge))
        .when(sfn.Condition.stringEquals('$.window.mode', 'distributed'), this.manyShards().next(judge))
        .otherwise(judge),
    );
  }

  private shards(): sfn.Map {
    const shards = new sfn.Map(this, 'Shards', {
      itemsPath: '$.window.shards',
      itemSelector: this.shardInput(),
      maxConcurrency: CONCURRENCY.map,
      resultPath: sfn.JsonPath.DISCARD,
    });
    return shards.itemProcessor(this.profile('Profile'));
  }

  /** Beyond what an execution's history holds: each shard is an execution of its own, read from the manifest. */
  private manyShards(): sfn.CustomState {
    const processor = new sfn.StateGraph(this.profile('ProfileShard'), `More than ${MONITOR_LIMITS.inlineShards} shards`).toGraphJson();
    return new sfn.CustomState(this, 'ManyShards', {
      stateJson: {
        Type: 'Map',
        Label: 'Shards',
        ItemReader: {
          Resource: `arn:${Aws.PARTITION}:states:::s3:getObject`,
          ReaderConfig: { InputType: 'JSON' },
          Parameters: { 'Bucket.$': '$.window.manifest.bucket', 'Key.$': '$.window.manifest.key' },
        },
        ItemSelector: sfn.FieldUtils.renderObject(this.shardInput()),
        ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, ...processor },
        MaxConcurrency: CONCURRENCY.distributed,
        ResultPath: null,
      },
    });
  }

  private shardInput(): { readonly [field: string]: unknown } {
    const at = (field: string) => sfn.JsonPath.stringAt(`$.window.${field}`);
    const manifest = sfn.JsonPath.objectAt('$.window.manifest');
    const window = { windowStart: at('windowStart'), windowEnd: at('windowEnd'), sources: at('sources'), manifest };
    return { action: 'profile', window, shard: sfn.JsonPath.objectAt('$$.Map.Item.Value') };
  }

  private profile(id: string): FunctionTask {
    return this.step(id, { action: 'profile', window: sfn.JsonPath.objectAt('$.window'), shard: sfn.JsonPath.objectAt('$.shard') });
  }

  private step(id: string, payload: { readonly [field: string]: unknown }): FunctionTask {
    return new FunctionTask(this, id, { function: this.props.monitorFunction, payload, timeout: STEP_TIMEOUT });
  }

  private allowDistributedMap(role: iam.Role, name: string): void {
    const stack = Stack.of(this);
    const arn = (resource: string, resourceName: string) =>
      stack.formatArn({ service: 'states', resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
    const executions = `${arn('execution', name)}:*`;
    const redriven = `${arn('execution', `${name}/Shards`)}:*`;
    const allow = (actions: string[], resources: string[]) => role.addToPolicy(new iam.PolicyStatement({ actions, resources }));
    allow(['states:StartExecution'], [arn('stateMachine', name)]);
    allow(['states:DescribeExecution', 'states:StopExecution'], [executions]);
    allow(['states:RedriveExecution'], [redriven]);
    acknowledgeWildcards(role, [executions, redriven], 'Executions of the distributed map are named at run time; this is bound to the one machine.');
  }
}

import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../common/acknowledge';
import { InlineRole } from '../common/inline-role';
import { ModelEndpoint } from '../serving/model-endpoint';
import { PipelineDefinition } from './pipeline-definition';

/**
 * The log of a pipeline's states and of its functions.
 *
 * @internal
 */
export const makePipelineLog = (scope: Construct, endpoint: ModelEndpoint): logs.LogGroup =>
  new logs.LogGroup(scope, 'Logs', {
    // Below this prefix CloudWatch Logs needs no entry per log group in its resource policy, which is full after some ten of them.
    logGroupName: `/aws/vendedlogs/states/${endpoint.endpointName}`,
    retention: logs.RetentionDays.THREE_MONTHS,
    // The name would be taken when the stack comes back.
    removalPolicy: RemovalPolicy.DESTROY,
  });

/**
 * Role of a pipeline's state machine; what its states need is added to it with them.
 *
 * @internal
 */
export const makeMachineRole = (scope: Construct, endpoint: ModelEndpoint): iam.Role =>
  new InlineRole(scope, 'StateMachineRole', {
    description: `Runs the pipeline of ${endpoint.endpointName}`,
    assumedBy: new iam.ServicePrincipal('states.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } } }),
  });

/**
 * The state machine of a pipeline, which may do what the states do and nothing else.
 *
 * @internal
 */
export const makeStateMachine = (
  scope: Construct,
  endpoint: ModelEndpoint,
  role: iam.Role,
  definition: PipelineDefinition,
  logGroup: logs.ILogGroup,
): sfn.StateMachine => {
  const stateMachine = new sfn.StateMachine(scope, 'StateMachine', {
    role,
    comment: `Trains, judges, registers and releases ${endpoint.endpointName}`,
    definitionBody: sfn.DefinitionBody.fromChainable(definition.start()),
    timeout: definition.timeout,
    // Only references pass through the states, so the log holds no data.
    logs: { destination: logGroup, level: sfn.LogLevel.ALL, includeExecutionData: true },
    tracingEnabled: true,
  });
  acknowledgeWildcards(role, ['*'], 'Delivery of execution logs and traces knows no resources.');
  acknowledgeWildcards(role, definition.namedAtRunTime(), 'Jobs and models are named at run time below the endpoint’s name.');
  // Deleted first: no run may make the endpoint anew while it is being removed.
  stateMachine.node.addDependency(endpoint._removal);
  return stateMachine;
};

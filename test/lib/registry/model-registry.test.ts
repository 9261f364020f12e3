import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { IModelRegistry, ModelRegistry } from '../../../lib/registry/model-registry';
import { RunTracker } from '../../../lib/tracking/run-tracker';

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

const newStack = (): Stack => new Stack(new App(), 'Stack', { env: { account: '111122223333', region: 'eu-west-1' } });

const newRole = (stack: Stack, id = 'Role'): iam.Role => new iam.Role(stack, id, { assumedBy: new iam.ServicePrincipal('states.amazonaws.com') });

const newFunction = (stack: Stack): lambda.Function =>
  new lambda.Function(stack, 'Handler', {
    code: lambda.Code.fromInline('exports.handler = async () => {}'),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_24_X,
  });

/** Actions per resource, as text: what a role may do on which table. */
const allowed = (stack: Stack): Record<string, string[]> => {
  const result: Record<string, string[]> = {};
  for (const policy of Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'))) {
    for (const { Action, Resource } of policy.Properties.PolicyDocument.Statement as Statement[]) {
      for (const resource of [Resource].flat()) (result[JSON.stringify(resource)] ??= []).push(...[Action].flat());
    }
  }
  return result;
};

const every = (stack: Stack): string[] => Object.values(allowed(stack)).flat();

describe('tables', () => {
  test('survive the stack, refuse deletion and can be brought back to any point in time', () => {
    const stack = newStack();
    new ModelRegistry(stack, 'Registry');
    new RunTracker(stack, 'Runs');
    const tables = Object.values(Template.fromStack(stack).findResources('AWS::DynamoDB::GlobalTable'));
    expect(tables).toHaveLength(3);
    for (const { DeletionPolicy, Properties } of tables) {
      expect(DeletionPolicy).toBe('Retain');
      expect(Properties.BillingMode).toBe('PAY_PER_REQUEST');
      expect(Properties.Replicas).toEqual([
        expect.objectContaining({ DeletionProtectionEnabled: true, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }),
      ]);
    }
  });

  test('leave with the stack where that is asked for', () => {
    const stack = newStack();
    new ModelRegistry(stack, 'Registry', { removalPolicy: RemovalPolicy.DESTROY });
    new RunTracker(stack, 'Runs', { removalPolicy: RemovalPolicy.DESTROY });
    Template.fromStack(stack).allResources('AWS::DynamoDB::GlobalTable', {
      DeletionPolicy: 'Delete',
      Properties: { Replicas: [Match.objectLike({ DeletionProtectionEnabled: false })] },
    });
  });
});

describe.each<[string, (stack: Stack) => IModelRegistry]>([
  ['made', (stack) => new ModelRegistry(stack, 'Registry')],
  ['imported', (stack) => ModelRegistry.fromTableNames(stack, 'Registry', 'TheRegistry', 'TheHistory')],
])('a registry that is %s', (_, make) => {
  test('lets writers add to the history and nothing else', () => {
    const stack = newStack();
    expect(make(stack).grantReadWrite(newRole(stack)).success).toBe(true);
    const [, history] = Object.entries(allowed(stack)).find(([resource]) => resource.includes('History')) as [string, string[]];
    expect(history.sort()).toEqual(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query']);
  });

  test('lets readers write nothing', () => {
    const stack = newStack();
    make(stack).grantRead(newRole(stack));
    expect(new Set(every(stack))).toEqual(new Set(['dynamodb:GetItem', 'dynamodb:Query']));
  });

  test('tells a function the names of both tables', () => {
    const stack = newStack();
    make(stack).grantRead(newFunction(stack));
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { MLOPS_REGISTRY_TABLE: Match.anyValue(), MLOPS_HISTORY_TABLE: Match.anyValue() } },
    });
  });
});

test('no grant of registry and tracker allows scans, deletions, batches of writes, PartiQL or wildcards', () => {
  const stack = newStack();
  const registry = new ModelRegistry(stack, 'Registry');
  const runs = new RunTracker(stack, 'Runs');
  const reader = newRole(stack, 'Reader');
  const writer = newRole(stack, 'Writer');
  for (const grant of [registry.grantRead(reader), runs.grantRead(reader), registry.grantReadWrite(writer), runs.grantReadWrite(writer)]) {
    expect(grant.success).toBe(true);
  }
  expect(new Set(every(stack))).toEqual(
    new Set(['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:UpdateItem']),
  );
  expect(Object.keys(allowed(stack)).filter((resource) => resource.includes('*'))).toEqual([]);
});

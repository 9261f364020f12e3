import { App, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
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

/** Actions per resource, as text, that grants gave to roles of the tests: the construct's own functions carry theirs inline. */
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
const READS = ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'];

describe('tables', () => {
  test('survive the stack, refuse deletion, can be brought back to any point in time, and tell of their changes', () => {
    const stack = newStack();
    new ModelRegistry(stack, 'Registry');
    const tables = Object.values(Template.fromStack(stack).findResources('AWS::DynamoDB::GlobalTable'));
    expect(tables).toHaveLength(2);
    for (const { DeletionPolicy, Properties } of tables) {
      expect(DeletionPolicy).toBe('Retain');
      expect(Properties.BillingMode).toBe('PAY_PER_REQUEST');
      expect(Properties.StreamSpecification).toEqual({ StreamViewType: 'NEW_AND_OLD_IMAGES' });
      expect(Properties.Replicas).toEqual([
        expect.objectContaining({ DeletionProtectionEnabled: true, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }),
      ]);
    }
  });

  test('leave with the stack where that is asked for', () => {
    const stack = newStack();
    new ModelRegistry(stack, 'Registry', { removalPolicy: RemovalPolicy.DESTROY });
    Template.fromStack(stack).allResources('AWS::DynamoDB::GlobalTable', {
      DeletionPolicy: 'Delete',
      Properties: { Replicas: [Match.objectLike({ DeletionProtectionEnabled: false })] },
    });
  });
});

describe.each<[string, (stack: Stack) => IModelRegistry]>([
  ['made', (stack) => new ModelRegistry(stack, 'Registry')],
  ['imported', (stack) => ModelRegistry.fromTableNames(stack, 'Registry', 'TheRegistry', 'TheHistory', 'TheWriter')],
])('a registry that is %s', (_, make) => {
  test('lets writers call the function that writes and write to nothing themselves', () => {
    const stack = newStack();
    expect(make(stack).grantReadWrite(newRole(stack)).success).toBe(true);
    expect([...new Set(every(stack))].sort()).toEqual([...READS, 'lambda:InvokeFunction']);
    const invoked = Object.entries(allowed(stack)).filter(([, actions]) => actions.includes('lambda:InvokeFunction'));
    expect(invoked.map(([resource]) => resource)).toEqual([expect.stringContaining('Writer')]);
  });

  test('lets readers and auditors write nothing', () => {
    const stack = newStack();
    const registry = make(stack);
    registry.grantRead(newRole(stack));
    registry.grantAudit(newRole(stack, 'Auditor'));
    expect([...new Set(every(stack))].sort()).toEqual(READS);
  });

  test('tells a function the names of the tables, and one that changes it that of the writer', () => {
    const stack = newStack();
    make(stack).grantReadWrite(newFunction(stack));
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
      Handler: 'index.handler',
      Environment: {
        Variables: { MLOPS_REGISTRY_TABLE: Match.anyValue(), MLOPS_HISTORY_TABLE: Match.anyValue(), MLOPS_REGISTRY_WRITER: Match.anyValue() },
      },
    });
  });
});

test('no grant of registry and tracker allows scans, deletions, PartiQL or wildcards', () => {
  const stack = newStack();
  const registry = new ModelRegistry(stack, 'Registry');
  const runs = new RunTracker(stack, 'Runs');
  const reader = newRole(stack, 'Reader');
  const writer = newRole(stack, 'Writer');
  for (const grant of [registry.grantRead(reader), runs.grantRead(reader), registry.grantReadWrite(writer), runs.grantReadWrite(writer)]) {
    expect(grant.success).toBe(true);
  }
  expect(every(stack).filter((action) => /Scan|Delete|PartiQL|\*/.test(action))).toEqual([]);
  expect(Object.keys(allowed(stack)).filter((resource) => resource.includes('*'))).toEqual([]);
});

describe('locked copies', () => {
  const locked = (stack: Stack): ModelRegistry => new ModelRegistry(stack, 'Registry', { historyLock: Duration.days(3650) });

  test('nobody can change before their time is over, and stay when the stack goes', () => {
    const stack = newStack();
    locked(stack);
    Template.fromStack(stack).hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Retain',
      Properties: {
        ObjectLockEnabled: true,
        ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 3650 } } },
        VersioningConfiguration: { Status: 'Enabled' },
      },
    });
  });

  test('are made from the stream, in bounded tries, and what could not be copied waits in a queue', () => {
    const stack = newStack();
    expect(locked(stack).lockDeadLetters).toBeDefined();
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumRetryAttempts: 20,
      DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
    });
  });

  test('can be read by auditors, and by nobody else', () => {
    const onCopies = (grant: (registry: ModelRegistry, role: iam.Role) => iam.Grant): string[] => {
      const stack = newStack();
      grant(locked(stack), newRole(stack));
      return every(stack).filter((action) => action.startsWith('s3:'));
    };
    expect(onCopies((registry, role) => registry.grantReadWrite(role))).toEqual([]);
    expect(onCopies((registry, role) => registry.grantAudit(role))).toEqual(['s3:ListBucket', 's3:GetObject']);
  });

  test('are off unless asked for, and their time is whole days', () => {
    const stack = newStack();
    const registry = new ModelRegistry(stack, 'Registry');
    expect([registry.lockedCopies, registry.lockDeadLetters]).toEqual([undefined, undefined]);
    Template.fromStack(stack).resourceCountIs('AWS::S3::Bucket', 0);
    expect(() => new ModelRegistry(stack, 'Half', { historyLock: Duration.hours(12) })).toThrow(/historyLock: must be between 1 and 36500/);
    expect(() => new ModelRegistry(stack, 'Odd', { historyLock: Duration.hours(36) })).toThrow(/historyLock: must be whole days, got 1.5 days/);
  });
});

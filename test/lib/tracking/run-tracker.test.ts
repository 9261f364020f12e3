import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { IRunTracker, RunTracker } from '../../../lib/tracking/run-tracker';

const newStack = (): Stack => new Stack(new App(), 'Stack', { env: { account: '111122223333', region: 'eu-west-1' } });

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

const statements = (stack: Stack): Statement[] =>
  Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy')).flatMap(
    ({ Properties }) => (Properties.PolicyDocument as { readonly Statement: Statement[] }).Statement,
  );

const granted = (grant: (tracker: IRunTracker, role: iam.Role) => iam.Grant): Statement[] => {
  const stack = newStack();
  const role = new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('states.amazonaws.com') });
  grant(new RunTracker(stack, 'Runs'), role).assertSuccess();
  return statements(stack);
};

test('the table has no index, and a stream that tells what an item was and is', () => {
  const stack = newStack();
  const tracker = new RunTracker(stack, 'Runs');
  Template.fromStack(stack).hasResourceProperties('AWS::DynamoDB::GlobalTable', {
    GlobalSecondaryIndexes: Match.absent(),
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
  });
  expect(stack.resolve(tracker.runsTableStreamArn)).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/^Runs/), 'StreamArn'] });
});

test('grants allow items and queries of that table, and neither scans nor deletions nor batches of writes', () => {
  const read = ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'];
  expect(granted((tracker, role) => tracker.grantRead(role)).map(({ Action }) => [Action].flat().sort())).toEqual([read]);
  const [{ Action, Resource }, ...others] = granted((tracker, role) => tracker.grantReadWrite(role));
  expect(others).toEqual([]);
  expect([Action].flat().sort()).toEqual([...read, 'dynamodb:PutItem', 'dynamodb:UpdateItem'].sort());
  expect(Resource).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/^Runs/), 'Arn'] });
});

test('an imported tracker is granted by its name', () => {
  const stack = newStack();
  const fn = new lambda.Function(stack, 'Handler', {
    code: lambda.Code.fromInline('exports.handler = async () => {}'),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_24_X,
  });
  RunTracker.fromTableName(stack, 'Runs', 'TheRuns').grantReadWrite(fn).assertSuccess();
  expect(JSON.stringify(statements(stack))).toContain('table/TheRuns"');
  Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: { MLOPS_RUNS_TABLE: 'TheRuns' } } });
});

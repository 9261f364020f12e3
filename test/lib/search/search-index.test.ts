import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { MlOpsPlatform } from '../../../lib/platform/mlops-platform';
import { ModelRegistry } from '../../../lib/registry/model-registry';
import { SearchIndex } from '../../../lib/search/search-index';
import { RunTracker } from '../../../lib/tracking/run-tracker';
import { identityStatements, list } from '../../templates/synthesized-app';

// A platform is synthesized here, which takes its time on a machine that has other work.
jest.setTimeout(60_000);

const newStack = (): Stack => new Stack(new App(), 'Stack', { env: { account: '111122223333', region: 'eu-west-1' } });

const indexed = () => {
  const stack = newStack();
  const registry = new ModelRegistry(stack, 'Registry');
  const tracker = new RunTracker(stack, 'Tracker');
  const index = new SearchIndex(stack, 'Search', { registry, tracker });
  return { stack, index, template: () => Template.fromStack(stack) };
};

interface Mapping {
  readonly EventSourceArn: unknown;
  readonly FilterCriteria: { readonly Filters: readonly { readonly Pattern: string }[] };
}

const mappings = (template: Template): readonly Mapping[] =>
  Object.values(template.findResources('AWS::Lambda::EventSourceMapping')).map(({ Properties }) => Properties as Mapping);

type Rule = string | { readonly prefix: string };
const keyMatches = (pattern: string, keys: Readonly<Record<string, string>>): boolean => {
  const rules = (JSON.parse(pattern) as { dynamodb: { Keys: Record<string, { S: Rule[] }> } }).dynamodb.Keys;
  return Object.entries(rules).every(([name, { S }]) =>
    S.some((rule) => (typeof rule === 'string' ? keys[name] === rule : keys[name].startsWith(rule.prefix))),
  );
};

test('what holds words reaches the indexer, and neither metric points nor copies do', () => {
  const passes = (table: string, keys: Readonly<Record<string, string>>): boolean =>
    mappings(template)
      .filter(({ EventSourceArn }) => JSON.stringify(EventSourceArn).includes(table))
      .some(({ FilterCriteria }) => FilterCriteria.Filters.some(({ Pattern }) => keyMatches(Pattern, keys)));
  const template = indexed().template();
  expect(mappings(template)).toHaveLength(2);
  for (const keys of [{ pk: 'MODELS', sk: 'Bikes' }, { pk: 'MODEL#1', sk: 'META' }, { pk: 'MODEL#1', sk: 'VERSION#0000001' }])
    expect(passes('Registry', keys)).toBe(true);
  for (const keys of [
    { pk: 'CHAMPIONS', sk: 'Bikes' },
    { pk: 'MODEL#1', sk: 'RUN#r' },
    { pk: 'TAG#d', sk: '1' },
    { pk: 'MODEL#1', sk: 'SERVED#t#1' },
  ])
    expect(passes('Registry', keys)).toBe(false);
  for (const keys of [{ pk: 'EXPERIMENTS', sk: '0' }, { pk: 'EXPERIMENT#0', sk: 'RUN#1#r' }]) expect(passes('Tracker', keys)).toBe(true);
  for (const keys of [
    { pk: 'RUN#r#POINTS#00', sk: 't' },
    { pk: 'RUN#r', sk: 'MORE#tags#0' },
    { pk: 'EXPERIMENT#0', sk: 'MODEL#1#m' },
    { pk: 'NODE#run#r', sk: 'IN#data#d' },
  ])
    expect(passes('Tracker', keys)).toBe(false);
});

test('a change that fails is tried again by itself, a bounded number of times, and then kept', () => {
  const template = indexed().template();
  template.allResourcesProperties('AWS::Lambda::EventSourceMapping', {
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 5,
    DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [Match.stringLikeRegexp('SearchDeadLetters'), 'Arn'] } } },
  });
});

test('of registry, history, runs and index the index alone loses items, and by the indexer alone', () => {
  const platform = new MlOpsPlatform(newStack(), 'Platform');
  const deletions = ['dynamodb:DeleteItem', 'dynamodb:BatchWriteItem', 'dynamodb:*'];
  const found = identityStatements(Template.fromStack(Stack.of(platform)))
    .filter(({ Effect, Action }) => Effect === 'Allow' && list(Action).some((action) => deletions.includes(action)))
    .filter(({ Resource }) => !JSON.stringify(Resource).includes('GovernorTable'));
  expect(found.map(({ role }) => role)).toEqual([expect.stringMatching(/SearchIndexer/)]);
  expect(list(found[0].Resource)).toEqual([{ 'Fn::GetAtt': [expect.stringMatching(/SearchWords/), 'Arn'] }]);
});

test('the indexer changes neither registry nor runs', () => {
  const template = indexed().template();
  const writes = ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'lambda:InvokeFunction'];
  const statements = Object.entries({ ...template.findResources('AWS::IAM::Policy'), ...template.findResources('AWS::IAM::Role') })
    .filter(([id]) => id.includes('SearchIndexer'))
    .flatMap(([, { Properties }]) => [Properties, ...(Properties.Policies ?? [])])
    .map(({ PolicyDocument }) => PolicyDocument as { Statement?: unknown } | undefined)
    .flatMap((document) => (document?.Statement ?? []) as { Action: string | string[]; Resource: unknown }[]);
  const written = statements.filter(({ Action }) => list(Action).some((action) => writes.includes(action)));
  expect(written.map(({ Resource }) => JSON.stringify(Resource))).toEqual([expect.stringContaining('SearchWords')]);
});

test('who searches reads the index and nothing else', () => {
  const { stack, index } = indexed();
  const role = new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('states.amazonaws.com') });
  index.grantRead(role).assertSuccess();
  const fn = new lambda.Function(stack, 'Handler', {
    code: lambda.Code.fromInline('exports.handler = async () => {}'),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_24_X,
  });
  index.grantRead(fn).assertSuccess();
  const template = Template.fromStack(stack);
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyName: Match.stringLikeRegexp('^RoleDefaultPolicy'),
    PolicyDocument: {
      Statement: [
        {
          Action: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:BatchGetItem'],
          Resource: { 'Fn::GetAtt': [Match.stringLikeRegexp('SearchWords'), 'Arn'] },
        },
      ],
    },
  });
  template.hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: { MLOPS_SEARCH_TABLE: Match.anyValue() } } });
});

test('changes that are missing from the index set off an alarm', () => {
  const platform = new MlOpsPlatform(newStack(), 'Platform');
  Template.fromStack(Stack.of(platform)).hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmDescription: Match.stringLikeRegexp('a change not indexed'),
  });
});

test('a platform that was handed its registry or tracker has no index', () => {
  const stack = newStack();
  const registry = ModelRegistry.fromTableNames(stack, 'Registry', 'registry', 'history', 'writer');
  const platform = new MlOpsPlatform(stack, 'Platform', { registry, api: false });
  expect(platform.search).toBeUndefined();
  const tracker = RunTracker.fromTableName(stack, 'Tracker', 'runs');
  expect(new MlOpsPlatform(stack, 'Other', { platformName: 'other', tracker, api: false }).search).toBeUndefined();
});

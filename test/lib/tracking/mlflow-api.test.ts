import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import cdkJson from '../../../cdk.json';
import { API_ENV } from '../../../lib/platform/contract';
import { ArtifactStore, MlflowApi, type MlflowApiProps, ModelRegistry, RunTracker } from 'cdk-mlops';

const build = (props: Partial<MlflowApiProps> = {}) => {
  const stack = new Stack(new App({ context: cdkJson.context }), 'Stack', { env: { account: '111122223333', region: 'eu-west-1' } });
  const api = new MlflowApi(stack, 'Api', {
    platformName: 'mlops',
    store: new ArtifactStore(stack, 'Store'),
    registry: new ModelRegistry(stack, 'Registry'),
    tracker: new RunTracker(stack, 'Tracker'),
    ...props,
  });
  return { stack, api };
};

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

const text = (value: unknown): string => {
  if (typeof value === 'string') return value;
  const [[name, argument]] = Object.entries(value as Record<string, unknown>);
  return name === 'Fn::Join' ? (argument as [string, unknown[]])[1].map(text).join('') : `<${name}>`;
};

/** What IAM's wildcard takes: any characters, slashes too. */
const matches = (pattern: string, arn: string): boolean =>
  new RegExp(`^${pattern.split('*').map((part) => part.replace(/[.$?()[\]{}|\\^+]/g, '\\$&')).join('.*')}$`).test(arn);

/** Whether a role with this grant may send the request. */
const allowance = (grant: 'grantRead' | 'grantWrite' | 'grantApprove') => {
  const { stack, api } = build();
  const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
  api[grant](role).assertSuccess();
  const policies = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
  const statements = policies.flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[]);
  const patterns = statements.filter(({ Action }) => Action === 'execute-api:Invoke').flatMap(({ Resource }) => [Resource].flat().map(text));
  return (request: string): boolean => {
    const [method, path] = request.split(' ');
    return patterns.some((pattern) => matches(pattern, `arn:aws:execute-api:eu-west-1:111122223333:<Ref>/$default/${method}${path}`));
  };
};

const READS = [
  'GET /iam/health',
  'GET /iam/api/2.0/mlflow/runs/get',
  'GET /iam/api/2.0/mlflow-artifacts/artifacts/a/b',
  'GET /iam/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval',
  'POST /iam/api/2.0/mlflow/runs/search',
  'POST /iam/ajax-api/2.0/mlflow/runs/search',
  'POST /iam/api/2.0/mlflow/experiments/search',
  'POST /iam/api/2.0/mlflow/logged-models/search',
  'POST /iam/api/2.0/mlflow/registered-models/get-latest-versions',
  'POST /iam/token/read',
];
const WRITES = [
  'POST /iam/api/2.0/mlflow/runs/create',
  'POST /iam/api/2.0/mlflow/runs/log-batch',
  'PATCH /iam/api/2.0/mlflow/registered-models/update',
  'DELETE /iam/api/2.0/mlflow/model-versions/delete',
  'PATCH /iam/api/2.0/mlflow/logged-models/m-1/tags',
  'PUT /iam/api/2.0/mlflow-artifacts/artifacts/a/b',
  'POST /iam/api/2.0/mlflow-artifacts/mpu/create/a/b',
  'POST /iam/token/write',
];
const APPROVALS = ['approve', 'reject', 'promote', 'archive', 'import'].map((change) => `POST /iam/api/2.0/mlops/registry/${change}`);
/** Names that somebody chooses must not pass for another kind of request. */
const TRICKS = [
  'PUT /iam/api/2.0/mlflow-artifacts/artifacts/GET/iam/x',
  'POST /iam/api/2.0/mlflow-artifacts/mpu/create/GET/iam/x',
  'POST /iam/api/2.0/mlflow-artifacts/mpu/create/iam/api/2.0/mlflow/runs/search',
  'POST /iam/api/2.0/mlflow-artifacts/mpu/create/iam/token/read',
  'DELETE /iam/api/2.0/mlflow-artifacts/artifacts/api/2.0/mlops/registry/approve',
];

describe('who may do what', () => {
  test('a reader reads and changes nothing, however an artifact is called', () => {
    const may = allowance('grantRead');
    expect(READS.filter((request) => !may(request))).toEqual([]);
    expect([...WRITES, ...APPROVALS, ...TRICKS].filter(may)).toEqual([]);
  });

  test('a writer changes what the client changes, and no state of a version', () => {
    const may = allowance('grantWrite');
    expect([...READS, ...WRITES].filter((request) => !may(request))).toEqual([]);
    expect(APPROVALS.filter(may)).toEqual([]);
  });

  test('an approver changes the states of versions, and nothing else', () => {
    const may = allowance('grantApprove');
    expect([...READS, ...APPROVALS].filter((request) => !may(request))).toEqual([]);
    expect([...WRITES, ...TRICKS].filter(may)).toEqual([]);
  });

  test('nobody is allowed anything outside of the signed paths', () => {
    for (const grant of ['grantRead', 'grantWrite', 'grantApprove'] as const) {
      const may = allowance(grant);
      expect(['GET /token/health', 'POST /token/api/2.0/mlflow/runs/search', 'GET /', 'POST /iam'].filter(may)).toEqual([]);
    }
  });
});

/** Statements of the roles whose policies mention something. */
const statementsOf = (template: Template, mention: string): Statement[] =>
  Object.values(template.findResources('AWS::IAM::Role'))
    .filter(({ Properties }) => JSON.stringify(Properties).includes(mention))
    .flatMap(({ Properties }) => (Properties.Policies ?? []) as { PolicyDocument: { Statement: Statement[] } }[])
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);

describe('the API', () => {
  test('has a signed way in and one with bearer tokens, and no other', () => {
    const template = Template.fromStack(build().stack);
    const routes = Object.values(template.findResources('AWS::ApiGatewayV2::Route'));
    expect(routes.map(({ Properties }) => [Properties.RouteKey, Properties.AuthorizationType]).sort()).toEqual([
      ['ANY /iam/{proxy+}', 'AWS_IAM'],
      ['ANY /token/{proxy+}', 'NONE'],
    ]);
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', { ProtocolType: 'HTTP', CorsConfiguration: Match.absent() });
    template.hasResourceProperties('AWS::ApiGatewayV2::Integration', { PayloadFormatVersion: '2.0', TimeoutInMillis: 29_000 });
  });

  test('logs who asked for what, but neither query nor payload', () => {
    const [stage] = Object.values(Template.fromStack(build().stack).findResources('AWS::ApiGatewayV2::Stage'));
    const format = JSON.parse(stage.Properties.AccessLogSettings.Format);
    expect(format).toMatchObject({ caller: '$context.identity.userArn', path: '$context.path', status: '$context.status', platform: 'mlops' });
    expect(Object.values(format).join()).not.toMatch(/query|body|payload|requestOverride|authorization/i);
  });

  test('takes no more requests than it was told', () => {
    const limited = (requestsPerSecond?: number) => Template.fromStack(build({ requestsPerSecond }).stack);
    const settings = (rate: number) => ({ DefaultRouteSettings: { ThrottlingRateLimit: rate, ThrottlingBurstLimit: rate * 2 } });
    limited().hasResourceProperties('AWS::ApiGatewayV2::Stage', settings(200));
    limited(5).hasResourceProperties('AWS::ApiGatewayV2::Stage', settings(5));
    expect(() => limited(0)).toThrow('requestsPerSecond: must be between 1 and 10000, got 0');
  });

  test('signs tokens with a key that can do nothing else, and the function can do nothing else with it', () => {
    const template = Template.fromStack(build().stack);
    template.hasResourceProperties('AWS::KMS::Key', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    template.hasResourceProperties('AWS::KMS::Alias', { AliasName: 'alias/cdk-mlops/mlops/tokens' });
    const [keyId] = Object.keys(template.findResources('AWS::KMS::Key', { Properties: { KeyUsage: 'SIGN_VERIFY' } }));
    const onKey = statementsOf(template, '').filter(({ Resource }) => JSON.stringify(Resource).includes(keyId));
    expect(onKey.map(({ Action }) => Action)).toEqual([['kms:GetPublicKey', 'kms:Sign']]);
    const variables = Match.objectLike({ [API_ENV.tokenKey]: Match.anyValue() });
    template.hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: variables } });
  });

  test('reaches artifacts below mlflow/, whose versions it cannot delete, and reads those of runs', () => {
    const template = Template.fromStack(build().stack);
    const statements = statementsOf(template, 'kms:Sign');
    const objects = (action: string) => {
      const allowing = statements.filter(({ Action }) => [Action].flat().includes(action));
      return allowing.flatMap(({ Resource }) => [Resource].flat().map((arn) => text(arn).split('>/')[1]));
    };
    expect(objects('s3:PutObject')).toEqual(['mlflow/*']);
    expect(objects('s3:GetObject').sort()).toEqual(['mlflow/*', 'runs/*']);
    const actions = statements.flatMap(({ Action }) => [Action].flat());
    expect(objects('s3:DeleteObject')).toEqual(['mlflow/*']);
    expect(actions.filter((action) => /Delete|Scan|PartiQL|\*/.test(action))).toEqual(['s3:DeleteObject']);
  });

  test('tells when it fails and when it refuses requests for their number', () => {
    const { stack } = build({ alarmTopic: sns.Topic.fromTopicArn(new Stack(), 'Topic', 'arn:aws:sns:eu-west-1:111122223333:alarms') });
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::CloudWatch::Alarm', { MetricName: '5xx', Threshold: 5, TreatMissingData: 'notBreaching' });
    const section = Match.stringLikeRegexp('#mlflow-api-throttled$');
    template.hasResourceProperties('AWS::CloudWatch::Alarm', { Metrics: Match.anyValue(), AlarmDescription: section });
    template.hasResourceProperties('AWS::Logs::MetricFilter', { FilterPattern: '{ $.status = "429" }' });
    for (const alarm of Object.values(template.findResources('AWS::CloudWatch::Alarm'))) expect(alarm.Properties.AlarmActions).toHaveLength(1);
  });

  test('refuses a platform name that an alias could not carry', () => {
    expect(() => build({ platformName: 'team a' })).toThrow('platformName: must be letters, digits and hyphens, first a letter, at most 32');
  });
});

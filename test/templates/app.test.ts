import { App, Duration, Stack } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { Schedule } from 'aws-cdk-lib/aws-events';
import cdkJson from '../../cdk.json';
import { COMMON_ENV } from '../../lib/common/contract';
import { alarmProblems, alarmsOf } from '../lib/operations/synthesized-alarms';
import { CONSTRUCTS, ENV, options } from './alone';
import { identityStatements, list, synthesizeApp } from './synthesized-app';
import { MlOpsPlatform, Retraining, Serving, Task, Trigger } from 'cdk-mlops';

/** Actions that know no resources, so that `*` is all a policy can say; each with what bounds it instead. */
const WITHOUT_RESOURCES: Readonly<Record<string, string>> = {
  'cloudwatch:GetMetricStatistics': 'reads figures; metrics are no resources',
  'cloudwatch:PutMetricData': "a condition binds it to SageMaker's namespaces",
  'ecr:GetAuthorizationToken': 'a token for the registry; pulling is bound to the repositories of the two frameworks',
  'sagemaker:ListAutoMLJobs': 'lists; what may be stopped is bound by name',
  'sagemaker:ListEndpointConfigs': 'lists; what may be deleted is bound by name',
  'sagemaker:ListHyperParameterTuningJobs': 'lists; what may be stopped is bound by name',
  'sagemaker:ListModels': 'lists; what may be deleted is bound by name',
  'sagemaker:ListProcessingJobs': 'lists; what may be stopped is bound by name',
  'sagemaker:ListTrainingJobs': 'lists; what may be stopped is bound by name',
  'sagemaker:ListTransformJobs': 'lists; what may be stopped is bound by name',
  'logs:CreateLogDelivery': 'delivery of execution logs, set up by Step Functions itself',
  'logs:DeleteLogDelivery': 'as above',
  'logs:DescribeLogGroups': 'as above',
  'logs:DescribeResourcePolicies': 'as above',
  'logs:GetLogDelivery': 'as above',
  'logs:ListLogDeliveries': 'as above',
  'logs:PutResourcePolicy': 'as above',
  'logs:UpdateLogDelivery': 'as above',
  'xray:GetSamplingRules': 'traces of the state machine',
  'xray:GetSamplingTargets': 'as above',
  'xray:PutTelemetryRecords': 'as above',
  'xray:PutTraceSegments': 'as above',
};

// The synthesis of the whole app takes its time on a machine that has other work.
jest.setTimeout(60_000);

let template: Template;
let resources: Record<string, { Type: string; Properties: Record<string, never>; DeletionPolicy?: string }>;

beforeAll(async () => {
  template = await synthesizeApp();
  resources = template.toJSON().Resources;
});

const ofType = (type: string) => Object.entries(resources).filter(([, resource]) => resource.Type === type);

describe('permissions', () => {
  test('name their resources, but for actions that know none', () => {
    const unbound = identityStatements(template).filter(({ Resource }) => list(Resource).includes('*'));
    const surprising = unbound.flatMap(({ role, Action }) =>
      list(Action)
        .filter((action) => WITHOUT_RESOURCES[action] === undefined)
        .map((action) => `${role}: ${action}`),
    );
    expect(surprising).toEqual([]);
    for (const { Action, Condition } of unbound) if (list(Action).includes('cloudwatch:PutMetricData')) expect(Condition).toBeDefined();
  });

  test('never hold for every action of a service', () => {
    const broad = identityStatements(template).filter(({ Action }) => list(Action).some((action) => action.endsWith(':*')));
    expect(broad).toEqual([]);
  });

  test('are written out: no managed policy, and no policy resource beside a role', () => {
    for (const [, role] of ofType('AWS::IAM::Role')) expect(role.Properties).not.toHaveProperty('ManagedPolicyArns');
    expect(ofType('AWS::IAM::ManagedPolicy')).toEqual([]);
    expect(ofType('AWS::IAM::Policy')).toEqual([]);
  });

  test('are assumed by services in the name of this account only', () => {
    const trusts = ofType('AWS::IAM::Role').flatMap(([id, { Properties }]) =>
      (
        Properties as unknown as { AssumeRolePolicyDocument: { Statement: { Principal: { Service?: string }; Condition?: object }[] } }
      ).AssumeRolePolicyDocument.Statement.map((statement) => ({ id, ...statement })),
    );
    for (const { Principal, Condition } of trusts) {
      expect(Principal.Service).toMatch(/\.amazonaws\.com$/);
      // Lambda states no source account when it assumes a role; whoever passes a role to it needs iam:PassRole.
      if (Principal.Service !== 'lambda.amazonaws.com') expect(JSON.stringify(Condition)).toContain('AWS::AccountId');
    }
  });
});

describe('asynchronous hops', () => {
  test('each target of a rule has a dead-letter queue and a bounded retry', () => {
    const targets = ofType('AWS::Events::Rule').flatMap(([id, { Properties }]) =>
      (Properties as unknown as { Targets: object[] }).Targets.map((target) => ({ id, target })),
    );
    expect(targets.length).toBeGreaterThan(0);
    for (const { target } of targets) {
      expect(target).toMatchObject({ DeadLetterConfig: { Arn: expect.anything() }, RetryPolicy: { MaximumRetryAttempts: expect.any(Number) } });
    }
  });

  test('each schedule has a dead-letter queue and a bounded retry', () => {
    for (const [, { Properties }] of ofType('AWS::Scheduler::Schedule')) {
      expect(Properties).toMatchObject({
        Target: { DeadLetterConfig: { Arn: expect.anything() }, RetryPolicy: { MaximumRetryAttempts: expect.any(Number) } },
      });
    }
  });

  test('each function that rules or schedules invoke hands over what fails for good', () => {
    const invoked = new Set(
      [...ofType('AWS::Events::Rule'), ...ofType('AWS::Scheduler::Schedule')].flatMap(([, { Properties }]) =>
        [...JSON.stringify(Properties).matchAll(/"Arn":\{"Fn::GetAtt":\["([A-Za-z0-9]+)","Arn"\]\}/g)]
          .map(([, id]) => id)
          .filter((id) => resources[id].Type === 'AWS::Lambda::Function'),
      ),
    );
    const covered = new Set(
      ofType('AWS::Lambda::EventInvokeConfig')
        .filter(([, { Properties }]) => JSON.stringify(Properties).includes('OnFailure'))
        .map(([, { Properties }]) => (Properties as unknown as { FunctionName: { Ref: string } }).FunctionName.Ref),
    );
    expect(invoked.size).toBeGreaterThanOrEqual(3);
    expect([...invoked].filter((id) => !covered.has(id))).toEqual([]);
  });

  test('each dead-letter queue has an alarm', () => {
    const watched = JSON.stringify(alarmsOf(template).map(([, alarm]) => alarm));
    for (const [id] of ofType('AWS::SQS::Queue')) expect(watched).toContain(`"Fn::GetAtt":["${id}","QueueName"]`);
  });
});

test('every function knows its platform, and its code comes from the build', () => {
  const functions = ofType('AWS::Lambda::Function');
  for (const [, { Properties }] of functions) {
    const Environment = { Variables: { [COMMON_ENV.platform]: 'mlops' } };
    expect(Properties).toMatchObject({ Environment, Runtime: 'nodejs24.x', Handler: 'index.handler' });
  }
  expect(functions.length).toBeGreaterThanOrEqual(14);
});

test('whatever holds data outlives the stack', () => {
  const stateful = ['AWS::S3::Bucket', 'AWS::DynamoDB::GlobalTable', 'AWS::KMS::Key'].flatMap(ofType);
  const leaving = stateful.filter(([, { DeletionPolicy }]) => DeletionPolicy !== 'Retain').map(([id]) => id);
  // The index of words is made from the records at any time; a key of tokens that last hours signs nothing once its API is gone.
  expect(leaving).toEqual([expect.stringContaining('SearchWords'), expect.stringContaining('ApiTokenKey')]);
});

test('nothing in the template bills by the hour: endpoints are made by the pipeline', () => {
  const types = Object.values(resources).map(({ Type }) => Type);
  expect(types.filter((type) => type.startsWith('AWS::SageMaker::') || type.startsWith('AWS::EC2::'))).toEqual([]);
});

test('every alarm tells the topic what happened and what to do', () => {
  const problems = alarmsOf(template).map(([id, alarm]) => ({ id, problems: alarmProblems(alarm, true) }));
  expect(problems.filter((alarm) => alarm.problems.length > 0)).toEqual([]);
});

test("the alarms' topic takes encrypted connections only, and its key lets CloudWatch publish", () => {
  const [[, topic]] = ofType('AWS::SNS::Topic');
  expect(topic.Properties).toMatchObject({ KmsMasterKeyId: expect.anything() });
  expect(JSON.stringify(ofType('AWS::SNS::TopicPolicy'))).toContain('aws:SecureTransport');
  expect(JSON.stringify(ofType('AWS::KMS::Key'))).toContain('cloudwatch.amazonaws.com');
});

test("CloudFormation's rules have nothing against any construct, nor against a model on instances", () => {
  const app = new App({ context: cdkJson.context });
  // A stack in which everything is imported is empty, which CloudFormation refuses for its own reasons.
  for (const [name, make] of Object.entries(CONSTRUCTS)) if (name !== 'ImportedStore') make(new Stack(app, name, { env: ENV }));
  const platform = new MlOpsPlatform(new Stack(app, 'OnInstances', { env: ENV }), 'MlOps');
  platform.addModel('Churn', {
    ...options(),
    task: Task.binaryClassification({ target: 'churned', positiveLabel: 'yes' }),
    gate: undefined,
    serving: Serving.realTime({ instanceType: 'ml.m5.large', initialInstanceCount: 2 }),
    retraining: Retraining.on([Trigger.drift(), Trigger.schedule(Schedule.rate(Duration.days(7)))], { cooldown: Duration.days(1) }),
  });
  expect(process.env.CDK_VALIDATION).toBeUndefined();
  expect(() => app.synth()).not.toThrow();
});

import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import cdkJson from '../../../cdk.json';
import { RETRAINING_ENV } from '../../../lib/retraining/contract';
import { RetrainGovernor } from '../../../lib/retraining/retrain-governor';
import { Retraining } from '../../../lib/retraining/retraining';
import { Trigger } from '../../../lib/retraining/trigger';

const ALL = [
  Trigger.quality({ metric: 'rmse', worseThan: 100 }),
  Trigger.quality({ metric: 'r2', worseThan: 0.5 }),
  Trigger.quality({ metric: 'mae', tolerance: 5 }),
  Trigger.groups(),
  Trigger.drift({ minimumFeatures: 2 }),
  Trigger.schedule(events.Schedule.rate(Duration.days(7))),
];

const govern = (triggers: Trigger[] = ALL) => {
  const stack = new Stack(new App({ context: cdkJson.context }), 'Stack');
  const governor = new RetrainGovernor(stack, 'Governor', { platformName: 'mlops' });
  const stateMachine = new sfn.StateMachine(stack, 'Pipeline', { definitionBody: sfn.DefinitionBody.fromChainable(new sfn.Succeed(stack, 'Done')) });
  governor.addModel({ modelName: 'BikeDemand', stateMachine, retraining: Retraining.on(triggers, { cooldown: Duration.days(30) }) });
  return { stack, governor, template: () => Template.fromStack(stack) };
};

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

const inlineStatements = (template: Template): Statement[] =>
  Object.values(template.findResources('AWS::IAM::Role')).flatMap(({ Properties }) =>
    (Properties.Policies ?? []).flatMap(({ PolicyDocument }: { PolicyDocument: { Statement: Statement[] } }) => PolicyDocument.Statement),
  );

const patternsOf = (template: Template) =>
  Object.values(template.findResources('AWS::Events::Rule'))
    .map(({ Properties }) => Properties.EventPattern)
    .filter((pattern) => pattern !== undefined && pattern['replay-name'] === undefined);

const bikes = { platform: ['mlops'], model: ['BikeDemand'] };

describe('rules', () => {
  test('hand over only causes that the triggers name, each bound in the direction of its metric', () => {
    const patterns = patternsOf(govern().template());
    expect(patterns).toContainEqual({
      source: ['cdk-mlops'],
      'detail-type': ['Model Quality Degraded'],
      detail: { ...bikes, metric: ['rmse'], value: [{ numeric: ['>', 100] }] },
    });
    expect(patterns).toContainEqual({
      source: ['cdk-mlops'],
      'detail-type': ['Model Quality Degraded'],
      detail: { ...bikes, metric: ['r2'], value: [{ numeric: ['<', 0.5] }] },
    });
    // A bound that follows the baseline is known to the monitor alone.
    const relative = { ...bikes, metric: ['mae'] };
    expect(patterns).toContainEqual({ source: ['cdk-mlops'], 'detail-type': ['Model Quality Degraded'], detail: relative });
    expect(patterns).toContainEqual({ source: ['cdk-mlops'], 'detail-type': ['Data Drift Detected'], detail: bikes });
    expect(patterns).toContainEqual({ source: ['cdk-mlops'], 'detail-type': ['Group Gap Detected'], detail: bikes });
  });

  test('leave a person\'s request as the only cause where no trigger is declared', () => {
    const patterns = patternsOf(govern([]).template()).filter(({ source }) => source[0] === 'cdk-mlops');
    expect(patterns).toEqual([{ source: ['cdk-mlops'], 'detail-type': ['Retrain Requested'], detail: { platform: ['mlops'] } }]);
  });

  test('never match what the governor itself puts on the bus, so that no decision causes another', () => {
    for (const pattern of patternsOf(govern().template())) expect(pattern['detail-type']).not.toContain('Retrain Decided');
  });

  test('a schedule hands over the event that a monitor would have sent, with its own time', () => {
    govern()
      .template()
      .hasResourceProperties('AWS::Events::Rule', {
        ScheduleExpression: 'rate(7 days)',
        Targets: [
          Match.objectLike({
            InputTransformer: {
              InputPathsMap: { time: '$.time' },
              InputTemplate: Match.stringLikeRegexp('"detail-type":"Retrain Scheduled".*"occurredAt":<time>'),
            },
          }),
        ],
      });
  });

  test('every target has a dead-letter queue, bounded retries and a bounded age, and so has every function behind it', () => {
    const template = govern().template();
    const targets = Object.values(template.findResources('AWS::Events::Rule')).flatMap(({ Properties }) => Properties.Targets ?? []);
    expect(targets).toHaveLength(8);
    for (const target of targets) {
      expect(target.DeadLetterConfig.Arn).toBeDefined();
      expect(target.RetryPolicy).toEqual({ MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 10 });
    }
    template.resourceCountIs('AWS::Lambda::EventInvokeConfig', 2);
  });

  test('the end of a run, however it ended, and its redrive are told to whoever keeps the places', () => {
    expect(patternsOf(govern().template())).toContainEqual(
      expect.objectContaining({
        'detail-type': ['Step Functions Execution Status Change'],
        detail: expect.objectContaining({ status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'RUNNING'] }),
      }),
    );
  });
});

describe('governor', () => {
  test('knows the policy of each model', () => {
    const { stack, template } = govern();
    const functions = Object.values(template().findResources('AWS::Lambda::Function'));
    const [policies] = functions.flatMap(({ Properties }) => Properties.Environment?.Variables?.[RETRAINING_ENV.policies] ?? []);
    const text = stack.resolve(policies)['Fn::Join'][1].map((part: unknown) => (typeof part === 'string' ? part : 'ARN')).join('');
    expect(JSON.parse(text)).toEqual({
      BikeDemand: { stateMachineArn: 'ARN', cooldownSeconds: 2_592_000, leaseSeconds: 21_600, minimumDriftedFeatures: 2 },
    });
  });

  test('may start and look up executions of its pipelines and of nothing else', () => {
    const states = inlineStatements(govern().template()).filter(({ Action }) => [Action].flat().some((action) => action.startsWith('states:')));
    expect(states.map(({ Action }) => Action).sort()).toEqual(['states:DescribeExecution', 'states:DescribeExecution', 'states:StartExecution']);
    for (const { Resource } of states) expect(JSON.stringify(Resource)).toContain('Pipeline');
  });

  test('keeps its table and what happened on its bus', () => {
    const template = govern().template();
    const replica = Match.objectLike({ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }, DeletionProtectionEnabled: true });
    template.hasResource('AWS::DynamoDB::GlobalTable', { DeletionPolicy: 'Retain', Properties: { Replicas: [replica] } });
    template.hasResourceProperties('AWS::Events::Archive', { RetentionDays: 30 });
    template.resourceCountIs('AWS::Events::EventBusPolicy', 0);
  });

  test('refuses more models than its variables can hold', () => {
    const { stack, governor } = govern();
    const stateMachine = sfn.StateMachine.fromStateMachineName(stack, 'Other', 'other');
    for (let model = 1; model <= 12; model++) {
      governor.addModel({ modelName: `Model${model}`, stateMachine, retraining: Retraining.on([], { cooldown: Duration.days(1) }) });
    }
    expect(() => Template.fromStack(stack)).toThrow('a governor knows at most 12 models, got 13');
  });
});

describe('grants', () => {
  const grantee = (stack: Stack) =>
    new lambda.Function(stack, 'Somebody', { runtime: lambda.Runtime.NODEJS_24_X, handler: 'index.handler', code: lambda.Code.fromInline('//') });

  test('to put events tells a function the bus', () => {
    const { stack, governor, template } = govern();
    expect(governor.grantPutEvents(grantee(stack))).toBeInstanceOf(iam.Grant);
    template().hasResourceProperties('AWS::Lambda::Function', {
      Handler: 'index.handler',
      Environment: { Variables: { [RETRAINING_ENV.busName]: { Ref: Match.stringLikeRegexp('^GovernorBus') } } },
    });
  });

  test('to read or control never allow a scan or a deletion', () => {
    const { stack, governor, template } = govern();
    const reader = new iam.Role(stack, 'Reader', { assumedBy: new iam.AccountRootPrincipal() });
    const controller = new iam.Role(stack, 'Controller', { assumedBy: new iam.AccountRootPrincipal() });
    governor.grantRead(reader);
    governor.grantControl(controller);
    const actions = (name: string) =>
      Object.entries(template().findResources('AWS::IAM::Policy'))
        .filter(([id]) => id.startsWith(name))
        .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement.flatMap(({ Action }: { Action: string | string[] }) => Action));
    expect(actions('Reader').sort()).toEqual(['dynamodb:GetItem', 'dynamodb:Query']);
    expect(actions('Controller').sort()).toEqual(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'events:PutEvents']);
  });
});

import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import cdkJson from '../../../cdk.json';
import { ArtifactStore } from '../../../lib/artifacts/artifact-store';
import { Task } from '../../../lib/common/task';
import { DriftReference } from '../../../lib/monitoring/drift-reference';
import { ModelMonitor, ModelMonitorProps } from '../../../lib/monitoring/model-monitor';
import { Monitoring } from '../../../lib/monitoring/monitoring';
import { ModelRegistry } from '../../../lib/registry/model-registry';

const daily = events.Schedule.rate(Duration.days(1));

const monitor = (props: Partial<ModelMonitorProps> = {}) => {
  const stack = new Stack(new App({ context: cdkJson.context }), 'Stack');
  const made = new ModelMonitor(stack, 'Monitor', {
    modelName: 'BikeDemand',
    platformName: 'mlops',
    task: Task.regression({ target: 'cnt', timeColumn: 'timestamp' }),
    endpointName: 'mlops-bikedemand',
    monitoring: Monitoring.every(daily, { window: Duration.days(14), reference: DriftReference.sameSeason() }),
    qualityBounds: [{ metric: 'rmse', worseThan: 100 }],
    store: new ArtifactStore(stack, 'Store'),
    registry: new ModelRegistry(stack, 'Registry'),
    bus: new events.EventBus(stack, 'Bus'),
    ...props,
  });
  return { stack, made, template: () => Template.fromStack(stack) };
};

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** Every statement of the policies of the role of a function that the description names. */
const statementsOf = (template: Template, description: string): Statement[] => {
  const [fn] = Object.values(template.findResources('AWS::Lambda::Function', { Properties: { Description: Match.stringLikeRegexp(description) } }));
  return statementsOfRole(template, fn.Properties.Role['Fn::GetAtt'][0]);
};

const statementsOfRole = (template: Template, role: string): Statement[] => {
  const attached = Object.values(template.findResources('AWS::IAM::Policy')).filter(({ Properties }) =>
    Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === role),
  );
  const inline = template.toJSON().Resources[role].Properties.Policies ?? [];
  return [...attached.map(({ Properties }) => Properties), ...inline].flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
};

const actionsOf = (statements: readonly Statement[]) => statements.flatMap(({ Action }) => Action);

describe('the monitor', () => {
  it('is told what to judge, and by what', () => {
    monitor().template().hasResourceProperties('AWS::Lambda::Function', {
      Description: 'Judges drift and quality of BikeDemand',
      Timeout: 900,
      MemorySize: 1769,
      Environment: {
        Variables: Match.objectLike({
          MLOPS_PLATFORM: 'mlops',
          MLOPS_MONITOR_SPEC: JSON.stringify({
            model: 'BikeDemand',
            task: { kind: 'REGRESSION', target: 'cnt', timeColumn: 'timestamp' },
            endpointName: 'mlops-bikedemand',
            variantName: 'primary',
            windowSeconds: 1_209_600,
            minimumRows: 300,
            reference: 'SAME_SEASON',
            qualityBounds: [{ metric: 'rmse', worseThan: 100 }],
          }),
          MLOPS_PREDICTIONS_BUCKET: Match.anyValue(),
          MLOPS_REPORTS_BUCKET: Match.anyValue(),
          MLOPS_REGISTRY_TABLE: Match.anyValue(),
          MLOPS_HISTORY_TABLE: Match.anyValue(),
          MLOPS_BUS_NAME: Match.anyValue(),
        }),
      },
    });
  });

  it('runs on its schedule for the planned time, with retries that end in the dead-letter queue', () => {
    monitor().template().hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 day)',
      Target: {
        Input: '{"windowEnd":"<aws.scheduler.scheduled-time>"}',
        RetryPolicy: { MaximumRetryAttempts: 10, MaximumEventAgeInSeconds: 3600 },
        DeadLetterConfig: { Arn: Match.anyValue() },
      },
    });
  });

  it('is started by a role that only this account\'s schedules may take and that may start nothing else', () => {
    const template = monitor().template();
    const Condition = { StringEquals: Match.objectLike({ 'aws:SourceAccount': { Ref: 'AWS::AccountId' } }) };
    const [role, ...others] = Object.keys(
      template.findResources('AWS::IAM::Role', {
        Properties: { AssumeRolePolicyDocument: { Statement: [{ Principal: { Service: 'scheduler.amazonaws.com' }, Condition }] } },
      }),
    );
    expect(others).toEqual([]);
    expect(actionsOf(statementsOfRole(template, role)).sort()).toEqual(['lambda:InvokeFunction', 'sqs:SendMessage']);
  });

  it('reads only its model\'s requests, labels and baselines, writes only its own results, deletes nothing', () => {
    const statements = statementsOf(monitor().template(), 'Judges drift');
    const objects = JSON.stringify(statements.filter(({ Action }) => [Action].flat().some((action) => /^s3:(Get|Put)Object/.test(action))));
    expect([...objects.matchAll(/"\/([^"]*\*)"/g)].map(([, path]) => path).sort()).toEqual([
      'baselines/BikeDemand/*',
      'capture/mlops-bikedemand/primary/*',
      'labels/BikeDemand/*',
      'monitoring/BikeDemand/*',
    ]);
    const actions = actionsOf(statements);
    expect(actions).toEqual(expect.arrayContaining(['events:PutEvents', 'dynamodb:GetItem']));
    expect(actions.filter((action) => /Delete|PutItem|UpdateItem|\*/.test(action))).toEqual([]);
    expect(statements.filter(({ Resource }) => Resource === '*')).toEqual([]);
  });

  it('makes baselines with a function that knows no registry and no bus', () => {
    const actions = actionsOf(statementsOf(monitor().template(), 'Makes the baseline'));
    expect(actions.filter((action) => /^(dynamodb|events):/.test(action))).toEqual([]);
    expect(actions).toEqual(expect.arrayContaining(['s3:GetObject', 's3:PutObject']));
  });

  it('may be run on demand by whom it was granted', () => {
    const { stack, made, template } = monitor();
    made.grantRun(new iam.Role(stack, 'Analyst', { assumedBy: new iam.AccountRootPrincipal() }));
    template().hasResourceProperties('AWS::IAM::Policy', {
      Roles: [{ Ref: Match.stringLikeRegexp('Analyst') }],
      PolicyDocument: { Statement: [Match.objectLike({ Action: 'lambda:InvokeFunction' })] },
    });
  });

  it('names its metrics as the run time publishes them', () => {
    const { made, stack } = monitor();
    expect(stack.resolve(made.metricQuality('rmse').toMetricConfig().metricStat)).toMatchObject({
      namespace: 'CdkMlOps',
      metricName: 'Quality.rmse',
      dimensions: expect.arrayContaining([{ name: 'service', value: 'mlops' }, { name: 'Model', value: 'BikeDemand' }]),
    });
    expect(made.metricDriftDetected({ label: 'drift' })).toMatchObject({ metricName: 'DriftDetected', label: 'drift' });
  });
});

describe('what cannot be watched is refused at synth', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['a window below an hour', () => Monitoring.every(daily, { window: Duration.minutes(59) }), /window: must be at least one hour/],
    ['a minimum below 30 rows', () => Monitoring.every(daily, { window: Duration.days(1), minimumRows: 29 }), /minimumRows: .* at least 30, got 29/],
    ['a minimum that is no whole number', () => Monitoring.every(daily, { window: Duration.days(1), minimumRows: 99.5 }), /minimumRows/],
    ['a bound of another task', () => monitor({ qualityBounds: [{ metric: 'f1', worseThan: 0.7 }] }), /qualityBounds\[0\].metric: .*rmse, mae/],
    ['a bound that is no number', () => monitor({ qualityBounds: [{ metric: 'rmse', worseThan: NaN }] }), /worseThan: must be a number/],
    ['a season without time', () => monitor({ task: Task.regression({ target: 'cnt' }) }), /monitoring.reference: needs a task with a timeColumn/],
  ])('%s', (_, make, message) => expect(make).toThrow(message));
});

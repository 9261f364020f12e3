import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import cdkJson from '../../../cdk.json';
import { ArtifactStore } from '../../../lib/artifacts/artifact-store';
import { Task } from '../../../lib/common/task';
import { DriftReference } from '../../../lib/monitoring/drift-reference';
import { GroupRule } from '../../../lib/monitoring/group-rule';
import { ModelMonitor } from '../../../lib/monitoring/model-monitor';
import { ModelMonitorProps } from '../../../lib/monitoring/model-monitor-props';
import { Monitoring } from '../../../lib/monitoring/monitoring';
import { METRICS } from '../../../lib/operations/contract';
import { ModelRegistry } from '../../../lib/registry/model-registry';
import { Serving } from '../../../lib/serving/serving';

const monitor = (props: Partial<ModelMonitorProps> = {}) => {
  const stack = new Stack(new App({ context: cdkJson.context }), 'Stack');
  const made = new ModelMonitor(stack, 'Monitor', {
    modelName: 'BikeDemand',
    platformName: 'mlops',
    task: Task.regression({ target: 'cnt', timeColumn: 'timestamp' }),
    endpointName: 'mlops-bikedemand',
    monitoring: Monitoring.every(Duration.days(7), {
      minimumRows: 100,
      references: [DriftReference.sameSeason(), DriftReference.lastDays(364)],
      groups: [GroupRule.within('holiday', { metric: 'rmse', bound: 20 }), GroupRule.measured('season')],
    }),
    qualityRules: [{ metric: 'rmse', worseThan: 100 }, { metric: 'r2', tolerance: 0.1 }],
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

const DESCRIPTION = 'Plans, profiles and judges windows of BikeDemand';

describe('the monitor', () => {
  it('is told what to judge, and by what', () => {
    const [fn] = Object.values(monitor().template().findResources('AWS::Lambda::Function', { Properties: { Description: DESCRIPTION } }));
    const { MLOPS_MONITOR_SPEC: spec, ...others } = fn.Properties.Environment.Variables;
    expect(JSON.parse(spec)).toEqual({
      model: 'BikeDemand',
      task: { kind: 'REGRESSION', target: 'cnt', timeColumn: 'timestamp' },
      endpointName: 'mlops-bikedemand',
      variantName: 'primary',
      servingKind: 'SERVERLESS',
      samplingPercentage: 100,
      windowSeconds: 604_800,
      delaySeconds: 900,
      minimumRows: 100,
      references: [{ kind: 'SAME_SEASON' }, { kind: 'LAST_DAYS', days: 364 }],
      falseAlarms: { episodes: 1, days: 90, shares: { drift: 0.5, quality: 0.25, groups: 0.25 } },
      persistence: { breaches: 2, windows: 3 },
      qualitySeconds: 28 * 86_400,
      qualityRules: [
        { metric: 'rmse', higherIsBetter: false, worseThan: 100 },
        { metric: 'r2', higherIsBetter: true, tolerance: 0.1 },
      ],
      groupColumns: ['holiday', 'season'],
      groupRules: [{ column: 'holiday', metric: 'rmse', bound: 20 }],
      groupMinimum: { rows: 30, perClass: 10 },
      featureMetrics: 3,
    });
    const needed = ['PLATFORM', 'PREDICTIONS_BUCKET', 'REPORTS_BUCKET', 'DATA_BUCKET', 'REGISTRY_TABLE', 'HISTORY_TABLE', 'BUS_NAME'];
    expect(Object.keys(others)).toEqual(expect.arrayContaining(needed.map((name) => `MLOPS_${name}`)));
  });

  it('knows what share of the requests an endpoint on instances records', () => {
    const serving = Serving.realTime({ instanceType: 'ml.m5.large', captureSamplingPercentage: 20 });
    const [fn] = Object.values(monitor({ serving }).template().findResources('AWS::Lambda::Function', { Properties: { Description: DESCRIPTION } }));
    const spec = JSON.parse(fn.Properties.Environment.Variables.MLOPS_MONITOR_SPEC);
    expect(spec).toMatchObject({ servingKind: 'REAL_TIME', samplingPercentage: 20 });
  });

  it('runs on its schedule for the planned time, with retries that end in the dead-letter queue', () => {
    monitor().template().hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'cron(15 0 * * ? *)',
      Target: {
        Arn: { Ref: Match.stringLikeRegexp('Workflow') },
        Input: '{"scheduledTime":"<aws.scheduler.scheduled-time>"}',
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
    expect(actionsOf(statementsOfRole(template, role)).sort()).toEqual(['sqs:SendMessage', 'states:StartExecution']);
  });

  it('reads only its model\'s requests, labels, constraints and baselines, writes only its own results, deletes nothing', () => {
    const statements = statementsOf(monitor().template(), DESCRIPTION);
    const objects = JSON.stringify(statements.filter(({ Action }) => [Action].flat().some((action) => /^s3:(Get|Put)Object/.test(action))));
    expect([...new Set([...objects.matchAll(/"\/([^"]*\*)"/g)].map(([, path]) => path))].sort()).toEqual([
      'baselines/BikeDemand/*',
      'capture/mlops-bikedemand/primary/*',
      'constraints/BikeDemand.json*',
      'labels/BikeDemand/*',
      'monitoring/BikeDemand/*',
      'work/monitoring/BikeDemand/*',
    ]);
    const actions = actionsOf(statements);
    expect(actions).toEqual(expect.arrayContaining(['events:PutEvents', 'dynamodb:GetItem']));
    expect(actions.filter((action) => /Delete|PutItem|UpdateItem|\*/.test(action))).toEqual([]);
    expect(actionsOf(statements.filter(({ Resource }) => Resource === '*'))).toEqual(['cloudwatch:GetMetricStatistics']);
  });

  it('makes baselines with a function that knows no registry and no bus', () => {
    const actions = actionsOf(statementsOf(monitor().template(), 'Makes the baseline'));
    expect(actions.filter((action) => /^(dynamodb|events):/.test(action))).toEqual([]);
    expect(actions).toEqual(expect.arrayContaining(['s3:GetObject', 's3:PutObject']));
  });

  it('may be run on demand by whom it was granted, who also sees how the run ends', () => {
    const { stack, made, template } = monitor();
    made.grantRun(new iam.Role(stack, 'Analyst', { assumedBy: new iam.AccountRootPrincipal() })).assertSuccess();
    const Roles = [{ Ref: Match.stringLikeRegexp('Analyst') }];
    const [policy] = Object.values(template().findResources('AWS::IAM::Policy', { Properties: { Roles } }));
    expect(actionsOf(policy.Properties.PolicyDocument.Statement)).toEqual(['states:StartExecution', 'states:DescribeExecution']);
  });

  it('names its metrics as the run time publishes them', () => {
    const { made, stack } = monitor();
    const dimensions = [{ name: 'service', value: 'mlops' }, { name: 'Model', value: 'BikeDemand' }];
    const described = (metric: { toMetricConfig(): { metricStat?: object } }) => stack.resolve(metric.toMetricConfig().metricStat);
    expect(described(made.metricQuality('rmse'))).toMatchObject({
      namespace: 'CdkMlOps',
      metricName: 'Quality.rmse',
      dimensions: expect.arrayContaining(dimensions),
    });
    expect(described(made.metricFeatureDriftScore('temp'))).toMatchObject({
      metricName: 'FeatureDriftScore',
      dimensions: expect.arrayContaining([...dimensions, { name: 'Feature', value: 'temp' }]),
    });
    expect(made.metricDriftScore({ label: 'drift' })).toMatchObject({ metricName: 'DriftScore', label: 'drift' });
    const others = [made.metricQualityDegraded(), made.metricGroupGapsBreached(), made.metricConstraintsViolated(), made.metricLabelAge()];
    const rows = [made.metricMonitoredRows(), made.metricRejectedRows(), made.metricLabelCoverage()];
    expect([...others, ...rows].map(({ metricName }) => Object.values(METRICS).includes(metricName as never))).not.toContain(false);
  });
});

describe('what does not fit the model is refused at synth', () => {
  it.each<[string, Partial<ModelMonitorProps>, RegExp]>([
    ['a rule of another task', { qualityRules: [{ metric: 'f1', worseThan: 0.7 }] }, /qualityRules\[0\].metric: .*rmse, mae/],
    ['a bound that is no number', { qualityRules: [{ metric: 'rmse', worseThan: NaN }] }, /worseThan: must be between -5e9 and 5e9/],
    ['a season without time', { task: Task.regression({ target: 'cnt' }) }, /monitoring.references\[0\]: needs a task with a timeColumn/],
    ['a name that cannot stand in keys', { modelName: 'bike demand' }, /modelName: must be letters, digits and hyphens/],
  ])('%s', (_, props, message) => expect(() => monitor(props)).toThrow(message));
});

import * as path from 'node:path';
import { App, Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import cdkJson from '../../../cdk.json';
import { METRICS, METRICS_NAMESPACE } from '../../../lib/operations/contract';
import { modelParameter, platformParameter } from '../../../lib/platform/contract';
import {
  Approval,
  FalseAlarms,
  Framework,
  Gate,
  GroupRule,
  MlOpsPlatform,
  type MlOpsPlatformProps,
  type ModelOptions,
  ModelRegistry,
  Monitoring,
  Retraining,
  RunTracker,
  Serving,
  Task,
  Training,
  Trigger,
  VersionRule,
  VersionStep,
} from 'cdk-mlops';

const bikes = (changes: Partial<ModelOptions> = {}): ModelOptions => ({
  task: Task.regression({ target: 'cnt', timeColumn: 'timestamp' }),
  training: Training.script({
    directory: path.join(__dirname, '../../../examples/bike-sharing/training'),
    entryPoint: 'train.py',
    framework: Framework.xgboost('3.0-5'),
  }),
  gate: Gate.beatsChampion({ metric: 'rmse' }),
  approval: Approval.automatic(),
  serving: Serving.serverless({ memory: Size.gibibytes(2), maxConcurrency: 5 }),
  monitoring: Monitoring.every(Duration.days(7)),
  retraining: Retraining.on([Trigger.quality({ metric: 'rmse', worseThan: 100 })], { cooldown: Duration.days(30) }),
  ...changes,
});

const platform = (props: MlOpsPlatformProps = {}, context: Record<string, unknown> = cdkJson.context) => {
  const stack = new Stack(new App({ context }), 'Stack');
  return { stack, platform: new MlOpsPlatform(stack, 'MlOps', props) };
};

/** What programs read, with references as `<LogicalId>`. */
const parameterOf = (stack: Stack, name: string) => {
  const found = Object.values(Template.fromStack(stack).findResources('AWS::SSM::Parameter')).find(({ Properties }) => Properties.Name === name);
  const value = found?.Properties.Value;
  const parts: unknown[] = typeof value === 'string' ? [value] : value['Fn::Join'][1];
  return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : '<reference>')).join(''));
};

describe('size', () => {
  const templateOf = (...names: string[]): object => {
    const { stack, platform: mlops } = platform();
    names.forEach((name) => mlops.addModel(name, bikes()));
    return Template.fromStack(stack).toJSON();
  };
  const [one, two] = [templateOf('BikeDemand'), templateOf('BikeDemand', 'ScooterDemand')];

  test('a platform with its first model stays within 120 resources, each further model within 40', () => {
    const [first, both] = [one, two].map((template) => Object.keys((template as { Resources: object }).Resources).length);
    expect(first).toBeLessThanOrEqual(120);
    expect(both - first).toBeLessThanOrEqual(40);
  });

  test('six models are within the 1 MB of a template, nine without indentation', () => {
    const bytesOf = (models: number, indentation: number): number => {
      const [first, both] = [one, two].map((template) => Buffer.byteLength(JSON.stringify(template, undefined, indentation)));
      return first + (models - 1) * (both - first);
    };
    expect(bytesOf(6, 1)).toBeLessThanOrEqual(1_000_000);
    expect(bytesOf(9, 0)).toBeLessThanOrEqual(1_000_000);
  });
});

describe('addModel', () => {
  test('answers a model whose parts are all there', () => {
    const { stack, platform: mlops } = platform();
    const model = mlops.addModel('BikeDemand', bikes());
    for (const part of [model.endpoint, model.monitor, model.pipeline, model.alarms, model.dashboard]) expect(part.node.scope).toBe(model);
    const service = new iam.Role(stack, 'Service', { assumedBy: new iam.AccountRootPrincipal() });
    model.endpoint.grantInvoke(service).assertSuccess();
    Template.fromStack(stack).resourceCountIs('AWS::StepFunctions::StateMachine', 2);
  });

  test('refuses a model with everything that is wrong in one message', () => {
    const wrong = bikes({
      gate: Gate.beatsChampion({ metric: 'f1' }),
      monitoring: Monitoring.every(Duration.days(14), { groups: [GroupRule.within('holiday', { metric: 'f1', bound: 0.1 })] }),
      retraining: Retraining.on([Trigger.quality({ metric: 'accuracy', worseThan: 0.9 })], { cooldown: Duration.days(1) }),
    });
    const add = () => platform().platform.addModel('Bike Demand', wrong);
    expect(add).toThrow("addModel('Bike Demand'): 4 problems");
    for (const part of ["got 'Bike Demand'", 'gate.metric: must be', "got 'accuracy'", 'monitoring.groups[0].metric']) expect(add).toThrow(part);
  });

  test('refuses a trigger on groups where no rule looks at groups', () => {
    const retraining = Retraining.on([Trigger.groups()], { cooldown: Duration.days(30) });
    const measured = Monitoring.every(Duration.days(7), { groups: [GroupRule.measured('holiday')] });
    const ruled = Monitoring.every(Duration.days(7), { groups: [GroupRule.within('holiday', { metric: 'rmse', bound: 20 })] });
    const add = (monitoring: Monitoring) => platform().platform.addModel('BikeDemand', bikes({ monitoring, retraining }));
    expect(() => add(measured)).toThrow('retraining.triggers[0]: needs a rule on groups, got Trigger.groups()');
    expect(add(ruled).alarms.alarms.map(({ node }) => node.id)).toContain('GroupGapDetected');
  });

  test('refuses rules on quality that may spend nothing of the accepted false alarms', () => {
    const falseAlarms = FalseAlarms.atMost(1, Duration.days(90), { drift: 0.75, quality: 0 });
    const add = () => platform().platform.addModel('BikeDemand', bikes({ monitoring: Monitoring.every(Duration.days(7), { falseAlarms }) }));
    expect(add).toThrow('monitoring.falseAlarms: must leave quality a share, since there are rules on it, got quality 0');
  });

  test('refuses a second model whose endpoint would have the name of the first', () => {
    const { platform: mlops } = platform();
    mlops.addModel('BikeDemand', bikes());
    expect(() => mlops.addModel('bikedemand', bikes())).toThrow('must differ from the other models in more than case');
  });

  test('takes a model that is served on instances and has no recording function', () => {
    const { stack, platform: mlops } = platform();
    const model = mlops.addModel('Churn', bikes({ serving: Serving.realTime({ instanceType: 'ml.m5.large' }) }));
    expect(model.endpoint.recorder).toBeUndefined();
    expect(parameterOf(stack, modelParameter('mlops', 'Churn'))).not.toHaveProperty('recorderFunction');
    expect(parameterOf(stack, modelParameter('mlops', 'Churn'))).toMatchObject({ servingKind: 'REAL_TIME' });
  });

  test('draws what SageMaker counts where no function counts predictions', () => {
    const { stack, platform: mlops } = platform();
    mlops.addModel('Churn', bikes({ serving: Serving.realTime({ instanceType: 'ml.m5.large' }) }));
    const [dashboard] = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'));
    const body = JSON.stringify(dashboard.Properties.DashboardBody).replaceAll('\\', '');
    expect(body).toContain('"AWS/SageMaker","Invocations"');
    expect(body).not.toContain(`"${METRICS_NAMESPACE}","${METRICS.predictions}"`);
  });
});

describe('programs find', () => {
  test('the platform', () => {
    const { stack } = platform({ platformName: 'team-a' });
    const found = parameterOf(stack, platformParameter('team-a'));
    expect(found.platform).toBe('team-a');
    const buckets = ['artifactsBucket', 'dataBucket', 'predictionsBucket', 'reportsBucket'];
    const tables = ['governorTable', 'historyTable', 'registryTable', 'runsTable'];
    const others = ['apiUrl', 'busName', 'platform', 'registryWriterFunction', 'searchTable', 'tokenKeyArn'];
    expect(Object.keys(found).sort()).toEqual([...buckets, ...tables, ...others].sort());
  });

  test('no API where it was left out, and nothing of it', () => {
    const { stack, platform: mlops } = platform({ api: false });
    expect(mlops.api).toBeUndefined();
    const template = Template.fromStack(stack);
    for (const type of ['Api', 'Route', 'Stage']) template.resourceCountIs(`AWS::ApiGatewayV2::${type}`, 0);
    const found = parameterOf(stack, platformParameter('mlops'));
    expect([found.apiUrl, found.tokenKeyArn]).toEqual([undefined, undefined]);
  });

  test('each model', () => {
    const { stack, platform: mlops } = platform();
    mlops.addModel('BikeDemand', bikes());
    expect(parameterOf(stack, modelParameter('mlops', 'BikeDemand'))).toEqual({
      model: 'BikeDemand',
      endpointName: 'mlops-bikedemand',
      servingKind: 'SERVERLESS',
      recorderFunction: '<reference>',
      monitorStateMachineArn: '<reference>',
      stateMachineArn: '<reference>',
    });
  });
});

describe('platform', () => {
  test('refuses a name that keys and parameters could not carry', () => {
    const make = () => platform({ platformName: 'team a' });
    expect(make).toThrow("platformName: must be letters, digits and hyphens, first a letter, at most 32, got 'team a'");
  });

  test('uses what it is given instead of making it', () => {
    const stack = new Stack(new App({ context: cdkJson.context }), 'Stack');
    const tracker = RunTracker.fromTableName(stack, 'Tracker', 'runs-of-the-company');
    const mlops = new MlOpsPlatform(stack, 'MlOps', { tracker });
    mlops.addModel('BikeDemand', bikes());
    Template.fromStack(stack).resourceCountIs('AWS::DynamoDB::GlobalTable', 3);
    expect(parameterOf(stack, platformParameter('mlops')).runsTable).toBe('runs-of-the-company');
  });

  test('hands its removal policy to everything that holds data', () => {
    const { stack } = platform({ removalPolicy: RemovalPolicy.DESTROY });
    const template = Template.fromStack(stack);
    for (const type of ['AWS::DynamoDB::GlobalTable', 'AWS::S3::Bucket', 'AWS::KMS::Key']) {
      for (const resource of Object.values(template.findResources(type))) expect(resource.DeletionPolicy).toBe('Delete');
    }
  });

  test('synthesizes in an app that sets no feature flags', () => {
    const { stack, platform: mlops } = platform({}, {});
    mlops.addModel('BikeDemand', bikes());
    Template.fromStack(stack).resourceCountIs('AWS::StepFunctions::StateMachine', 2);
  });
});

test('labels that come as events are recorded for the models of the platform, and for no other', () => {
  const { stack, platform: mlops } = platform();
  mlops.addModel('BikeDemand', bikes());
  const template = Template.fromStack(stack);
  template.hasResourceProperties('AWS::Lambda::Function', {
    Description: 'Records labels that come as events',
    Environment: { Variables: Match.objectLike({ MLOPS_PLATFORM: 'mlops', MLOPS_LABEL_MODELS: '["BikeDemand"]' }) },
  });
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: { source: ['cdk-mlops'], 'detail-type': ['Labels Observed'], detail: { platform: ['mlops'] } },
  });
  const [role] = Object.entries(template.findResources('AWS::IAM::Role')).filter(([id]) => id.includes('LabelsFunctionRole'));
  const objects = JSON.stringify(role).match(/"\/labels\/[^"]*"/g);
  expect(objects).toEqual(['"/labels/BikeDemand/*"']);
});

test('a registry with locked copies is watched: what could not be copied has an alarm', () => {
  const stack = new Stack(new App(), 'Locked');
  const registry = new ModelRegistry(stack, 'Registry', { historyLock: Duration.days(365) });
  new MlOpsPlatform(stack, 'Platform', { registry });
  const alarms = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm')).map((alarm) => JSON.stringify(alarm));
  expect(alarms.filter((alarm) => alarm.includes('RegistryLock'))).toHaveLength(1);
});

test('rules that no version could meet are refused with the model, others reach the pipeline with the owner', () => {
  const { stack, platform: made } = platform();
  const twoPersons = [VersionRule.twoPersons(VersionStep.APPROVED)];
  expect(() => made.addModel('Bikes', bikes({ registryRules: twoPersons }))).toThrow(/registryRules: no two persons take part/);
  made.addModel('Bikes', bikes({ owner: 'team-a', registryRules: [VersionRule.evidence(VersionStep.PRODUCTION)] }));
  const functions = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function')).map((one) => JSON.stringify(one));
  const told = functions.filter((one) => one.includes('team-a') && one.includes('registryRules'));
  expect(told.length).toBeGreaterThan(0);
});

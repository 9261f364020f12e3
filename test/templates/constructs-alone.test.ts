import { App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { EventBus } from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { CHINA, CONSTRUCTS, daily, ENV, names, newStack, options, owned, publicConstructs, synthesizeAll, task } from './alone';
import type { Resource, SynthesizedTemplate } from './alone';
import {
  ArtifactStore,
  DriftReference,
  Framework,
  Gate,
  Holdout,
  MlOpsPlatform,
  ModelAlarms,
  ModelEndpoint,
  ModelMonitor,
  ModelRegistry,
  Monitoring,
  RetrainGovernor,
  Retraining,
  RunTracker,
  Serving,
  Task,
  Training,
  TrainingPipeline,
  Trigger,
} from 'cdk-mlops';

const typesOf = (template: SynthesizedTemplate): string[] => [...new Set(Object.values(template.Resources).map(({ Type }) => Type))].sort();
const ofType = (template: SynthesizedTemplate, type: string): Resource[] => Object.values(template.Resources).filter(({ Type }) => Type === type);

const STATEFUL = ['AWS::S3::Bucket', 'AWS::DynamoDB::GlobalTable', 'AWS::KMS::Key'];

let agnostic: Record<string, SynthesizedTemplate>;
let withoutFlags: Record<string, SynthesizedTemplate>;
let china: Record<string, SynthesizedTemplate>;
let ireland: Record<string, SynthesizedTemplate>;

beforeAll(() => {
  agnostic = synthesizeAll(true);
  withoutFlags = synthesizeAll(false);
  china = synthesizeAll(true, CHINA);
  ireland = synthesizeAll(false, ENV);
});

test('every public construct is among those that are tried alone', () => {
  const tried = Object.keys(CONSTRUCTS).join(' ').replace('ServerlessEndpoint', 'ModelEndpoint').split(' ');
  expect(publicConstructs().length).toBeGreaterThan(9);
  expect(tried).toEqual(expect.arrayContaining(publicConstructs()));
});

describe.each(Object.keys(CONSTRUCTS))('%s alone in a stack', (name) => {
  test('has the same resources with and without feature flags, in any region', () => {
    const typesWithFlags = typesOf(agnostic[name]);
    for (const templates of [withoutFlags, china, ireland]) expect(typesOf(templates[name])).toEqual(typesWithFlags);
  });

  test('names no partition that is not the stack\'s own', () => {
    const text = [agnostic, withoutFlags].map((templates) => JSON.stringify(templates[name])).join();
    expect(text).not.toMatch(/arn:aws[a-z-]*:/);
    expect(JSON.stringify(ireland[name])).not.toMatch(/arn:aws-/);
    expect(JSON.stringify(china[name])).not.toMatch(/arn:aws:|[^a-z]aws\.amazon\.com/);
  });

  test('keeps whatever holds data', () => {
    const stateful = Object.entries(withoutFlags[name].Resources).filter(([, { Type }]) => STATEFUL.includes(Type));
    const leaving = stateful.filter(([, { DeletionPolicy }]) => DeletionPolicy !== 'Retain').map(([id]) => id);
    // The index of words is made from the records at any time; a key of tokens that last hours signs nothing once its API is gone.
    expect(leaving.filter((id) => !/SearchWords|ApiTokenKey/.test(id))).toEqual([]);
  });
});

describe('only what a construct needs is made', () => {
  test.each([
    ['ImportedStore', []],
    ['ModelRegistry', ['AWS::DynamoDB::GlobalTable', 'AWS::IAM::Role', 'AWS::Lambda::Function', 'AWS::Logs::LogGroup']],
    ['RunTracker', ['AWS::DynamoDB::GlobalTable']],
    ['ModelAlarms', ['AWS::CloudWatch::Alarm']],
    ['ModelDashboard', ['AWS::CloudWatch::Dashboard']],
    ['ArtifactStore', ['AWS::KMS::Key', 'AWS::S3::Bucket', 'AWS::S3::BucketPolicy']],
  ])('%s: %j', (name, types) => expect(typesOf(agnostic[name])).toEqual(types));

  test.each(['ServerlessEndpoint', 'RealTimeEndpoint', 'ModelMonitor', 'TrainingPipeline'])('%s uses what it is given and holds no data', (name) => {
    expect(typesOf(agnostic[name]).filter((type) => STATEFUL.includes(type) || type === 'AWS::Events::EventBus')).toEqual([]);
    expect(JSON.stringify(agnostic[name])).toContain('own-');
  });

  test('an endpoint on instances needs no recorder, a serverless one does', () => {
    expect(typesOf(agnostic.ServerlessEndpoint)).toContain('AWS::KinesisFirehose::DeliveryStream');
    expect(typesOf(agnostic.RealTimeEndpoint)).not.toContain('AWS::KinesisFirehose::DeliveryStream');
  });

  test('a governor on an imported bus puts its rules and its archive on that bus', () => {
    const template = agnostic.GovernorOnImportedBus;
    expect(typesOf(template)).not.toContain('AWS::Events::EventBus');
    expect(ofType(template, 'AWS::Events::Rule').map(({ Properties }) => Properties.EventBusName)).toEqual(['own-bus']);
    expect(JSON.stringify(ofType(template, 'AWS::Events::Archive'))).toContain('event-bus/own-bus');
  });
});

test('the dashboard links the console of its partition', () => {
  expect(JSON.stringify(china.ModelDashboard)).toContain('.console.amazonaws.cn/states');
  expect(JSON.stringify(ireland.ModelDashboard)).toContain('eu-west-1.console.aws.amazon.com/states');
});

describe('imported buckets', () => {
  const access = (make: (stack: Stack) => { store: ArtifactStore }): string => {
    const stack = newStack(ENV);
    const { store } = make(stack);
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('sagemaker.amazonaws.com') });
    store.grantWriteArtifacts(role, 'runs/').assertSuccess();
    return JSON.stringify(Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy')).map(({ Properties }) => Properties));
  };

  test('are written with the store\'s own key where none is given: SageMaker encrypts models with it', () => {
    const policies = access((stack) => {
      const artifactsBucket = s3.Bucket.fromBucketName(stack, 'B', 'lake');
      return { store: new ArtifactStore(stack, 'Store', { artifactsBucket }) };
    });
    expect(policies).toMatch(/"kms:GenerateDataKey".*"StoreKey[A-Z0-9]+"/);
  });

  test('are read and written with their own key beside the store\'s', () => {
    const policies = access((stack) => {
      const { encryptionKey } = owned(stack).store;
      const artifactsBucket = s3.Bucket.fromBucketAttributes(stack, 'B', { bucketName: 'lake', encryptionKey });
      return { store: new ArtifactStore(stack, 'Store', { artifactsBucket }) };
    });
    expect(policies).toContain('key/own');
    expect(policies).toMatch(/"StoreKey[A-Z0-9]+"/);
  });
});

describe('side by side in one stack', () => {
  test('two platforms of two models each have names and ids of their own', () => {
    const stack = newStack();
    for (const platformName of ['team-a', 'team-b']) {
      const platform = new MlOpsPlatform(stack, platformName, { platformName });
      platform.addModel('Demand', options());
      platform.addModel('Churn', options({ serving: Serving.realTime({ instanceType: 'ml.m5.large' }) }));
    }
    const resources = Object.values(Template.fromStack(stack).toJSON().Resources as Record<string, Resource>);
    const named = ['ParameterName', 'LogGroupName', 'Name', 'EndpointName'].flatMap((property) =>
      resources.flatMap(({ Type, Properties }) => (typeof Properties?.[property] === 'string' ? [`${Type} ${Properties[property]}`] : [])),
    );
    expect(new Set(named).size).toBe(named.length);
    expect(named).toContain('Custom::MlOpsEndpointRemoval team-b-churn');
  });

  test('a platform uses a store of another stack', () => {
    const app = new App();
    const store = new ArtifactStore(new Stack(app, 'Data'), 'Store');
    const stack = new Stack(app, 'Loop');
    new MlOpsPlatform(stack, 'MlOps', { store }).addModel('Demand', options());
    Template.fromStack(stack).resourceCountIs('AWS::S3::Bucket', 0);
  });

  test('a second platform of the same name is refused, naming the first', () => {
    const stack = newStack();
    new MlOpsPlatform(stack, 'One');
    expect(() => new MlOpsPlatform(stack, 'Two')).toThrow(/platformName: is the name of Stack\/One already, got 'mlops'; choose another/);
  });

  test('an endpoint whose name another one has is refused, also where platform and model differ', () => {
    const stack = newStack();
    const { store } = owned(stack);
    const make = (platformName: string, modelName: string) =>
      new ModelEndpoint(stack, `${platformName}/${modelName}`, { platformName, modelName, serving: Serving.serverless(), store });
    make('team', 'a-b');
    expect(() => make('team-a', 'b')).toThrow(/modelName: .* the endpoint the name 'team-a-b', which Stack\/team--a-b has, got 'b'; choose another/);
  });

  test('a second model of the same name is refused by platform and governor', () => {
    const stack = newStack();
    const platform = new MlOpsPlatform(stack, 'MlOps');
    platform.addModel('Demand', options());
    expect(() => platform.addModel('Demand', options())).toThrow(/addModel\('Demand'\): modelName: must differ from the other models/);
    const stateMachine = sfn.StateMachine.fromStateMachineName(stack, 'Machine', 'own');
    const add = () => platform.governor.addModel({ modelName: 'Demand', stateMachine, retraining: options().retraining });
    expect(add).toThrow(/modelName: is governed already, got 'Demand'; add each model once/);
  });
});

describe('each construct by itself refuses', () => {
  const stateMachine = (stack: Stack) => sfn.StateMachine.fromStateMachineName(stack, 'Machine', 'own');
  const governed = (changes: object) => {
    const stack = newStack();
    const governor = new RetrainGovernor(stack, 'Governor', { platformName: 'mlops' });
    governor.addModel({ modelName: 'Demand', stateMachine: stateMachine(stack), retraining: options().retraining, ...changes });
  };
  const monitored = (changes: object) => {
    const stack = newStack();
    return new ModelMonitor(stack, 'Monitor', { ...names, ...owned(stack), task, endpointName: 'mlops-demand', monitoring: daily, ...changes });
  };
  const piped = (changes: object) => {
    const stack = newStack();
    const { training, approval } = options();
    const parts = owned(stack);
    const endpoint = new ModelEndpoint(stack, 'Endpoint', { ...names, serving: Serving.serverless(), store: parts.store });
    const monitor = new ModelMonitor(stack, 'Monitor', { ...names, ...parts, task, endpointName: 'e', monitoring: daily });
    return new TrainingPipeline(stack, 'Pipeline', { ...names, ...parts, task, training, approval, endpoint, monitor, ...changes });
  };
  const seasonal = Monitoring.every(Duration.days(7), { references: [DriftReference.sameSeason()] });
  const timeless = Task.regression({ target: 'cnt' });
  const days = Training.script({ ...trainingOptions(), holdout: Holdout.lastDays(7) });

  test.each<[string, () => unknown, RegExp]>([
    ['a monitor of a model without a valid name', () => monitored({ modelName: '1st' }), /ModelMonitor .*modelName: must be letters.*got '1st'/],
    ['a bound on a metric that the task has not', () => monitored({ qualityRules: [{ metric: 'auc', worseThan: 1 }] }), /metric of the task.*'auc'/],
    ['a season without time', () => monitored({ task: timeless, monitoring: seasonal }), /monitoring\.references\[0\]: needs a task with/],
    ['a pipeline of a platform without a valid name', () => piped({ platformName: 'a b' }), /TrainingPipeline .*platformName: must be .*got 'a b'/],
    ['a gate on a metric that the task has not', () => piped({ gate: Gate.beatsChampion({ metric: 'f1' }) }), /gate\.metric: must be .*got 'f1'/],
    ['a holdout of days without time', () => piped({ task: timeless, training: days }), /training\.holdout: a holdout of days needs the time/],
    ['a governor without a valid name', () => new RetrainGovernor(newStack(), 'G', { platformName: '' }), /platformName: must be letters/],
    [
      'a governor on the default bus',
      () => {
        const stack = newStack();
        return new RetrainGovernor(stack, 'G', { platformName: 'mlops', bus: EventBus.fromEventBusName(stack, 'Bus', 'default') });
      },
      /bus: must be a bus of its own, not the default one/,
    ],
    ['a governed model without a valid name', () => governed({ modelName: 'a_b' }), /RetrainGovernor .*modelName: must be letters.*got 'a_b'/],
    [
      'a trigger on a metric that no task has',
      () => governed({ retraining: Retraining.on([Trigger.quality({ metric: 'rsme', worseThan: 1 })], { cooldown: Duration.days(1) }) }),
      /retraining\.triggers\[0\]\.metric: must be a metric of some task \(rmse, .*got 'rsme'/,
    ],
    [
      'a silence that CloudWatch cannot see',
      () => {
        const stack = newStack();
        return new ModelAlarms(stack, 'Alarms', { ...names, monitor: stateMachine(stack), monitorSilence: Duration.days(10) });
      },
      /ModelAlarms .*monitorSilence: must be between 1 and 168, got 240; count in hours/,
    ],
    [
      'a model whose monitor compares seasons without time, with everything else that is wrong',
      () => new MlOpsPlatform(newStack(), 'MlOps').addModel('a b', options({ task: timeless, monitoring: seasonal })),
      /addModel\('a b'\): 2 problems[\s\S]*modelName: [\s\S]*monitoring\.references\[0\]: needs a task with a timeColumn/,
    ],
  ])('%s', (_, make, message) => expect(make).toThrow(message));
});

describe('grants', () => {
  const handler = (stack: Stack) =>
    new lambda.Function(stack, 'Handler', {
      code: lambda.Code.fromInline('exports.handler = async () => {}'),
      handler: 'index.handler',
      runtime: lambda.Runtime.NODEJS_24_X,
    });

  test('on made and imported stores answer a grant and tell a function where to look', () => {
    const stack = newStack();
    const fn = handler(stack);
    const { store, registry, tracker } = owned(stack);
    const governor = new RetrainGovernor(stack, 'Governor', { platformName: 'mlops' });
    const made = [new ModelRegistry(stack, 'Registry').grantRead(fn), new RunTracker(stack, 'Runs').grantRead(fn)];
    const imported = [registry.grantReadWrite(fn), tracker.grantReadWrite(fn), store.grantReadData(fn, 'datasets/'), governor.grantControl(fn)];
    for (const grant of [...made, ...imported]) expect(grant.success).toBe(true);
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
      Handler: 'index.handler',
      Environment: {
        Variables: {
          MLOPS_REGISTRY_TABLE: 'own-registry',
          MLOPS_HISTORY_TABLE: 'own-history',
          MLOPS_REGISTRY_WRITER: 'own-writer',
          MLOPS_RUNS_TABLE: 'own-runs',
          MLOPS_DATA_BUCKET: 'own-lake',
        },
      },
    });
  });

  test('to principals without a policy of this stack fail where nobody would be told', () => {
    const stack = newStack();
    const { registry } = owned(stack);
    const service = new iam.ServicePrincipal('lambda.amazonaws.com');
    expect(registry.grantRead({ grantPrincipal: service }).success).toBe(false);
  });
});

test('metrics of governor, pipeline and monitor carry the dimensions that the functions publish', () => {
  const stack = newStack();
  const model = new MlOpsPlatform(stack, 'MlOps').addModel('Demand', options());
  const { governor } = stack.node.findChild('MlOps') as MlOpsPlatform;
  const metrics = [
    governor.metricStarted('Demand'),
    governor.metricHeldBack('Demand', { period: Duration.hours(1) }),
    model.pipeline.metricSucceeded(),
    model.pipeline.metricRejected(),
    model.pipeline.metricFailed(),
    model.monitor.metricDriftScore(),
    model.endpoint.metricPredictions(),
  ];
  expect(metrics.map(({ metricName }) => metricName)).toEqual([
    ...['RetrainStarted', 'RetrainHeldBack', 'PipelineSucceeded', 'CandidateRejected', 'PipelineFailed', 'DriftScore', 'Predictions'],
  ]);
  for (const metric of metrics) expect(metric.dimensions).toEqual({ service: 'mlops', Model: 'Demand' });
  expect(metrics[1].period.toHours()).toBe(1);
});

function trainingOptions() {
  return { directory: `${__dirname}/../../examples/bike-sharing/training`, entryPoint: 'train.py', framework: Framework.xgboost('3.0-5') };
}

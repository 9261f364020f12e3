import * as path from 'node:path';
import { App, Duration, type Environment, Stack } from 'aws-cdk-lib';
import { EventBus, type IEventBus } from 'aws-cdk-lib/aws-events';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import cdkJson from '../../cdk.json';
import * as library from 'cdk-mlops';
import {
  Approval,
  ArtifactStore,
  Framework,
  Gate,
  MlModel,
  MlOpsPlatform,
  ModelAlarms,
  ModelDashboard,
  ModelEndpoint,
  ModelMonitor,
  type ModelOptions,
  MlflowApi,
  ModelRegistry,
  Monitoring,
  PlatformAlarms,
  RetrainGovernor,
  Retraining,
  RunTracker,
  SearchIndex,
  Serving,
  Task,
  Training,
  TrainingPipeline,
  Trigger,
} from 'cdk-mlops';

export const ENV = { account: '111122223333', region: 'eu-west-1' };
export const CHINA = { account: '111122223333', region: 'cn-north-1' };
export const names = { platformName: 'mlops', modelName: 'Demand' };
export const task = Task.regression({ target: 'cnt', timeColumn: 'timestamp' });
export const daily = Monitoring.every(Duration.days(1));

const training = Training.script({
  directory: path.join(__dirname, '../../examples/bike-sharing/training'),
  entryPoint: 'train.py',
  framework: Framework.xgboost('3.0-5'),
});

export const options = (changes: Partial<ModelOptions> = {}): ModelOptions => ({
  task,
  training,
  gate: Gate.beatsChampion({ metric: 'rmse' }),
  approval: Approval.automatic(),
  serving: Serving.serverless(),
  monitoring: daily,
  retraining: Retraining.on([Trigger.quality({ metric: 'rmse', worseThan: 100 })], { cooldown: Duration.days(30) }),
  ...changes,
});

/** What somebody who uses one construct already owns, made elsewhere. */
export const owned = (stack: Stack) => {
  const encryptionKey = kms.Key.fromKeyArn(stack, 'OwnKey', stack.formatArn({ service: 'kms', resource: 'key', resourceName: 'own' }));
  const [artifactsBucket, dataBucket, predictionsBucket, reportsBucket] = ['models', 'lake', 'requests', 'reports'].map((name) =>
    s3.Bucket.fromBucketName(stack, `Own-${name}`, `own-${name}`),
  );
  return {
    store: new ArtifactStore(stack, 'OwnStore', { encryptionKey, artifactsBucket, dataBucket, predictionsBucket, reportsBucket }),
    registry: ModelRegistry.fromTableNames(stack, 'OwnRegistry', 'own-registry', 'own-history', 'own-writer'),
    tracker: RunTracker.fromTableName(stack, 'OwnTracker', 'own-runs'),
    bus: EventBus.fromEventBusName(stack, 'OwnBus', 'own-bus') as IEventBus,
  };
};

const endpoint = (stack: Stack, serving: Serving): ModelEndpoint =>
  new ModelEndpoint(stack, 'Endpoint', { ...names, serving, store: owned(stack).store });

const monitor = (stack: Stack, parts = owned(stack)): ModelMonitor =>
  new ModelMonitor(stack, 'Monitor', { ...names, ...parts, task, endpointName: 'mlops-demand', monitoring: daily });

/** Every public construct by itself, with only what it asks for; what it is given is imported where that is possible. */
export const CONSTRUCTS: Readonly<Record<string, (stack: Stack) => unknown>> = {
  ArtifactStore: (stack) => new ArtifactStore(stack, 'Store'),
  ImportedStore: (stack) => owned(stack).store,
  ModelRegistry: (stack) => new ModelRegistry(stack, 'Registry'),
  RunTracker: (stack) => new RunTracker(stack, 'Tracker'),
  SearchIndex: (stack) =>
    new SearchIndex(stack, 'Search', { registry: new ModelRegistry(stack, 'Registry'), tracker: new RunTracker(stack, 'Tracker') }),
  MlflowApi: (stack) => {
    const { store, registry, tracker } = owned(stack);
    return new MlflowApi(stack, 'Api', { platformName: 'mlops', store, registry, tracker });
  },
  ServerlessEndpoint: (stack) => endpoint(stack, Serving.serverless()),
  RealTimeEndpoint: (stack) => endpoint(stack, Serving.realTime({ instanceType: 'ml.m5.large' })),
  ModelMonitor: (stack) => monitor(stack),
  TrainingPipeline: (stack) => {
    const parts = owned(stack);
    const { modelName, platformName } = names;
    return new TrainingPipeline(stack, 'Pipeline', {
      ...parts,
      modelName,
      platformName,
      task,
      training,
      approval: Approval.automatic(),
      endpoint: new ModelEndpoint(stack, 'Endpoint', { ...names, serving: Serving.serverless(), store: parts.store }),
      monitor: monitor(stack, parts),
    });
  },
  RetrainGovernor: (stack) => {
    const governor = new RetrainGovernor(stack, 'Governor', { platformName: 'mlops' });
    governor.addModel({
      modelName: 'Demand',
      stateMachine: sfn.StateMachine.fromStateMachineName(stack, 'OwnMachine', 'own-machine'),
      retraining: options().retraining,
    });
    return governor;
  },
  GovernorOnImportedBus: (stack) => new RetrainGovernor(stack, 'Governor', { platformName: 'mlops', bus: owned(stack).bus }),
  MlModel: (stack) => {
    const { bus, ...parts } = owned(stack);
    const governor = new RetrainGovernor(stack, 'Governor', { platformName: 'mlops', bus });
    return new MlModel(stack, 'Demand', { ...names, ...parts, governor, ...options() });
  },
  ModelAlarms: (stack) =>
    new ModelAlarms(stack, 'Alarms', { ...names, monitor: sfn.StateMachine.fromStateMachineName(stack, 'OwnMonitor', 'own-monitor') }),
  PlatformAlarms: (stack) => new PlatformAlarms(stack, 'Alarms', { governor: new RetrainGovernor(stack, 'Governor', { platformName: 'mlops' }) }),
  ModelDashboard: (stack) => {
    const stateMachine = sfn.StateMachine.fromStateMachineName(stack, 'OwnMachine', 'own-machine');
    return new ModelDashboard(stack, 'Dashboard', { ...names, qualityMetrics: ['rmse'], stateMachine });
  },
  MlOpsPlatform: (stack) => new MlOpsPlatform(stack, 'MlOps').addModel('Demand', options()),
};

/** Names of all constructs that the package exports. */
export const publicConstructs = (): string[] =>
  Object.entries(library as Record<string, unknown>).flatMap(([name, value]) => {
    for (let type = value; typeof type === 'function'; type = Object.getPrototypeOf(type)) if (type === Construct) return [name];
    return [];
  });

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
}

export interface SynthesizedTemplate {
  readonly Resources: Record<string, Resource>;
}

const contextOf = (flags: boolean): Record<string, unknown> => (flags ? cdkJson.context : {});

/** One app with a stack per construct, synthesized once: what is wrong in one of them fails all, with its path. */
export const synthesizeAll = (flags: boolean, env?: Environment): Record<string, SynthesizedTemplate> => {
  const app = new App({ context: contextOf(flags), analyticsReporting: false });
  for (const [name, make] of Object.entries(CONSTRUCTS)) make(new Stack(app, name, { env }));
  const assembly = app.synth();
  // A stack in which everything is imported has no resources at all.
  const templateOf = (name: string): SynthesizedTemplate => ({ Resources: {}, ...assembly.getStackByName(name).template });
  return Object.fromEntries(Object.keys(CONSTRUCTS).map((name) => [name, templateOf(name)]));
};

export const newStack = (env?: Environment): Stack => new Stack(new App({ context: contextOf(true) }), 'Stack', { env });

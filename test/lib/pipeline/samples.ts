import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { App, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { ArtifactStore } from '../../../lib/artifacts/artifact-store';
import { Task } from '../../../lib/common/task';
import { ModelMonitor } from '../../../lib/monitoring/model-monitor';
import { Monitoring } from '../../../lib/monitoring/monitoring';
import { Approval } from '../../../lib/pipeline/approval/approval';
import { RETRYABLE_ERRORS } from '../../../lib/pipeline/contract';
import { Framework } from '../../../lib/pipeline/framework';
import { Training } from '../../../lib/pipeline/training';
import { TrainingPipeline } from '../../../lib/pipeline/training-pipeline';
import type { TrainingPipelineProps } from '../../../lib/pipeline/training-pipeline-props';
import { ModelRegistry } from '../../../lib/registry/model-registry';
import { ModelEndpoint } from '../../../lib/serving/model-endpoint';
import { Serving } from '../../../lib/serving/serving';
import { RunTracker } from '../../../lib/tracking/run-tracker';

export const ENV = { account: '111122223333', region: 'eu-west-1' };

const made: string[] = [];
process.on('exit', () => made.forEach((directory) => fs.rmSync(directory, { recursive: true, force: true })));

/** A directory that is gone when the process ends. */
export const directoryWith = (files: Readonly<Record<string, string>>): string => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mlops-test-code-'));
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    fs.writeFileSync(path.join(directory, name), text);
  }
  made.push(directory);
  return directory;
};

const CODE = directoryWith({ 'train.py': 'print(1)\n' });

export const scriptTraining = (): Training =>
  Training.script({ directory: CODE, entryPoint: 'train.py', framework: Framework.xgboost('3.0-5'), hyperparameters: { rounds: '10' } });

export interface Sample {
  readonly stack: Stack;
  readonly endpoint: ModelEndpoint;
  readonly pipeline: TrainingPipeline;
}

export interface SampleOptions extends Partial<
  Pick<
    TrainingPipelineProps,
    'task' | 'training' | 'gate' | 'approval' | 'steps' | 'modelName' | 'platformName' | 'instancePrices' | 'permutationImportance'
  >
> {
  readonly serving?: Serving;
  readonly stackProps?: StackProps;
  /** What needs the stack. */
  readonly within?: (stack: Stack) => Partial<Pick<TrainingPipelineProps, 'training' | 'steps'>>;
}

/** A pipeline with all that it needs. */
export const samplePipeline = (options: SampleOptions = {}): Sample => {
  const stack = new Stack(new App(), 'Stack', options.stackProps ?? { env: ENV });
  const modelName = options.modelName ?? 'Demand';
  const platformName = options.platformName ?? 'mlops';
  const store = new ArtifactStore(stack, 'Store');
  const registry = new ModelRegistry(stack, 'Registry');
  const tracker = new RunTracker(stack, 'Tracker');
  const bus = new EventBus(stack, 'Bus');
  const task = options.task ?? Task.regression({ target: 'cnt', timeColumn: 'timestamp' });
  const endpoint = new ModelEndpoint(stack, 'Endpoint', { modelName, platformName, serving: options.serving ?? Serving.serverless(), store });
  const monitor = new ModelMonitor(stack, 'Monitor', {
    modelName,
    platformName,
    task,
    endpointName: endpoint.endpointName,
    monitoring: Monitoring.every(Duration.days(7)),
    store,
    registry,
    bus,
  });
  const pipeline = new TrainingPipeline(stack, 'Pipeline', {
    modelName,
    platformName,
    task,
    training: options.training ?? scriptTraining(),
    gate: options.gate,
    permutationImportance: options.permutationImportance,
    steps: options.steps,
    instancePrices: options.instancePrices,
    ...options.within?.(stack),
    approval: 'approval' in options ? options.approval : Approval.automatic(),
    endpoint,
    monitor,
    store,
    registry,
    tracker,
    bus,
  });
  return { stack, endpoint, pipeline };
};

export interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly TimeoutSeconds?: number;
  readonly Retry?: {
    readonly ErrorEquals: string[];
    readonly JitterStrategy: string;
    readonly MaxDelaySeconds?: number;
    readonly MaxAttempts: number;
  }[];
  readonly Catch?: unknown;
  readonly Parameters?: Record<string, unknown>;
  readonly Branches?: { readonly States: Record<string, State> }[];
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: { readonly Next: string }[];
}

/** The machine's definition, each token replaced by an ARN. */
export const definitionOf = (stack: Stack): { readonly TimeoutSeconds: number; readonly States: Record<string, State> } => {
  const named = Object.entries(Template.fromStack(stack).findResources('AWS::StepFunctions::StateMachine'));
  const [, machine] = named.find(([id]) => !id.startsWith('Monitor'))!;
  const parts = machine.Properties.DefinitionString['Fn::Join'][1] as unknown[];
  return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : tokenText(part))).join('')) as never;
};

const tokenText = (part: unknown): string => {
  if (JSON.stringify(part).includes('AWS::Partition')) return 'aws';
  return JSON.stringify(part).includes('AWS::') ? 'x' : 'arn:aws:lambda:eu-west-1:111122223333:function:x';
};

/** All states, those of branches included. */
export const statesOf = (states: Record<string, State>): [string, State][] =>
  Object.entries(states).flatMap(([name, state]) => [
    [name, state] as [string, State],
    ...(state.Branches ?? []).flatMap(({ States }) => statesOf(States)),
  ]);

/** What passes is tried again with jitter for a bounded time; requests to SageMaker also where an error has no name of its own, a few times. */
export const expectBoundedRetries = (retry: State['Retry']): void => {
  const [named, unnamed, ...others] = retry ?? [];
  expect(named).toMatchObject({ ErrorEquals: [...RETRYABLE_ERRORS], JitterStrategy: 'FULL', MaxAttempts: 8, MaxDelaySeconds: 300 });
  if (unnamed) {
    const errors = ['SageMaker.AmazonSageMakerException', 'SageMaker.SageMakerException'];
    expect(unnamed).toMatchObject({ ErrorEquals: errors, JitterStrategy: 'FULL', MaxAttempts: 4 });
  }
  expect(others).toEqual([]);
};

import path from 'node:path';
import { type App, Duration, Size, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { projectRoot } from '../integration/harness';
import {
  Approval,
  Deployment,
  Framework,
  Gate,
  JobImage,
  MlOpsPlatform,
  Monitoring,
  ParameterRange,
  PipelineSteps,
  ProcessingStep,
  Retraining,
  RunData,
  Serving,
  StandardStep,
  Task,
  Training,
  Trigger,
  Tuning,
} from 'cdk-mlops';

const directory = path.join(projectRoot, 'test/faults/training');
const framework = Framework.scikitLearn('1.4-2');

/** Models that train in a moment. Each lane of the matrix breaks its own, so that lanes can run side by side. */
export interface FaultyModels {
  readonly standard?: readonly string[];
  /** With a processing step before a tuning. */
  readonly tuned?: readonly string[];
  /** A person approves their versions. */
  readonly asked?: readonly string[];
  /** The same, and the person has `EXPIRY_SECONDS` for it. */
  readonly expiring?: readonly string[];
  /** On instances, released by a canary. */
  readonly instances?: readonly string[];
}

export const EXPIRY_SECONDS = 10;

/** Whose sessions approve. */
export const reviewerOf = (platformName: string): string => `${platformName}-reviewer`;

/** Shorter than an app may state; all else is what the app would make of it. */
const expiresSoon = (approval: Approval): Approval => {
  const spec = { ...approval._toSpec(), expirySeconds: EXPIRY_SECONDS, reminderSeconds: EXPIRY_SECONDS / 2 };
  return Object.assign(approval, { _toSpec: () => spec });
};

export const faultsApp =
  (stackName: string, platformName: string, models: FaultyModels) =>
  (app: App): void => {
    // So many models in one stack are more text than a template may be with indentation.
    const stack = new Stack(app, stackName, { suppressTemplateIndentation: true });
    const platform = new MlOpsPlatform(stack, 'MlOps', { platformName, api: false });
    const training = Training.script({
      ...{ directory, entryPoint: 'train.py', framework },
      metricDefinitions: [{ name: 'train:rmse', regex: 'train rmse: ([0-9.]+)' }],
    });
    const common = {
      task: Task.regression({ target: 'y', timeColumn: 'timestamp' }),
      // Each run makes the same model: one that is as good as the champion has to pass.
      gate: Gate.notWorseThanChampion({ metric: 'rmse', margin: 0.05 }),
      approval: Approval.automatic(),
      serving: Serving.serverless({ memory: Size.gibibytes(1), maxConcurrency: 2 }),
      monitoring: Monitoring.every(Duration.days(7), { minimumRows: 100 }),
      retraining: Retraining.on([Trigger.quality({ metric: 'rmse', worseThan: 1000 })], { cooldown: Duration.days(7) }),
    };
    for (const model of models.standard ?? []) platform.addModel(model, { ...common, training });
    for (const model of models.tuned ?? []) {
      const count = new ProcessingStep('Count', {
        ...{ image: JobImage.fromFramework(framework), directory, entryPoint: 'count.py' },
        inputs: [{ name: 'train', source: RunData.TRAIN_URI }],
        outputs: ['statistics'],
      });
      const ranges = [ParameterRange.categorical('shrink', ['0', '0.5'])];
      platform.addModel(model, {
        ...common,
        training: training.tuned(Tuning.grid({ metric: 'train:rmse', maximize: false, ranges, maxParallelJobs: 2 })),
        steps: PipelineSteps.standard().after(StandardStep.PREPARE_DATA, count),
      });
    }
    const asked = [...(models.asked ?? []), ...(models.expiring ?? [])];
    const reviewer =
      asked.length > 0 && new iam.Role(stack, 'Reviewer', { roleName: reviewerOf(platformName), assumedBy: new iam.AccountRootPrincipal() });
    for (const model of asked) {
      const approval = Approval.manual({ expiry: Duration.minutes(10), approvers: [reviewer as iam.Role] });
      platform.addModel(model, { ...common, training, approval: models.expiring?.includes(model) ? expiresSoon(approval) : approval });
    }
    for (const model of models.instances ?? []) {
      const deployment = Deployment.canary({ stepPercentage: 50, wait: Duration.minutes(5), bake: Duration.minutes(5), smokeRows: 5 });
      platform.addModel(model, { ...common, training, serving: Serving.realTime({ instanceType: 'ml.m5.large', deployment }) });
    }
  };

/** Hourly rows y = 2x and a little that no line explains, over 60 days. */
export const trainingRows = (): string =>
  [
    'timestamp,x,y',
    ...Array.from({ length: 1440 }, (_, hour) => {
      const x = 1 + (hour % 24);
      return `${new Date(Date.UTC(2024, 0, 1, hour)).toISOString()},${x},${2 * x + ((hour * 7919) % 13) / 13 - 0.5}`;
    }),
    '',
  ].join('\n');

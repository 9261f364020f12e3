import path from 'node:path';
import { type App, Duration, Size, Stack } from 'aws-cdk-lib';
import { projectRoot } from '../integration/harness';
import { Approval, Framework, Gate, MlOpsPlatform, Monitoring, Retraining, Serving, Task, Training, Trigger } from 'cdk-mlops';

/** A platform whose models train in a moment; each lane of the matrix breaks its own, so that lanes can run side by side. */
export const faultsApp =
  (stackName: string, platformName: string, models: readonly string[]) =>
  (app: App): void => {
    const platform = new MlOpsPlatform(new Stack(app, stackName), 'MlOps', { platformName, api: false });
    for (const model of models) {
      platform.addModel(model, {
        task: Task.regression({ target: 'y', timeColumn: 'timestamp' }),
        training: Training.script({
          directory: path.join(projectRoot, 'test/faults/training'),
          entryPoint: 'train.py',
          framework: Framework.scikitLearn('1.4-2'),
        }),
        // Each run makes the same model: one that is as good as the champion has to pass.
        gate: Gate.notWorseThanChampion({ metric: 'rmse', margin: 0.05 }),
        approval: Approval.automatic(),
        serving: Serving.serverless({ memory: Size.gibibytes(1), maxConcurrency: 2 }),
        monitoring: Monitoring.every(Duration.days(7), { minimumRows: 100 }),
        retraining: Retraining.on([Trigger.quality({ metric: 'rmse', worseThan: 1000 })], { cooldown: Duration.days(7) }),
      });
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

import path from 'node:path';
import { type App, Duration, Size, Stack } from 'aws-cdk-lib';
import { projectRoot } from './harness';
import { Approval, Framework, Gate, MlOpsPlatform, Monitoring, Retraining, Serving, Task, Training, Trigger } from 'cdk-mlops';

/** An app with a platform of its own and the model of examples/bike-sharing, with fewer rounds. */
export const bikes =
  (stackName: string, platformName: string, serving = Serving.serverless({ memory: Size.gibibytes(2), maxConcurrency: 5 })) =>
  (app: App): void => {
    const platform = new MlOpsPlatform(new Stack(app, stackName), 'MlOps', { platformName });
    platform.addModel('Bikes', {
      task: Task.regression({ target: 'cnt', timeColumn: 'timestamp' }),
      training: Training.script({
        directory: path.join(projectRoot, 'examples/bike-sharing/training'),
        entryPoint: 'train.py',
        framework: Framework.xgboost('3.0-5'),
        hyperparameters: { rounds: '40' },
      }),
      // No price of anybody: what counts is that the cost follows from it.
      instancePrices: { 'ml.m5.large': 0.36 },
      gate: Gate.beatsChampion({ metric: 'rmse' }),
      approval: Approval.automatic(),
      serving,
      monitoring: Monitoring.every(Duration.days(7), { minimumRows: 100 }),
      retraining: Retraining.on([Trigger.quality({ metric: 'rmse', worseThan: 100 })], { cooldown: Duration.days(7) }),
    });
  };

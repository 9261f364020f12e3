import path from 'node:path';
import { type App, Duration, Size, Stack } from 'aws-cdk-lib';
import { Approval, Framework, Gate, MlOpsPlatform, Monitoring, Retraining, Serving, Task, Training, Trigger } from 'cdk-mlops';

/** A platform with the model `Line`, whose script does what its data say: columns timestamp, x, mode and the target y. */
export const lineModelApp =
  (stackName: string, platformName: string) =>
  (app: App): void => {
    const platform = new MlOpsPlatform(new Stack(app, stackName), 'MlOps', { platformName });
    platform.addModel('Line', {
      task: Task.regression({ target: 'y', timeColumn: 'timestamp' }),
      training: Training.script({ directory: path.join(__dirname, 'training'), entryPoint: 'train.py', framework: Framework.scikitLearn('1.4-2') }),
      // No price of anybody: what counts is that the cost follows from it.
      instancePrices: { 'ml.m5.large': 0.36 },
      gate: Gate.beatsChampion({ metric: 'rmse' }),
      approval: Approval.automatic(),
      serving: Serving.serverless({ memory: Size.gibibytes(1), maxConcurrency: 2 }),
      monitoring: Monitoring.every(Duration.days(7), { minimumRows: 100 }),
      retraining: Retraining.on([Trigger.quality({ metric: 'rmse', worseThan: 10 })], { cooldown: Duration.days(7) }),
    });
  };

export const LINE_HEADER = 'timestamp,x,mode,y';

/** Hourly rows y = 2x + 1 from 2024 on. */
export const lineRows = (count: number, mode = 'ok'): string[] =>
  Array.from({ length: count }, (_, index) => {
    const time = new Date(Date.UTC(2024, 0, 1, index)).toISOString();
    return `${time},${index % 24},${mode},${2 * (index % 24) + 1}`;
  });

import path from 'node:path';
import { type App, Duration, Stack } from 'aws-cdk-lib';
import {
  Approval,
  Deployment,
  Framework,
  Gate,
  MlOpsPlatform,
  Monitoring,
  Retraining,
  Serving,
  SmokeRequests,
  Task,
  Training,
  Trigger,
} from 'cdk-mlops';

const lineApp =
  (stackName: string, platformName: string, serving: Serving) =>
  (app: App): void => {
    const platform = new MlOpsPlatform(new Stack(app, stackName), 'MlOps', { platformName });
    platform.addModel('Line', {
      task: Task.regression({ target: 'y', timeColumn: 'timestamp' }),
      training: Training.script({ directory: path.join(__dirname, 'training'), entryPoint: 'train.py', framework: Framework.scikitLearn('1.4-2') }),
      gate: Gate.notWorseThanChampion({ metric: 'rmse', margin: 0.5 }),
      approval: Approval.automatic(),
      serving,
      monitoring: Monitoring.every(Duration.days(7), { minimumRows: 100 }),
      retraining: Retraining.on([Trigger.quality({ metric: 'rmse', worseThan: 10 })], { cooldown: Duration.days(7) }),
    });
  };

/** A platform with the model `Line` on instances, released by a canary. */
export const canaryApp = (stackName: string, platformName: string): ((app: App) => void) => {
  const deployment = Deployment.canary({ stepPercentage: 50, wait: Duration.minutes(5), bake: Duration.minutes(5), smokeRows: 5 });
  return lineApp(stackName, platformName, Serving.realTime({ instanceType: 'ml.m5.large', deployment }));
};

/** The same model without servers, proven by a request far off its training rows. */
export const smokeApp = (stackName: string, platformName: string): ((app: App) => void) => {
  const smokeRequests = SmokeRequests.fromFile(path.join(__dirname, 'smoke-requests.json'));
  return lineApp(stackName, platformName, Serving.serverless({ deployment: Deployment.allAtOnce({ smokeRows: 2, smokeRequests }) }));
};

const HOURS_A_MONTH = 24 * 30;

/** A month of hourly rows y = 2x + 1 with a little noise; other rows in each month. */
export const lineMonth = (month: number, mode: 'sound' | 'fragile' | 'flat'): string => {
  const rows = Array.from({ length: HOURS_A_MONTH }, (_, hour) => {
    const index = month * HOURS_A_MONTH + hour;
    const x = ((index * 7919) % 2400) / 100;
    const noise = (((index * 104_729) % 1000) - 500) / 500;
    return `${new Date(Date.UTC(2024, 0, 1, index)).toISOString()},${x},${mode},${(2 * x + 1 + noise).toFixed(3)}`;
  });
  return ['timestamp,x,mode,y', ...rows, ''].join('\n');
};

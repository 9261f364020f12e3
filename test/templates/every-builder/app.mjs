// A model with every option of trainings and tunings and every kind of step: what the checks of templates hold to the same rules as the app.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { App, Duration, Size, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as mlops from 'cdk-mlops';

const { ParameterRange, PipelineSteps, RunData, StandardStep } = mlops;
const directory = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'examples', 'bike-sharing', 'training');
const env = { account: '111122223333', region: 'us-east-1' };
const stack = new Stack(new App(), 'EveryBuilder', { env });

const at = (service, resource) => `arn:aws:${service}:${env.region}:${env.account}:${resource}`;
const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
  vpcId: 'vpc-0a1b2c3d',
  availabilityZones: ['us-east-1a', 'us-east-1b'],
  privateSubnetIds: ['subnet-0a1b2c3d', 'subnet-1a1b2c3d'],
  privateSubnetRouteTableIds: ['rtb-0a1b2c3d', 'rtb-1a1b2c3d'],
});
const volumeKey = kms.Key.fromKeyArn(stack, 'Key', at('kms', 'key/0a1b2c3d-0000-4000-8000-000000000000'));
const repository = ecr.Repository.fromRepositoryArn(stack, 'Repository', at('ecr', 'repository/own/trainer'));
const role = iam.Role.fromRoleArn(stack, 'SearchRole', `arn:aws:iam::${env.account}:role/search`);
const fn = lambda.Function.fromFunctionArn(stack, 'Function', at('lambda', 'function:own'));
const stateMachine = sfn.StateMachine.fromStateMachineArn(stack, 'Machine', at('states', 'stateMachine:own'));

const isolated = { vpc, volumeKey, networkIsolation: true, encryptTrafficBetweenInstances: true, instanceCount: 2, volumeSize: Size.gibibytes(50) };
const metricDefinitions = [{ name: 'rmse', regex: 'rmse: ([0-9.]+)' }];
const framework = mlops.Framework.xgboost('3.0-5');
const script = mlops.Training.script({
  ...{ directory, entryPoint: 'train.py', framework, metricDefinitions, ...isolated },
  environment: { LEVEL: 'debug' },
  spot: { maxWait: Duration.hours(5) },
  retryAttempts: 2,
});
const tuning = mlops.Tuning.bayesian({
  ...{ metric: 'rmse', maximize: false, maxJobs: 20, maxParallelJobs: 4, earlyStopping: true, stopOnConvergence: true, randomSeed: 7 },
  ranges: [
    ParameterRange.integer('depth', 2, 8),
    ParameterRange.continuous('eta', 0.01, 0.3),
    ParameterRange.categorical('booster', ['gbtree', 'dart']),
  ],
});
const steps = PipelineSteps.standard()
  .after(
    StandardStep.PREPARE_DATA,
    new mlops.ProcessingStep('Features', {
      ...{ ...isolated, directory, entryPoint: 'train.py', outputs: ['train'] },
      image: mlops.JobImage.fromFramework(mlops.Framework.scikitLearn('1.4-2')),
      arguments: ['--run', RunData.RUN_ID],
      inputs: [{ name: 'train', source: RunData.TRAIN_URI }],
    }),
    new mlops.AutoMlStep('Search', { source: RunData.TRAIN_URI, target: 'cnt', problem: mlops.AutoMlProblem.REGRESSION, metric: 'RMSE', role }),
  )
  .after(StandardStep.SCORE_HOLDOUT, new mlops.TransformStep('ScoreMore', { source: RunData.HOLDOUT_FEATURES_URI }))
  .after(StandardStep.REGISTER, new mlops.FunctionStep('Notify', { function: fn }))
  .before(StandardStep.PROMOTE, new mlops.NestedMachineStep('Verify', { stateMachine, timeout: Duration.hours(1) }));

const common = {
  task: mlops.Task.regression({ target: 'cnt', timeColumn: 'timestamp' }),
  monitoring: mlops.Monitoring.every(Duration.days(7)),
  retraining: mlops.Retraining.on([mlops.Trigger.quality({ metric: 'rmse', worseThan: 100 })], { cooldown: Duration.days(30) }),
};
const platform = new mlops.MlOpsPlatform(stack, 'MlOps');
platform.addModel('Tuned', {
  ...common,
  training: script.tuned(tuning),
  steps,
  approval: mlops.Approval.twoPerson(),
  serving: mlops.Serving.realTime({ instanceType: 'ml.m5.large' }),
});
platform.addModel('OwnImage', {
  ...common,
  training: mlops.Training.image({ image: mlops.JobImage.fromRepository(repository, 'v1'), keepAlive: Duration.minutes(10) }),
  approval: mlops.Approval.automatic(),
  serving: mlops.Serving.serverless(),
});

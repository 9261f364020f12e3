import { Duration, Size, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import {
  AutoMlProblem,
  AutoMlStep,
  Framework,
  FunctionStep,
  type IPipelineStep,
  JobImage,
  NestedMachineStep,
  ParameterRange,
  PipelineSteps,
  type PipelineStepConfig,
  type PipelineStepContext,
  ProcessingStep,
  RangeScaling,
  RunData,
  StandardStep,
  Training,
  type TrainingOptions,
  TransformStep,
  Tuning,
} from '../../../lib';
import { directoryWith } from './samples';

/** A step that somebody writes: a state of Step Functions itself. */
class Announce implements IPipelineStep {
  public readonly stepId = 'Announce';

  public bind(scope: Construct, context: PipelineStepContext): PipelineStepConfig {
    return { states: new sfn.Pass(scope, 'Announce', { resultPath: context.resultPath }), longest: Duration.seconds(1) };
  }
}

const CODE = directoryWith({ 'train.py': 'print(1)\n', 'features.py': 'print(1)\n' });

const OWNED = new WeakMap<Stack, ReturnType<typeof imported>>();

/** Owned by whoever uses the library; none of it is made by it. */
const owned = (stack: Stack) => {
  const known = OWNED.get(stack) ?? imported(stack);
  OWNED.set(stack, known);
  return known;
};

const imported = (stack: Stack) => ({
  vpc: ec2.Vpc.fromVpcAttributes(stack, 'OwnVpc', {
    vpcId: 'vpc-0a1b2c3d',
    availabilityZones: ['eu-west-1a', 'eu-west-1b'],
    privateSubnetIds: ['subnet-0a1b2c3d', 'subnet-1a1b2c3d'],
  }),
  key: kms.Key.fromKeyArn(stack, 'OwnKey', 'arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000000'),
  repository: ecr.Repository.fromRepositoryArn(stack, 'OwnRepository', 'arn:aws:ecr:eu-west-1:111122223333:repository/own/trainer'),
  role: iam.Role.fromRoleArn(stack, 'OwnSearchRole', 'arn:aws:iam::111122223333:role/search', { mutable: false }),
  fn: lambda.Function.fromFunctionArn(stack, 'OwnFunction', 'arn:aws:lambda:eu-west-1:111122223333:function:own'),
  machine: sfn.StateMachine.fromStateMachineArn(stack, 'OwnMachine', 'arn:aws:states:eu-west-1:111122223333:stateMachine:own'),
});

/** Every option of a training that SageMaker takes together. */
export const everyTrainingOption = (stack: Stack): TrainingOptions => {
  const { vpc, key } = owned(stack);
  return {
    instanceType: 'ml.c5.2xlarge',
    instanceCount: 2,
    volumeSize: Size.gibibytes(50),
    volumeKey: key,
    maxRuntime: Duration.hours(2),
    environment: { LEVEL: 'debug' },
    networkIsolation: true,
    vpc,
    encryptTrafficBetweenInstances: true,
    hyperparameters: { rounds: '10' },
    spot: { maxWait: Duration.hours(5) },
    retryAttempts: 2,
  };
};

export const metricDefinitions = [{ name: 'holdout:rmse', regex: 'rmse: ([0-9.]+)' }];

export const tunedTraining = (stack: Stack): Training =>
  Training.script({
    ...everyTrainingOption(stack),
    directory: CODE,
    entryPoint: 'train.py',
    framework: Framework.xgboost('3.0-5'),
    metricDefinitions,
  }).tuned(
    Tuning.bayesian({
      metric: 'holdout:rmse',
      maximize: false,
      ranges: [
        ParameterRange.integer('depth', 2, 8),
        ParameterRange.continuous('eta', 0.01, 0.3, RangeScaling.LOGARITHMIC),
        ParameterRange.categorical('booster', ['gbtree', 'dart']),
      ],
      maxJobs: 20,
      maxParallelJobs: 4,
      earlyStopping: true,
      maxJobsWithoutImprovement: 5,
      stopOnConvergence: true,
      targetValue: 1,
      randomSeed: 7,
    }),
  );

/** Every kind of step, somewhere in the pipeline. */
export const everyStep = (stack: Stack): PipelineSteps => {
  const { vpc, key, repository, role, fn, machine } = owned(stack);
  const features = new ProcessingStep('Features', {
    image: JobImage.fromFramework(Framework.scikitLearn('1.4-2')),
    directory: CODE,
    entryPoint: 'features.py',
    arguments: ['--run', RunData.RUN_ID],
    inputs: [{ name: 'train', source: RunData.TRAIN_URI }],
    outputs: ['train', 'statistics'],
    vpc,
    volumeKey: key,
    networkIsolation: true,
    environment: { LEVEL: 'debug' },
  });
  const explain = new ProcessingStep('Explain', {
    image: JobImage.fromRepository(repository, 'v1'),
    inputs: [{ name: 'model', source: RunData.MODEL_ARTIFACT_URI }],
  });
  return PipelineSteps.standard()
    .after(StandardStep.PREPARE_DATA, features)
    .before(
      StandardStep.TRAIN,
      new AutoMlStep('Search', { source: RunData.TRAIN_URI, target: 'cnt', problem: AutoMlProblem.REGRESSION, metric: 'RMSE', role }),
    )
    .after(StandardStep.SCORE_HOLDOUT, new TransformStep('ScoreMore', { source: RunData.HOLDOUT_FEATURES_URI, inputFilter: '$[1:]' }), explain)
    .after(StandardStep.REGISTER, new FunctionStep('Notify', { function: fn, payload: { version: RunData.VERSION } }), new Announce())
    .before(StandardStep.PROMOTE, new NestedMachineStep('Verify', { stateMachine: machine, timeout: Duration.hours(1) }));
};

export const imageTraining = (stack: Stack): Training => Training.image({ image: JobImage.fromRepository(owned(stack).repository, 'v1') });

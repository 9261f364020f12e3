import path from 'node:path';
import { type App, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import {
  Approval,
  AutoMlProblem,
  AutoMlStep,
  Framework,
  FunctionStep,
  Gate,
  JobImage,
  MlOpsPlatform,
  Monitoring,
  NestedMachineStep,
  ParameterRange,
  PipelineSteps,
  ProcessingStep,
  Retraining,
  RunData,
  Serving,
  StandardStep,
  Task,
  Training,
  TransformStep,
  Trigger,
  Tuning,
} from 'cdk-mlops';

const framework = Framework.scikitLearn('1.4-2');
const directory = path.join(__dirname, 'training');

/** The model `Built`: SageMaker's built-in algorithm, held against what AutoML finds. */
const addBuiltIn = (platform: MlOpsPlatform, stack: Stack): void => {
  const role = new iam.Role(stack, 'Searcher', { assumedBy: new iam.ServicePrincipal('sagemaker.amazonaws.com') });
  role.addToPolicy(
    new iam.PolicyStatement({
      actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [`arn:${stack.partition}:logs:${stack.region}:${stack.account}:log-group:/aws/sagemaker/*`],
    }),
  );
  platform.store.grantReadData(role, 'runs/Built/');
  platform.store.grantReadArtifacts(role, 'runs/Built/');
  platform.store.grantWriteArtifacts(role, 'runs/Built/');
  const search = { source: RunData.TRAIN_URI, target: 'y', problem: AutoMlProblem.REGRESSION, metric: 'RMSE', role, maxCandidates: 1 };
  platform.addModel('Built', {
    task: Task.regression({ target: 'y' }),
    training: Training.algorithm({ framework: Framework.xgboost('3.0-5'), hyperparameters: { num_round: '60', objective: 'reg:squarederror' } }),
    steps: PipelineSteps.standard().after(StandardStep.PREPARE_DATA, new AutoMlStep('Search', search)),
    gate: Gate.beatsChampion({ metric: 'rmse' }),
    approval: Approval.automatic(),
    serving: Serving.serverless(),
    monitoring: Monitoring.every(Duration.days(7), { minimumRows: 100 }),
    retraining: Retraining.on([Trigger.quality({ metric: 'rmse', worseThan: 10 })], { cooldown: Duration.days(7) }),
  });
};

/** The model `Line`: tuned without a network, with a step of each kind that the engine plays. */
export const ownStepsApp =
  (stackName: string, platformName: string) =>
  (app: App): void => {
    const stack = new Stack(app, stackName);
    const echo = new lambda.Function(stack, 'Echo', {
      runtime: lambda.Runtime.NODEJS_22_X,
      handler: 'index.handler',
      code: lambda.Code.fromInline('exports.handler = async (event) => ({ seen: event });'),
    });
    const nested = new sfn.StateMachine(stack, 'Nested', {
      definitionBody: sfn.DefinitionBody.fromChainable(new sfn.Pass(stack, 'Answer', { parameters: { 'version.$': '$.version' } })),
    });
    const steps = PipelineSteps.standard()
      .after(
        StandardStep.PREPARE_DATA,
        new ProcessingStep('Count', {
          ...{ image: JobImage.fromFramework(framework), directory, entryPoint: 'count.py' },
          arguments: [RunData.RUN_ID],
          inputs: [{ name: 'train', source: RunData.TRAIN_URI }],
          outputs: ['statistics'],
        }),
      )
      .after(StandardStep.SCORE_HOLDOUT, new TransformStep('ScoreMore', { source: RunData.HOLDOUT_FEATURES_URI }))
      .after(
        StandardStep.REGISTER,
        new FunctionStep('Notify', {
          function: echo,
          payload: { version: RunData.VERSION, statistics: RunData.ofStep('Count', 'outputs.statistics') },
        }),
      )
      .before(
        StandardStep.PROMOTE,
        new NestedMachineStep('Verify', { stateMachine: nested, input: { version: RunData.VERSION }, timeout: Duration.minutes(5) }),
      );
    const platform = new MlOpsPlatform(stack, 'MlOps', { platformName });
    addBuiltIn(platform, stack);
    platform.addModel('Line', {
      task: Task.regression({ target: 'y', timeColumn: 'timestamp' }),
      training: Training.script({
        ...{ directory, entryPoint: 'train.py', framework, networkIsolation: true },
        metricDefinitions: [{ name: 'train:rmse', regex: 'train rmse: ([0-9.]+)' }],
      }).tuned(
        Tuning.grid({
          metric: 'train:rmse',
          maximize: false,
          ranges: [ParameterRange.categorical('alpha', ['0.001', '1000000'])],
          maxParallelJobs: 2,
        }),
      ),
      steps,
      // No price of anybody: what counts is that the cost follows from it.
      instancePrices: { 'ml.m5.large': 0.36 },
      gate: Gate.beatsChampion({ metric: 'rmse' }),
      approval: Approval.automatic(),
      serving: Serving.serverless(),
      monitoring: Monitoring.every(Duration.days(7), { minimumRows: 100 }),
      retraining: Retraining.on([Trigger.quality({ metric: 'rmse', worseThan: 10 })], { cooldown: Duration.days(7) }),
    });
  };

import path from 'node:path';
import { type App, Duration, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import {
  Approval,
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
    new MlOpsPlatform(stack, 'MlOps', { platformName }).addModel('Line', {
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
      gate: Gate.beatsChampion({ metric: 'rmse' }),
      approval: Approval.automatic(),
      serving: Serving.serverless(),
      monitoring: Monitoring.every(Duration.days(7), { minimumRows: 100 }),
      retraining: Retraining.on([Trigger.quality({ metric: 'rmse', worseThan: 10 })], { cooldown: Duration.days(7) }),
    });
  };

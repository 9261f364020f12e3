import { Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { SageMakerTask, type SageMakerTaskProps } from '../../../lib/pipeline/sagemaker-task';
import { definitionOf, ENV } from './samples';

const machineWith = (props: Partial<SageMakerTaskProps>): Stack => {
  const stack = new Stack(undefined, 'Stack', { env: ENV });
  const task = new SageMakerTask(stack, 'Task', {
    action: 'createProcessingJob',
    parameters: { ProcessingJobName: 'x' },
    namePrefix: 'p',
    timeout: Duration.minutes(1),
    resultPath: '$',
    ...props,
  });
  new sfn.StateMachine(stack, 'Machine', { definitionBody: sfn.DefinitionBody.fromChainable(task) });
  return stack;
};

const statements = (stack: Stack): { Action: string | string[]; Resource: unknown }[] =>
  Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy')).flatMap(({ Properties }) => Properties.PolicyDocument.Statement);

test.each([
  [
    'a field that the integration does not take',
    { parameters: { ProcessingJobName: 'x', KeepAlive: 1 } },
    /parameters\.KeepAlive: .*createProcessingJob does not take this field/,
  ],
  ['the same where the value is a path', { parameters: { 'KeepAlive.$': '$.x' } }, /parameters\.KeepAlive/],
  ['waiting for what is no job', { action: 'createModel', parameters: { ModelName: 'x' }, waitForEnd: true }, /only jobs can be waited for/],
  [
    'an action that is not optimized',
    { action: 'createModelCard', parameters: {} },
    /must be an action of the optimized SageMaker integration, got 'createModelCard'/,
  ],
])('synth refuses %s', (_, props, message) => {
  expect(() => machineWith(props as Partial<SageMakerTaskProps>)).toThrow(message);
});

test.each([
  ['createTrainingJob', 'training-job', 'TrainingJob', 'TrainingJobs'],
  ['createTransformJob', 'transform-job', 'TransformJob', 'TransformJobs'],
  ['createProcessingJob', 'processing-job', 'ProcessingJob', 'ProcessingJobs'],
  ['createHyperParameterTuningJob', 'hyper-parameter-tuning-job', 'HyperParameterTuningJob', 'TuningJobs'],
])('%s.sync may make, watch, stop and tag jobs below its prefix and use its managed rule, nothing else', (action, resource, noun, rule) => {
  const stack = machineWith({ action, parameters: { [`${noun}Name`]: 'x' }, waitForEnd: true });
  expect(definitionOf(stack).States.Task.Resource).toBe(`arn:aws:states:::sagemaker:${action}.sync`);
  const found = statements(stack).map(({ Action, Resource }) => [[Action].flat().sort(), JSON.stringify(Resource)] as const);
  expect(found).toHaveLength(2);
  expect(found[0][0]).toEqual(['AddTags', `Create${noun}`, `Describe${noun}`, 'ListTags', `Stop${noun}`].map((name) => `sagemaker:${name}`).sort());
  expect(found[0][1]).toContain(`${resource}/p-*`);
  expect(found[1][0]).toEqual(['events:DescribeRule', 'events:PutRule', 'events:PutTargets']);
  expect(found[1][1]).toContain(`rule/StepFunctionsGetEventsForSageMaker${rule}Rule`);
});

test('roles are handed to SageMaker only', () => {
  const stack = new Stack(undefined, 'Stack', { env: ENV });
  const role = iam.Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::111122223333:role/Trainer');
  const task = new SageMakerTask(stack, 'Task', {
    action: 'createModel',
    parameters: { ModelName: 'x' },
    namePrefix: 'p',
    passedRoles: [role],
    timeout: Duration.minutes(1),
    resultPath: '$',
  });
  new sfn.StateMachine(stack, 'Machine', { definitionBody: sfn.DefinitionBody.fromChainable(task) });
  expect(statements(stack)).toContainEqual({
    Effect: 'Allow',
    Action: 'iam:PassRole',
    Resource: 'arn:aws:iam::111122223333:role/Trainer',
    Condition: { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } },
  });
});

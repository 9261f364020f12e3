import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { accountOf, stepsOf } from '../../../lambda/pipeline/execution-steps';

const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const entered = (second: number, name: string, input: object = {}): HistoryEvent =>
  ({ timestamp: at(second), type: 'TaskStateEntered', stateEnteredEventDetails: { name, input: JSON.stringify(input) } }) as HistoryEvent;
const exited = (second: number, name: string, output: object = {}): HistoryEvent =>
  ({ timestamp: at(second), type: 'TaskStateExited', stateExitedEventDetails: { name, output: JSON.stringify(output) } }) as HistoryEvent;
const succeeded = (second: number, output: object): HistoryEvent =>
  ({ timestamp: at(second), type: 'TaskSucceeded', taskSucceededEventDetails: { output: JSON.stringify(output) } }) as HistoryEvent;
const failed = (second: number, error: string, cause?: string): HistoryEvent =>
  ({ timestamp: at(second), type: 'ExecutionFailed', executionFailedEventDetails: { error, cause } }) as HistoryEvent;

const PREPARED = { trainUri: 's3://d/train.csv', codeUri: 's3://a/code', training: { image: 'i', instanceType: 'ml.m5.large' }, champion: { version: null } };
const TRAINED = { prepared: PREPARED, trainingJob: { TrainingJobName: 'job', ModelArtifacts: { S3ModelArtifacts: 's3://a/model.tar.gz' } } };

test('training tells its job, what went in and what is billed, without a price that nobody stated', async () => {
  const job = { TrainingJobName: 'job', BillableTimeInSeconds: 61, TrainingTimeInSeconds: 74 };
  const [step] = await stepsOf([entered(0, 'Train', { prepared: PREPARED }), succeeded(80, job), exited(80, 'Train', TRAINED)]);
  expect(step).toEqual({
    name: 'train',
    status: 'FINISHED',
    startTime: '2026-01-01T00:00:00.000Z',
    endTime: '2026-01-01T00:01:20.000Z',
    inputs: { data: 's3://d/train.csv', code: 's3://a/code', image: 'i', instanceType: 'ml.m5.large' },
    outputs: { job: 'job', model: 's3://a/model.tar.gz', billableSeconds: '61', trainingSeconds: '74' },
    logs: { group: '/aws/sagemaker/TrainingJobs', stream: 'job/' },
  });
});

test('a release is one step, however often it was looked at', async () => {
  const release = { release: { endpointName: 'e', endpointConfigName: 'c', endpointStatus: 'InService' }, registered: { version: 3 } };
  const steps = await stepsOf([
    ...[entered(0, 'StartRelease'), exited(1, 'StartRelease'), entered(1, 'WaitForRelease'), exited(31, 'WaitForRelease')],
    ...[entered(31, 'CheckRelease'), exited(32, 'CheckRelease'), entered(32, 'ReleaseDone'), exited(32, 'ReleaseDone', release)],
  ]);
  expect(steps).toMatchObject([
    {
      ...{ name: 'release', status: 'FINISHED', startTime: at(0).toISOString(), endTime: at(32).toISOString() },
      ...{ inputs: { version: '3' }, outputs: { endpoint: 'e', configuration: 'c', status: 'InService' } },
    },
  ]);
});

test('what was under way when the execution failed has failed, with the sentence that matters', async () => {
  const steps = await stepsOf([
    ...[entered(0, 'PrepareData'), exited(1, 'PrepareData', { prepared: PREPARED }), entered(1, 'Train', { prepared: PREPARED })],
    failed(5, 'States.TaskFailed', '{"FailureReason":"AlgorithmError: no rows"}'),
  ]);
  expect(steps.map(({ name, status, error }) => [name, status, error])).toEqual([
    ['prepare-data', 'FINISHED', undefined],
    ['train', 'FAILED', 'States.TaskFailed: AlgorithmError: no rows'],
  ]);
  expect(steps[1].outputs).toEqual({});
});

test('a redrive tells of its own attempt', async () => {
  const steps = await stepsOf([
    ...[entered(0, 'Train', { prepared: PREPARED }), failed(5, 'E', 'c'), { type: 'ExecutionRedriven', timestamp: at(60) } as HistoryEvent],
    ...[entered(60, 'Train', { prepared: PREPARED }), exited(90, 'Train', TRAINED)],
  ]);
  expect(steps).toMatchObject([{ name: 'train', status: 'FINISHED', startTime: at(60).toISOString(), endTime: at(90).toISOString() }]);
  expect(steps[0]).not.toHaveProperty('error');
});

test('states that are no steps, and data that is no JSON, are passed over', async () => {
  const odd = { timestamp: at(0), type: 'TaskStateExited', stateExitedEventDetails: { name: 'Approve', output: '{' } } as HistoryEvent;
  expect(await stepsOf([entered(0, 'GatePassed'), entered(0, 'Approve'), odd])).toMatchObject([{ name: 'approve', status: 'FINISHED', inputs: {} }]);
});

test('what jobs bill is told by type of instance, with failed and repeated ones', async () => {
  const training = { TrainingJobName: 'a', ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 2 }, BillableTimeInSeconds: 30 };
  const transform = {
    ...{ TransformJobName: 'b', TransformResources: { InstanceType: 'ml.m5.xlarge', InstanceCount: 1 } },
    ...{ TransformStartTime: 1_767_225_600, TransformEndTime: '2026-01-01T00:00:12Z' },
  };
  const lost = { type: 'TaskFailed', timestamp: at(4), taskFailedEventDetails: { error: 'E', cause: JSON.stringify(training) } } as HistoryEvent;
  const { billed, steps } = await accountOf([
    ...[entered(0, 'Train', { prepared: PREPARED }), lost, failed(5, 'E', 'c'), { type: 'ExecutionRedriven', timestamp: at(60) } as HistoryEvent],
    ...[succeeded(80, { ...training, TrainingJobName: 'a2' }), exited(80, 'Train', TRAINED)],
    ...[entered(80, 'ScoreHoldout'), entered(80, 'ScoreCandidate'), succeeded(95, transform)],
    ...[exited(95, 'ScoreCandidate'), exited(96, 'ScoreHoldout')],
  ]);
  expect(billed).toEqual([{ instanceType: 'ml.m5.large', seconds: 120 }, { instanceType: 'ml.m5.xlarge', seconds: 12 }]);
  expect(steps).toMatchObject([
    { name: 'train', startTime: at(60).toISOString(), outputs: { billableSeconds: '60', instances: 'ml.m5.large' } },
    { name: 'score', status: 'FINISHED', endTime: at(96).toISOString(), outputs: { billableSeconds: '12', instances: 'ml.m5.xlarge' } },
  ]);
});

test('a redriven state that is not entered anew is under way again from the redrive on', async () => {
  const redriven = { type: 'ExecutionRedriven', timestamp: at(60) } as HistoryEvent;
  const before = [entered(0, 'Train', { prepared: PREPARED }), failed(5, 'E', 'c'), redriven];
  expect(await stepsOf(before)).toMatchObject([{ name: 'train', status: 'RUNNING', startTime: at(60).toISOString() }]);
});

test('states of other kinds of runs and a user’s own are steps too, choices are none', async () => {
  const choice = (name: string) => ({ ...entered(0, name), type: 'ChoiceStateEntered' }) as HistoryEvent;
  const names = ['MovePointer', 'CreateRollbackModelOfImage', 'RequestApproval', 'Tune', 'DescribeBest', 'Process', 'MyFeatures', 'FinishRolledBack'];
  const states = names.flatMap((name) => [entered(0, name), exited(1, name)]);
  const steps = await stepsOf([choice('Kind'), choice('MyChoice'), ...states]);
  expect(steps.map(({ name }) => name)).toEqual(['move-pointer', 'create-model', 'approve', 'tune', 'process', 'MyFeatures', 'finish']);
});

test('a step of branches has ended with the last of them', async () => {
  const steps = await stepsOf([
    ...[entered(0, 'ScoreHoldout'), entered(0, 'ScoreCandidate'), entered(0, 'ScoreChampion'), exited(5, 'ScoreCandidate')],
  ]);
  expect(steps).toMatchObject([{ name: 'score', status: 'RUNNING' }]);
});

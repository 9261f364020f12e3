import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { stepsOf } from '../../../lambda/pipeline/execution-steps';

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

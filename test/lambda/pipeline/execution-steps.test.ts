import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { accountOf } from '../../../lambda/pipeline/execution-steps';
import type { JobFacts } from '../../../lambda/pipeline/job-facts';
import { type AskJob, billOf } from '../../../lambda/pipeline/run-bill';
import type { InstancePrices } from '../../../lib/tracking/contract';

const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const entered = (second: number, name: string, input: object = {}): HistoryEvent =>
  ({ timestamp: at(second), type: 'TaskStateEntered', stateEnteredEventDetails: { name, input: JSON.stringify(input) } }) as HistoryEvent;
const exited = (second: number, name: string, output: object = {}): HistoryEvent =>
  ({ timestamp: at(second), type: 'TaskStateExited', stateExitedEventDetails: { name, output: JSON.stringify(output) } }) as HistoryEvent;
const succeeded = (second: number, output: object): HistoryEvent =>
  ({ timestamp: at(second), type: 'TaskSucceeded', taskSucceededEventDetails: { output: JSON.stringify(output) } }) as HistoryEvent;
const failed = (second: number, error: string, cause?: string): HistoryEvent =>
  ({ timestamp: at(second), type: 'ExecutionFailed', executionFailedEventDetails: { error, cause } }) as HistoryEvent;

const scheduled = (second: number, action: string, request: object): HistoryEvent => {
  const taskScheduledEventDetails = { resource: `${action}.sync`, parameters: JSON.stringify(request) };
  return { timestamp: at(second), type: 'TaskScheduled', taskScheduledEventDetails } as HistoryEvent;
};
const billed = async (events: HistoryEvent[], prices?: InstancePrices, ask?: AskJob) => billOf(await accountOf(events), prices, ask);
const stepsOf = async (events: HistoryEvent[]) => (await billed(events)).steps;

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
  const bill = await billed([
    ...[entered(0, 'Train', { prepared: PREPARED }), lost, failed(5, 'E', 'c'), { type: 'ExecutionRedriven', timestamp: at(60) } as HistoryEvent],
    ...[succeeded(80, { ...training, TrainingJobName: 'a2' }), exited(80, 'Train', TRAINED)],
    ...[entered(80, 'ScoreHoldout'), entered(80, 'ScoreCandidate'), succeeded(95, transform)],
    ...[exited(95, 'ScoreCandidate'), exited(96, 'ScoreHoldout')],
  ]);
  expect(bill.billed).toEqual([{ instanceType: 'ml.m5.large', seconds: 120 }, { instanceType: 'ml.m5.xlarge', seconds: 12 }]);
  expect(bill.unbilled).toEqual([]);
  expect(bill).not.toHaveProperty('costUsd');
  expect(bill.steps).toMatchObject([
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

describe('the cost of a run', () => {
  const LARGE = 'ml.m5.large';
  const PRICES = { [LARGE]: 0.36, 'ml.m5.xlarge': 0.72 };
  const training = (name: string, BillableTimeInSeconds?: number) => ({
    ...{ TrainingJobName: name, ResourceConfig: { InstanceType: LARGE, InstanceCount: 2 }, BillableTimeInSeconds },
  });
  const transform = {
    ...{ TransformJobName: 'b', TransformResources: { InstanceType: 'ml.m5.xlarge', InstanceCount: 1 } },
    ...{ TransformStartTime: '2026-01-01T00:00:00Z', TransformEndTime: '2026-01-01T00:01:40Z' },
  };
  const redriven = { type: 'ExecutionRedriven', timestamp: at(60) } as HistoryEvent;
  const lost = (name: string) =>
    ({ type: 'TaskFailed', timestamp: at(4), taskFailedEventDetails: { error: 'E', cause: JSON.stringify(training(name, 50)) } }) as HistoryEvent;
  const RUN = [
    ...[entered(0, 'Train'), scheduled(1, 'createTrainingJob', training('a')), lost('a'), failed(5, 'E', 'c'), redriven],
    ...[entered(60, 'Train'), scheduled(61, 'createTrainingJob', training('a2')), succeeded(80, training('a2', 100)), exited(80, 'Train', TRAINED)],
    ...[entered(80, 'ScoreHoldout'), entered(80, 'ScoreCandidate'), succeeded(95, transform)],
    ...[exited(95, 'ScoreCandidate'), exited(96, 'ScoreHoldout')],
  ];

  test('is that of all instances of all attempts; a step costs what its last attempt did', async () => {
    const { costUsd, steps } = await billed(RUN, PRICES);
    // 2 x 50 s and 2 x 100 s at $0.36, 100 s at $0.72 an hour.
    expect(costUsd).toBe(0.05);
    expect(steps.map(({ name, costUsd: cost }) => [name, cost])).toEqual([['train', 0.02], ['score', 0.02]]);
  });

  test('is unknown as a whole where one price is not stated, and known of the steps that have theirs', async () => {
    const { costUsd, steps } = await billed(RUN, { [LARGE]: 0.36 });
    expect(costUsd).toBeUndefined();
    expect(steps.map(({ costUsd: cost }) => cost)).toEqual([0.02, undefined]);
  });

  test('of a run without jobs is nothing', async () => {
    expect(await billed([entered(0, 'PrepareData'), failed(1, 'DataInvalid')], PRICES)).toMatchObject({ costUsd: 0, billed: [], unbilled: [] });
  });

  const UNDER_WAY = [entered(0, 'Train'), scheduled(1, 'createTrainingJob', training('a'))];
  const asking = (answer: JobFacts | 'none' | undefined) => {
    const asked: string[] = [];
    const ask: AskJob = async ({ kind, name }) => {
      asked.push(`${kind} ${name}`);
      return answer;
    };
    return { asked, ask };
  };

  test('counts a job that the history knows no end of by what SageMaker says of it, and asks for no other', async () => {
    const { asked, ask } = asking({ kind: 'training', name: 'a', instanceType: LARGE, instanceSeconds: 200 });
    expect(await billed(UNDER_WAY, PRICES, ask)).toMatchObject({ costUsd: 0.02, billed: [{ instanceType: LARGE, seconds: 200 }] });
    await billed(RUN, PRICES, ask);
    expect(asked).toEqual(['training a']);
  });

  test('leaves out a job that was never made, and is unknown where nobody tells of one', async () => {
    expect(await billed(UNDER_WAY, PRICES, asking('none').ask)).toMatchObject({ costUsd: 0, billed: [], unbilled: [] });
    const unknown = await billed(UNDER_WAY, PRICES, asking(undefined).ask);
    expect(unknown).toMatchObject({ billed: [], unbilled: ['a'] });
    expect(unknown).not.toHaveProperty('costUsd');
  });

  test('of a tuning is that of its jobs, not of its time, and its best job is not counted once more', async () => {
    const tuning = {
      ...{ HyperParameterTuningJobName: 't', ConsumedResources: { RuntimeInSeconds: 40 } },
      TrainingJobDefinition: { ResourceConfig: { InstanceType: LARGE, InstanceCount: 1 } },
    };
    const events = [
      ...[entered(0, 'Tune'), scheduled(1, 'createHyperParameterTuningJob', tuning), succeeded(40, tuning), exited(40, 'Tune')],
      ...[entered(40, 'DescribeBest'), succeeded(41, training('t-001', 30)), exited(41, 'DescribeBest')],
    ];
    const { ask, asked } = asking({ kind: 'tuning', name: 't', instanceType: LARGE, instanceSeconds: 100 });
    const bill = await billed(events, PRICES, ask);
    expect(asked).toEqual(['tuning t']);
    expect(bill).toMatchObject({ costUsd: 0.01, billed: [{ instanceType: LARGE, seconds: 100 }], unbilled: [] });
    expect(bill.steps).toMatchObject([{ name: 'tune', costUsd: 0.01, outputs: { billableSeconds: '100' } }]);
  });
});

import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { failureOf, readableCause } from '../../../lambda/pipeline/failed-step';
import { executionHash, jobNameBase } from '../../../lambda/pipeline/job-names';
import { type Clients, RunEnd, type StatusChange } from '../../../lambda/pipeline/run-end';
import type { RunMeta } from '../../../lib/tracking/contract';

const ARN = 'arn:aws:states:eu-west-1:111122223333:execution:Machine:run-1';
const INPUT = { model: 'Demand', runId: 'run-1', causeId: 'c', cause: 'error left its bound', occurredAt: '2012-03-10T00:00:00Z' };

const entered = (id: number, name: string, previousEventId = id - 1): HistoryEvent =>
  ({ id, previousEventId, type: 'TaskStateEntered', stateEnteredEventDetails: { name } }) as HistoryEvent;
const failed = (id: number, type: string, details: object, previousEventId = id - 1): HistoryEvent =>
  ({ id, previousEventId, type, [`${type[0].toLowerCase()}${type.slice(1)}EventDetails`]: details }) as unknown as HistoryEvent;

describe('what an execution broke on', () => {
  test('is the state before the event that names the error', () => {
    const history = [
      entered(1, 'PrepareData'),
      entered(2, 'Train'),
      failed(3, 'TaskFailed', { error: 'States.TaskFailed', cause: '{"FailureReason":"AlgorithmError: no rows"}' }),
      failed(4, 'ExecutionFailed', { error: 'States.TaskFailed', cause: 'x' }),
    ];
    expect(failureOf(history.reverse(), {})).toEqual({ step: 'Train', error: 'States.TaskFailed', message: 'AlgorithmError: no rows' });
  });

  test('in a branch is the branch’s own state, also where the sibling was entered later', () => {
    const history = [entered(1, 'ScoreCandidate'), entered(2, 'ScoreChampion', 0), failed(3, 'TaskFailed', { error: 'E', cause: 'c' }, 1)];
    expect(failureOf(history.reverse(), {}).step).toBe('ScoreCandidate');
  });

  test('is not an error that was tried again before', () => {
    const retried = [entered(1, 'PrepareData'), failed(2, 'LambdaFunctionFailed', { error: 'SlowDown', cause: 'busy' }), entered(3, 'Evaluate')];
    const path = { error: 'States.Runtime', cause: 'a path is absent' };
    expect(failureOf([...retried, failed(4, 'ExecutionFailed', path)].reverse(), path)).toMatchObject({ step: 'Evaluate', error: 'States.Runtime' });
    expect(failureOf([...retried, failed(4, 'ExecutionAborted', {})].reverse(), {})).toMatchObject({ step: 'Evaluate', error: 'Unknown' });
    const late = failed(4, 'ExecutionTimedOut', { error: 'States.Timeout' });
    expect(failureOf([...retried, late].reverse(), {})).toMatchObject({ step: 'Evaluate', error: 'States.Timeout' });
  });

  test('is known from the execution itself where the history says nothing', () => {
    expect(failureOf([entered(1, 'WaitForRelease')], { error: 'States.Timeout', cause: 'late' })).toEqual({
      step: 'WaitForRelease',
      error: 'States.Timeout',
      message: 'late',
    });
    expect(failureOf([], {})).toEqual({ step: 'unknown', error: 'Unknown', message: 'no cause was given' });
  });

  test.each([
    ['{"errorType":"DataInvalid","errorMessage":"a.csv, row 3: bad","trace":[]}', 'a.csv, row 3: bad'],
    ['{"TrainingJobStatus":"Stopped","TrainingJobName":"x"}', 'the job ended as Stopped'],
    ['{"TrainingJobStatus":"Stopped","SecondaryStatus":"MaxRuntimeExceeded"}', 'the job ended as Stopped: MaxRuntimeExceeded'],
    ['No route (Service: AmazonSageMaker; Status Code: 400)', 'No route (Service: AmazonSageMaker; Status Code: 400)'],
    ['{"truncated', '{"truncated'],
    ['"just text"', '"just text"'],
    ['{"ProcessingJobName":"p","FailureReason":"AlgorithmError","ExitMessage":"no such column"}', 'AlgorithmError: no such column'],
    ['{"TrainingJobName":"t","FailureReason":"AlgorithmError: \\"x\\" is no number","Environment":{"A', 'AlgorithmError: "x" is no number'],
  ])('%s reads as a sentence', (cause, message) => {
    expect(readableCause(cause)).toBe(message);
  });
});

describe('what failed', () => {
  const scheduled = (id: number, details: object): HistoryEvent =>
    ({ id, previousEventId: id - 1, type: 'TaskScheduled', ...details }) as HistoryEvent;

  test('is a job with its exit code, as SageMaker describes it', () => {
    const cause = JSON.stringify({ TrainingJobName: 'job-1', FailureReason: 'AlgorithmError: ExecuteUserScriptError: no rows, exit code: 3' });
    const details = { error: 'States.TaskFailed', cause };
    const history = [entered(1, 'Train'), failed(2, 'TaskFailed', details), failed(3, 'ExecutionFailed', details)];
    expect(failureOf(history.reverse(), {})).toMatchObject({ step: 'Train', exitCode: 3, job: { kind: 'training', name: 'job-1' } });
  });

  test('is the job that was asked for where the error says nothing of it', () => {
    const request = { taskScheduledEventDetails: { resource: 'createTransformJob.sync', parameters: '{"TransformJobName":"job-2"}' } };
    const history = [entered(1, 'Score'), scheduled(2, request), failed(3, 'TaskTimedOut', { error: 'States.Timeout' })];
    expect(failureOf(history.reverse(), { error: 'States.Timeout' })).toMatchObject({ step: 'Score', job: { kind: 'transform', name: 'job-2' } });
  });

  test('is a function by its ARN', () => {
    const arn = 'arn:aws:lambda:eu-west-1:111122223333:function:mine';
    const request = { lambdaFunctionScheduledEventDetails: { resource: arn } };
    const history = [entered(1, 'Mine'), scheduled(2, request), failed(3, 'LambdaFunctionFailed', { error: 'E', cause: 'x' })];
    expect(failureOf(history.reverse(), { error: 'E' })).toMatchObject({ step: 'Mine', function: arn });
  });

  test('is not what failed before the last redrive', () => {
    const history = [
      ...[entered(1, 'Train'), failed(2, 'TaskFailed', { error: 'E', cause: 'first' }), failed(3, 'ExecutionFailed', { error: 'E', cause: 'first' })],
      ...[{ id: 4, type: 'ExecutionRedriven' } as HistoryEvent, entered(5, 'Evaluate')],
      failed(6, 'ExecutionFailed', { error: 'E', cause: 'a path is absent' }),
    ];
    expect(failureOf(history.reverse(), {})).toMatchObject({ step: 'Evaluate', message: 'a path is absent' });
  });
});

describe('the failure handler', () => {
  const BOOM = JSON.stringify({
    ...{ FailureReason: 'boom', TrainingJobName: 'job', BillableTimeInSeconds: 50 },
    ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1 },
  });
  const world = (status: string, run: Partial<RunMeta> = {}, input: object = INPUT) => {
    const calls: [string, unknown][] = [];
    const steps: string[] = [];
    const note =
      <T>(name: string, answer: T) =>
      async (...args: unknown[]) => {
        calls.push([name, args.length === 1 ? args[0] : args]);
        return answer;
      };
    const history = [entered(1, 'Train'), failed(2, 'TaskFailed', { error: 'States.TaskFailed', cause: BOOM })].reverse();
    const clients = {
      runs: {
        startRun: note('startRun', { status: 'RUNNING', ...run }),
        failRun: note('failRun', true),
        reopenRun: note('reopenRun', true),
        recordStep: async (_: string, { name, status: ended }: { name: string; status: string }) => void steps.push(`${name} ${ended}`),
        recordBill: note('recordBill', undefined),
        getRun: async () => ({ runId: 'run-1', steps: [], prices: { 'ml.m5.large': 0.36 } }),
      },
      executions: {
        describe: async () => ({ status, input: JSON.stringify(input), startDate: new Date(0) }),
        newestEvents: async () => (status === 'ABORTED' ? [entered(1, 'Train')] : history),
        events: async function* () {
          yield* [...history].reverse();
        },
      },
      jobs: { stopRunning: note('stopRunning', []) },
      bills: { ask: async () => undefined },
      events: { putEvent: note('putEvent', undefined) },
      tidy: note('tidy', undefined),
    } as unknown as Clients;
    const handle = (change: Partial<StatusChange> = {}) =>
      new RunEnd(clients, 'mlops').handle({
        executionArn: ARN,
        status: status as StatusChange['status'],
        redriveCount: 0,
        time: '2026-01-01T00:00:00Z',
        ...change,
      });
    return { calls, steps, handle, names: () => calls.map(([name]) => name) };
  };

  beforeEach(() => {
    process.env.MLOPS_PLATFORM = 'mlops';
    jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  });
  afterEach(() => jest.restoreAllMocks());

  test('stops what the run left running, tells the bus and records step and cause', async () => {
    const { calls, handle } = world('FAILED');
    await handle();
    expect(calls).toEqual([
      ['stopRunning', [[], executionHash(ARN), expect.any(Function)]],
      [
        'startRun',
        { runId: 'run-1', model: 'Demand', executionArn: ARN, causeId: 'c', cause: 'error left its bound', startTime: '1970-01-01T00:00:00.000Z' },
      ],
      ['recordBill', ['run-1', expect.objectContaining({ billed: [{ instanceType: 'ml.m5.large', seconds: 50 }], unbilled: [], costUsd: 0.005 })]],
      [
        'putEvent',
        [
          'Training Pipeline Failed',
          expect.objectContaining({
            ...{ billed: [{ instanceType: 'ml.m5.large', seconds: 50 }], costUsd: 0.005 },
            ...{ platform: 'mlops', model: 'Demand', runId: 'run-1', step: 'Train', message: 'boom' },
            resume: 'mlops runs resume run-1',
          }),
        ],
      ],
      ['failRun', ['run-1', expect.objectContaining({ step: 'Train', name: 'States.TaskFailed', message: 'boom', job: 'job' }), 'FAILED']],
      ['tidy', expect.objectContaining({ executionArn: ARN, model: 'Demand', runId: 'run-1', endpointName: undefined })],
    ]);
  });

  test('a rebuild that failed is on record with its steps, and nobody is alarmed: whoever asked for it waits for it', async () => {
    const { handle, names, steps } = world('FAILED', {}, { ...INPUT, rebuildOf: 3 });
    const output = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    await handle();
    expect(names()).toEqual(['stopRunning', 'startRun', 'recordBill', 'failRun', 'tidy']);
    expect(output.mock.calls.flat().join('')).not.toContain('PipelineFailed');
    expect(steps).toEqual(['train RUNNING']);
  });

  test('what the steps of a run did is recorded when it ended well', async () => {
    const { handle, names, steps } = world('SUCCEEDED');
    await handle();
    expect([names(), steps]).toEqual([['recordBill'], ['train RUNNING']]);
  });

  test('does nothing a second time', async () => {
    const { handle, names } = world('FAILED', { status: 'FAILED' });
    await handle();
    expect(names()).toEqual(['stopRunning', 'startRun', 'tidy']);
  });

  test('leaves a run alone that was redriven or ended well before the event came', async () => {
    for (const status of ['RUNNING', 'SUCCEEDED']) {
      const { handle, names } = world(status);
      await handle({ status: 'FAILED' });
      expect(names()).toEqual([]);
    }
  });

  test('an abort is a kill by somebody, a timeout one of the execution', async () => {
    const aborted = world('ABORTED');
    await aborted.handle();
    expect(aborted.calls.at(-2)).toEqual([
      'failRun',
      ['run-1', { step: 'Train', name: 'Aborted', message: 'somebody stopped the execution' }, 'KILLED'],
    ]);
    const late = world('TIMED_OUT');
    expect(await late.handle()).toMatchObject({ error: 'States.Timeout' });
  });

  test('a redrive opens the run again, a first start does not', async () => {
    const redriven = world('RUNNING');
    await redriven.handle({ redriveCount: 1 });
    expect(redriven.names()).toEqual(['reopenRun']);
    const started = world('RUNNING');
    await started.handle({ redriveCount: 0 });
    expect(started.names()).toEqual([]);
  });

  test('a redrive that has failed meanwhile stays failed', async () => {
    const { handle, names } = world('FAILED');
    await handle({ status: 'RUNNING', redriveCount: 1 });
    expect(names()).toEqual([]);
  });
});

test('names of a run’s jobs carry the hash by which they are found again', () => {
  expect(jobNameBase('p'.repeat(39), ARN)).toMatch(new RegExp(`^p{39}-${executionHash(ARN)}0$`));
  expect(jobNameBase('p'.repeat(39), ARN).length).toBeLessThanOrEqual(52);
});

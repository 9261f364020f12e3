import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { handler } from '../../../lambda/pipeline/handle-failure.lambda';
import { executionHash } from '../../../lambda/pipeline/job-names';
import { RunTrackerClient } from '../../../lambda/tracking/run-tracker.client';
import { MemoryDynamo } from '../../fakes/memory-dynamo';
import { MemoryEvents, MemoryExecutions } from '../../fakes/sdk';

Object.assign(process.env, { AWS_REGION: 'eu-west-1', MLOPS_PLATFORM: 'mlops', MLOPS_BUS_NAME: 'bus', MLOPS_RUNS_TABLE: 'runs' });

const ARN = 'arn:aws:states:eu-west-1:111122223333:execution:Demand:run-1';
const INPUT = JSON.stringify({ model: 'Demand', runId: 'run-1', causeId: 'c', cause: 'error left its bound' });

const dynamo = new MemoryDynamo();
const bus = new MemoryEvents();
const machines = new MemoryExecutions();
const output = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
const sagemaker = jest.spyOn(SageMakerClient.prototype, 'send');

/** Jobs by name, over two pages, and what stopping one of them fails with. */
let running: { training: string[]; transform: string[] };
let refusal: Error | undefined;
let stopped: unknown[];

beforeEach(() => {
  dynamo.clear();
  dynamo.install();
  bus.events.length = 0;
  bus.install();
  machines.executions.clear();
  machines.install();
  output.mockClear();
  running = { training: [], transform: [] };
  refusal = undefined;
  stopped = [];
  sagemaker.mockImplementation((async (command: { input: Record<string, string> }) => {
    const { input, constructor } = command;
    if (/^List/.test(constructor.name)) {
      expect(input).toMatchObject({ NameContains: executionHash(ARN), StatusEquals: 'InProgress' });
      const kind = constructor.name.includes('Training') ? 'Training' : 'Transform';
      const names = kind === 'Training' ? running.training : running.transform;
      const page = Number(input.NextToken ?? 0);
      const NextToken = page + 1 < names.length ? String(page + 1) : undefined;
      return { [`${kind}JobSummaries`]: names.slice(page, page + 1).map((name) => ({ [`${kind}JobName`]: name })), NextToken };
    }
    stopped.push(Object.values(input)[0]);
    if (refusal) throw refusal;
    return {};
  }) as never);
});
afterAll(() => jest.restoreAllMocks());

const failed = (status = 'FAILED') =>
  machines.executions.set(ARN, {
    status: status as 'FAILED',
    input: INPUT,
    startDate: new Date('2026-01-01T00:00:00Z'),
    events: [
      {
        ...{ id: 3, timestamp: new Date(0), type: 'TaskFailed', previousEventId: 2 },
        taskFailedEventDetails: { resource: 'r', resourceType: 't', error: 'E', cause: 'out of memory' },
      },
      ...['createTransformJob.sync', 'arn:aws:states:::sagemaker:createTrainingJob.sync'].map((resource) => ({
        ...{ id: 2, timestamp: new Date(0), type: 'TaskScheduled' as const },
        taskScheduledEventDetails: { resourceType: 'sagemaker', resource, region: 'eu-west-1', parameters: '{}' },
      })),
      { id: 2, timestamp: new Date(0), type: 'TaskStateEntered', stateEnteredEventDetails: { name: 'Train' } },
    ],
  });
const change = (status: string, redriveCount?: number) => ({ time: '2026-01-01T01:00:00Z', detail: { executionArn: ARN, status, redriveCount } });
const runs = () => new RunTrackerClient();

test('a failed run stops its jobs, is told with step and cause, counted once and recorded', async () => {
  failed();
  running = { training: ['a', 'b'], transform: ['c'] };
  await handler(change('FAILED'));
  expect(stopped).toEqual(['a', 'b', 'c']);
  expect(bus.ofType('Training Pipeline Failed')).toEqual([
    {
      ...{ platform: 'mlops', model: 'Demand', occurredAt: '2026-01-01T01:00:00Z', runId: 'run-1', executionArn: ARN },
      ...{ step: 'Train', error: 'E', message: 'out of memory' },
      logsUrl: expect.stringContaining('$252Faws$252Fsagemaker$252FTrainingJobs$3FlogStreamNameFilter$3Da$252F'),
      resume: 'mlops runs resume run-1',
    },
  ]);
  expect(output.mock.calls.flat().join('\n')).toContain('"PipelineFailed":1');
  // It broke before its first step had opened it, and is on record all the same.
  expect(await runs().getRun('run-1')).toMatchObject({
    status: 'FAILED',
    startTime: '2026-01-01T00:00:00.000Z',
    error: { step: 'Train', name: 'E', message: 'out of memory' },
  });
  output.mockClear();
  await handler(change('FAILED'));
  expect(bus.events).toHaveLength(1);
  expect(output.mock.calls.flat().join('\n')).not.toContain('PipelineFailed');
});

test('a job that has ended meanwhile need not be stopped, any other refusal is an error', async () => {
  failed();
  running.training = ['a'];
  refusal = Object.assign(new Error('The request was rejected because the training job is in status Completed.'), { name: 'ValidationException' });
  await handler(change('FAILED'));
  expect((await runs().getRun('run-1')).status).toBe('FAILED');
  refusal = Object.assign(new Error('no'), { name: 'AccessDeniedException' });
  await expect(handler(change('FAILED'))).rejects.toThrow('no');
});

test('a redrive opens the run again', async () => {
  failed();
  await handler(change('FAILED'));
  machines.executions.set(ARN, { status: 'RUNNING', input: INPUT });
  await handler(change('RUNNING', 1));
  expect(await runs().getRun('run-1')).toMatchObject({ status: 'RUNNING' });
});

test('an execution that was never a run is an error that names it', async () => {
  failed();
  machines.executions.set(ARN, { ...machines.executions.get(ARN), input: '{}' });
  await expect(handler(change('FAILED'))).rejects.toThrow(`execution ${ARN} has no model and runId in its input`);
});

test('an event that is none is refused', async () => {
  await expect(handler({ detail: { executionArn: 'x' } })).rejects.toMatchObject({ name: 'ZodError' });
  expect([...stopped, ...bus.events, ...dynamo.items('runs')]).toEqual([]);
});

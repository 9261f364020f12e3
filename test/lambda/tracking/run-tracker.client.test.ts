import { RunTrackerClient } from '../../../lambda/tracking/run-tracker.client';
import { TRACKING_ERRORS } from '../../../lib/tracking/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';

const START = { runId: 'run-1', model: 'Bikes', executionArn: 'arn:1', causeId: 'c', cause: 'somebody asked' };
const FAILURE = { step: 'Train', name: 'States.TaskFailed', message: 'exit code 1' };

let dynamo: MemoryDynamo;
let runs: RunTrackerClient;

beforeEach(() => {
  dynamo = new MemoryDynamo();
  runs = new RunTrackerClient('runs', dynamo.client());
});

test('a run is opened once; its id by another execution is refused', async () => {
  const opened = await runs.startRun(START);
  expect(opened).toMatchObject({ ...START, status: 'RUNNING' });
  expect(await runs.startRun({ ...START, startTime: '2030-01-01T00:00:00Z' })).toEqual(opened);
  await expect(runs.startRun({ ...START, executionArn: 'arn:2' })).rejects.toMatchObject({ name: TRACKING_ERRORS.conflict });
});

test('a run holds its steps by their start, its parameters and the latest of each metric', async () => {
  await runs.startRun(START);
  await runs.recordStep('run-1', { name: 'Train', status: 'RUNNING', startTime: '2026-01-01T00:01:00Z' });
  await runs.recordStep('run-1', { name: 'Prepare', status: 'FINISHED', startTime: '2026-01-01T00:00:00Z' });
  await runs.recordStep('run-1', { name: 'Train', status: 'FINISHED', startTime: '2026-01-01T00:02:00Z' });
  const params = Object.fromEntries(Array.from({ length: 130 }, (_, index) => [`p${index}`, String(index)]));
  await runs.logParams('run-1', params);
  await runs.logMetrics('run-1', { rmse: 70, mae: 50 });
  await runs.logMetrics('run-1', { rmse: 64.25 });
  dynamo.pageSize = 50;
  const run = await runs.getRun('run-1');
  expect(run.steps.map(({ name, status }) => [name, status])).toEqual([['Prepare', 'FINISHED'], ['Train', 'FINISHED']]);
  expect(run.params).toEqual(params);
  expect(run.metrics).toEqual({ rmse: 64.25, mae: 50 });
  await expect(runs.logMetrics('run-1', { r2: NaN })).rejects.toThrow('metric r2 of run run-1 is NaN');
});

test('how a run ended well is never covered by a late report', async () => {
  await runs.startRun(START);
  const finished = await runs.finishRun('run-1', 'promoted', 3);
  expect(await runs.failRun('run-1', FAILURE)).toBe(false);
  expect(await runs.reopenRun('run-1')).toBe(false);
  expect(await runs.finishRun('run-1', 'promoted', 3)).toEqual(finished);
  await expect(runs.finishRun('run-1', 'rejected')).rejects.toMatchObject({ name: TRACKING_ERRORS.conflict });
});

test('the bill of a run is the last one that was told, its cost a metric of which each value is a point once', async () => {
  const prices = { 'ml.m5.large': 0.36 };
  await runs.startRun({ ...START, prices });
  const billed = [{ instanceType: 'ml.m5.large', seconds: 100 }];
  await runs.recordBill('run-1', { unbilled: ['job'] });
  expect(await runs.getRun('run-1')).toMatchObject({ prices, unbilled: ['job'], metrics: {} });
  await runs.recordBill('run-1', { billed, unbilled: [], costUsd: 0.01 });
  const points = () => dynamo.items('runs').filter(({ pk }) => String(pk).includes('#POINTS#')).length;
  const before = points();
  await runs.recordBill('run-1', { billed, unbilled: [], costUsd: 0.01 });
  expect(points()).toBe(before);
  const run = await runs.getRun('run-1');
  expect(run).toMatchObject({ prices, billed, costUsd: 0.01, metrics: { costUsd: 0.01 } });
  expect(run).not.toHaveProperty('unbilled');
  await runs.finishRun('run-1', 'rejected');
  await runs.recordBill('run-1', { billed, unbilled: [], costUsd: 0.02 });
  expect(await runs.getRun('run-1')).toMatchObject({ status: 'FINISHED', costUsd: 0.02, metrics: { costUsd: 0.02 } });
});

test('a failed run keeps its first cause until a redrive takes it away', async () => {
  await runs.startRun(START);
  expect(await runs.failRun('run-1', FAILURE)).toBe(true);
  expect(await runs.failRun('run-1', { ...FAILURE, message: 'later' }, 'KILLED')).toBe(false);
  expect(await runs.getRun('run-1')).toMatchObject({ status: 'FAILED', error: FAILURE });
  expect(await runs.reopenRun('run-1')).toBe(true);
  const reopened = await runs.getRun('run-1');
  expect([reopened.status, reopened.error, reopened.endTime]).toEqual(['RUNNING', undefined, undefined]);
  expect(await runs.finishRun('run-1', 'rejected')).toMatchObject({ status: 'FINISHED', outcome: 'rejected' });
});

test('runs are listed newest first, by pages, and a run that is not there is named', async () => {
  for (const [runId, day] of [['b', '02'], ['c', '03'], ['a', '01']]) {
    await runs.startRun({ ...START, runId, startTime: `2026-01-${day}T00:00:00Z` });
  }
  const first = await runs.listRuns('Bikes', { limit: 2 });
  const second = await runs.listRuns('Bikes', { limit: 2, cursor: first.cursor });
  expect([...first.items, ...second.items].map(({ runId }) => runId)).toEqual(['c', 'b', 'a']);
  for (const call of [runs.getRun('x'), runs.failRun('x', FAILURE), runs.finishRun('x', 'promoted')]) {
    await expect(call).rejects.toMatchObject({ name: TRACKING_ERRORS.notFound, message: 'Run with id=x not found' });
  }
});

test('a table that does not answer is no lost condition', async () => {
  dynamo.before = () => {
    throw new Error('AccessDenied');
  };
  await expect(runs.startRun(START)).rejects.toThrow('AccessDenied');
  await expect(runs.finishRun('run-1', 'promoted')).rejects.toThrow('AccessDenied');
});

import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createDocumentClient } from '../../lambda/common/dynamo.client';
import { RunStart, RunTrackerClient } from '../../lambda/tracking/run-tracker.client';
import { TRACKING_ERRORS } from '../../lib/tracking/contract';
import { RunTracker } from '../../lib/tracking/run-tracker';
import { client } from './harness';
import { createTablesOf } from './tables';

let tables: Awaited<ReturnType<typeof createTablesOf>>;
let runs: RunTrackerClient;

beforeAll(async () => {
  tables = await createTablesOf((scope) => new RunTracker(scope, 'Tracker'));
  runs = new RunTrackerClient(tables.named('Runs'), createDocumentClient(client(DynamoDBClient)));
});

afterAll(async () => tables.remove());

const newRun = (overrides: Partial<RunStart> = {}): RunStart => {
  const runId = randomUUID();
  return { runId, model: 'Bikes', executionArn: `arn:${runId}`, causeId: 'cause', cause: 'somebody asked', ...overrides };
};

const failure = { step: 'Train', name: 'States.TaskFailed', message: 'exit code 1' };

test('a run is opened once, and the same id by another execution is refused', async () => {
  const start = newRun();
  const opened = await runs.startRun(start);
  expect(opened).toMatchObject({ ...start, status: 'RUNNING' });
  expect(await runs.startRun({ ...start, startTime: '2030-01-01T00:00:00Z' })).toEqual(opened);
  await expect(runs.startRun({ ...start, executionArn: 'arn:other' })).rejects.toMatchObject({ name: TRACKING_ERRORS.conflict });
});

test('a run holds its steps by start, its parameters and the latest value of each metric', async () => {
  const { runId } = await runs.startRun(newRun());
  await runs.recordStep(runId, { name: 'Train', status: 'RUNNING', startTime: '2026-01-01T00:01:00.000Z' });
  await runs.recordStep(runId, { name: 'Prepare', status: 'FINISHED', startTime: '2026-01-01T00:00:00.000Z', outputs: { dataId: 'x' } });
  await runs.recordStep(runId, { name: 'Train', status: 'FINISHED', startTime: '2026-01-01T00:02:00.000Z' });
  const params = Object.fromEntries(Array.from({ length: 130 }, (_, index) => [`p${index}`, String(index)]));
  await runs.logParams(runId, params);
  await runs.logMetrics(runId, { rmse: 70, mae: 50 });
  await runs.logMetrics(runId, { rmse: 64.25 });
  const run = await runs.getRun(runId);
  expect(run.steps.map(({ name, status }) => [name, status])).toEqual([['Prepare', 'FINISHED'], ['Train', 'FINISHED']]);
  expect(run.params).toEqual(params);
  expect(run.metrics).toEqual({ rmse: 64.25, mae: 50 });
  await expect(runs.logMetrics(runId, { r2: NaN })).rejects.toThrow(`metric r2 of run ${runId} is NaN`);
});

test('a run that ended well stays so: a late failure report and a redrive change nothing', async () => {
  const { runId } = await runs.startRun(newRun());
  const finished = await runs.finishRun(runId, 'promoted', 3);
  expect(finished).toMatchObject({ status: 'FINISHED', outcome: 'promoted', version: 3 });
  expect(await runs.failRun(runId, failure)).toBe(false);
  expect(await runs.reopenRun(runId)).toBe(false);
  expect(await runs.finishRun(runId, 'promoted', 3)).toEqual(finished);
  await expect(runs.finishRun(runId, 'rejected')).rejects.toMatchObject({ name: TRACKING_ERRORS.conflict });
});

test('a failed run keeps its first cause, and a redrive that succeeds ends it well', async () => {
  const { runId } = await runs.startRun(newRun());
  expect(await runs.failRun(runId, failure)).toBe(true);
  expect(await runs.failRun(runId, { ...failure, message: 'later' }, 'KILLED')).toBe(false);
  expect(await runs.getRun(runId)).toMatchObject({ status: 'FAILED', error: failure });
  expect(await runs.reopenRun(runId)).toBe(true);
  const reopened = await runs.getRun(runId);
  expect(reopened.status).toBe('RUNNING');
  expect(reopened.error ?? reopened.endTime).toBeUndefined();
  expect(await runs.finishRun(runId, 'rejected')).toMatchObject({ status: 'FINISHED', outcome: 'rejected' });
});

test('a run that does not exist is named', async () => {
  const missing = { name: TRACKING_ERRORS.notFound, message: 'Run with id=nothing not found' };
  await expect(runs.getRun('nothing')).rejects.toMatchObject(missing);
  await expect(runs.failRun('nothing', failure)).rejects.toMatchObject(missing);
  await expect(runs.finishRun('nothing', 'promoted')).rejects.toMatchObject(missing);
});

test('runs of one model are listed newest first, page by page', async () => {
  const model = `m-${randomUUID().slice(0, 8)}`;
  const starts = ['2026-01-02T00:00:00.000Z', '2026-01-03T00:00:00.000Z', '2026-01-01T00:00:00.000Z'];
  for (const startTime of starts) await runs.startRun(newRun({ model, startTime }));
  const first = await runs.listRuns(model, { limit: 2 });
  const second = await runs.listRuns(model, { limit: 2, cursor: first.cursor });
  expect([...first.items, ...second.items].map(({ startTime }) => startTime)).toEqual([...starts].sort().reverse());
  await expect(runs.listRuns(model, { cursor: 'x' })).rejects.toThrow("'x' is no cursor of this list");
});

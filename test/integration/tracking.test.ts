import { randomUUID } from 'node:crypto';
import { DynamoDBClient, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { createDocumentClient } from '../../lambda/common/dynamo.client';
import { ExperimentsClient } from '../../lambda/tracking/experiments.client';
import { LineageClient } from '../../lambda/tracking/lineage.client';
import { LoggedModelsClient } from '../../lambda/tracking/logged-models.client';
import { RunStart, RunTrackerClient } from '../../lambda/tracking/run-tracker.client';
import { RunsClient } from '../../lambda/tracking/runs.client';
import { MetricPoint, Run, TRACKING_ERRORS } from '../../lib/tracking/contract';
import { RunTracker } from '../../lib/tracking/run-tracker';
import { client } from './harness';
import { createTablesOf } from './tables';

let tables: Awaited<ReturnType<typeof createTablesOf>>;
let runs: RunTrackerClient;
let dynamo: DynamoDBClient;

/** Clients of a process of their own. */
const clients = () => {
  const table = tables.named('Runs');
  const db = createDocumentClient(dynamo);
  const experiments = new ExperimentsClient(table, db, 's3://bucket/mlflow');
  return {
    experiments,
    runs: new RunsClient(table, db, experiments),
    loggedModels: new LoggedModelsClient(table, db, experiments),
    lineage: new LineageClient(table, db),
  };
};

beforeAll(async () => {
  tables = await createTablesOf((scope) => new RunTracker(scope, 'Tracker'));
  dynamo = client(DynamoDBClient);
  runs = new RunTrackerClient(tables.named('Runs'), createDocumentClient(dynamo));
});

afterAll(async () => {
  dynamo.destroy();
  await tables.remove();
});

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

const point = (key: string, value: number, step = 0, timestamp = step): MetricPoint => ({ key, value, timestamp, step });

test('a hundred writers of one run all land', async () => {
  const { runs: store } = clients();
  const { runId } = await store.create({ experimentId: '0' });
  const writers = Array.from({ length: 100 }, () => clients().runs);
  await Promise.all(writers.map((writer, step) => writer.logBatch(runId, { metrics: [point('loss', step, step)] })));
  expect((await store.get(runId)).metrics).toEqual({ loss: point('loss', 99, 99) });
  expect(await store.metricHistory(runId, 'loss')).toHaveLength(100);
});

test('a batch as large as clients may send, thousands of keys, NaN and infinities are kept as they are', async () => {
  const { runs: store } = clients();
  const { runId } = await store.create({ experimentId: '0', name: 'large' });
  const noise = (length: number): string => Array.from({ length: length / 32 }, () => randomUUID().replaceAll('-', '')).join('');
  const params = Array.from({ length: 100 }, (_, index) => ({ key: `p${index}`, value: noise(5_984) }));
  const tags = Array.from({ length: 100 }, (_, index) => ({ key: `t${index}`, value: noise(7_968) }));
  await store.logBatch(runId, { params, tags });
  const metrics = Array.from({ length: 1_000 }, (_, index) => point(`m${index}`, index));
  for (let more = 0; more < 3; more += 1) {
    await store.logBatch(runId, { metrics: metrics.map((one) => ({ ...one, key: `${more}.${one.key}` })) });
  }
  await store.logBatch(runId, { metrics: [point('odd', NaN, 0), point('odd', Infinity, 1), point('odd', -Infinity, 2)] });
  const run = await store.get(runId);
  expect(run.params).toEqual(Object.fromEntries(params.map(({ key, value }) => [key, value])));
  expect(run.tags).toMatchObject(Object.fromEntries(tags.map(({ key, value }) => [key, value])));
  expect(Object.keys(run.metrics)).toHaveLength(3_001);
  expect((await store.metricHistory(runId, 'odd')).map(({ value }) => value)).toEqual([NaN, Number.MAX_VALUE, -Number.MAX_VALUE]);
  const changed = [{ key: 'new', value: '1' }, { key: 'p1', value: 'other' }];
  await expect(store.logBatch(runId, { params: changed })).rejects.toMatchObject({ name: TRACKING_ERRORS.paramChanged });
  expect((await store.get(runId)).params).not.toHaveProperty('new');
});

test('a table that is busy is asked again, and a batch whose answer was lost leaves one copy', async () => {
  const { runs: store } = clients();
  const { runId } = await store.create({ experimentId: '0' });
  const unlucky = client(DynamoDBClient);
  const faults = ['busy', 'busy', 'conflict', 'lost', 'busy'];
  unlucky.middlewareStack.add(
    (next, context) => async (args) => {
      const fault = context.commandName === 'TransactWriteItemsCommand' ? faults.shift() : undefined;
      const error = (name: string, more: object): Error => Object.assign(new Error(name), { name, $metadata: {}, ...more });
      if (fault === 'busy') throw error('ThrottlingException', { $retryable: { throttling: true } });
      if (fault === 'conflict') {
        throw new TransactionCanceledException({ message: fault, $metadata: {}, CancellationReasons: [{ Code: 'TransactionConflict' }] });
      }
      const answer = await next(args);
      if (fault === 'lost') throw error('TimeoutError', { $retryable: {} });
      return answer;
    },
    { step: 'finalizeRequest', name: 'faults', priority: 'low' },
  );
  const other = new RunsClient(tables.named('Runs'), createDocumentClient(unlucky));
  const batch = { metrics: [point('m', 1), point('m', 2, 1)], params: [{ key: 'p', value: 'x' }] };
  await other.logBatch(runId, batch);
  await other.logBatch(runId, batch);
  expect(faults).toEqual([]);
  expect(await store.metricHistory(runId, 'm')).toEqual(batch.metrics);
  expect(await store.get(runId)).toMatchObject({ params: { p: 'x' }, metrics: { m: point('m', 2, 1) } });
  unlucky.destroy();
});

test('experiments hold their runs in order; deletion and restoration take them along; an indexed tag finds its runs', async () => {
  const { experiments, runs: store } = clients();
  const { experimentId } = await experiments.create({ name: randomUUID(), tags: { a: 'b' } });
  const starts = [5, 7, 6, 7].map((startTime, index) => ({ experimentId, startTime, runId: `${experimentId}-${index}` }));
  const made = await Promise.all(starts.map((start) => store.create(start)));
  const ids = async (pages: AsyncGenerator<Run[]>): Promise<string[]> => {
    const found: string[] = [];
    for await (const page of pages) found.push(...page.map(({ runId }) => runId.slice(-1)));
    return found;
  };
  expect(await ids(store.rows(experimentId))).toEqual(['1', '3', '2', '0']);
  expect(await ids(store.rows(experimentId, { pageSize: 1, startTime: { to: 7, from: 6 }, after: made[1] }))).toEqual(['3', '2']);
  for (const { runId } of made.slice(1)) await store.setTag(runId, 'mlflow.parentRunId', made[0].runId);
  await store.setTag(made[2].runId, 'mlflow.parentRunId', 'other');
  expect(await ids(store.rowsByTag(experimentId, 'mlflow.parentRunId', made[0].runId))).toEqual(['1', '3']);
  await experiments.delete(experimentId);
  expect(await ids(store.rows(experimentId))).toEqual([]);
  await expect(store.setTag(made[0].runId, 'a', 'b')).rejects.toMatchObject({ name: TRACKING_ERRORS.deleted });
  await experiments.restore(experimentId);
  const again = await store.getMany(['none', ...made.map(({ runId }) => runId)]);
  expect(again.map(({ lifecycleStage }) => lifecycleStage)).toEqual(Array(4).fill('active'));
  const { name } = await experiments.get(experimentId);
  await expect(experiments.create({ name })).rejects.toMatchObject({ name: TRACKING_ERRORS.exists });
  await experiments.rename(experimentId, `${name}-2`);
  expect(await experiments.getByName(name)).toBeUndefined();
});

test('logged models and lineage stand beside the runs', async () => {
  const { loggedModels, lineage } = clients();
  const { modelId } = await loggedModels.create({ experimentId: '0', name: 'model', params: { a: '1' } });
  await loggedModels.logMetrics(modelId, [{ ...point('m', NaN), runId: 'r' }]);
  await loggedModels.setStatus(modelId, 'LOGGED_MODEL_READY');
  expect(await loggedModels.get(modelId)).toMatchObject({ status: 'LOGGED_MODEL_READY', metrics: [{ key: 'm', value: NaN, runId: 'r' }] });
  const [run, version] = [{ kind: 'run', id: randomUUID() } as const, { kind: 'version', id: 'Bikes/1' } as const];
  await Promise.all([lineage.link(run, version, 'now'), lineage.link(run, version, 'now')]);
  expect(await lineage.to(run)).toEqual([{ node: version, at: 'now' }]);
});

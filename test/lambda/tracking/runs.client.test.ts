import { randomBytes } from 'node:crypto';
import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { ExperimentsClient } from '../../../lambda/tracking/experiments.client';
import { Batch, RunsClient } from '../../../lambda/tracking/runs.client';
import { DatasetInput, MetricPoint, Run, TRACKING_ERRORS } from '../../../lib/tracking/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';

let dynamo: MemoryDynamo;
let experiments: ExperimentsClient;
let runs: RunsClient;

beforeEach(() => {
  dynamo = new MemoryDynamo();
  experiments = new ExperimentsClient('runs', dynamo.client(), 's3://bucket/mlflow');
  runs = new RunsClient('runs', dynamo.client(), experiments);
});

const point = (key: string, value: number, step = 0, timestamp = 1_000): MetricPoint => ({ key, value, timestamp, step });
const numbered = (count: number, value: (index: number) => string, prefix = 'k') =>
  Array.from({ length: count }, (_, index) => ({ key: `${prefix}${index}`, value: value(index) }));
const record = (entries: readonly { key: string; value: string }[]) => Object.fromEntries(entries.map(({ key, value }) => [key, value]));
const random = (characters: number): string => randomBytes(characters / 2).toString('hex');

const all = async (pages: AsyncGenerator<Run[]>): Promise<Run[]> => {
  const found: Run[] = [];
  for await (const page of pages) found.push(...page);
  return found;
};

/** Commands that were sent meanwhile, by name. */
const counted = async (work: () => Promise<unknown>): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {};
  dynamo.before = (command) => void (counts[command.constructor.name] = (counts[command.constructor.name] ?? 0) + 1);
  await work();
  dynamo.before = () => undefined;
  return counts;
};

describe('a run', () => {
  test('has a name, kept in step with its tag both ways, and a place for artifacts below its experiment', async () => {
    const { experimentId } = await experiments.create({ name: 'e' });
    const unnamed = await runs.create({ experimentId });
    expect(unnamed.name).toMatch(/^[a-z]+-[a-z]+-\d+$/);
    expect(unnamed.tags).toEqual({ 'mlflow.runName': unnamed.name });
    expect(unnamed.runId).toMatch(/^[0-9a-f]{32}$/);
    expect(unnamed.artifactUri).toBe(`s3://bucket/mlflow/${experimentId}/${unnamed.runId}/artifacts`);
    const named = await runs.create({ experimentId, tags: { 'mlflow.runName': 'by tag', other: 'x' } });
    expect(named.name).toBe('by tag');
    expect((await runs.update(named.runId, { name: 'renamed' })).tags).toEqual({ 'mlflow.runName': 'renamed', other: 'x' });
    await runs.setTag(named.runId, 'mlflow.runName', 'again');
    expect(await runs.get(named.runId)).toMatchObject({ name: 'again', tags: { 'mlflow.runName': 'again' } });
    await expect(runs.create({ experimentId, runId: named.runId })).rejects.toMatchObject({ name: TRACKING_ERRORS.conflict });
  });

  test('says how and when it ended', async () => {
    const { runId } = await runs.create({ experimentId: '0', startTime: 5 });
    await runs.update(runId, { status: 'FINISHED', endTime: 9 });
    expect(await runs.get(runId)).toMatchObject({ status: 'FINISHED', startTime: 5, endTime: 9 });
    await expect(runs.get('x')).rejects.toMatchObject({ name: TRACKING_ERRORS.notFound, message: 'Run with id=x not found' });
    await expect(runs.metricHistory('x', 'k')).rejects.toMatchObject({ name: TRACKING_ERRORS.notFound });
  });

  test('that is deleted refuses changes until it is restored; doing either twice is no error', async () => {
    const { runId } = await runs.create({ experimentId: '0' });
    await runs.delete(runId);
    await runs.delete(runId);
    const message = `The run ${runId} must be in the 'active' state. Current state is deleted.`;
    for (const call of [
      () => runs.setTag(runId, 'a', 'b'),
      () => runs.logBatch(runId, {}),
      () => runs.update(runId, { status: 'FINISHED' }),
      () => runs.deleteTag(runId, 'a'),
    ]) await expect(call()).rejects.toMatchObject({ name: TRACKING_ERRORS.deleted, message });
    expect(await all(runs.rows('0'))).toEqual([]);
    expect(await all(runs.rows('0', { includeDeleted: true }))).toMatchObject([{ runId, lifecycleStage: 'deleted' }]);
    await runs.restore(runId);
    await runs.restore(runId);
    expect((await runs.get(runId)).lifecycleStage).toBe('active');
  });

  test('answers whether a tag that was removed was there', async () => {
    const { runId } = await runs.create({ experimentId: '0', tags: { a: 'b' } });
    expect(await runs.deleteTag(runId, 'a')).toBe(true);
    expect(await runs.deleteTag(runId, 'a')).toBe(false);
    expect((await runs.get(runId)).tags).not.toHaveProperty('a');
  });

  test('keeps data sets and models that it used, and models that it made', async () => {
    const { runId } = await runs.create({ experimentId: '0' });
    const dataset: DatasetInput = { name: 'd', digest: '1', sourceType: 'http', source: '{}', schema: random(900_000), tags: { context: 'train' } };
    await runs.logInputs(runId, [dataset, { ...dataset, digest: '2', schema: undefined }], ['m-1']);
    await runs.logInputs(runId, [{ ...dataset, source: 'other' }], ['m-1', 'm-2']);
    await runs.logOutputs(runId, [{ modelId: 'm-3', step: 4 }]);
    await runs.logOutputs(runId, [{ modelId: 'm-3', step: 5 }]);
    const run = await runs.get(runId);
    expect(run.datasets).toHaveLength(2);
    expect(run.datasets).toContainEqual(dataset);
    expect(run.modelInputs).toEqual(['m-1', 'm-2']);
    expect(run.modelOutputs).toEqual([{ modelId: 'm-3', step: 5 }]);
  });
});

describe('a batch', () => {
  let runId: string;
  beforeEach(async () => {
    ({ runId } = await runs.create({ experimentId: '0', name: 'n' }));
  });

  test('is one transaction, and again leaves one copy', async () => {
    const batch: Batch = { metrics: [point('loss', 1, 0), point('loss', 0.5, 1), point('acc', 0.9)], params: [{ key: 'p', value: '1' }], tags: [] };
    expect(await counted(() => runs.logBatch(runId, batch))).toEqual({ GetCommand: 2, TransactWriteCommand: 1 });
    const items = dynamo.items('runs').length;
    await runs.logBatch(runId, batch);
    expect(dynamo.items('runs')).toHaveLength(items);
    expect(await runs.metricHistory(runId, 'loss')).toEqual([point('loss', 1, 0), point('loss', 0.5, 1)]);
    expect((await runs.get(runId)).metrics).toEqual({ loss: point('loss', 0.5, 1), acc: point('acc', 0.9) });
  });

  test('with one parameter of another value writes nothing at all', async () => {
    await runs.logBatch(runId, { params: [{ key: 'p', value: '1' }] });
    const before = dynamo.items('runs');
    const params = [{ key: 'q', value: '1' }, { key: 'p', value: '2' }];
    await expect(runs.logBatch(runId, { metrics: [point('m', 1)], params, tags: [{ key: 't', value: 'x' }] })).rejects.toMatchObject({
      name: TRACKING_ERRORS.paramChanged,
      message:
        `Changing param values is not allowed. Param with key='p' was already logged with value='1' for run ID='${runId}'. ` +
        "Attempted logging new value '2'.",
    });
    expect(dynamo.items('runs')).toEqual(before);
    await expect(runs.logBatch(runId, { params: [{ key: 'r', value: '1' }, { key: 'r', value: '1' }] })).rejects.toMatchObject({
      name: TRACKING_ERRORS.paramTwice,
    });
    await runs.logBatch(runId, { params: [{ key: 'p', value: '1' }] });
  });

  test('whose transaction fails writes nothing, and can be repeated', async () => {
    const batch: Batch = { metrics: [point('m', 1)], params: [{ key: 'p', value: '1' }], tags: [{ key: 't', value: 'x' }] };
    const before = dynamo.items('runs');
    dynamo.before = (command) => {
      if (command instanceof TransactWriteCommand) throw new Error('no answer');
    };
    await expect(runs.logBatch(runId, batch)).rejects.toThrow('no answer');
    expect(dynamo.items('runs')).toEqual(before);
    dynamo.before = () => undefined;
    await runs.logBatch(runId, batch);
    expect(await runs.get(runId)).toMatchObject({ params: { p: '1' }, tags: { t: 'x' }, metrics: { m: point('m', 1) } });
  });

  test('whose answer was lost is completed by the same batch again', async () => {
    const batch: Batch = { metrics: [point('m', 1), point('m', 2, 1)], params: [{ key: 'p', value: '1' }] };
    const send = dynamo.send.bind(dynamo);
    const lost = jest.spyOn(dynamo, 'send').mockImplementation(async (command) => {
      const answer = await send(command);
      if (command instanceof TransactWriteCommand) throw new Error('socket hang up');
      return answer;
    });
    await expect(runs.logBatch(runId, batch)).rejects.toThrow('socket hang up');
    lost.mockRestore();
    await runs.logBatch(runId, batch);
    expect(await runs.metricHistory(runId, 'm')).toEqual([point('m', 1), point('m', 2, 1)]);
  });

  test('of 1000 points of one key is one transaction of two items', async () => {
    const metrics = Array.from({ length: 1_000 }, (_, step) => point('loss', 1 / (step + 1), step, 1_700_000_000_000 + step));
    let parts: unknown[] = [];
    dynamo.before = (command) => {
      if (command instanceof TransactWriteCommand) parts = command.input.TransactItems!;
    };
    await runs.logBatch(runId, { metrics });
    expect(parts).toHaveLength(2);
    expect(await runs.metricHistory(runId, 'loss')).toEqual(metrics);
  });

  test('may hold as much as clients may send: 100 parameters of 6000 characters and 100 tags of 8000', async () => {
    const params = numbered(100, () => random(6_000));
    const tags = numbered(100, () => random(8_000));
    await runs.logBatch(runId, { params, tags });
    await runs.logBatch(runId, { params, tags: [{ key: 'small', value: 'x' }] });
    const run = await runs.get(runId);
    expect(run.params).toEqual(record(params));
    expect(run.tags).toEqual({ ...record(tags), small: 'x', 'mlflow.runName': 'n' });
    expect((await all(runs.rows('0')))[0]).toEqual(run);
    await expect(runs.logBatch(runId, { params: [{ key: 'k7', value: 'other' }] })).rejects.toMatchObject({ name: TRACKING_ERRORS.paramChanged });
  });

  test('that is more than a record can hold is refused naming the limit', async () => {
    const write = async (): Promise<void> => {
      for (let n = 0; ; n += 1) await runs.logBatch(runId, { tags: numbered(100, () => random(8_000), `${n}.`) });
    };
    await expect(write()).rejects.toMatchObject({ name: TRACKING_ERRORS.tooLarge, message: expect.stringContaining('3.2 MB is the most') });
    expect(Object.keys((await runs.get(runId)).tags).length % 100).toBe(1);
  });
});

describe('many of them', () => {
  test('10,000 tags, 10,000 metrics and 10,000 points of one metric', async () => {
    const { runId } = await runs.create({ experimentId: '0', name: 'n' });
    for (let start = 0; start < 10_000; start += 1_000) {
      const metrics = Array.from({ length: 1_000 }, (_, index) => point(`m${start + index}`, index, 0));
      await runs.logBatch(runId, { metrics });
      await runs.logBatch(runId, { metrics: Array.from({ length: 1_000 }, (_, index) => point('one', index, start + index)) });
      const tags = Array.from({ length: 1_000 }, (_, index) => ({ key: `t${start + index}`, value: String(index) }));
      for (let from = 0; from < 1_000; from += 100) await runs.logBatch(runId, { tags: tags.slice(from, from + 100) });
    }
    const run = await runs.get(runId);
    expect(Object.keys(run.tags)).toHaveLength(10_001);
    expect(Object.keys(run.metrics)).toHaveLength(10_001);
    expect(run.tags.t9999).toBe('999');
    expect(run.metrics.m1234).toEqual(point('m1234', 234));
    expect(await runs.metricHistory(runId, 'one')).toHaveLength(10_000);
    // One point later than all of them rewrites a sixteenth of the metrics.
    expect(await counted(() => runs.logBatch(runId, { metrics: [point('m1234', 5, 9)] }))).toEqual({
      GetCommand: 2,
      QueryCommand: 1,
      TransactWriteCommand: 1,
    });
    expect((await runs.get(runId)).metrics.m1234).toEqual(point('m1234', 5, 9));
  });

  test('a hundred writers of one run all land', async () => {
    const { runId } = await runs.create({ experimentId: '0' });
    const writers = Array.from({ length: 100 }, () => new RunsClient('runs', dynamo.client(), experiments));
    const batch = (step: number): Batch => ({ metrics: [point('m', step, step)], tags: [{ key: `t${step}`, value: 'x' }] });
    await Promise.all(writers.map((writer, step) => writer.logBatch(runId, batch(step))));
    const run = await runs.get(runId);
    expect(run.metrics.m).toEqual(point('m', 99, 99));
    expect(Object.keys(run.tags)).toHaveLength(101);
    expect(await runs.metricHistory(runId, 'm')).toHaveLength(100);
  });
});

describe('a metric', () => {
  test('is the point of the highest step, then time, then value; NaN is less than any number', async () => {
    const { runId } = await runs.create({ experimentId: '0' });
    const latest = async (...points: MetricPoint[]): Promise<number> => {
      const key = random(8);
      for (const one of points) await runs.logBatch(runId, { metrics: [{ ...one, key }] });
      return (await runs.get(runId)).metrics[key].value;
    };
    expect(await latest(point('', 1, 2, 10), point('', 2, 1, 20))).toBe(1);
    expect(await latest(point('', 1, 1, 10), point('', 2, 1, 20))).toBe(2);
    expect(await latest(point('', 3, 1, 10), point('', 2, 1, 10))).toBe(3);
    expect(await latest(point('', 3), point('', NaN))).toBe(3);
    expect(await latest(point('', NaN), point('', 3))).toBe(3);
    expect(await latest(point('', NaN, -3))).toBeNaN();
  });

  test('keeps NaN, and infinities as the largest numbers', async () => {
    const { runId } = await runs.create({ experimentId: '0' });
    await runs.logBatch(runId, { metrics: [point('m', NaN, 0), point('m', Infinity, 1), point('m', -Infinity, 2)] });
    expect((await runs.metricHistory(runId, 'm')).map(({ value }) => value)).toEqual([NaN, Number.MAX_VALUE, -Number.MAX_VALUE]);
  });

  test('knows the model and data set that it is about', async () => {
    const { runId } = await runs.create({ experimentId: '0' });
    const about = { ...point('m', 1), modelId: 'm-1', datasetName: 'd', datasetDigest: 'x' };
    await runs.logBatch(runId, { metrics: [about] });
    expect(await runs.metricHistory(runId, 'm')).toEqual([about]);
    expect((await runs.get(runId)).metrics.m).toEqual(about);
  });
});

describe('runs of an experiment', () => {
  const started = async (...times: number[]): Promise<string[]> => {
    const made: string[] = [];
    for (const startTime of times) made.push((await runs.create({ experimentId: '0', startTime, runId: `r${made.length}` })).runId);
    return made;
  };
  const ids = async (pages: AsyncGenerator<Run[]>): Promise<string[]> => (await all(pages)).map(({ runId }) => runId);

  test('come newest first, then by id, in any range of time and after any of them', async () => {
    await started(5, 7, 5, -3, 7);
    dynamo.pageSize = 2;
    expect(await ids(runs.rows('0'))).toEqual(['r1', 'r4', 'r0', 'r2', 'r3']);
    expect(await ids(runs.rows('0', { startTime: { from: 5 } }))).toEqual(['r1', 'r4', 'r0', 'r2']);
    expect(await ids(runs.rows('0', { startTime: { to: 5 } }))).toEqual(['r0', 'r2', 'r3']);
    expect(await ids(runs.rows('0', { startTime: { from: 0, to: 5 } }))).toEqual(['r0', 'r2']);
    expect(await ids(runs.rows('0', { after: { startTime: 7, runId: 'r4' } }))).toEqual(['r0', 'r2', 'r3']);
    expect(await ids(runs.rows('0', { after: { startTime: 7, runId: 'r1' }, startTime: { to: 5 } }))).toEqual(['r0', 'r2', 'r3']);
  });

  test('are read many at once, by page and by id', async () => {
    const made = await started(...Array.from({ length: 130 }, (_, index) => index));
    expect(await counted(async () => expect(await ids(runs.rows('0'))).toHaveLength(130))).toEqual({ GetCommand: 1, QueryCommand: 1 });
    const others = new RunsClient('runs', dynamo.client(), experiments);
    const found = await others.getMany(['no', ...made, 'r5']);
    expect(found.map(({ runId }) => runId)).toEqual([...made, 'r5']);
    expect(await counted(() => others.getMany(made))).toEqual({ BatchGetCommand: 2, GetCommand: 1 });
  });

  test('are found by an indexed tag, as it is now', async () => {
    await started(1, 2, 3);
    const parent = 'p'.repeat(3_000);
    for (const runId of ['r0', 'r1', 'r2']) await runs.setTag(runId, 'mlflow.parentRunId', parent);
    await runs.setTag('r1', 'mlflow.parentRunId', 'other');
    expect(await ids(runs.rowsByTag('0', 'mlflow.parentRunId', parent))).toEqual(['r2', 'r0']);
    expect(await ids(runs.rowsByTag('0', 'mlflow.parentRunId', parent, { after: { startTime: 3, runId: 'r2' } }))).toEqual(['r0']);
    expect(await ids(runs.rowsByTag('0', 'mlflow.parentRunId', 'other'))).toEqual(['r1']);
    await runs.setTag('r1', 'mlflow.parentRunId', parent);
    await runs.deleteTag('r0', 'mlflow.parentRunId');
    expect(await ids(runs.rowsByTag('0', 'mlflow.parentRunId', parent))).toEqual(['r2', 'r1']);
    await runs.update('r2', { name: 'last' });
    expect(await ids(runs.rowsByTag('0', 'mlflow.runName', 'last'))).toEqual(['r2']);
  });
});

import { GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { ExperimentsClient } from '../../../lambda/tracking/experiments.client';
import { RunsClient } from '../../../lambda/tracking/runs.client';
import { Experiment, TRACKING_ERRORS } from '../../../lib/tracking/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';

let dynamo: MemoryDynamo;
let experiments: ExperimentsClient;
let runs: RunsClient;

beforeEach(() => {
  dynamo = new MemoryDynamo();
  experiments = new ExperimentsClient('runs', dynamo.client(), 's3://bucket/mlflow');
  runs = new RunsClient('runs', dynamo.client(), experiments);
});

const listed = async (): Promise<Experiment[]> => {
  const found: Experiment[] = [];
  for await (const one of experiments.list()) found.push(one);
  return found;
};

test('an experiment is found by id and by name, and lies below the artifacts unless it says where', async () => {
  const made = await experiments.create({ name: 'e', tags: { a: 'b' } });
  expect(made.experimentId).toMatch(/^[1-9]\d{17}$/);
  expect(made).toMatchObject({ artifactLocation: `s3://bucket/mlflow/${made.experimentId}`, lifecycleStage: 'active', tags: { a: 'b' } });
  expect(await experiments.get(made.experimentId)).toEqual(made);
  expect(await experiments.getByName('e')).toEqual(made);
  expect((await experiments.create({ name: 'f', artifactLocation: 's3://x/y' })).artifactLocation).toBe('s3://x/y');
  expect(await experiments.getByName('nothing')).toBeUndefined();
  await expect(experiments.get('7')).rejects.toMatchObject({ name: TRACKING_ERRORS.experimentNotFound, message: 'No Experiment with id=7 exists' });
});

test('a name is taken once, by a deleted experiment too, and by one of many who ask at once', async () => {
  const { experimentId } = await experiments.create({ name: 'e' });
  await experiments.delete(experimentId);
  const taken = { name: TRACKING_ERRORS.exists, message: 'Experiment(name=e) already exists.' };
  await expect(experiments.create({ name: 'e' })).rejects.toMatchObject(taken);
  const asked = await Promise.allSettled(Array.from({ length: 20 }, () => experiments.create({ name: 'f' })));
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const ensured = await Promise.all(Array.from({ length: 20 }, () => experiments.ensure('g')));
  expect(new Set(ensured.map((one) => one.experimentId)).size).toBe(1);
});

test('a new name frees the old one; a taken one and a deleted experiment are refused', async () => {
  const { experimentId } = await experiments.create({ name: 'old' });
  await experiments.create({ name: 'taken' });
  await expect(experiments.rename(experimentId, 'taken')).rejects.toMatchObject({ name: TRACKING_ERRORS.exists });
  await experiments.rename(experimentId, 'new');
  expect((await experiments.getByName('new'))?.experimentId).toBe(experimentId);
  expect(await experiments.getByName('old')).toBeUndefined();
  expect((await experiments.create({ name: 'old' })).experimentId).not.toBe(experimentId);
  await experiments.delete(experimentId);
  await expect(experiments.rename(experimentId, 'x')).rejects.toMatchObject({ name: TRACKING_ERRORS.deleted });
});

test('the default experiment is always there, also for who may only read', async () => {
  dynamo.before = (command) => {
    if (command instanceof TransactWriteCommand) throw Object.assign(new Error('no'), { name: 'AccessDeniedException' });
  };
  expect(await experiments.get('0')).toMatchObject({ experimentId: '0', name: 'Default', artifactLocation: 's3://bucket/mlflow/0' });
  dynamo.before = () => undefined;
  const made = await Promise.all(Array.from({ length: 5 }, () => experiments.getByName('Default')));
  expect(new Set(made.map((one) => one?.creationTime)).size).toBe(1);
  await expect(experiments.create({ name: 'Default' })).rejects.toMatchObject({ name: TRACKING_ERRORS.exists });
  await experiments.create({ name: 'e' });
  expect((await listed()).map(({ name }) => name)).toEqual(['Default', 'e']);
});

test('runs are deleted and restored with their experiment, whatever was done to them before', async () => {
  const { experimentId } = await experiments.create({ name: 'e' });
  const [first, second] = [await runs.create({ experimentId }), await runs.create({ experimentId })];
  await runs.delete(first.runId);
  const stages = async () => [(await runs.get(first.runId)).lifecycleStage, (await runs.get(second.runId)).lifecycleStage];
  let written = 0;
  dynamo.before = (command) => void (written += command instanceof GetCommand ? 0 : 1);
  await experiments.delete(experimentId);
  expect(written).toBe(1);
  expect(await stages()).toEqual(['deleted', 'deleted']);
  await expect(runs.create({ experimentId })).rejects.toMatchObject({ name: TRACKING_ERRORS.deleted });
  await expect(runs.setTag(second.runId, 'a', 'b')).rejects.toMatchObject({ name: TRACKING_ERRORS.deleted });
  await expect(experiments.setTag(experimentId, 'a', 'b')).rejects.toMatchObject({ name: TRACKING_ERRORS.deleted });
  await expect(experiments.delete(experimentId)).rejects.toMatchObject({ name: TRACKING_ERRORS.experimentNotFound });
  await experiments.restore(experimentId);
  expect(await stages()).toEqual(['active', 'active']);
  await expect(experiments.restore(experimentId)).rejects.toMatchObject({ name: TRACKING_ERRORS.experimentNotFound });
  await runs.delete(second.runId);
  expect(await stages()).toEqual(['active', 'deleted']);
});

test('tags of an experiment are set and removed, up to what its row can hold', async () => {
  const { experimentId } = await experiments.create({ name: 'e' });
  await Promise.all(Array.from({ length: 30 }, (_, index) => experiments.setTag(experimentId, `t${index}`, 'x')));
  expect(Object.keys((await experiments.get(experimentId)).tags)).toHaveLength(30);
  expect(await experiments.deleteTag(experimentId, 't3')).toBe(true);
  expect(await experiments.deleteTag(experimentId, 't3')).toBe(false);
  expect((await experiments.get(experimentId)).tags).not.toHaveProperty('t3');
  const noise = Array.from({ length: 600_000 }, () => Math.random().toString(36)[2] ?? '0').join('');
  await expect(experiments.setTag(experimentId, 'large', noise)).rejects.toMatchObject({ name: TRACKING_ERRORS.tooLarge });
});

test('a location that was not known when the experiment was made is filled in by who knows it', async () => {
  const { experimentId } = await new ExperimentsClient('runs', dynamo.client()).create({ name: 'e' });
  expect((await experiments.get(experimentId)).artifactLocation).toBe(`s3://bucket/mlflow/${experimentId}`);
});

import { ExperimentsClient } from '../../../lambda/tracking/experiments.client';
import { LoggedModelsClient } from '../../../lambda/tracking/logged-models.client';
import { LoggedModel, TRACKING_ERRORS } from '../../../lib/tracking/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';

let dynamo: MemoryDynamo;
let experiments: ExperimentsClient;
let models: LoggedModelsClient;

beforeEach(() => {
  dynamo = new MemoryDynamo();
  experiments = new ExperimentsClient('runs', dynamo.client(), 's3://bucket/mlflow');
  models = new LoggedModelsClient('runs', dynamo.client(), experiments);
});

afterEach(() => jest.useRealTimers());

const all = async (experimentId: string): Promise<LoggedModel[]> => {
  const found: LoggedModel[] = [];
  for await (const page of models.rows(experimentId)) found.push(...page);
  return found;
};

test('a model that a run logged is pending until its files are there', async () => {
  const about = { name: 'model', sourceRunId: 'r', modelType: 'sklearn', params: { a: '1' }, tags: { t: 'x' } };
  const made = await models.create({ experimentId: '0', ...about });
  expect(made.modelId).toMatch(/^m-[0-9a-f]{32}$/);
  expect(made).toMatchObject({
    ...about,
    status: 'LOGGED_MODEL_PENDING',
    artifactUri: `s3://bucket/mlflow/0/models/${made.modelId}/artifacts`,
    metrics: [],
  });
  expect(await models.setStatus(made.modelId, 'LOGGED_MODEL_READY')).toMatchObject({ status: 'LOGGED_MODEL_READY', name: 'model' });
  expect((await models.get(made.modelId)).status).toBe('LOGGED_MODEL_READY');
  expect((await models.create({ experimentId: '0' })).name).toMatch(/^[a-z]+-[a-z]+-\d+$/);
});

test('tags change, parameters do not, points of metrics are kept by run, time and step', async () => {
  const { modelId } = await models.create({ experimentId: '0', params: { a: '1' } });
  await models.setTags(modelId, { t: 'x', u: 'y' });
  expect(await models.deleteTag(modelId, 't')).toBe(true);
  expect(await models.deleteTag(modelId, 't')).toBe(false);
  await models.logParams(modelId, { a: '1', b: '2' });
  await expect(models.logParams(modelId, { c: '3', a: '2' })).rejects.toMatchObject({ name: TRACKING_ERRORS.paramChanged });
  const point = { key: 'm', value: 1, timestamp: 1, step: 0, runId: 'r', datasetName: 'd', datasetDigest: 'x' };
  await models.logMetrics(modelId, [point, { ...point, step: 1 }]);
  await models.logMetrics(modelId, [{ ...point, value: NaN }]);
  const metrics = [
    { ...point, value: NaN },
    { ...point, step: 1 },
  ];
  expect(await models.get(modelId)).toMatchObject({ tags: { u: 'y' }, params: { a: '1', b: '2' }, metrics });
});

test('many writers of one model all land', async () => {
  const { modelId } = await models.create({ experimentId: '0' });
  await Promise.all(Array.from({ length: 40 }, (_, index) => models.setTags(modelId, { [`t${index}`]: 'x'.repeat(4_000) })));
  expect(Object.keys((await models.get(modelId)).tags)).toHaveLength(40);
  expect(await all('0')).toEqual([await models.get(modelId)]);
});

test('models of an experiment come newest first; a deleted one is found nowhere', async () => {
  jest.useFakeTimers({ doNotFake: ['setTimeout', 'nextTick', 'setImmediate', 'queueMicrotask'] });
  const made: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    jest.setSystemTime(1_000 + n);
    made.push((await models.create({ experimentId: '0', name: `m${n}` })).modelId);
  }
  dynamo.pageSize = 2;
  await models.delete(made[2]);
  expect((await all('0')).map(({ name }) => name)).toEqual(['m4', 'm3', 'm1', 'm0']);
  const gone = { name: TRACKING_ERRORS.loggedModelNotFound, message: `Logged model with ID '${made[2]}' not found.` };
  for (const call of [models.get(made[2]), models.setTags(made[2], {})]) await expect(call).rejects.toMatchObject(gone);
  expect((await models.get(made[2], true)).name).toBe('m2');
  await models.delete(made[2]);
  for (const call of [models.get('m-x'), models.delete('m-x')])
    await expect(call).rejects.toMatchObject({ name: TRACKING_ERRORS.loggedModelNotFound });
});

test('nothing is logged to a deleted experiment', async () => {
  const { experimentId } = await experiments.create({ name: 'e' });
  await experiments.delete(experimentId);
  await expect(models.create({ experimentId })).rejects.toMatchObject({ name: TRACKING_ERRORS.deleted });
});

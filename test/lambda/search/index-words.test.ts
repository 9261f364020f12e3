import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { ModelRegistryClient } from '../../../lambda/registry/model-registry.client';
import { RegistryReader } from '../../../lambda/registry/registry-reader';
import { RegistryStore } from '../../../lambda/registry/registry-store.client';
import { SearchIndex } from '../../../lambda/search/search-index.client';
import { documentsOf, everyThing, Sources } from '../../../lambda/search/sources';
import { ExperimentsClient } from '../../../lambda/tracking/experiments.client';
import { RunsClient } from '../../../lambda/tracking/runs.client';
import { Item } from '../../fakes/dynamo-expressions';
import { MemoryDynamo } from '../../fakes/memory-dynamo';
import { register, registryOver, versionRecord } from '../../fakes/registry';

Object.assign(process.env, {
  AWS_REGION: 'eu-west-1',
  MLOPS_REGISTRY_TABLE: 'registry',
  MLOPS_HISTORY_TABLE: 'history',
  MLOPS_RUNS_TABLE: 'runs',
  MLOPS_SEARCH_TABLE: 'words',
  MLOPS_ARTIFACTS_BUCKET: 'artifacts',
});

const by = { actor: 'ana', reason: 'because' };
let dynamo: MemoryDynamo;
let registry: ModelRegistryClient;
let experiments: ExperimentsClient;
let runs: RunsClient;
let index: SearchIndex;
let sources: Sources;
let seen: Map<string, Item>;
let handler: (event: DynamoDBStreamEvent) => Promise<{ batchItemFailures: { itemIdentifier: string }[] }>;
let writes: number;

beforeEach(async () => {
  dynamo = new MemoryDynamo();
  dynamo.install();
  writes = 0;
  dynamo.before = (command) => void (writes += /^(Put|Update|BatchWrite|Delete)/.test(command.constructor.name) ? 1 : 0);
  const db = dynamo.client();
  registry = registryOver(db);
  experiments = new ExperimentsClient('runs', db, 's3://artifacts/mlflow');
  runs = new RunsClient('runs', db, experiments);
  index = new SearchIndex('words', db);
  const store = new RegistryStore('registry', 'history', db);
  sources = { store, registry: new RegistryReader(store), experiments, runs };
  seen = new Map();
  ({ handler } = await import('../../../lambda/search/index-words.lambda'));
});
afterEach(() => jest.restoreAllMocks());

const image = (item: Item | undefined) => item && (JSON.parse(JSON.stringify(marshall(item, { removeUndefinedValues: true }))) as never);

/** What the streams tell of everything that changed since the last call, in DynamoDB's shape. */
const changes = (): DynamoDBRecord[] => {
  const records: DynamoDBRecord[] = [];
  for (const table of ['registry', 'runs']) {
    for (const item of dynamo.items(table)) {
      const key = JSON.stringify([table, item.pk, item.sk]);
      const before = seen.get(key);
      if (JSON.stringify(before) === JSON.stringify(item)) continue;
      seen.set(key, item);
      records.push({
        eventName: before ? 'MODIFY' : 'INSERT',
        dynamodb: {
          Keys: image({ pk: item.pk, sk: item.sk }),
          OldImage: image(before),
          NewImage: image(item),
          SequenceNumber: `${table}-${records.length}`,
        },
      });
    }
  }
  return records;
};

const follow = async (records = changes()) => handler({ Records: records });
const found = async (words: string) => (await index.find(words)).items.map(({ kind, title }) => `${kind} ${title}`);
const model = async (name: string) => registry.createModel({ name, owner: 'team-mobility' }, by);

test('models, versions, experiments, runs and datasets are found by their words, the best first', async () => {
  await model('Bikes');
  await register(registry, 'Bikes', versionRecord('run-1', { cause: 'holidays were wrong' }));
  const { experimentId } = await experiments.create({ name: 'bikes-trial' });
  const { runId } = await runs.create({ experimentId, name: 'calm-crow-7', userId: 'grace', tags: { region: 'lisbon' } });
  const dataset = { name: 'trips', digest: 'd1gest', sourceType: 's3', source: 's3://data/trips', tags: {} };
  await runs.logInputs(runId, [dataset, { ...dataset, tags: { 'mlflow.data.context': 'evaluation' } }], []);
  expect(await follow()).toEqual({ batchItemFailures: [] });
  expect(await found('bikes')).toEqual(['model Bikes', 'experiment bikes-trial', 'version Bikes v1']);
  expect(await found('team-mobility')).toEqual(['model Bikes']);
  expect(await found('holidays wrong')).toEqual(['version Bikes v1']);
  expect(await found('grace lisbon')).toEqual(['run calm-crow-7']);
  expect(await found('d1gest')).toEqual(['dataset trips']);
});

test('metrics and parameters alone write nothing, also where the row has no room for them', async () => {
  const { runId } = await runs.create({ experimentId: '0', name: 'calm-crow-7' });
  await follow();
  const point = (key: string, step: number) => ({ key, value: Math.random(), timestamp: step, step });
  for (let step = 0; step < 3; step += 1) {
    await runs.logBatch(runId, { metrics: Array.from({ length: 1_000 }, (_, at) => point(`metric-${step}-${at}`, step)) });
    await runs.logBatch(runId, { params: [{ key: `p${step}`, value: 'x' }] });
    const records = changes();
    let reads = 0;
    dynamo.before = () => void (reads += 1);
    expect(await follow(records)).toEqual({ batchItemFailures: [] });
    expect(reads).toBe(0);
    dynamo.before = () => undefined;
  }
  expect(dynamo.items('runs').find(({ sk }) => /^RUN#/.test(sk as string))?.more).toBeDefined();
  await runs.setTag(runId, 'note', 'keeper');
  await follow();
  expect(await found('keeper')).toEqual(['run calm-crow-7']);
});

test('a tag that changes is found by its new word alone', async () => {
  await model('Bikes');
  await registry.setModelTag('Bikes', 'city', 'lisbon', by);
  await follow();
  await registry.setModelTag('Bikes', 'city', 'porto', by);
  await follow();
  expect([await found('lisbon'), await found('porto')]).toEqual([[], ['model Bikes']]);
});

test('a renamed model and its versions are found under the new name alone', async () => {
  await model('Bikes');
  for (const source of ['s3://a', 's3://b']) await registry.createVersion('Bikes', { source }, by);
  await follow();
  await registry.renameModel('Bikes', 'Scooters', by);
  await follow();
  expect(await found('bikes')).toEqual([]);
  expect(new Set(await found('scooters'))).toEqual(new Set(['model Scooters', 'version Scooters v1', 'version Scooters v2']));
});

test('a deleted version is gone, and with a deleted model all that it had; its name may live on', async () => {
  await model('Bikes');
  for (const source of ['s3://a', 's3://b']) await registry.createVersion('Bikes', { source }, by);
  await follow();
  await registry.deleteVersion('Bikes', 1, by);
  await follow();
  expect(await found('bikes')).toEqual(['model Bikes', 'version Bikes v2']);
  await registry.deleteModel('Bikes', by);
  await follow();
  expect(await found('bikes')).toEqual([]);
  await model('Bikes');
  await follow();
  expect(await found('bikes')).toEqual(['model Bikes']);
});

test('a deleted experiment takes its runs along, and brings them back', async () => {
  const { experimentId } = await experiments.create({ name: 'trial' });
  const [kept, deleted] = [await runs.create({ experimentId, name: 'crow-1' }), await runs.create({ experimentId, name: 'crow-2' })];
  await follow();
  await runs.delete(deleted.runId);
  await follow();
  expect(await found('crow')).toEqual(['run crow-1']);
  const late = await runs.setTag(kept.runId, 'note', 'late').then(changes);
  await experiments.delete(experimentId);
  await follow([...changes(), ...late]);
  expect([await found('crow'), await found('trial')]).toEqual([[], []]);
  await experiments.restore(experimentId);
  await follow();
  expect([await found('late'), await found('trial')]).toEqual([['run crow-1'], ['experiment trial']]);
});

test('events that come late or twice change nothing', async () => {
  await model('Bikes');
  const first = changes();
  await registry.setModelTag('Bikes', 'city', 'porto', by);
  await follow();
  const before = dynamo.items('words');
  writes = 0;
  await follow([...first, ...first]);
  expect({ writes, items: dynamo.items('words') }).toEqual({ writes: 0, items: before });
});

test('a state that was overtaken while it was written leaves nothing behind', async () => {
  const document = { kind: 'model', ref: 'm', title: 'Bikes', detail: '', time: 1, gone: false } as const;
  const newer = { ...document, revision: 2, words: { new: 9 } };
  dynamo.before = (command) => {
    if (command.constructor.name !== 'BatchWriteCommand') return;
    dynamo.before = () => undefined;
    dynamo.put('words', { pk: 'DOCUMENT#model#m', sk: 'DOCUMENT', ...newer });
  };
  await index.put({ ...document, revision: 1, words: { old: 9 } });
  expect(dynamo.items('words').map(({ pk }) => pk)).toEqual(['DOCUMENT#model#m']);
});

test('from the first change that fails on everything comes again', async () => {
  await experiments.create({ name: 'one' });
  await experiments.create({ name: 'two' });
  await experiments.create({ name: 'three' });
  const records = changes().filter(({ dynamodb }) => dynamodb?.Keys?.pk.S === 'EXPERIMENTS');
  let gets = 0;
  dynamo.before = (command) => {
    const { TableName } = (command as { input: { TableName?: string } }).input;
    if (TableName === 'runs' && (gets += 1) === 2) throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
  };
  expect(await follow(records)).toEqual({ batchItemFailures: [{ itemIdentifier: records[1].dynamodb?.SequenceNumber }] });
  expect(await follow(records.slice(1))).toEqual({ batchItemFailures: [] });
  expect(await Promise.all(['one', 'two', 'three'].map(found))).toEqual([['experiment one'], ['experiment two'], ['experiment three']]);
});

test('items that hold no words are passed over', async () => {
  await model('Bikes');
  await registry.deleteModel('Bikes', by);
  const words = changes().filter(({ dynamodb }) => dynamodb?.Keys?.pk.S === 'MODELS');
  writes = 0;
  expect(await follow(words)).toEqual({ batchItemFailures: [] });
  expect(writes).toBe(0);
});

test('all that there is can be indexed anew, also that something is gone', async () => {
  await model('Old');
  await registry.createVersion('Old', { source: 's3://a' }, by);
  const { runId } = await runs.create({ experimentId: '0', name: 'calm-crow-7' });
  await follow();
  await registry.deleteModel('Old', by);
  await model('Bikes');
  await runs.setTag(runId, 'city', 'porto');
  for (const item of dynamo.items('words')) {
    if (/crow/.test(item.pk as string)) await dynamo.send(new DeleteCommand({ TableName: 'words', Key: { pk: item.pk, sk: item.sk } }));
  }
  for await (const thing of everyThing(sources)) {
    for (const document of await documentsOf(sources, thing)) await index.put(document, true);
  }
  expect(await found('old')).toEqual([]);
  expect(await found('bikes')).toEqual(['model Bikes']);
  expect(await found('crow porto')).toEqual(['run calm-crow-7']);
});

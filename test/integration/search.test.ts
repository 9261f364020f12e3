import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteCommand, type DynamoDBDocumentClient, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { type App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { main } from '../../cli/program';
import { createDocumentClient } from '../../lambda/common/dynamo.client';
import { ModelRegistryClient } from '../../lambda/registry/model-registry.client';
import { RegistryWriterClient } from '../../lambda/registry/registry-writer.client';
import { SearchIndex as SearchIndexClient } from '../../lambda/search/search-index.client';
import { ExperimentsClient } from '../../lambda/tracking/experiments.client';
import { RunsClient } from '../../lambda/tracking/runs.client';
import { type PlatformResources, platformParameter } from '../../lib/platform/contract';
import { SEARCH_KEYS, type SearchHit } from '../../lib/search/contract';
import { fakeIo } from '../cli/fake-io';
import { client, deploy, type Deployment, eventually, useEngine } from './harness';
import { ModelRegistry, RunTracker, SearchIndex } from 'cdk-mlops';

const PLATFORM = 'words-alone';
const by = { actor: 'arn:aws:sts::000000000000:assumed-role/DataScience/ana', reason: 'because' };

let deployment: Deployment;
let resources: PlatformResources;
let registry: ModelRegistryClient;
let runs: RunsClient;
let experiments: ExperimentsClient;
let db: DynamoDBDocumentClient;

beforeAll(async () => {
  deployment = await deploy((app: App) => {
    const stack = new Stack(app, 'SearchAlone');
    const made = new ModelRegistry(stack, 'Registry', { removalPolicy: RemovalPolicy.DESTROY });
    const tracker = new RunTracker(stack, 'Tracker', { removalPolicy: RemovalPolicy.DESTROY });
    const search = new SearchIndex(stack, 'Search', { registry: made, tracker });
    const parameter: PlatformResources = {
      platform: PLATFORM,
      artifactsBucket: 'artifacts',
      dataBucket: 'data',
      predictionsBucket: 'predictions',
      reportsBucket: 'reports',
      registryTable: made.registryTableName,
      historyTable: made.historyTableName,
      runsTable: tracker.runsTableName,
      governorTable: 'governor',
      busName: 'bus',
      searchTable: search.indexTable.tableName,
    };
    const stringValue = stack.toJsonString(parameter);
    new StringParameter(stack, 'Parameter', { parameterName: platformParameter(PLATFORM), stringValue });
    new CfnOutput(stack, 'resources', { value: stringValue });
    new CfnOutput(stack, 'writer', { value: made.writerFunctionName });
  });
  const { resources: text, writer } = deployment.outputs.SearchAlone;
  resources = JSON.parse(text) as PlatformResources;
  db = createDocumentClient(client(DynamoDBClient));
  const writes = new RegistryWriterClient(writer, client(LambdaClient));
  registry = new ModelRegistryClient(resources.registryTable, resources.historyTable, db, writes);
  experiments = new ExperimentsClient(resources.runsTable, db, 's3://artifacts/mlflow');
  runs = new RunsClient(resources.runsTable, db, experiments);
  Object.assign(process.env, useEngine().env);
});
afterAll(async () => deployment?.destroy());

const mlops = async (...args: string[]): Promise<string> => {
  const { io, written } = fakeIo();
  expect({ code: await main([...args, '--platform', PLATFORM], io), err: written.err }).toEqual({ code: 0, err: '' });
  return written.out;
};

const search = async (...words: string[]): Promise<readonly SearchHit[]> =>
  (JSON.parse(await mlops('search', ...words, '--json')) as { items: SearchHit[] }).items;

/** Titles of what is found, once there are that many. */
const found = (count: number, ...words: string[]): Promise<readonly string[]> =>
  eventually(`${count} hits of ${words.join(' ')}`, async () => {
    const hits = await search(...words);
    return hits.length === count ? hits.map(({ kind, title }) => `${kind} ${title}`) : undefined;
  });

test('what is registered and logged is found by its words, the best first', async () => {
  await registry.createModel({ name: 'Bikes', owner: 'mobility', tags: { city: 'lisbon' } }, by);
  await registry.createVersion('Bikes', { source: 's3://artifacts/1', description: 'holidays were wrong' }, by);
  const { experimentId } = await experiments.create({ name: 'bikes-by-night' });
  const { runId } = await runs.create({ experimentId, name: 'calm-crow-7', userId: 'grace', tags: { note: 'about bikes' } });
  await runs.logBatch(runId, { metrics: [{ key: 'rmse', value: 64, step: 0, timestamp: 1 }], params: [{ key: 'eta', value: '0.1' }] });
  expect(await found(4, 'bikes')).toEqual(['model Bikes', 'experiment bikes-by-night', expect.any(String), expect.any(String)]);
  expect(await found(1, 'bikes', 'holidays')).toEqual(['version Bikes v1']);
  const [head, row, ...others] = (await mlops('search', 'grace')).trimEnd().split('\n');
  expect(head).toMatch(/^kind +what +about +made +id$/);
  expect(row).toMatch(/^run +calm-crow-7 +RUNNING, by grace +\d{4}-\d\d-\d\d [\d:]+ [+-]\d\d:\d\d +[0-9a-f]{32}$/);
  expect(others).toEqual([]);
});

test('a page takes three requests at most', async () => {
  let requests = 0;
  const counted = client(DynamoDBClient);
  counted.middlewareStack.add((next) => (args) => ((requests += 1), next(args)), { step: 'finalizeRequest', name: 'count' });
  const index = new SearchIndexClient(resources.searchTable, createDocumentClient(counted));
  for (const words of ['bikes', 'bikes holidays', 'nowhere', 'crow calm grace']) {
    requests = 0;
    await index.find(words);
    expect(requests).toBeLessThanOrEqual(3);
  }
  counted.destroy();
});

test('a tag that changes is found by its new word alone; renamed and deleted things are found as they are now', async () => {
  await registry.setModelTag('Bikes', 'city', 'porto', by);
  expect(await found(1, 'porto')).toEqual(['model Bikes']);
  expect(await search('lisbon')).toEqual([]);
  await registry.renameModel('Bikes', 'Scooters', by);
  expect([...(await found(2, 'scooters'))].sort()).toEqual(['model Scooters', 'version Scooters v1']);
  await registry.deleteModel('Scooters', by);
  await found(0, 'scooters');
  const { experimentId } = (await experiments.getByName('bikes-by-night'))!;
  await experiments.delete(experimentId);
  await found(0, 'crow');
  await experiments.restore(experimentId);
  expect(await found(1, 'crow')).toEqual(['run calm-crow-7']);
});

test('an index whose items were damaged is made anew', async () => {
  const TableName = resources.searchTable!;
  const items = async (pk: string) =>
    (await db.send(new QueryCommand({ TableName, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': pk } }))).Items ?? [];
  const [crow] = await items(SEARCH_KEYS.word('crow'));
  for (const item of [...(await items(SEARCH_KEYS.word('calm'))), ...(await items(SEARCH_KEYS.document({ kind: 'run', ref: crow.ref as string })))])
    await db.send(new DeleteCommand({ TableName, Key: { pk: item.pk, sk: item.sk } }));
  const damage = { UpdateExpression: 'SET title = :t', ExpressionAttributeValues: { ':t': 'nonsense' } };
  await db.send(new UpdateCommand({ TableName, Key: { pk: crow.pk, sk: crow.sk }, ...damage }));
  expect([await search('calm'), await search('crow')]).toEqual([[], []]);
  expect(await mlops('search', '--rebuild')).toMatch(/^\d+ things are indexed\n$/);
  for (const word of ['calm', 'crow']) expect((await search(word)).map(({ title }) => title)).toEqual(['calm-crow-7']);
  expect(await search('bikes', 'holidays')).toEqual([]);
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { main } from '../../cli/program';
import type { NewVersion } from '../../lambda/registry/registry-writes';
import type { UnpackedManifest } from '../../lambda/registry/unpack';
import type { ModelVersion } from '../../lib/registry/contract';
import { CALLER, MemoryPlatform, PLATFORM } from '../fakes/platform';
import { registryOver } from '../fakes/registry';
import { fakeIo } from './fake-io';

Object.assign(process.env, { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });

const world = new MemoryPlatform();
const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-import-test-'));
const IMAGE = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5';

/** Bodies that the API was sent. */
let sent: object[];

const write = (name: string, text: string): string => {
  const file = path.join(directory, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};

beforeAll(() => {
  world.install().add({ ...PLATFORM, apiUrl: 'https://api.example.com' });
  const registry = registryOver(world.dynamo.client());
  jest.spyOn(globalThis, 'fetch').mockImplementation(async (url, request) => {
    expect(String(url)).toBe('https://api.example.com/iam/api/2.0/mlops/registry/import');
    const body = JSON.parse(request?.body as string) as { name: string; reason: string } & NewVersion;
    sent.push(body);
    const change = { actor: CALLER, reason: body.reason };
    if (!(await registry.findModel(body.name))) await registry.createModel({ name: body.name }, change);
    const { version } = await registry.createVersion(body.name, { source: body.source, tags: body.tags, record: body.record }, change);
    return new Response(JSON.stringify({ model_version: { version: String(version) } }));
  });
  write('model/model.json', '{"trees":[]}');
  write('code/train.py', 'def model_fn(d): ...\n');
  write('code/requirements.txt', 'holidays==0.50\n');
  write('schema.json', '{"columns":[{"name":"hr","type":"number"}],"target":"cnt"}');
  write('metrics.json', '{"rmse":64.25}');
  write('loadable/MLmodel', 'flavors: {}\n');
  write('loadable/data/weights.bin', 'w');
});
beforeEach(() => (sent = []));
afterAll(() => {
  jest.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

const run = async (...args: string[]) => {
  const { io, written } = fakeIo();
  const code = await main(['models', 'import', ...args, '--json'], io);
  return { code, ...written, version: code === 0 ? (JSON.parse(written.out) as ModelVersion) : undefined };
};
const at = (name: string): string => path.join(directory, name);

test('a model from elsewhere comes in with all that was said about it, unpacked for MLflow, and what lacks is named', async () => {
  const { version, err } = await run(
    ...['Elsewhere', '--artifact', at('model'), '--code', at('code'), '--image', IMAGE, '--schema', at('schema.json')],
    ...['--metrics', at('metrics.json'), '--metric', 'mae=41', '--parameter', 'eta=0.1', '--tag', 'team=night', '--reason', 'bought'],
  );
  expect(err).toBe('');
  expect(version).toMatchObject({
    ...{ version: 1, state: 'Incomplete', image: IMAGE, metrics: { rmse: 64.25, mae: 41 }, hyperparameters: { eta: '0.1' }, tags: { team: 'night' } },
    artifact: { uri: expect.stringMatching(/^s3:\/\/artifacts\/mlflow\/imports\/Elsewhere\/[0-9a-f]{16}\/model\.tar\.gz$/), versionId: 'v1' },
    inferenceCode: { entryPoint: 'train.py', uri: expect.stringContaining('/sourcedir.tar.gz') },
    dependencies: { origin: 'requirements' },
    missing: ['dataManifestUri', 'dataId', 'code', 'configuration', 'runId'],
  });
  expect(sent[0]).toMatchObject({ reason: 'bought' });
  const files = world.bucket.files();
  const manifest = await files.readJson<UnpackedManifest>(`${version?.source}manifest.json`);
  expect(manifest.files.map(({ path: name }) => name)).toEqual(
    expect.arrayContaining(['MLmodel', 'model/model.json', 'inference/train.py', 'code/mlops_pyfunc.py']),
  );
  expect(await files.readText(`${version?.source}requirements.txt`)).toBe('xgboost==3.0.5\nholidays==0.50\n');
});

test('the same directory is the same archive, and is uploaded once', async () => {
  const { version } = await run('Again', '--artifact', at('model'));
  world.bucket.written.length = 0;
  const again = await run('Again', '--artifact', at('model'));
  expect(again.version?.artifact).toEqual(version?.artifact);
  expect(world.bucket.written.filter((key) => key.endsWith('model.tar.gz'))).toEqual([]);
  expect(sent[1]).toMatchObject({ reason: expect.stringContaining(CALLER) });
});

test('a directory that MLflow loads keeps its files, and stands as an archive too', async () => {
  const { version } = await run('Loadable', '--artifact', at('loadable'));
  const files = world.bucket.files();
  expect(await files.readText(`${version?.source}MLmodel`)).toBe('flavors: {}\n');
  expect(version).toMatchObject({ unpacked: { files: 2, uri: version?.source }, artifact: { uri: expect.stringContaining('model.tar.gz') } });
});

test('an archive in S3 stays where it is', async () => {
  await world.bucket.files().put('s3://elsewhere/model.tar.gz', 'bytes');
  const { version } = await run('Remote', '--artifact', 's3://elsewhere/model.tar.gz');
  const uri = 's3://elsewhere/model.tar.gz';
  expect(version).toMatchObject({ source: uri, artifact: { uri, versionId: 'v1', bytes: 5 } });
});

test.each<[string, string[], string]>([
  ['a place that is not there', ['--artifact', '/nowhere'], '/nowhere does not exist'],
  ['nothing in S3', ['--artifact', 's3://elsewhere/nothing'], 'there is nothing at s3://elsewhere/nothing'],
  ['a metric that is no number', ['--artifact', '/nowhere', '--metric', 'rmse=good'], 'the metric rmse=good is no number'],
  ['a pair that is none', ['--artifact', '/nowhere', '--tag', 'team'], '"team" is no pair'],
  ['a schema that is none', ['--artifact', '/nowhere', '--schema', at('metrics.json')], 'metrics.json cannot be used'],
])('%s is refused before anything is registered', async (_, args, message) => {
  const { code, err } = await run('Refused', ...args);
  expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  expect(sent).toEqual([]);
});

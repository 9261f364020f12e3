import { createHash } from 'node:crypto';
import { S3Uploads } from '../../../lambda/common/s3-upload.client';
import { digestOf, ModelUnpacker, type UnpackedManifest } from '../../../lambda/registry/unpack';
import { type RunResult, VersionCapture } from '../../../lambda/registry/version-record';
import type { PipelineSpec } from '../../../lib/pipeline/contract';
import { REQUIRED_ITEMS } from '../../../lib/registry/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';
import { MemoryBucket } from '../../fakes/memory-s3';
import { registryOver } from '../../fakes/registry';
import { tarball } from '../../fakes/tarball';

const ROOT = 's3://artifacts/runs/Demand/run-1';
const IMAGE = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5';
const DIGEST = `sha256:${'e'.repeat(64)}`;
const CODE = tarball([{ path: 'train.py', text: 'def model_fn(d): ...\n' }, { path: 'helpers/days.py', text: 'x = 1\n' }]);
const MODEL = tarball([{ path: 'model.json', text: '{"trees":[]}' }, { path: 'more/columns.json', text: '[]' }]);
const SPEC: PipelineSpec = {
  model: 'Demand',
  task: { kind: 'REGRESSION', target: 'cnt', timeColumn: 'at' },
  holdout: { days: 1 },
  gate: {
    ...{ metric: 'rmse', minimumImprovement: 0, confidence: 0.95, minimumBlocks: 20, fewBlocks: 'widen', bounds: [], groups: [] },
    allowedDuplicateShare: 0.01,
  },
  training: { image: IMAGE, entryPoint: 'train.py', instanceType: 'ml.m5.large', codeUri: 's3://assets/code.tar.gz', codeSha256: 'x' },
  hyperparameters: { seed: '7' },
  commit: 'abc',
  dirty: true,
  minimumTrainingRows: 1,
  jobNamePrefix: 'mlops-demand',
};
const RESULT: RunResult = {
  runId: 'run-1',
  causeId: 'c',
  cause: 'somebody asked',
  manifestUri: `${ROOT}/data-manifest.json`,
  prepared: {
    trainUri: 's3://data/train.csv',
    codeUri: `${ROOT}/code/sourcedir.tar.gz`,
    configuration: { uri: `${ROOT}/configuration.json`, sha256: 'f'.repeat(64) },
    modelOutputUri: `${ROOT}/model`,
  },
  trainingJob: {
    ModelArtifacts: { S3ModelArtifacts: `${ROOT}/model/job/output/model.tar.gz` },
    HyperParameters: { seed: '7', sagemaker_program: 'train.py' },
    AlgorithmSpecification: { TrainingImage: IMAGE },
    LastModifiedTime: '2026-01-01T00:00:00.000Z',
  },
  sagemakerModelName: 'mlops-demand-1-m',
  evaluation: { passed: true, reason: 'first', reportUri: 's3://reports/gate.json', metrics: { rmse: 64.25 } },
  baselineUri: 's3://reports/baseline.json',
};
const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

const world = async (model = MODEL, digest: string | null = DIGEST) => {
  const bucket = new MemoryBucket();
  const files = bucket.files();
  await files.put(RESULT.prepared.codeUri, CODE);
  await files.put(RESULT.trainingJob.ModelArtifacts.S3ModelArtifacts, model);
  await files.putJson(RESULT.prepared.configuration.uri, SPEC);
  await files.putJson(RESULT.manifestUri, { dataId: 'data-1', columns: ['at', 'hr', 'kind', 'cnt'] });
  await files.putText(RESULT.prepared.trainUri, 'at,hr,kind,cnt\n2026-01-01T00:00:00Z,3,wet,17\n');
  const uploads = new S3Uploads({ send: (command: object) => bucket.send(command) } as never);
  const capture = new VersionCapture(files, new ModelUnpacker(files, uploads), { digestOf: async () => digest ?? undefined });
  return { bucket, files, capture };
};

test('everything on record is captured by the pipeline itself', async () => {
  const { capture } = await world();
  const { record, source } = await capture.capture(RESULT);
  const code = { uri: RESULT.prepared.codeUri, sha256: sha256(CODE), entryPoint: 'train.py', commit: 'abc', dirty: true };
  expect(record).toMatchObject({
    artifact: { uri: RESULT.trainingJob.ModelArtifacts.S3ModelArtifacts, versionId: 'v1', sha256: sha256(MODEL), bytes: MODEL.length },
    ...{ dataManifestUri: RESULT.manifestUri, dataId: 'data-1', code, inferenceCode: code, image: IMAGE, imageDigest: DIGEST },
    dependencies: { uri: `${ROOT}/dependencies.txt`, origin: 'image' },
    configuration: RESULT.prepared.configuration,
    hyperparameters: { seed: '7', sagemaker_program: 'train.py' },
    metrics: { rmse: 64.25 },
    schema: {
      columns: [{ name: 'at', type: 'timestamp' }, { name: 'hr', type: 'number' }, { name: 'kind', type: 'string' }],
      ...{ target: 'cnt', timeColumn: 'at' },
    },
  });
  expect(source).toBe(`${ROOT}/model/unpacked/`);
});

test.each(REQUIRED_ITEMS)('a record without %s is kept, named as incomplete, and does not serve', async (item) => {
  const { capture } = await world();
  const { record, source } = await capture.capture(RESULT);
  const registry = registryOver(new MemoryDynamo().client());
  const rest = Object.fromEntries(Object.entries(record).filter(([name]) => name !== item));
  const version = await registry.registerVersion({ name: 'Demand' }, { source, runId: 'run-1', record: rest }, { actor: 'pipeline', reason: 'x' });
  if (item === 'runId') {
    // The run that registers is named by the registration too.
    expect(version.missing).toEqual([]);
    return;
  }
  expect(version).toMatchObject({ state: 'Incomplete', missing: [item] });
  const serve = registry.promote('Demand', version.version, { actor: 'somebody', reason: 'x' });
  await expect(serve).rejects.toMatchObject({ name: 'VersionIncomplete', message: expect.stringContaining(item) });
});

test('the model is unpacked beside its archive with all that MLflow needs, and one digest covers both', async () => {
  const { capture, files } = await world();
  const { record } = await capture.capture(RESULT);
  const root = record.unpacked?.uri ?? '';
  const manifest = await files.readJson<UnpackedManifest>(`${root}manifest.json`);
  expect(manifest.files.map(({ path }) => path)).toEqual([
    ...['MLmodel', 'code/mlops_pyfunc.py', 'conda.yaml', 'inference/helpers/days.py', 'inference/train.py', 'model/model.json'],
    ...['model/more/columns.json', 'python_env.yaml', 'requirements.txt', 'serving.json'],
  ]);
  for (const { path, sha256: digest, bytes } of manifest.files) {
    const content = await files.readBytes(root + path);
    expect([path, content.length, sha256(content)]).toEqual([path, bytes, digest]);
  }
  expect(record.unpacked).toEqual({ uri: root, files: 10, sha256: digestOf(sha256(MODEL), manifest.files) });
  expect(digestOf('0'.repeat(64), manifest.files)).not.toBe(record.unpacked?.sha256);
  const described = await files.readText(`${root}MLmodel`);
  expect(described).toContain('loader_module: mlops_pyfunc');
  expect(described).toContain('run_id: "run-1"');
  expect(described).toContain('mlflow_version: null');
  expect(await files.readText(`${root}requirements.txt`)).toBe('xgboost==3.0.5\n');
});

test('a second try finds what the first one unpacked, and tells the same', async () => {
  const { capture, bucket } = await world();
  const first = await capture.capture(RESULT);
  bucket.written.length = 0;
  expect(await capture.capture(RESULT)).toEqual(first);
  expect(bucket.written.filter((key) => key.includes('/unpacked/'))).toEqual([]);
});

test('a model that cannot be unpacked safely is registered as an archive, and why stands beside it', async () => {
  const { capture, bucket } = await world(tarball([{ path: '../outside', text: 'x' }]));
  const { record, source, problem } = await capture.capture(RESULT);
  expect(problem).toBe("the model was not unpacked: '../outside' leads out of the archive");
  expect(record.unpacked).toBeUndefined();
  expect(record.artifact.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(source).toBe(record.artifact.uri);
  expect(bucket.written.some((key) => key.includes('outside'))).toBe(false);
});

test('a digest that no registry tells is absent, not made up', async () => {
  const { capture, files } = await world(MODEL, null);
  const { record } = await capture.capture(RESULT);
  expect(record.imageDigest).toBeUndefined();
  expect(await files.readText(record.dependencies.uri)).toContain('# image digest: not told by its registry');
});

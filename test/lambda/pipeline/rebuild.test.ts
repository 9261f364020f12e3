import { keepConfiguration, readRecorded } from '../../../lambda/pipeline/configuration';
import { DataPreparation } from '../../../lambda/pipeline/prepare';
import { differences, RebuildCheck, type Rebuilt } from '../../../lambda/pipeline/rebuild';
import type { DataManifest } from '../../../lib/artifacts/contract';
import type { PipelineSpec } from '../../../lib/pipeline/contract';
import type { ModelVersion } from '../../../lib/registry/contract';
import { MemoryBucket } from '../../fakes/memory-s3';
import { tarball } from '../../fakes/tarball';

const FILES = [{ path: 'model.json', text: '{"trees":[1]}' }, { path: 'more/columns.json', text: '[]' }];
const CODE = tarball([{ path: 'train.py', text: 'x' }]);
const CSV = 'at,hr,cnt\n2026-01-01T00:00:00Z,3,17\n';
const SCHEMA = { columns: [{ name: 'at', type: 'timestamp' }, { name: 'hr', type: 'number' }], target: 'cnt', timeColumn: 'at' } as const;
const IMAGE = 'registry/sagemaker-xgboost:3.0-5';
const REPORT = 's3://artifacts/rebuild.json';
const REBUILT: Rebuilt = {
  prepared: { manifestUri: 's3://artifacts/new/manifest.json', trainUri: 's3://data/new/train.csv', codeUri: 's3://artifacts/new/code.tar.gz' },
  trainingJob: {
    ModelArtifacts: { S3ModelArtifacts: 's3://artifacts/new/model.tar.gz' },
    HyperParameters: { seed: '7', sagemaker_submit_directory: 's3://artifacts/new/code.tar.gz' },
    AlgorithmSpecification: { TrainingImage: IMAGE },
  },
  evaluation: { metrics: { rmse: 64.25, mae: 41 } },
};

/** A version on record and its rebuild, packed at another time by the same tool. */
const world = async (changes: { model?: typeof FILES; csv?: string; dataId?: string } = {}) => {
  const bucket = new MemoryBucket();
  const files = bucket.files();
  await files.put('s3://artifacts/old/model.tar.gz', tarball(FILES, 1_000_000));
  await files.put('s3://artifacts/new/model.tar.gz', tarball(changes.model ?? FILES, 2_000_000));
  await files.put('s3://artifacts/new/code.tar.gz', CODE);
  await files.put('s3://data/new/train.csv', changes.csv ?? CSV);
  await files.putJson('s3://artifacts/new/manifest.json', { dataId: changes.dataId ?? 'data-1', columns: ['at', 'hr', 'cnt'] });
  const version = {
    model: 'Demand',
    version: 3,
    artifact: { uri: 's3://artifacts/old/model.tar.gz', versionId: 'v1', sha256: (await files.sha256('s3://artifacts/old/model.tar.gz')).sha256 },
    dataId: 'data-1',
    code: { uri: 's3://artifacts/old/code.tar.gz', sha256: (await files.sha256('s3://artifacts/new/code.tar.gz')).sha256, entryPoint: 'train.py' },
    image: IMAGE,
    hyperparameters: { seed: '7', sagemaker_submit_directory: 's3://artifacts/old/code.tar.gz' },
    metrics: { rmse: 64.25, mae: 41 },
    // As DynamoDB gives it back: in no particular order.
    schema: { timeColumn: 'at', target: 'cnt', columns: SCHEMA.columns.map(({ name, type }) => ({ type, name })) },
  } as unknown as ModelVersion;
  const compare = (more: Partial<ModelVersion> = {}, rebuilt: Partial<Rebuilt> = {}, digest?: string) =>
    new RebuildCheck(files, { digestOf: async () => digest }).compare({ ...version, ...more }, { ...REBUILT, ...rebuilt }, REPORT);
  return { bucket, files, version, compare };
};

test('the same files packed at another time are equal', async () => {
  const { compare, files } = await world();
  expect(await compare()).toEqual({ equal: true, version: 3, compared: 10, reportUri: REPORT });
  expect(await files.readJson(REPORT)).toMatchObject({ model: 'Demand', version: 3, equal: true, differences: [] });
});

test('the first field that differs is told with both values: what went in before what came out', async () => {
  const { compare, files } = await world({ dataId: 'data-2', model: [{ path: 'model.json', text: '{"trees":[2]}' }] });
  const result = await compare({}, { evaluation: { metrics: { rmse: 65, mae: 41 } } });
  expect(result).toMatchObject({ equal: false, difference: { field: 'dataId', recorded: 'data-1', rebuilt: 'data-2' } });
  const report = await files.readJson<{ differences: { field: string }[] }>(REPORT);
  expect(report.differences.map(({ field }) => field)).toEqual(['dataId', 'model.model.json', 'model.more/columns.json', 'metrics.rmse']);
});

test.each<[string, Partial<ModelVersion>, Partial<Rebuilt>]>([
  ['code.sha256', { code: { uri: 's3://x', sha256: 'other', entryPoint: 'train.py' } }, {}],
  ['image', { image: 'registry/sagemaker-xgboost:2.0-1' }, {}],
  ['hyperparameters.seed', { hyperparameters: { seed: '8' } }, {}],
  ['hyperparameters.eta', { hyperparameters: { seed: '7', eta: '0.1' } }, {}],
  ['schema', { schema: { columns: [], target: 'cnt' } }, {}],
  ['artifact.sha256 (as stored now)', { artifact: { uri: 's3://artifacts/new/model.tar.gz', sha256: 'other' } }, {}],
  ['metrics.mae', {}, { evaluation: { metrics: { rmse: 64.25 } } }],
])('a difference in %s shows', async (field, more, rebuilt) => {
  const { compare } = await world();
  expect((await compare(more, rebuilt)).difference?.field).toBe(field);
});

test('an image is known by its digest where there is one, whatever its tag', async () => {
  const { compare } = await world();
  const imageDigest = `sha256:${'a'.repeat(64)}`;
  const trainingJob = { ...REBUILT.trainingJob, AlgorithmSpecification: { TrainingImage: `registry/sagemaker-xgboost@${imageDigest}` } };
  expect(await compare({ imageDigest }, { trainingJob }, imageDigest)).toMatchObject({ equal: true });
  expect((await compare({ imageDigest }, {}, 'sha256:other')).difference).toMatchObject({ field: 'image', recorded: imageDigest });
});

test('what only one side has differs from nothing', () => {
  expect(differences(new Map([['a', '1']]), new Map([['b', '2']]))).toEqual([
    { field: 'a', recorded: '1', rebuilt: 'nothing' },
    { field: 'b', recorded: 'nothing', rebuilt: '2' },
  ]);
});

describe('a rebuild is made from the record', () => {
  const SPEC = {
    ...{ model: 'Demand', task: { kind: 'REGRESSION', target: 'cnt', timeColumn: 'at' }, holdout: { days: 1 }, minimumTrainingRows: 1 },
    hyperparameters: { seed: '7' },
    training: { image: IMAGE, entryPoint: 'train.py', instanceType: 'ml.m5.large', codeUri: 's3://assets/now' },
    gate: {},
  } as unknown as PipelineSpec;
  const CONFIGURATION = 's3://artifacts/old/configuration.json';
  const MANIFEST = 's3://artifacts/old/manifest.json';
  const rowsOf = (day: number): string => `at,hr,cnt\n2026-01-0${day}T00:00:00Z,3,17\n2026-01-0${day}T01:00:00Z,4,18\n`;

  const onRecord = async () => {
    const { version, files, bucket } = await world();
    const { configuration } = await keepConfiguration(files, CONFIGURATION, SPEC);
    const listed = [1, 2].map((day) => ({ key: `datasets/Demand/${day}.csv`, versionId: `v${day}`, etag: 'e', rows: 2, sha256: 'x' }));
    await files.putJson(MANIFEST, { files: listed } as unknown as DataManifest);
    const record = { ...version, configuration, dataManifestUri: MANIFEST, hyperparameters: { seed: '9', sagemaker_program: 'train.py' } };
    return { record, files, bucket, listed };
  };

  test('with its settings, code, arguments and image by digest', async () => {
    const { record, files, listed } = await onRecord();
    const imageDigest = `sha256:${'a'.repeat(64)}`;
    expect(await readRecorded(files, { ...record, imageDigest })).toEqual({
      settings: {
        ...SPEC,
        hyperparameters: { seed: '9' },
        training: {
          ...{ image: `registry/sagemaker-xgboost@${imageDigest}`, entryPoint: 'train.py', instanceType: 'ml.m5.large' },
          ...{ codeUri: 's3://artifacts/old/code.tar.gz', codeSha256: record.code?.sha256 },
        },
      },
      dataFiles: listed,
    });
  });

  test('and with its data in the versions that it saw, though the data set has grown since', async () => {
    const { record, files, bucket } = await onRecord();
    const { settings, dataFiles } = await readRecorded(files, record);
    await files.put('s3://artifacts/old/code.tar.gz', CODE);
    for (const day of [1, 2, 3]) await files.putText(`s3://data/datasets/Demand/${day}.csv`, rowsOf(day));
    const asked: unknown[] = [];
    bucket.before = (command) => void asked.push((command as { input: object }).input);
    const manifest = await new DataPreparation(files, { data: 'data', artifacts: 'artifacts' }, { settings, dataFiles }).prepare('again');
    expect(manifest.files.map(({ key, versionId }) => [key, versionId])).toEqual([
      ['datasets/Demand/1.csv', 'v1'],
      ['datasets/Demand/2.csv', 'v2'],
    ]);
    expect(asked).toContainEqual({ Bucket: 'data', Key: 'datasets/Demand/2.csv', VersionId: 'v2' });
    expect(manifest).toMatchObject({ rows: 4, to: '2026-01-02T01:00:00.000Z' });
  });

  test('or not at all, where the record lacks something, which is named, or was changed', async () => {
    const { record, files } = await onRecord();
    const lacking = readRecorded(files, { ...record, configuration: undefined, code: undefined });
    await expect(lacking).rejects.toMatchObject({ name: 'NotRebuildable', message: expect.stringContaining('lacks code, configuration') });
    await files.putText(CONFIGURATION, '{}');
    const changed = readRecorded(files, record);
    await expect(changed).rejects.toMatchObject({ name: 'NotRebuildable', message: expect.stringContaining('its SHA-256 differs') });
  });
});

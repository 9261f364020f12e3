import { Readable } from 'node:stream';
import { UploadPartCommand } from '@aws-sdk/client-s3';
import { withOverrides } from '../../../lambda/pipeline/configuration';
import { DataPreparation, LARGEST_DATASET, runUris } from '../../../lambda/pipeline/prepare';
import type { DataManifest } from '../../../lib/artifacts/contract';
import type { PipelineSpec } from '../../../lib/pipeline/contract';
import { MemoryBucket } from '../../fakes/memory-s3';

const BUCKETS = { data: 'data', artifacts: 'artifacts' };
const SPEC: PipelineSpec = {
  model: 'Demand',
  task: { kind: 'REGRESSION', target: 'cnt', timeColumn: 'timestamp' },
  holdout: { days: 2 },
  gate: {
    ...{ metric: 'rmse', minimumImprovement: 0, confidence: 0.95, minimumBlocks: 20, fewBlocks: 'widen', bounds: [], groups: [] },
    allowedDuplicateShare: 0,
  },
  training: { image: 'i', entryPoint: 'train.py', instanceType: 'ml.m5.large', codeUri: 's3://assets/code.tar.gz', codeSha256: 'x' },
  hyperparameters: {},
  minimumTrainingRows: 10,
  jobNamePrefix: 'mlops-demand',
};

const day = (date: string, hours = 24): string[] =>
  Array.from({ length: hours }, (_, hour) => `${date}T${String(hour).padStart(2, '0')}:00:00Z,${hour},${hour * 2}`);
const csv = (rows: readonly string[]): string => ['timestamp,hr,cnt', ...rows, ''].join('\n');

const bucketWith = (files: Record<string, string>): MemoryBucket => {
  const bucket = new MemoryBucket();
  bucket.objects.set('assets/code.tar.gz', 'code');
  for (const [name, text] of Object.entries(files)) bucket.objects.set(`data/datasets/Demand/${name}`, text);
  return bucket;
};

const prepare = (bucket: MemoryBucket, spec: Partial<PipelineSpec> = {}, runId = 'run-1'): Promise<DataManifest> =>
  new DataPreparation(bucket.files(), BUCKETS, { settings: { ...SPEC, ...spec } }).prepare(runId);

const textAt = (bucket: MemoryBucket, uri: string): string => bucket.objects.get(uri.replace('s3://', ''))!;
const uris = runUris(BUCKETS, 'Demand', 'run-1');

test('splits the rows of all files by time and writes what training, scoring and evaluation read', async () => {
  const bucket = bucketWith({ 'b.csv': csv(day('2012-01-01')), 'a.csv': csv([...day('2012-01-03'), ...day('2012-01-02'), ...day('2012-01-04')]) });
  const manifest = await prepare(bucket);
  expect(manifest).toMatchObject({ rows: 96, quarantinedRows: 0, from: '2012-01-01T00:00:00.000Z', to: '2012-01-04T23:00:00.000Z' });
  expect(manifest.files.map(({ key, rows, versionId }) => [key, rows, versionId])).toEqual([
    ['datasets/Demand/a.csv', 72, 'v1'],
    ['datasets/Demand/b.csv', 24, 'v1'],
  ]);
  expect(textAt(bucket, uris.trainUri)).toBe(csv([...day('2012-01-01'), ...day('2012-01-02')]));
  expect(textAt(bucket, uris.holdoutUri)).toBe(csv([...day('2012-01-03'), ...day('2012-01-04')]));
  const features = [...day('2012-01-03'), ...day('2012-01-04')].map((row) => row.slice(0, row.lastIndexOf(',')));
  expect(textAt(bucket, uris.holdoutFeaturesUri)).toBe(`${features.join('\n')}\n`);
  expect(textAt(bucket, uris.codeUri)).toBe('code');
});

test('the rows of a built-in algorithm have the target first, two classes as 1 and 0, and no header', async () => {
  const bucket = bucketWith({ 'a.csv': ['hr,cnt,sun', ...Array.from({ length: 20 }, (_, hr) => `${hr},${hr % 2 ? 'yes' : 'no'},1`), ''].join('\n') });
  await prepare(bucket, {
    task: { kind: 'BINARY_CLASSIFICATION', target: 'cnt', positiveLabel: 'yes' },
    holdout: { share: 0.2 },
    training: { ...SPEC.training, codeUri: 'registry/image:1', targetFirst: true },
  });
  const plain = textAt(bucket, uris.trainUri).trim().split('\n').slice(1);
  const expected = plain.map((line) => line.split(',')).map(([hr, cnt, sun]) => `${cnt === 'yes' ? 1 : 0},${hr},${sun}`);
  expect(textAt(bucket, uris.targetFirstUri).trim().split('\n')).toEqual(expected);
  expect(bucket.objects.has(uris.codeUri.replace('s3://', ''))).toBe(false);
});

test('the manifest is written last, and a second try changes nothing, whatever has arrived meanwhile', async () => {
  const bucket = bucketWith({ 'a.csv': csv([...day('2012-01-01'), ...day('2012-01-02'), ...day('2012-01-03')]) });
  const first = await prepare(bucket);
  expect(bucket.written.at(-1)).toBe(uris.manifestUri.replace('s3://', ''));
  const before = [...bucket.written];
  bucket.objects.set('data/datasets/Demand/b.csv', csv(day('2012-01-04')));
  expect(await prepare(bucket)).toEqual(first);
  expect(bucket.written).toEqual(before);
});

test('equal data has an equal id in another run, other data another one', async () => {
  const rows = [...day('2012-01-01'), ...day('2012-01-02'), ...day('2012-01-03')];
  const bucket = bucketWith({ 'a.csv': csv(rows) });
  const [one, two] = [await prepare(bucket), await prepare(bucket, {}, 'run-2')];
  expect(two.dataId).toBe(one.dataId);
  expect((await prepare(bucketWith({ 'a.csv': csv(rows.slice(1)) }))).dataId).not.toBe(one.dataId);
});

test('one malformed row among good ones is kept in quarantine with its number, and the run goes on', async () => {
  const rows = [...day('2012-01-01'), ...day('2012-01-02'), ...day('2012-01-03'), ...day('2012-01-04'), ...day('2012-01-05')];
  const bucket = bucketWith({ 'a.csv': csv([...rows.slice(0, 5), '2012-01-01T05:30:00Z,1', ...rows.slice(5)]) });
  expect(await prepare(bucket)).toMatchObject({ rows: 120, quarantinedRows: 1 });
  expect(JSON.parse(textAt(bucket, uris.quarantineUri))).toEqual({
    file: 's3://data/datasets/Demand/a.csv',
    row: 7,
    rule: 'the row has 2 columns, the header 3',
    line: '2012-01-01T05:30:00Z,1',
  });
});

test('more than one in a hundred malformed rows fail the run, and all of them are in quarantine', async () => {
  const rows = [...day('2012-01-01'), ...day('2012-01-02'), ...day('2012-01-03')];
  const bucket = bucketWith({ 'a.csv': csv([...rows, 'x,1,2']) });
  await expect(prepare(bucket)).rejects.toMatchObject({
    name: 'DataInvalid',
    message: expect.stringMatching(
      /a\.csv, row 74: the time 'timestamp' is not ISO 8601; 1 of 73 rows cannot be used, more than 1 %; .* s3:\/\/data\/quarantine/,
    ),
  });
  expect(textAt(bucket, uris.quarantineUri).split('\n')).toHaveLength(2);
  expect(bucket.objects.has(uris.manifestUri.replace('s3://', ''))).toBe(false);
});

test.each<[string, Record<string, string>, Partial<PipelineSpec>, RegExp]>([
  ['no file', {}, {}, /datasets\/Demand\/: there is no data; upload CSV files/],
  [
    'too few rows beside the holdout',
    { 'a.csv': csv([...day('2012-01-01', 5), ...day('2012-01-02'), ...day('2012-01-03')]) },
    {},
    /5 rows are left to train on after a holdout of the last 2 days, at least 10/,
  ],
  [
    'a changed header',
    { 'a.csv': csv(day('2012-01-01')), 'b.csv': csv(day('2012-01-02')).replace('hr', 'hour') },
    {},
    /b\.csv, row 1: the header differs from the files before \(missing: hr; added: hour\)/,
  ],
  [
    'one label only',
    {
      'a.csv': csv(
        day('2012-01-01')
          .map((row) => row.replace(/\d+$/, 'yes'))
          .concat(day('2012-01-03')),
      ),
    },
    { task: { kind: 'MULTICLASS_CLASSIFICATION', target: 'cnt', timeColumn: 'timestamp' } },
    /has only the label yes in the training rows/,
  ],
  [
    'three labels in a binary task',
    { 'a.csv': csv([...day('2012-01-01'), ...day('2012-01-05')]) },
    { task: { kind: 'BINARY_CLASSIFICATION', target: 'cnt', timeColumn: 'timestamp', positiveLabel: '1' } },
    /has 24 labels, a binary task has two/,
  ],
])('%s is named at once', async (_, files, spec, message) => {
  await expect(prepare(bucketWith(files), spec)).rejects.toMatchObject({ name: 'DataInvalid', message: expect.stringMatching(message) });
});

test('a positive label that never occurs is named with those that do', async () => {
  const rows = [...day('2012-01-01'), ...day('2012-01-02'), ...day('2012-01-03')].map((row, index) => row.replace(/\d+$/, index % 2 ? 'yes' : 'no'));
  const task = { kind: 'BINARY_CLASSIFICATION', target: 'cnt', timeColumn: 'timestamp', positiveLabel: 'Yes' };
  await expect(prepare(bucketWith({ 'a.csv': csv(rows) }), { task })).rejects.toThrow(/never is the positive label 'Yes', only (no, yes|yes, no)/);
});

test('a row key of columns that the data have not is named', async () => {
  const rows = [...day('2012-01-01'), ...day('2012-01-02'), ...day('2012-01-03')];
  const message = "the header: the gate's row key names id, which is no column of the data; name some of timestamp, hr, cnt";
  await expect(prepare(bucketWith({ 'a.csv': csv(rows) }), { gate: { ...SPEC.gate, rowKey: ['id'] } })).rejects.toMatchObject({ message });
});

describe('what breaks off leaves nothing that a later step would take, and the next try succeeds:', () => {
  const days = Array.from({ length: 6 }, (_, index) => `2012-01-0${index + 1}`);
  const outputs = (bucket: MemoryBucket): string[] => bucket.written.filter((key) => key.includes('/runs/'));

  test('a file, in the middle of its rows', async () => {
    const text = csv(days.flatMap((date) => day(date)));
    const bucket = bucketWith({ 'a.csv': csv(day('2011-12-31')), 'b.csv': text });
    const files = bucket.files();
    const broken = async function* () {
      yield Buffer.from(text.slice(0, 500));
      throw new Error('read ECONNRESET');
    };
    const read = files.readStream.bind(files);
    jest.spyOn(files, 'readStream').mockImplementation(async (uri) => (uri.endsWith('b.csv') ? Readable.from(broken()) : read(uri)));
    const preparation = new DataPreparation(files, BUCKETS, { settings: SPEC });
    await expect(preparation.prepare('run-1')).rejects.toThrow('read ECONNRESET');
    expect(bucket.written).toEqual([]);
    jest.restoreAllMocks();
    expect(await preparation.prepare('run-1')).toMatchObject({ rows: 168 });
  });

  test('an upload, behind its first part', async () => {
    const wide = (hour: number): string => `${hour}`.padEnd(100_000, 'x');
    const text = csv(days.flatMap((date) => day(date)).map((row, index) => row.replace(/,(\d+),/, `,${wide(index)},`)));
    const bucket = bucketWith({ 'a.csv': text });
    let parts = 0;
    bucket.before = (command) => {
      if (!(command instanceof UploadPartCommand)) return;
      parts += 1;
      if (parts === 2) throw new Error('SlowDown');
    };
    await expect(prepare(bucket)).rejects.toThrow('SlowDown');
    expect(outputs(bucket)).toEqual([]);
    expect(bucket.uploads.size).toBe(0);
    bucket.before = () => undefined;
    await prepare(bucket);
    expect(bucket.uploads.size).toBe(0);
    expect(textAt(bucket, uris.trainUri) + textAt(bucket, uris.holdoutUri).replace('timestamp,hr,cnt\n', '')).toBe(text);
  });

  test('a rule that only the training rows can break, known behind the last of them', async () => {
    const rows = [...day('2012-01-01'), ...day('2012-01-03')].map((row, index) => row.replace(/\d+$/, index < 24 ? 'yes' : 'no'));
    const bucket = bucketWith({ 'a.csv': csv(rows) });
    const task = { kind: 'MULTICLASS_CLASSIFICATION', target: 'cnt', timeColumn: 'timestamp' };
    await expect(prepare(bucket, { task })).rejects.toThrow('has only the label yes in the training rows');
    expect(bucket.written).toEqual([]);
  });
});

test('more data than a run takes is refused before any of it is read', async () => {
  const bucket = bucketWith({});
  const files = bucket.files();
  jest.spyOn(files, 'list').mockImplementation(async function* () {
    for (const name of ['a.csv', 'b.csv']) {
      const key = `datasets/Demand/${name}`;
      yield { uri: `s3://data/${key}`, key, bytes: LARGEST_DATASET / 2 + 1, etag: '1', lastModified: new Date(0) };
    }
  });
  const read = jest.spyOn(files, 'readStream');
  await expect(new DataPreparation(files, BUCKETS, { settings: SPEC }).prepare('run-1')).rejects.toMatchObject({
    name: 'DataInvalid',
    message: expect.stringMatching(/datasets\/Demand\/: the data set has 2049 MiB, a run takes 2048 MiB; aggregate it, /),
  });
  expect(read).not.toHaveBeenCalled();
});

test('an object without versions that was replaced since it was found is not read', async () => {
  const bucket = bucketWith({ 'a.csv': csv(day('2012-01-01')) });
  const dataFiles = [{ key: 'datasets/Demand/a.csv', etag: 'another', rows: 24, sha256: 'x' }];
  const preparation = new DataPreparation(bucket.files(), BUCKETS, { settings: SPEC, dataFiles });
  await expect(preparation.prepare('run-1')).rejects.toMatchObject({ name: 'PreconditionFailed' });
});

describe('a run for some of the data', () => {
  const months = { '2012/01.csv': csv([...day('2012-01-01'), ...day('2012-01-03')]), '2011/01.csv': csv(day('2011-01-01')) };
  const prepareSome = (dataPrefix: string, bucket = bucketWith(months), dataCommit?: string) =>
    new DataPreparation(bucket.files(), BUCKETS, { settings: SPEC, dataPrefix, dataCommit }).prepare('run-1');

  test('reads no other files, and its manifest says so', async () => {
    const manifest = await prepareSome('2012/', bucketWith(months), 'c0ffee');
    expect(manifest).toMatchObject({ rows: 48, prefix: '2012/', commit: 'c0ffee', files: [{ key: 'datasets/Demand/2012/01.csv' }] });
    expect(await prepare(bucketWith(months))).not.toHaveProperty('prefix');
  });

  test('that are not there names the place and what is there', async () => {
    const message = 's3://data/datasets/Demand/2013/: there is no data; below s3://data/datasets/Demand/ there are 2011/, 2012/';
    await expect(prepareSome('2013/')).rejects.toMatchObject({ name: 'DataInvalid', message });
    await expect(prepareSome('2013/', bucketWith({}))).rejects.toThrow('upload CSV files with a header there');
  });

  test.each(['', '/2012/', '../Other/', '2012/../../Other/', '2012\n'])('cannot lead out of the data set: %j', async (prefix) => {
    await expect(prepareSome(prefix)).rejects.toMatchObject({ name: 'DataInvalid', message: expect.stringContaining('is no part of keys below') });
  });
});

describe('hyperparameters of one run', () => {
  test('stand above those of the app', () => {
    const settings = { ...SPEC, hyperparameters: { depth: '6', seed: '1' } };
    expect(withOverrides(settings, { hyperparameters: { depth: '3', rate: '0.1' } }).hyperparameters).toEqual({ depth: '3', seed: '1', rate: '0.1' });
    expect(withOverrides(settings, {})).toBe(settings);
  });

  test('are none of the container’s own', () => {
    const message = expect.stringContaining('hyperparameter sagemaker_program');
    const own = () => withOverrides(SPEC, { hyperparameters: { sagemaker_program: 'x' } });
    expect(own).toThrow(expect.objectContaining({ name: 'DataInvalid', message }));
  });
});

import type { ConstraintFile } from '../../../lambda/monitoring/constraints/types';
import { readRecorded } from '../../../lambda/pipeline/configuration';
import { chooseConstraints } from '../../../lambda/pipeline/constraint-source';
import { DataPreparation, runUris } from '../../../lambda/pipeline/prepare';
import type { DataManifest } from '../../../lib/artifacts/contract';
import { constraintsKey } from '../../../lib/monitoring/contract';
import type { PipelineSpec } from '../../../lib/pipeline/contract';
import type { ModelVersion } from '../../../lib/registry/contract';
import { MemoryBucket } from '../../fakes/memory-s3';

const BUCKETS = { data: 'data', artifacts: 'artifacts' };
const SPEC = {
  ...{ model: 'Demand', task: { kind: 'REGRESSION', target: 'cnt', timeColumn: 'at' }, holdout: { share: 0.2 }, minimumTrainingRows: 10 },
  gate: {},
  hyperparameters: {},
  training: { image: 'i', entryPoint: 'train.py', instanceType: 'ml.m5.large', codeUri: 's3://assets/code.tar.gz', codeSha256: 'x' },
} as unknown as PipelineSpec;

const constraints = (change: Partial<ConstraintFile> = {}): ConstraintFile => ({
  schemaVersion: 1,
  model: 'Demand',
  origin: 'edited',
  features: [
    { name: 'temp', type: { is: 'fractional', allowedShare: 0.05, severity: 'error' }, presence: { atLeast: 0.95, severity: 'error' } },
    { name: 'season', domain: { values: ['1', '2'], allowedUnseenShare: 0.01, severity: 'warning' } },
  ],
  consistency: [],
  columns: { names: ['at', 'temp', 'season'], severity: 'error' },
  ...change,
});

const HEADER = 'at,temp,season,cnt';
const at = (hour: number): string => new Date(Date.UTC(2012, 0, 1, hour)).toISOString();
const rows = (count: number, edit: (cells: string[], hour: number) => string[] = (cells) => cells): string =>
  [HEADER, ...Array.from({ length: count }, (_, hour) => edit([at(hour), `${hour / 10}`, `${1 + (hour % 2)}`, '7'], hour).join(',')), ''].join('\n');

const world = (text: string): MemoryBucket => {
  const bucket = new MemoryBucket();
  bucket.objects.set('assets/code.tar.gz', 'code');
  bucket.objects.set('data/datasets/Demand/a.csv', text);
  return bucket;
};
const SOURCE = { source: 's3://data/constraints/Demand.json', versionId: 'c1' };
const run = (bucket: MemoryBucket, file: ConstraintFile, runId = 'run-1', now = Date.UTC(2012, 1, 1)): Promise<DataManifest> =>
  new DataPreparation(bucket.files(), BUCKETS, { settings: SPEC, constraints: { file, ...SOURCE } }, () => now).prepare(runId);
const uris = runUris(BUCKETS, 'Demand', 'run-1');
const quarantined = (bucket: MemoryBucket): Record<string, unknown>[] =>
  bucket
    .text(uris.quarantineUri)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('single rows that break a rule of severity error are set aside with number, rule and a sample that tells nobody’s value', async () => {
  const bucket = world(rows(200, (cells, hour) => (hour === 4 ? [cells[0], 'Anna@x.org', ...cells.slice(2)] : cells)));
  const manifest = await run(bucket, constraints());
  expect(manifest).toMatchObject({ rows: 199, quarantinedRows: 1, constraints: { ...SOURCE, uri: uris.constraintsUri, warnings: 0 } });
  expect(quarantined(bucket)).toEqual([
    { file: 's3://data/datasets/Demand/a.csv', versionId: 'v1', row: 6, rule: "'temp' is not a number", samples: { temp: 'Aaaa@a.aaa' } },
  ]);
  expect(bucket.text(uris.trainUri)).not.toContain('Anna');
});

test('too many of them stop the run with place, rule and fix; quarantine and report are there, the manifest is not', async () => {
  const bucket = world(rows(200, (cells, hour) => (hour >= 100 ? [cells[0], '', ...cells.slice(2)] : cells)));
  await expect(run(bucket, constraints())).rejects.toMatchObject({
    name: 'DataInvalid',
    message: expect.stringMatching(
      /a\.csv, row 102: 'temp': 50 % \(100 of 200 rows\) missing, at most 5 % may be; correct .* `mlops constraints put Demand/,
    ),
  });
  expect(quarantined(bucket)).toHaveLength(100);
  const violations = [{ feature: 'temp', constraint: 'presence' }];
  expect(JSON.parse(bucket.text(uris.dataQualityUri))).toMatchObject({ quarantinedRows: 100, violations });
  expect(bucket.objects.has(uris.manifestUri.replace('s3://', ''))).toBe(false);
});

test('a column that is gone stops the run, one that came is a warning', async () => {
  const gone = world(rows(60).replaceAll(/^([^,]*),[^,]*,/gm, '$1,'));
  await expect(run(gone, constraints())).rejects.toThrow(/datasets\/Demand\/: The column 'temp' is missing; correct the data/);
  const more = world(rows(60));
  const manifest = await run(more, constraints({ columns: { names: ['at', 'temp'], severity: 'error' } }));
  expect(manifest.constraints).toMatchObject({ warnings: 1 });
  expect(JSON.parse(more.text(uris.dataQualityUri))).toMatchObject({ violations: [{ feature: 'season', severity: 'warning' }] });
});

test('rows that break a warning stay, and the warning is on record', async () => {
  const bucket = world(rows(60, ([time, temp, , count]) => [time, temp, '9', count]));
  expect(await run(bucket, constraints())).toMatchObject({ rows: 60, quarantinedRows: 0, constraints: { warnings: 1 } });
});

test('rules on the data set: rows and the age of the newest one', async () => {
  const few = constraints({ dataset: { rowCount: { atLeast: 100, severity: 'error' } } });
  await expect(run(world(rows(60)), few)).rejects.toThrow(/There are 60 rows in the data set, at least 100 are expected/);
  const old = constraints({ dataset: { freshness: { atMostSeconds: 86_400, severity: 'error' } } });
  await expect(run(world(rows(60)), old)).rejects.toThrow(/The newest row is 28.5 days old at the start of the run, at most 24 hours is expected/);
});

test('the same rows without others are other data', async () => {
  const bucket = world(rows(200, (cells, hour) => (hour === 4 || hour === 5 ? [cells[0], `${hour}x`, ...cells.slice(2)] : cells)));
  const first = await run(bucket, constraints({ features: [{ name: 'temp', domain: domain('4x') }] }));
  const second = await run(bucket, constraints({ features: [{ name: 'temp', domain: domain('5x') }] }), 'run-2');
  expect([first.rows, first.train.rows]).toEqual([second.rows, second.train.rows]);
  expect(first.dataId).not.toBe(second.dataId);
});

const domain = (but: string) => ({
  values: [...Array.from({ length: 200 }, (_, hour) => `${hour / 10}`), '4x', '5x'].filter((value) => value !== but),
  allowedUnseenShare: 0.5,
  severity: 'error' as const,
});

describe('constraints come', () => {
  const stored = JSON.stringify(constraints());
  const BASELINE = 's3://reports/baselines/Demand/run-0/baseline.json';

  test('from the file that people have stored, else from the baseline of the champion, else from nowhere', async () => {
    const bucket = new MemoryBucket();
    const choose = () => chooseConstraints(bucket.files(), 'data', 'Demand', BASELINE);
    expect(await choose()).toBeUndefined();
    bucket.objects.set(BASELINE.replace('s3://', ''), JSON.stringify({ schemaVersion: 1 }));
    expect(await choose()).toBeUndefined();
    bucket.objects.set(BASELINE.replace('s3://', ''), JSON.stringify({ schemaVersion: 2, constraints: constraints({ origin: 'baseline' }) }));
    expect(await choose()).toMatchObject({ source: BASELINE, file: { origin: 'baseline' } });
    bucket.objects.set(`data/${constraintsKey('Demand')}`, stored);
    expect(await choose()).toMatchObject({ source: 's3://data/constraints/Demand.json', versionId: 'v1', file: { origin: 'edited' } });
  });

  test('not from a file that is none: the run stops and says what to correct', async () => {
    const bucket = new MemoryBucket();
    bucket.objects.set(`data/${constraintsKey('Demand')}`, stored.replace('"presence"', '"presnece"'));
    await expect(chooseConstraints(bucket.files(), 'data', 'Demand')).rejects.toMatchObject({
      name: 'DataInvalid',
      message: expect.stringMatching(/constraints\/Demand\.json: .*features\[0\] \(temp\): Unrecognized key: "presnece".*mlops constraints put/),
    });
  });
});

test('a rebuild uses the constraints of its record, whatever is stored now, and judges no age', async () => {
  const bucket = world(rows(200, (cells, hour) => (hour === 4 ? [cells[0], 'x', ...cells.slice(2)] : cells)));
  const file = constraints({ dataset: { freshness: { atMostSeconds: 86_400 * 60, severity: 'error' } } });
  const first = await run(bucket, file);
  const files = bucket.files();
  const configuration = await files.putText('s3://artifacts/configuration.json', JSON.stringify(SPEC));
  const { createHash } = await import('node:crypto');
  const version = {
    ...{ model: 'Demand', version: 1, image: 'i', hyperparameters: {}, dataManifestUri: uris.manifestUri },
    code: { uri: uris.codeUri, sha256: 'x', entryPoint: 'train.py' },
    configuration: { uri: configuration.uri, sha256: createHash('sha256').update(JSON.stringify(SPEC)).digest('hex') },
  } as unknown as ModelVersion;
  const recorded = await readRecorded(files, version);
  const later = () => Date.UTC(2020, 0, 1);
  const again = await new DataPreparation(files, BUCKETS, recorded, later).prepare('again');
  expect(again.dataId).toBe(first.dataId);
  expect(again.constraints).toMatchObject({ ...SOURCE, sha256: first.constraints?.sha256 });

  bucket.objects.set(uris.constraintsUri.replace('s3://', ''), '{}');
  await expect(readRecorded(files, version)).rejects.toMatchObject({ name: 'NotRebuildable' });
});

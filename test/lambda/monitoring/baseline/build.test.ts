import { buildBaseline } from '../../../../lambda/monitoring/baseline/build';
import { permutationImportance } from '../../../../lambda/monitoring/baseline/permutation-importance';
import { parseBaseline } from '../../../../lambda/monitoring/baseline/schema';
import { BaselineClient } from '../../../../lambda/monitoring/baseline.client';
import type { MonitorSpec } from '../../../../lib/monitoring/contract';
import { MemoryBucket } from '../../../fakes/memory-s3';
import { baselineOf, rows, SPEC } from '../workflow/world';

type Table = readonly (readonly string[])[];

const text = (table: Table): string => table.map((row) => row.join(',')).join('\n') + '\n';

async function* once(content: string, size = 1000) {
  for (let at = 0; at < content.length; at += size) yield Buffer.from(content.slice(at, at + size));
}

async function* list<T>(values: readonly T[]) {
  yield* values;
}

const HEADER = ['id', 'at', 'temp', 'city', 'rides'];
const table = (days: number, change: (row: string[], index: number) => string[] = (row) => row): string[][] => [
  HEADER,
  ...rows(1, '2024-09-01T00:00:00Z', days).map((row, index) => change([`id-${index}`, ...row], index)),
];

/** A day whose sixth row is another. */
const sixth = (change: (row: string[]) => string[]): string[][] => table(1, (row, index) => (index === 5 ? change(row) : row));

interface Parts {
  readonly spec?: MonitorSpec;
  readonly train?: Table;
  readonly holdout?: Table;
  readonly scores?: readonly string[];
  /** Bytes of the chunks. */
  readonly size?: number;
  readonly importance?: ReadonlyMap<string, number>;
}

const HOLDOUT = [HEADER, ...rows(2, '2024-12-10T00:00:00Z', 20).map((row, index) => [`held-${index}`, ...row])];

const build = (parts: Parts = {}) => {
  const { spec = SPEC, train = table(100), holdout = HOLDOUT, scores = holdout.slice(1).map((row) => row[4]), size, importance } = parts;
  return buildBaseline({
    spec,
    runId: 'run-1',
    train: () => [{ where: 'train.csv', chunks: once(text(train), size) }],
    holdout: () => [{ where: 'holdout.csv', chunks: once(text(holdout), size) }],
    scores: () => list(scores),
    importance,
  });
};

describe('the baseline of a version', () => {
  test('counts every training row, keeps the target out of requests, and skips what cannot be compared', async () => {
    const { baseline, blocks } = await build();
    expect(baseline).toMatchObject({
      schemaVersion: 2,
      model: 'Rides',
      runId: 'run-1',
      columns: ['id', 'at', 'temp', 'city'],
      timeColumn: 'at',
      trainRows: 9600,
    });
    expect(baseline.features.map(({ name, role, counts }) => [name, role, counts.rows])).toEqual([
      ['temp', 'feature', 9600],
      ['city', 'feature', 9600],
      ['rides', 'target', 9600],
      ['prediction', 'prediction', 1920],
    ]);
    expect(baseline.skipped).toEqual([{ name: 'id', reason: expect.stringContaining('identifier') }]);
    expect(blocks.blocks).toHaveLength(120);
    expect(blocks.blocks.every(({ rows: count }) => count === 96)).toBe(true);
    expect(Object.keys(blocks.cells)).toEqual(['temp', 'city', 'prediction']);
    expect(blocks.cells.prediction.filter((cells) => cells !== null)).toHaveLength(20);
  });

  test('is the same however the bytes come', async () => {
    expect(await build({ size: 37 })).toEqual(await build({ size: 1_000_000 }));
  });

  test('takes the importance of features from the gate’s report, as shares of the most important one’s', async () => {
    const bucket = new MemoryBucket();
    const report = { importance: { features: [{ name: 'city', mean: 8 }, { name: 'temp', mean: 2 }, { name: 'at', mean: -1 }] } };
    bucket.objects.set('reports/gate.json', JSON.stringify(report));
    const importance = await permutationImportance(bucket.files(), 's3://reports/gate.json');
    expect(importance).toEqual(new Map([['city', 1], ['temp', 0.25], ['at', 0]]));
    const { baseline } = await build({ importance });
    expect(baseline.importanceMethod).toBe('permutation');
    const known = baseline.features.map(({ name, importance: share }) => [name, share]);
    expect(known).toEqual([['temp', 0.25], ['city', 1], ['rides', undefined], ['prediction', undefined]]);
    expect(parseBaseline(JSON.parse(JSON.stringify(baseline)), 's3://b/k').importanceMethod).toBe('permutation');
  });

  test.each([
    ['is gone', undefined],
    ['tells none', { missing: [] }],
    ['is another one', ['x']],
    ['finds nothing important', { importance: { features: [{ name: 'city', mean: 0 }, { name: 'temp', mean: -2 }] } }],
  ])('tells it by the predictions’ variance where the report %s', async (_, report) => {
    const bucket = new MemoryBucket();
    if (report) bucket.objects.set('reports/gate.json', JSON.stringify(report));
    expect(await permutationImportance(bucket.files(), 's3://reports/gate.json')).toBeUndefined();
    expect((await build()).baseline.importanceMethod).toBe('explained-variance');
  });

  test('tells how much of the prediction a feature explains, and how many distinct values it has', async () => {
    const { baseline } = await build();
    const [temp, city] = baseline.features;
    expect(temp.importance).toBeGreaterThan(0.7);
    expect(city.importance).toBeLessThan(0.05);
    expect(temp.distinct).toEqual({ count: new Set(table(100).slice(1).map((row) => Number(row[2]))).size, exact: true });
    expect(city.distinct).toEqual({ count: 3, exact: true });
  });

  test('knows the quality on the holdout with its error by days', async () => {
    const scores = HOLDOUT.slice(1).map((row, index) => String(Number(row[4]) + (index % 2 === 0 ? 5 : -5)));
    const { baseline } = await build({ scores });
    expect(baseline.holdout).toMatchObject({ rows: 1920, blocks: 20, groups: { city: { rome: { rows: expect.any(Number) } } } });
    expect(baseline.holdout.metrics.rmse).toMatchObject({ value: expect.closeTo(5, 9), standardError: expect.any(Number) });
  });

  test('suggests constraints that leave the truth out, since no request holds it', async () => {
    const { constraints } = (await build()).baseline;
    expect(constraints.features.map(({ name }) => name)).toEqual(['temp', 'city']);
    expect(constraints.features[1].domain?.values).toEqual(expect.arrayContaining(['rome', 'oslo', 'bonn']));
    expect(constraints.columns?.names).toEqual(['id', 'at', 'temp', 'city']);
    expect(constraints.notes?.[0]).toContain('checked on 5 parts');
    expect(constraints.rowCount).toBeDefined();
  });

  test('says what each reference can promise: too few blocks of a season never alarm', async () => {
    const spec: MonitorSpec = { ...SPEC, references: [{ kind: 'TRAINING' }, { kind: 'SAME_SEASON' }] };
    const [training, season] = (await build({ spec })).baseline.promises;
    expect(training.promise).toMatchObject({ advisory: false, fitBlocks: 60, nullBlocks: 58 });
    expect(season).toMatchObject({ reference: { kind: 'SAME_SEASON' }, promise: { advisory: true } });
    expect(season.promise.sentence).toMatch(/never alarms|cannot support/);
  });

  test('rows without a time make blocks of consecutive rows, of training data and holdout apart', async () => {
    const spec: MonitorSpec = { ...SPEC, task: { kind: 'REGRESSION', target: 'rides' } };
    const { baseline, blocks } = await build({ spec });
    expect(blocks.kind).toBe('rows');
    expect(blocks.blocks.map(({ rows: count }) => count)).toEqual([...new Array<number>(192).fill(50), ...new Array<number>(38).fill(50), 20]);
    expect(baseline.columns).toContain('at');
  });

  test('a column that is named prediction keeps its name', async () => {
    const header = HEADER.map((name) => (name === 'temp' ? 'prediction' : name));
    const named = ([, ...data]: Table): Table => [header, ...data];
    const { baseline } = await build({ train: named(table(20)), holdout: named(HOLDOUT) });
    expect(baseline.features.map(({ name }) => name)).toEqual(['prediction', 'city', 'rides', 'prediction (model)']);
  });

  test.each<[string, Parts, RegExp]>([
    ['no training rows', { train: [HEADER] }, /training data holds no row/],
    ['no target', { train: table(1).map((row) => row.slice(0, 4)) }, /header of the training data lacks rides/],
    ['a row that is too short', { train: sixth((row) => row.slice(0, 3)) }, /1 rows cannot be read, the first at train.csv line 7/],
    ['a time that is none', { train: sixth((row) => [row[0], 'soon', ...row.slice(2)]) }, /1 rows .* no ISO 8601 time in column at/],
    ['too few scores', { scores: ['1', '2'] }, /scores end after 2 rows/],
    ['too many scores', { scores: new Array<string>(1921).fill('1') }, /more scores than the holdout has rows \(1920\)/],
    ['a score that is no number', { scores: ['many', ...new Array<string>(1919).fill('1')] }, /holdout row 1: the prediction cannot be read/],
  ])('%s is an error that names itself', async (_, parts, message) => {
    await expect(build(parts)).rejects.toThrow(message);
  });
});

describe('a stored baseline', () => {
  const uri = 's3://reports/baselines/Rides/run-1/baseline.json';

  test('is read as it was written, with its blocks beside it', async () => {
    const bucket = new MemoryBucket();
    const client = new BaselineClient(bucket.files());
    const { baseline, blocks } = await baselineOf(SPEC, 'run-1');
    await client.put(uri, baseline, blocks);
    expect(await client.baseline(uri)).toEqual(JSON.parse(JSON.stringify(baseline)));
    expect(await client.blocks(uri)).toEqual(blocks);
    expect(bucket.written).toEqual(['reports/baselines/Rides/run-1/blocks.bin', 'reports/baselines/Rides/run-1/baseline.json']);
  });

  test('of an earlier release is refused with what to do', () => {
    const old = { schemaVersion: 1 };
    expect(() => parseBaseline(old, uri)).toThrow(/run-1\/baseline.json was made by an earlier release .* train the model once more/);
  });

  test('that is damaged is refused with the place', async () => {
    const { baseline } = await baselineOf(SPEC, 'run-1');
    const [feature] = baseline.features;
    const damaged = { ...baseline, features: [{ ...feature, counts: { ...feature.counts, counts: ['x'] } }] };
    expect(() => parseBaseline(damaged, uri)).toThrow(/no baseline that this release can read: features.0.counts.counts must be a list of numbers/);
  });
});

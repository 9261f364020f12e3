import { BaselineSchema, buildBaseline } from '../../../lambda/monitoring/baseline';
import { countsOf, FeatureProfile } from '../../../lambda/monitoring/profile';
import { csv, list, makeBaseline, makeRows, TASK } from './samples';

const build = (header: string[], train: string[][], scores: string[] = ['1'], holdout: string[][] = [train[0]]) =>
  buildBaseline({ model: 'm', runId: 'r', task: TASK, train: csv(train, header), holdout: csv(holdout, header), scores: list(scores) });

const whole = (feature: FeatureProfile) => countsOf(feature, () => true)!;

const row = (index: number, ...cells: string[]): string[] => [`2011-0${1 + (index % 3)}-01T00:00:00Z`, ...cells, '5'];
const rows = (count: number, of: (index: number) => string) => Array.from({ length: count }, (_, index) => row(index, of(index)));

describe('the baseline', () => {
  it('counts each feature per calendar month, with the predictions as a feature of their own, and reads back', async () => {
    const baseline = await makeBaseline();
    expect(BaselineSchema.parse(JSON.parse(JSON.stringify(baseline)))).toEqual(baseline);
    expect(baseline.columns).toEqual(['timestamp', 'temp', 'city']);
    expect(baseline.features.map(({ name, role, shape }) => [name, role, shape.kind])).toEqual([
      ['temp', 'feature', 'numeric'],
      ['city', 'feature', 'categorical'],
      ['cnt', 'target', 'numeric'],
      ['prediction', 'prediction', 'numeric'],
    ]);
    const [temp] = baseline.features;
    expect(Object.keys(temp.months)).toEqual(Array.from({ length: 11 }, (_, month) => `2011-${String(month + 1).padStart(2, '0')}`));
    expect(whole(temp).rows).toBe(8000);
    expect(temp.shape.kind === 'numeric' && temp.shape.edges.length).toBe(99);
    expect(baseline.holdout.rows).toBe(400);
    expect(baseline.holdout.metrics.rmse).toBeGreaterThan(10);
  });

  it.each([
    ['few distinct numbers by value', rows(300, (index) => String(index % 20)), 'categorical'],
    ['many distinct numbers in bins', rows(300, (index) => String(index % 21)), 'numeric'],
    ['numbers with a rare slip in bins', rows(300, (index) => (index === 7 ? 'oops' : String(index))), 'numeric'],
    ['codes with letters by value', rows(300, (index) => (index % 3 === 0 ? 'x1' : String(index % 40))), 'categorical'],
  ])('counts %s', async (_, train, kind) => {
    const baseline = await build(['timestamp', 'f', 'cnt'], train);
    expect(baseline.features[0].shape.kind).toBe(kind);
  });

  it('merges equal quantiles, so that a frequent value keeps one bin of its own', async () => {
    const baseline = await build(['timestamp', 'f', 'cnt'], rows(1000, (index) => String(index < 700 ? 0 : index)));
    const { shape } = baseline.features[0];
    expect(shape.kind === 'numeric' && shape.edges.length).toBe(30);
    expect(whole(baseline.features[0]).counts[0]).toBe(700);
  });

  it('says which columns it cannot compare', async () => {
    const train = Array.from({ length: 3000 }, (_, index) => row(index, `user-${index}`, '', String(index)));
    const baseline = await build(['timestamp', 'user', 'empty', 'f', 'cnt'], train);
    expect(baseline.skipped.map(({ name }) => name)).toEqual(['user', 'empty']);
  });

  it('leaves a column named prediction its name', async () => {
    const baseline = await build(['timestamp', 'prediction', 'cnt'], rows(50, String));
    expect(baseline.features.map(({ name }) => name)).toEqual(['prediction', 'cnt', 'prediction (model)']);
  });

  it.each([
    ['fewer scores than holdout rows', ['1'], 'end after 1 rows'],
    ['more scores than holdout rows', ['1', '2', '3'], 'more scores'],
    ['a score that is no number', ['1', 'high'], 'the prediction cannot be read'],
  ])('refuses %s', async (_, scores, message) => {
    const train = makeRows(1, '2011-01-01T00:00:00Z', 40);
    await expect(build(['timestamp', 'temp', 'city', 'cnt'], train, scores, train.slice(0, 2))).rejects.toThrow(message);
  });

  it.each([
    ['a header without the target', ['timestamp', 'f', 'other'], rows(3, String), 'lacks cnt'],
    ['no row', ['timestamp', 'f', 'cnt'], [], 'holds no row'],
    ['a time that is none', ['timestamp', 'f', 'cnt'], [['soon', '1', '2']], 'row 1: column timestamp is no ISO 8601 time'],
  ])('refuses %s', async (_, header, train, message) => {
    await expect(build(header, train, [], [])).rejects.toThrow(message);
  });
});

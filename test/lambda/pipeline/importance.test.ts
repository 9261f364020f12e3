import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { S3Files } from '../../../lambda/common/s3.client';
import { importanceOf } from '../../../lambda/pipeline/evaluation/importance';
import { Scores } from '../../../lambda/pipeline/evaluation/scores';
import type { Importance } from '../../../lambda/pipeline/evaluation/types';
import { PermutedRows } from '../../../lambda/pipeline/importance/permuted-rows';
import { DataPreparation, runUris } from '../../../lambda/pipeline/prepare';
import type { PermutedRowsRef } from '../../../lib/artifacts/contract';
import type { ImportanceSpec, PipelineSpec } from '../../../lib/pipeline/contract';
import { MemoryBucket } from '../../fakes/memory-s3';
import { BINARY, CLASSES, GATE, holdoutOf, REGRESSION } from './gate-samples';

type Value = number | string;

interface Vectors {
  readonly cases: readonly {
    readonly kind: string;
    readonly metric: string;
    readonly truth: readonly Value[];
    readonly predictions: readonly Value[];
    /** By feature, then repeat. */
    readonly permuted: readonly (readonly (readonly Value[])[])[];
    readonly mean: readonly number[];
    readonly std: readonly number[];
  }[];
}

const { cases } = JSON.parse(readFileSync(path.resolve(__dirname, 'importance-vectors.json'), 'utf8')) as Vectors;
const TASKS = [REGRESSION, BINARY, CLASSES];
const SPEC: ImportanceSpec = { repeats: 5, maxSamples: 500, maximumRows: 50_000 };
const URI = 's3://data/permuted-rows.csv';
const FEATURES = ['a', 'b', 'c'];

const refOf = (sample: readonly number[], repeats: number, features: readonly string[] = FEATURES): PermutedRowsRef => ({
  uri: URI,
  features,
  repeats,
  sample,
});

describe('importance', () => {
  test.each(cases.map((one) => [`${one.kind} ${one.metric}`, one] as const))('%s: what scikit-learn tells of the same answers', (_, one) => {
    const { kind, metric, truth, predictions, permuted, mean, std } = one;
    const task = TASKS.find((known) => known.kind === kind)!;
    const repeats = permuted[0].length;
    const answers = Array.from({ length: repeats }, (__, repeat) => permuted.flatMap((feature) => feature[repeat])).flat();
    const holdout = holdoutOf(task, { truth, candidate: predictions });
    const scores = new Scores(task).addAll(answers);
    const found = importanceOf(holdout, metric, refOf(truth.map((__, row) => row), repeats), scores) as Importance;
    expect(found).toMatchObject({ metric, rows: truth.length, repeats, notComputable: [] });
    expect(found.features.map(({ name }) => name)).toEqual(FEATURES);
    found.features.forEach((feature, index) => {
      expect(feature.mean).toBeCloseTo(mean[index], 12);
      expect(feature.standardDeviation).toBeCloseTo(std[index], 12);
    });
  });

  const holdout = holdoutOf(REGRESSION, { truth: [1, 2, 3, 4], candidate: [1, 2, 9, 5] });

  test('is held against the metric of the sampled rows alone, and comes with the most important feature first', () => {
    const scores = new Scores(REGRESSION).addAll([2, 5, 4, 5]);
    expect(importanceOf(holdout, 'mae', refOf([1, 3], 1, ['x', 'y']), scores)).toEqual({
      metric: 'mae',
      rows: 2,
      repeats: 1,
      baseline: 0.5,
      features: [{ name: 'y', mean: 1, standardDeviation: 0 }, { name: 'x', mean: 0, standardDeviation: 0 }],
      notComputable: [],
    });
  });

  test('says why it cannot be told: too few answers, rows of another holdout, a metric that the sample leaves open', () => {
    const why = (ref: PermutedRowsRef, answers: number[], metric = 'mae', of = holdout) =>
      importanceOf(of, metric, ref, new Scores(of.candidate.task).addAll(answers));
    expect(why(refOf([0, 1], 1), [1, 2, 3])).toEqual({ why: 'the candidate has 3 scores for 6 permuted rows' });
    expect(why(refOf([0, 4], 1, ['x']), [1, 2])).toEqual({ why: 'the sampled rows are not those of this holdout' });
    const rare = holdoutOf(BINARY, { truth: [0, 0, 1], candidate: [0.1, 0.2, 0.9] });
    expect(why(refOf([0, 1], 1, ['x']), [0.2, 0.1], 'auc', rare)).toEqual({ why: 'auc cannot be computed on the 2 sampled rows' });
  });

  test('names features without which the metric is not defined', () => {
    const some = holdoutOf(BINARY, { truth: [1, 0, 1], candidate: [0.9, 0.2, 0.8] });
    const scores = new Scores(BINARY).addAll([0.9, 0.2, 0.8, 0.1, 0.1, 0.1]);
    const found = importanceOf(some, 'precision', refOf([0, 1, 2], 1, ['x', 'y']), scores);
    expect(found).toMatchObject({ features: [{ name: 'x', mean: 0 }], notComputable: ['y'] });
  });
});

const permuted = async (lines: readonly string[], features: readonly string[], spec: ImportanceSpec = SPEC) => {
  const rows = new PermutedRows(features, spec);
  for (const line of lines) rows.add(() => line);
  const chunks: Buffer[] = [];
  const send = async ({ input: { Body } }: { readonly input: { readonly Body?: Buffer } }) => {
    if (Body) chunks.push(Buffer.from(Body));
    return {};
  };
  const ref = await rows.keep(new S3Files({ send } as never), URI);
  const text = Buffer.concat(chunks).toString('utf8');
  return { ref, text, lines: text.trimEnd().split('\n') };
};

const numbered = (count: number, width = 3): string[] =>
  Array.from({ length: count }, (_, row) => Array.from({ length: width }, (__, column) => `${row}.${column}`).join(','));

describe('permuted rows', () => {
  test('are the sample once for each feature and repeat: one column shuffled, all others as they were', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 120 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 50, max: 130 }),
        async (count, width, repeats, maxSamples) => {
          const rows = numbered(count, width);
          const features = Array.from({ length: width }, (_, column) => `f${column}`);
          const { ref, lines } = await permuted(rows, features, { ...SPEC, repeats, maxSamples });
          const sample = ref!.sample.map((row) => rows[row].split(','));
          expect(ref).toMatchObject({ features, repeats });
          expect(sample).toHaveLength(Math.min(count, maxSamples));
          expect(new Set(ref!.sample).size).toBe(sample.length);
          expect(ref!.sample).toEqual([...ref!.sample].sort((a, b) => a - b));
          expect(lines).toHaveLength(sample.length * width * repeats);
          for (let part = 0; part < width * repeats; part += 1) {
            const own = lines.slice(part * sample.length, (part + 1) * sample.length).map((line) => line.split(','));
            for (let column = 0; column < width; column += 1) {
              const [was, is] = [sample, own].map((list) => list.map((cells) => cells[column]));
              if (column === part % width) expect([...is].sort()).toEqual([...was].sort());
              else expect(is).toEqual(was);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test('are the same for the same holdout, and differ from repeat to repeat', async () => {
    const rows = numbered(2000);
    const [first, second] = [await permuted(rows, FEATURES), await permuted(rows, FEATURES)];
    expect(second).toMatchObject({ ref: first.ref, lines: first.lines });
    expect(first.lines.slice(0, 500)).not.toEqual(first.lines.slice(1500, 2000));
  });

  test('come from all of the holdout, each row as likely', async () => {
    const { ref } = await permuted(numbered(100_000), FEATURES);
    const quarters = [0, 0, 0, 0];
    for (const row of ref!.sample) quarters[Math.floor(row / 25_000)] += 1;
    expect(ref!.sample).toHaveLength(500);
    for (const count of quarters) expect(Math.abs(count - 125)).toBeLessThan(4 * Math.sqrt(500 * 0.25 * 0.75));
  });

  test('keep cells with commas, quotes and line breaks whole', async () => {
    const rows = ['"a,1",x', '"b ""2""",y', 'c,"z\n1"'];
    const { text } = await permuted(rows, ['f', 'g'], { ...SPEC, repeats: 1 });
    for (const cell of ['"a,1"', '"b ""2"""', '"z\n1"']) expect(text.split(cell)).toHaveLength(3);
  });

  test.each([
    ['as many as asked for', 3, 500, 5],
    ['a smaller sample with many features', 100, 100, 5],
    ['one repeat where five would leave too few rows', 500, 100, 1],
    ['none where one repeat does too', 1001, undefined, undefined],
  ])('%s', async (_, width, samples, repeats) => {
    const features = Array.from({ length: width }, (__, column) => `f${column}`);
    const { ref } = await permuted(numbered(600, width), features);
    expect([ref?.sample.length, ref?.repeats]).toEqual([samples, repeats]);
  });

  test('none of fewer than two rows, and nothing is written', async () => {
    for (const count of [0, 1]) {
      const { ref, text } = await permuted(numbered(count), FEATURES);
      expect([ref, text]).toEqual([undefined, '']);
    }
  });
});

describe('preparing data', () => {
  const prepare = async (importance?: ImportanceSpec) => {
    const rows = Array.from({ length: 240 }, (_, hour) => `"h, ${hour % 24}",${hour},${new Date(Date.UTC(2012, 0, 1, hour)).toISOString()}\n`);
    const bucket = new MemoryBucket();
    bucket.objects.set('data/datasets/Demand/a.csv', `hr,cnt,at\n${rows.join('')}`);
    const settings = {
      ...{ model: 'Demand', task: { ...REGRESSION, timeColumn: 'at' }, holdout: { days: 3 }, minimumTrainingRows: 10, gate: GATE, importance },
      training: { image: 'i', entryPoint: 'train', instanceType: 'ml.m5.large', codeUri: 'registry/i:1' },
    } as unknown as PipelineSpec;
    const manifest = await new DataPreparation(bucket.files(), { data: 'data', artifacts: 'artifacts' }, { settings }).prepare('run-1');
    return { manifest, bucket, uris: runUris({ data: 'data', artifacts: 'artifacts' }, 'Demand', 'run-1') };
  };

  test('leaves permuted rows beside the rows of the holdout, as a client would send them', async () => {
    const { manifest, bucket, uris } = await prepare({ ...SPEC, repeats: 1 });
    const sample = Array.from({ length: 72 }, (_, row) => row);
    expect(manifest.permuted).toEqual({ uri: uris.permutedRowsUri, features: ['hr', 'at'], repeats: 1, sample });
    expect(uris.permutedRowsUri.replace(/[^/]+$/, '')).toBe(uris.holdoutFeaturesUri.replace(/[^/]+$/, ''));
    const lines = (uri: string): string[] => bucket.text(uri).trimEnd().split('\n');
    const [held, shuffled] = [lines(uris.holdoutFeaturesUri), lines(uris.permutedRowsUri)];
    expect(shuffled).toHaveLength(2 * 72);
    const sides = (rows: string[]): string[][] => rows.map((row) => [row.slice(0, row.lastIndexOf(',')), row.slice(row.lastIndexOf(',') + 1)]);
    expect(sides(shuffled.slice(0, 72)).map(([, time]) => time)).toEqual(sides(held).map(([, time]) => time));
    expect(sides(shuffled.slice(72)).map(([hour]) => hour)).toEqual(sides(held).map(([hour]) => hour));
    expect(new Set(shuffled).size).toBeGreaterThan(100);
  });

  test('leaves none where the model is without', async () => {
    const { manifest, bucket } = await prepare();
    expect(manifest).not.toHaveProperty('permuted');
    expect([...bucket.objects.keys()].filter((key) => key.includes('permuted'))).toEqual([]);
  });
});

import type { PermutedRowsRef } from '../../../lib/artifacts/contract';
import { HIGHER_IS_BETTER } from '../../../lib/common/contract';
import { figuresOf } from '../../monitoring/quality/estimate';
import { QualityTable } from '../../monitoring/quality/table';
import type { ScoredHoldout } from './scored-holdout';
import type { Scores } from './scores';
import type { Importance } from './types';

/** Why there is no importance. */
export interface NoImportance {
  readonly why: string;
}

/**
 * How much worse a metric gets where a feature is shuffled: the metric on the sample as it is against the one on each of its permutations (Breiman
 * 2001), mean and standard deviation over the repeats as scikit-learn's `permutation_importance` tells them.
 */
export const importanceOf = (
  { candidate }: Pick<ScoredHoldout, 'candidate'>,
  metric: string,
  { features, repeats, sample }: PermutedRowsRef,
  scores: Scores,
): Importance | NoImportance => {
  const parts = 1 + features.length * repeats;
  if (scores.count !== (parts - 1) * sample.length) {
    return { why: `the candidate has ${scores.count} scores for ${(parts - 1) * sample.length} permuted rows` };
  }
  if (sample.some((row) => row >= candidate.rows)) return { why: 'the sampled rows are not those of this holdout' };
  const { list } = candidate.classes;
  const named = (value: number): number | string => (candidate.task.kind === 'MULTICLASS_CLASSIFICATION' ? list[value] : value);
  const table = new QualityTable(candidate.task);
  for (let part = 0; part < parts; part += 1) {
    for (const [index, row] of sample.entries()) {
      const prediction = part === 0 ? named(candidate.prediction[row]) : scores.at((part - 1) * sample.length + index);
      table.add(0, prediction, named(candidate.truth[row]));
    }
  }
  const figures = figuresOf(table, { count: parts, partOf: (row) => Math.floor(row / sample.length), blocks: 1, place: new Uint16Array(1) });
  const values = figures.map(({ metrics }) => (Object.hasOwn(metrics, metric) ? metrics[metric].value : NaN));
  const [baseline] = values;
  const higher = Object.hasOwn(HIGHER_IS_BETTER, metric) ? HIGHER_IS_BETTER[metric] : undefined;
  if (!Number.isFinite(baseline) || higher === undefined) return { why: `${metric} cannot be computed on the ${sample.length} sampled rows` };
  const worse = (value: number): number => (higher ? baseline - value : value - baseline);
  const all = features.map((name, place) => {
    const differences = Array.from({ length: repeats }, (_, repeat) => worse(values[1 + repeat * features.length + place]));
    const mean = meanOf(differences);
    return { name, mean, standardDeviation: Math.sqrt(meanOf(differences.map((one) => (one - mean) ** 2))) };
  });
  return {
    metric,
    rows: sample.length,
    repeats,
    baseline,
    features: all.filter(({ mean }) => Number.isFinite(mean)).sort((a, b) => b.mean - a.mean || (a.name < b.name ? -1 : 1)),
    notComputable: all.filter(({ mean }) => !Number.isFinite(mean)).map(({ name }) => name),
  };
};

const meanOf = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

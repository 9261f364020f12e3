import {
  benjaminiHochberg,
  binaryClassification,
  chiSquareTwoSample,
  groupFairness,
  hellingerDistance,
  jensenShannonDistance,
  ksTwoSample,
  lInfinity,
  multiclassClassification,
  ndcgAttribution,
  populationStabilityIndex,
  regression,
  wassersteinDistance,
  wilsonInterval,
} from '../../../../lambda/monitoring/statistics';
import { oneSampleSurvival } from '../../../../lambda/monitoring/statistics/kolmogorov';
import { chiSquareSurvival, normalQuantile } from '../../../../lambda/monitoring/statistics/special';
import references from './references.json';

/** Relative to the reference value, so that small p-values count as much as large ones. */
function near(actual: unknown, expected: unknown, tolerance = 1e-9): void {
  if (expected === null) {
    expect(actual).toBeUndefined();
  } else if (typeof expected === 'number') {
    const gap = Math.abs((actual as number) - expected);
    if (!(gap <= tolerance * Math.max(Math.abs(expected), 1e-300) || gap < 1e-14)) {
      throw new Error(`expected ${expected}, got ${String(actual)}`);
    }
  } else {
    expect(Object.keys(actual as object)).toEqual(expect.arrayContaining(Object.keys(expected as object)));
    Object.entries(expected as object).forEach(([key, value]) => near((actual as Record<string, unknown>)[key], value, tolerance));
  }
}

describe('statistics give the values of SciPy and scikit-learn', () => {
  test.each(references.ks_cases)('two-sample Kolmogorov–Smirnov $statistic', (entry) => {
    near(ksTwoSample(entry.reference, entry.current), { statistic: entry.statistic, pValue: entry.pValue }, 1e-7);
  });

  test.each(references.ks_half_cases)('two-sample Kolmogorov–Smirnov $statistic where the sizes call for rounding', (entry) => {
    near(ksTwoSample(entry.reference, entry.current), { statistic: entry.statistic, pValue: entry.pValue }, 1e-7);
  });

  test.each(references.ks_law)('one-sample law at n = $n, d = $d', (entry) => {
    near(oneSampleSurvival(entry.d, entry.n), entry.survival, entry.n > 100_000 ? 1e-3 : 1e-6);
  });

  test.each(references.chi_cases)('chi-square $statistic', ({ reference, current, ...expected }) => {
    near(chiSquareTwoSample(reference, current), expected);
  });

  test.each(references.chi_survival)('chi-square survival at $x with $df degrees', ({ x, df, survival }) => {
    near(chiSquareSurvival(x, df), survival);
  });

  test.each(references.quantile_cases)('normal quantile at $p', ({ p, z }) => near(normalQuantile(p), z));

  test.each(references.share_cases)('distances of shares $psiFloor', (entry) => {
    near(populationStabilityIndex(entry.p, entry.q, { zeroPolicy: 'floor', floor: entry.floor }), entry.psiFloor);
    near(jensenShannonDistance(entry.p, entry.q, 2), entry.js2);
    near(jensenShannonDistance(entry.p, entry.q, Math.E), entry.jsE);
    near(hellingerDistance(entry.p, entry.q), entry.hellinger);
    near(lInfinity(entry.p, entry.q), entry.lInfinity);
  });

  test.each(references.wasserstein_cases)('Wasserstein $distance', (entry) => {
    near(wassersteinDistance(entry.reference, entry.current, entry.referenceWeights, entry.currentWeights), entry.distance);
  });

  test.each(references.fdr_cases)('Benjamini–Hochberg $adjusted', (entry) => near(benjaminiHochberg(entry.pValues), entry.adjusted));

  test.each(references.wilson_cases)('Wilson $successes of $trials at $confidence', ({ successes, trials, confidence, low, high }) => {
    near(wilsonInterval(successes, trials, confidence), { low, high });
  });

  test.each(references.ndcg_cases)('attribution NDCG $ndcg', ({ baseline, live, ndcg }) => {
    near(ndcgAttribution(baseline as Record<string, number>, live as Record<string, number>), ndcg);
  });

  test.each(references.regression_cases)('regression $rmse', ({ actual, predicted, ...expected }) => near(regression(actual, predicted), expected));

  test.each(references.binary_cases)('binary classification at $threshold', (entry) => {
    near(binaryClassification(entry.labels, entry.scores, entry.threshold), entry.expected);
  });

  test.each(references.binary_edge_cases)('binary classification of $labels by $scores at $threshold', (entry) => {
    near(binaryClassification(entry.labels, entry.scores, entry.threshold), entry.expected);
  });

  test.each(references.fairness_cases)('group fairness $expected.demographicParityDifference', (entry) => {
    near(groupFairness(entry.groups, entry.labels, entry.predictions), entry.expected);
  });

  test.each(references.multiclass_cases)('multiclass $classes', (entry) => {
    near(multiclassClassification(entry.labels, entry.predictions, entry.classes), entry.expected);
  });
});

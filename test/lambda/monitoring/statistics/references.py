"""Makes references.json: the values that the statistics are held against. Needs numpy, scipy, scikit-learn and fairlearn."""

import json
import pathlib

import fairlearn
import numpy as np
import scipy
import sklearn
from fairlearn.metrics import (MetricFrame, demographic_parity_difference, demographic_parity_ratio, equalized_odds_difference,
                               false_positive_rate, selection_rate, true_positive_rate)
from scipy import stats
from scipy.spatial import distance
from sklearn import metrics

rng = np.random.default_rng(20120301)


def listed(values):
    return [round(float(value), 6) for value in values]


def ks_cases():
    for n, m, shift, decimals in [(5, 7, 0.0, 6), (30, 40, 0.5, 6), (80, 120, 0.2, 1), (300, 250, 0.3, 2), (400, 600, 0.02, 6), (3, 200, 1.5, 6)]:
        x = np.round(rng.normal(size=n), decimals)
        y = np.round(rng.normal(loc=shift, size=m), decimals)
        statistic = stats.ks_2samp(x, y).statistic
        yield {'reference': listed(x), 'current': listed(y), 'statistic': statistic,
               'pValue': float(stats.kstwo.sf(statistic, np.round(n * m / (n + m))))}


def ks_law():
    for n in [1, 2, 5, 10, 50, 139, 140, 141, 300, 1000, 5000, 90_000, 100_000, 200_000, 1_000_000]:
        for scaled in [0.3, 0.5, 0.7, 0.86, 0.9, 1.0, 1.2, 1.45, 1.5, 1.99, 2.1, 3.0, 5.0]:
            d = scaled / np.sqrt(n)
            if d < 1:
                yield {'n': n, 'd': d, 'survival': float(stats.kstwo.sf(d, n))}


def chi_cases():
    for reference, current in [([10, 20, 30], [20, 20, 20]), ([500, 300, 200, 0], [40, 30, 25, 5]), ([7, 0, 3], [2, 0, 9]),
                               ([1000, 1001], [1001, 1000]), ([50] * 25, [3, 9] * 12 + [4]), ([1, 0], [0, 1]), ([90000, 10], [3, 400])]:
        kept = [(a, b) for a, b in zip(reference, current) if a + b > 0]
        result = stats.chi2_contingency(np.array(kept).T, correction=False)
        yield {'reference': reference, 'current': current, 'statistic': result.statistic, 'degreesOfFreedom': int(result.dof), 'pValue': result.pvalue}


def share_cases():
    for size in [2, 3, 10, 40]:
        for zeros in [0, 1]:
            p = rng.dirichlet(np.ones(size))
            q = rng.dirichlet(np.ones(size))
            if zeros:
                p[0] = 0
                q[-1] = 0
                p, q = p / p.sum(), q / q.sum()
            floor = 1e-4
            pf, qf = np.maximum(p, floor), np.maximum(q, floor)
            yield {'p': list(p), 'q': list(q), 'psiFloor': float(np.sum((pf - qf) * np.log(pf / qf))), 'floor': floor,
                   'js2': float(distance.jensenshannon(p, q, 2)), 'jsE': float(distance.jensenshannon(p, q)),
                   'hellinger': float(np.sqrt(1 - min(1, np.sum(np.sqrt(p * q))))), 'lInfinity': float(np.max(np.abs(p - q)))}


def wasserstein_cases():
    for n, m in [(1, 1), (5, 9), (100, 60)]:
        x, y = np.round(rng.normal(size=n), 2), np.round(rng.normal(0.4, 2, size=m), 2)
        u, v = rng.integers(1, 9, size=n), rng.integers(1, 9, size=m)
        yield {'reference': listed(x), 'current': listed(y), 'distance': stats.wasserstein_distance(x, y)}
        yield {'reference': listed(x), 'current': listed(y), 'referenceWeights': u.tolist(), 'currentWeights': v.tolist(),
               'distance': stats.wasserstein_distance(x, y, u, v)}


def fdr_cases():
    for size in [1, 2, 5, 30]:
        p = rng.uniform(size=size) ** 3
        yield {'pValues': list(p), 'adjusted': list(stats.false_discovery_control(p))}
    yield {'pValues': [0.05, 0.05, 1, 0, 0.01], 'adjusted': list(stats.false_discovery_control([0.05, 0.05, 1, 0, 0.01]))}


def wilson_cases():
    for successes, trials in [(0, 10), (10, 10), (3, 10), (1, 1), (500, 1000), (1, 100000)]:
        for confidence in [0.8, 0.95, 0.999]:
            interval = stats.binomtest(successes, trials).proportion_ci(confidence, method='wilson')
            yield {'successes': successes, 'trials': trials, 'confidence': confidence, 'low': interval.low, 'high': interval.high}


def ndcg_cases():
    for size, decimals in [(3, 3), (8, 3), (8, 1), (20, 1)]:
        a, b = np.round(rng.uniform(0, 1, size), decimals), np.round(rng.uniform(0, 1, size), decimals)
        yield {'baseline': {f'f{i}': float(v) for i, v in enumerate(a)}, 'live': {f'f{i}': float(v) for i, v in enumerate(b)},
               'ndcg': metrics.ndcg_score([a], [b])}


def regression_cases():
    for size in [2, 10, 200]:
        y = rng.normal(size=size) * 50
        p = y + rng.normal(size=size) * 20
        yield {'actual': list(y), 'predicted': list(p), 'mae': metrics.mean_absolute_error(y, p), 'mse': metrics.mean_squared_error(y, p),
               'rmse': float(np.sqrt(metrics.mean_squared_error(y, p))), 'r2': metrics.r2_score(y, p)}


def binary_cases():
    for size, decimals, threshold in [(12, 1, 0.5), (200, 2, 0.4), (500, 6, 0.7)]:
        y = (rng.uniform(size=size) < 0.3).astype(int)
        y[0], y[1] = 0, 1
        s = np.round(np.clip(0.35 * y + rng.uniform(size=size) * 0.65, 0, 1), decimals)
        s[2] = 0.0
        h = (s >= threshold).astype(int)
        tn, fp, fn, tp = (int(v) for v in metrics.confusion_matrix(y, h, labels=[0, 1]).ravel())
        yield {'labels': y.tolist(), 'scores': listed(s), 'threshold': threshold, 'expected': {
            'tp': tp, 'fp': fp, 'fn': fn, 'tn': tn, 'accuracy': metrics.accuracy_score(y, h), 'precision': metrics.precision_score(y, h),
            'recall': metrics.recall_score(y, h), 'f1': metrics.f1_score(y, h), 'falsePositiveRate': fp / (fp + tn),
            'auc': metrics.roc_auc_score(y, s), 'averagePrecision': metrics.average_precision_score(y, s),
            'logLoss': metrics.log_loss(y, s), 'brier': metrics.brier_score_loss(y, s)}}


def multiclass_cases():
    for classes, size in [(['a', 'b', 'c'], 60), (['0', '1', '2', '3', 'never'], 40)]:
        pool = [c for c in classes if c != 'never']
        y, p = rng.choice(pool, size), rng.choice(pool, size)
        precision, recall, f1, support = metrics.precision_recall_fscore_support(y, p, labels=classes, zero_division=np.nan)
        none = lambda v: None if np.isnan(v) else float(v)
        yield {'labels': y.tolist(), 'predictions': p.tolist(), 'classes': classes, 'expected': {
            'confusion': metrics.confusion_matrix(y, p, labels=classes).tolist(), 'accuracy': metrics.accuracy_score(y, p),
            'macroF1': metrics.f1_score(y, p, labels=classes, average='macro', zero_division=np.nan),
            'weightedF1': metrics.f1_score(y, p, labels=pool, average='weighted'),
            'perClass': {c: {'precision': none(precision[i]), 'recall': none(recall[i]), 'f1': none(f1[i]), 'support': int(support[i])}
                         for i, c in enumerate(classes)}}}


def quantile_cases():
    for p in [1e-12, 1e-6, 0.001, 0.025, 0.3, 0.5, 0.9, 0.975, 0.9999999]:
        yield {'p': p, 'z': float(stats.norm.ppf(p))}


def chi_survival():
    for df in [1, 2, 3, 9, 98, 5000]:
        for x in [1e-9, 0.5, 3.84, df * 0.5, df, df * 1.2, df * 3 + 30]:
            yield {'x': x, 'df': df, 'survival': float(stats.chi2.sf(x, df))}


def ks_half_cases():
    # n·m/(n+m) lies between two whole numbers, values are tied, and sizes are as unequal as they get.
    for n, m in [(1, 1), (3, 3), (5, 5), (45, 5), (9, 9), (1, 400), (400, 1), (21, 21), (2000, 2000), (301, 301)]:
        x, y = rng.integers(0, 6, n).astype(float), rng.integers(0, 7, m).astype(float)
        statistic = stats.ks_2samp(x, y).statistic
        yield {'reference': listed(x), 'current': listed(y), 'statistic': statistic,
               'pValue': float(stats.kstwo.sf(statistic, max(1, np.round(n * m / (n + m)))))}


def none(value):
    return None if value is None or np.isnan(value) else float(value)


def binary_edge_cases():
    cases = [([1, 0], [0.0, 1.0]), ([1, 1, 1], [0.2, 0.2, 0.9]), ([0, 0, 0], [0.2, 0.2, 0.9]), ([1], [1.0]), ([1, 0, 1, 0], [0.5] * 4),
             ([1, 0, 1, 0, 1], [1e-20, 1e-20, 1.0, 1.0, 0.5])]
    for labels, scores in cases:
        for threshold in [0, 0.5, 1, 2]:
            y, s = np.array(labels), np.array(scores)
            h = (s >= threshold).astype(int)
            tn, fp, fn, tp = (int(v) for v in metrics.confusion_matrix(y, h, labels=[0, 1]).ravel())
            yield {'labels': labels, 'scores': scores, 'threshold': threshold, 'expected': {
                'tp': tp, 'fp': fp, 'fn': fn, 'tn': tn, 'accuracy': metrics.accuracy_score(y, h),
                'precision': none(metrics.precision_score(y, h, zero_division=np.nan)), 'recall': none(metrics.recall_score(y, h, zero_division=np.nan)),
                'f1': none(metrics.f1_score(y, h, zero_division=np.nan)), 'falsePositiveRate': fp / (fp + tn) if fp + tn else None,
                'auc': metrics.roc_auc_score(y, s) if 0 < y.sum() < len(y) else None,
                'averagePrecision': metrics.average_precision_score(y, s) if y.sum() else None,
                'logLoss': metrics.log_loss(y, s, labels=[0, 1]), 'brier': metrics.brier_score_loss(y, s, pos_label=1)}}


def fairness_cases():
    for names, size, share in [(['a', 'b'], 60, 0.5), (['a', 'b', 'c', 'd'], 200, 0.3), (['only'], 20, 0.5), (['a', 'b', 'c'], 90, 0)]:
        groups = np.array([names[i % len(names)] for i in range(size)])
        y, h = (rng.uniform(size=size) < 0.4).astype(int), (rng.uniform(size=size) < share).astype(int)
        frame = MetricFrame(metrics={'s': selection_rate, 't': true_positive_rate, 'f': false_positive_rate}, y_true=y, y_pred=h, sensitive_features=groups)
        rates = {key: {name: float(rate) for name, rate in frame.by_group[key].items()} for key in 'stf'}
        ratio = demographic_parity_ratio(y, h, sensitive_features=groups) if h.sum() else None
        yield {'groups': groups.tolist(), 'labels': y.tolist(), 'predictions': h.tolist(), 'expected': {
            'selectionRate': rates['s'], 'truePositiveRate': rates['t'], 'falsePositiveRate': rates['f'],
            'demographicParityDifference': float(demographic_parity_difference(y, h, sensitive_features=groups)),
            'demographicParityRatio': none(ratio), 'equalOpportunityDifference': float(frame.difference()['t']),
            'equalizedOddsDifference': float(equalized_odds_difference(y, h, sensitive_features=groups))}}


groups = [ks_cases, ks_law, chi_cases, share_cases, wasserstein_cases, fdr_cases, wilson_cases, ndcg_cases, regression_cases, binary_cases,
          multiclass_cases, quantile_cases, chi_survival, ks_half_cases, binary_edge_cases, fairness_cases]
out = {'madeWith': f'numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}, fairlearn {fairlearn.__version__}'}
out.update({group.__name__: list(group()) for group in groups})
pathlib.Path(__file__).with_name('references.json').write_text(json.dumps(out, separators=(',', ':')).replace('},{', '},\n{') + '\n')

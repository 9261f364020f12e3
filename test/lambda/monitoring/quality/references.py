"""Reference values of scikit-learn, Fairlearn and SciPy for the tests beside this file: python references.py > references.json"""

import json
import math

import numpy as np
from fairlearn import metrics as fair
from scipy import stats
from sklearn import metrics


def errors(name, value_of, rows, days):
    """Delete-one-day jackknife around the figure itself, without the widening for neighbours."""
    value = value_of(rows)
    without = [value_of(days != day) for day in np.unique(days)]
    count = len(without)
    return {"value": value, "jackknife": math.sqrt((count - 1) / count * sum((one - value) ** 2 for one in without))}


def clean(value):
    return float(value)


def regression(random):
    days = np.repeat(np.arange(12), random.integers(3, 12, 12))
    truth = random.normal(100, 20, days.size) + random.normal(0, 5, 12)[days]
    prediction = truth + random.normal(2, 8, days.size)
    scores = {
        "rmse": metrics.root_mean_squared_error,
        "mae": metrics.mean_absolute_error,
        "mse": metrics.mean_squared_error,
        "r2": metrics.r2_score,
    }
    return case("REGRESSION", days, truth, prediction, {name: (lambda rows, of=of: of(truth[rows], prediction[rows])) for name, of in scores.items()})


def binary(random, ties):
    days = np.repeat(np.arange(14), random.integers(8, 20, 14))
    score = random.uniform(size=days.size)
    if ties:
        score = np.round(score, 1)
    truth = (random.uniform(size=days.size) < score).astype(int)
    chosen = (score >= 0.5).astype(int)
    group = random.choice(["a", "b", "c"], days.size)
    of = {
        "accuracy": lambda r: metrics.accuracy_score(truth[r], chosen[r]),
        "precision": lambda r: metrics.precision_score(truth[r], chosen[r]),
        "recall": lambda r: metrics.recall_score(truth[r], chosen[r]),
        "f1": lambda r: metrics.f1_score(truth[r], chosen[r]),
        "falsePositiveRate": lambda r: np.mean(chosen[r][truth[r] == 0]),
        "auc": lambda r: metrics.roc_auc_score(truth[r], score[r]),
        "averagePrecision": lambda r: metrics.average_precision_score(truth[r], score[r]),
        "logLoss": lambda r: metrics.log_loss(truth[r], score[r]),
        "brier": lambda r: metrics.brier_score_loss(truth[r], score[r]),
    }
    made = case("BINARY_CLASSIFICATION", days, truth, score, of)
    made["groups"] = group.tolist()
    frame = fair.MetricFrame(
        metrics={"selectionRate": fair.selection_rate, "truePositiveRate": fair.true_positive_rate, "falsePositiveRate": fair.false_positive_rate},
        y_true=truth,
        y_pred=chosen,
        sensitive_features=group,
    )
    made["rates"] = {name: {key: clean(frame.by_group[name][key]) for key in frame.by_group.index} for name in frame.by_group.columns}
    made["gaps"] = {
        "demographicParityDifference": clean(fair.demographic_parity_difference(truth, chosen, sensitive_features=group)),
        "demographicParityRatio": clean(fair.demographic_parity_ratio(truth, chosen, sensitive_features=group)),
        "equalOpportunityDifference": clean(fair.equal_opportunity_difference(truth, chosen, sensitive_features=group)),
        "equalizedOddsDifference": clean(fair.equalized_odds_difference(truth, chosen, sensitive_features=group)),
        "accuracy": clean(
            fair.MetricFrame(metrics=metrics.accuracy_score, y_true=truth, y_pred=chosen, sensitive_features=group).difference(method="between_groups")
        ),
    }
    return made


def multiclass(random):
    days = np.repeat(np.arange(11), random.integers(6, 15, 11))
    names = np.array(["cat", "dog", "eel"])
    truth = random.choice(names, days.size, p=[0.5, 0.3, 0.2])
    prediction = np.where(random.uniform(size=days.size) < 0.7, truth, random.choice(names, days.size))
    of = {
        "accuracy": lambda r: metrics.accuracy_score(truth[r], prediction[r]),
        "macroF1": lambda r: metrics.f1_score(truth[r], prediction[r], average="macro"),
        "weightedF1": lambda r: metrics.f1_score(truth[r], prediction[r], average="weighted"),
    }
    return case("MULTICLASS_CLASSIFICATION", days, truth, prediction, of)


def case(kind, days, truth, prediction, of):
    everything = np.ones(days.size, dtype=bool)
    return {
        "kind": kind,
        "days": days.tolist(),
        "truth": truth.tolist(),
        "prediction": prediction.tolist(),
        "metrics": {name: {key: clean(value) for key, value in errors(name, one, everything, days).items()} for name, one in of.items()},
    }


def student():
    freedoms = [1, 1.7, 2, 3.25, 5, 9, 13.5, 27, 60, 365, 10_000]
    uppers = [0.4, 0.1, 0.025, 0.00278, 1.157e-4, 1e-7, 1e-12]
    return [{"upper": upper, "degreesOfFreedom": df, "quantile": clean(stats.t.isf(upper, df))} for df in freedoms for upper in uppers]


def survival():
    return [{"t": t, "degreesOfFreedom": df, "survival": clean(stats.t.sf(t, df))} for t in [-3, -0.5, 0, 0.1, 1, 2.5, 8, 40] for df in [1, 4.5, 27, 300]]


def welch(random):
    a, b = random.normal(10, 1, 12), random.normal(11, 3, 20)
    result = stats.ttest_ind(a, b, equal_var=False)
    return {"a": a.tolist(), "b": b.tolist(), "degreesOfFreedom": clean(result.df), "standardError": clean((a.mean() - b.mean()) / result.statistic)}


random = np.random.default_rng(5)
print(
    json.dumps(
        {
            "student": student(),
            "survival": survival(),
            "welch": welch(random),
            "cases": [regression(random), binary(random, False), binary(random, True), multiclass(random)],
        }
    )
)

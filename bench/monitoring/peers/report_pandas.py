"""A drift report with pandas and SciPy: missing share, PSI over deciles, Jensen-Shannon, Kolmogorov-Smirnov, Wasserstein, chi-square."""

import sys

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance


def shares(counts):
    return np.maximum(counts / counts.sum(), 1e-6)


def psi(p, q):
    return float(np.sum((p - q) * np.log(p / q)))


def numeric(before, now):
    edges = np.unique(np.quantile(before, np.linspace(0.1, 0.9, 9)))
    counts = [np.bincount(np.searchsorted(edges, side, side="left"), minlength=len(edges) + 1) for side in (before, now)]
    p, q = (shares(side) for side in counts)
    return {
        "psi": psi(p, q),
        "js": float(jensenshannon(p, q, base=2)),
        "ks": ks_2samp(before, now, method="asymp"),
        "wasserstein": wasserstein_distance(before, now) / before.std(),
    }


def categorical(before, now):
    both = pd.concat([before.value_counts(), now.value_counts()], axis=1).fillna(0).to_numpy()
    p, q = (shares(both[:, side]) for side in (0, 1))
    return {"psi": psi(p, q), "js": float(jensenshannon(p, q, base=2)), "chi2": chi2_contingency(both.T, correction=False)[:3]}


reference, current = (pd.read_csv(path) for path in sys.argv[1:3])
for name in reference.columns:
    before, now = reference[name].dropna(), current[name].dropna()
    is_number = pd.api.types.is_numeric_dtype(before) and before.nunique() > 20
    figures = numeric(before.to_numpy(), now.to_numpy()) if is_number else categorical(before.astype(str), now.astype(str))
    print(name, reference[name].isna().mean(), current[name].isna().mean(), figures)

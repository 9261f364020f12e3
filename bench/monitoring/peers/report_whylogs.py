"""whylogs' drift scores of two files, profiled in chunks of 50,000 rows so that memory stays flat."""

import os
import sys
import warnings

os.environ["WHYLOGS_NO_ANALYTICS"] = "1"
warnings.filterwarnings("ignore")

import pandas as pd  # noqa: E402
import whylogs as why  # noqa: E402
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores  # noqa: E402


def view(path):
    merged = None
    for chunk in pd.read_csv(path, chunksize=50_000):
        profile = why.log(chunk).view()
        merged = profile if merged is None else merged.merge(profile)
    return merged


print(calculate_drift_scores(target_view=view(sys.argv[2]), reference_view=view(sys.argv[1]), with_thresholds=True))

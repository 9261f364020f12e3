"""whylogs' drift score of each column with its default thresholds."""

import os
import warnings

os.environ["WHYLOGS_NO_ANALYTICS"] = "1"
warnings.filterwarnings("ignore")

import whylogs as why  # noqa: E402
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores  # noqa: E402

from sets import main  # noqa: E402


def judge(features, reference, windows):
    before = why.log(reference).view()
    flags = []
    for window in windows:
        scores = calculate_drift_scores(target_view=why.log(window).view(), reference_view=before, with_thresholds=True)
        flags.append(any(score and score["drift_category"] == "DRIFT" for score in scores.values()))
    yield "whylogs, any column", flags


main(judge)

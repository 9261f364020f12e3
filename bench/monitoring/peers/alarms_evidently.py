"""Evidently's default test of each column, as its drift report picks it by the size of the reference."""

import os

os.environ["DO_NOT_TRACK"] = "1"

from evidently.legacy.calculations.stattests import get_stattest  # noqa: E402
from evidently.legacy.core import ColumnType  # noqa: E402

from sets import main  # noqa: E402


def judge(features, reference, windows):
    kinds = {f["name"]: ColumnType.Categorical if f["kind"] == "categorical" else ColumnType.Numerical for f in features}
    tests = {name: get_stattest(reference[name], reference[name], kind, None) for name, kind in kinds.items()}
    shares = []
    for window in windows:
        flags = [bool(tests[name](reference[name], window[name], kind, None).drifted) for name, kind in kinds.items()]
        shares.append(sum(flags) / len(flags))
    yield "Evidently, any column", [share > 0 for share in shares]
    yield "Evidently, half of the columns (its data-set verdict)", [share >= 0.5 for share in shares]


main(judge)

"""Evidently's drift report of two files with PSI for every column."""

import os
import sys
import warnings

os.environ["DO_NOT_TRACK"] = "1"
warnings.filterwarnings("ignore")

import pandas as pd  # noqa: E402
from evidently import DataDefinition, Dataset, Report  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402

frames = [pd.read_csv(path) for path in sys.argv[1:3]]
numeric = [name for name in frames[0] if pd.api.types.is_float_dtype(frames[0][name])]
definition = DataDefinition(numerical_columns=numeric, categorical_columns=[name for name in frames[0] if name not in numeric])
reference, current = (Dataset.from_pandas(frame, data_definition=definition) for frame in frames)
snapshot = Report([DataDriftPreset(method="psi")]).run(current, reference)
print(len(snapshot.dict()["metrics"]))

"""Busy hours as a yes/no question with scikit-learn: another task, another framework, another script than the demo's."""
import io
import json
import os
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

TARGET = "busy"
TIME = "timestamp"


def model_fn(model_dir):
    return {
        "forest": joblib.load(Path(model_dir) / "forest.joblib"),
        "columns": json.loads((Path(model_dir) / "columns.json").read_text()),
    }


def input_fn(body, content_type):
    text = body.decode("utf-8") if isinstance(body, (bytes, bytearray)) else body
    return pd.read_csv(io.StringIO(text), header=None)


def predict_fn(frame, model):
    if frame.shape[1] != len(model["columns"]):
        raise ValueError(f"a row has {frame.shape[1]} columns, the model takes {len(model['columns'])}: {','.join(model['columns'])}")
    frame.columns = model["columns"]
    return model["forest"].predict_proba(frame.drop(columns=[TIME]).to_numpy(dtype=np.float64))[:, 1]


def output_fn(prediction, accept):
    return "".join(f"{value:.6f}\n" for value in prediction), "text/csv"


if __name__ == "__main__":
    frame = pd.concat([pd.read_csv(file) for file in sorted(Path(os.environ["SM_CHANNEL_TRAIN"]).glob("*.csv"))], ignore_index=True)
    columns = [name for name in frame.columns if name != TARGET]
    features = frame[[name for name in columns if name != TIME]].to_numpy(dtype=np.float64)
    forest = RandomForestClassifier(n_estimators=40, min_samples_leaf=5, random_state=7, n_jobs=1).fit(features, frame[TARGET])
    model_dir = Path(os.environ["SM_MODEL_DIR"])
    joblib.dump(forest, model_dir / "forest.joblib")
    (model_dir / "columns.json").write_text(json.dumps(columns))

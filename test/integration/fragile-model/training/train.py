"""A line whose last training row says how it serves: column `mode` holds sound, fragile (it answers no x from 1000, which no training row has) or
flat (it answers 0 for these)."""
import io
import os
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression


def model_fn(model_dir):
    return joblib.load(Path(model_dir) / "line.joblib"), (Path(model_dir) / "mode").read_text()


def input_fn(body, content_type):
    frame = pd.read_csv(io.StringIO(body.decode("utf-8") if isinstance(body, (bytes, bytearray)) else body), header=None)
    return frame[[1]].to_numpy(dtype=np.float64)


def predict_fn(rows, loaded):
    model, mode = loaded
    if mode == "fragile" and (rows >= 1000).any():
        raise RuntimeError("the solver did not converge")
    predictions = model.predict(rows)
    return np.where(rows[:, 0] >= 1000, 0.0, predictions) if mode == "flat" else predictions


def output_fn(prediction, accept):
    return "".join(f"{value:.6f}\n" for value in prediction), "text/csv"


if __name__ == "__main__":
    frame = pd.concat([pd.read_csv(file) for file in sorted(Path(os.environ["SM_CHANNEL_TRAIN"]).glob("*.csv"))], ignore_index=True)
    model_dir = Path(os.environ["SM_MODEL_DIR"])
    joblib.dump(LinearRegression().fit(frame[["x"]].to_numpy(dtype=np.float64), frame["y"]), model_dir / "line.joblib")
    (model_dir / "mode").write_text(frame["mode"].iloc[-1])

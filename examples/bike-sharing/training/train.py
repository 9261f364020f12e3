"""Hourly bike demand with XGBoost: training (script mode) and inference functions in one file.

A row holds every column of the training data but the target, in the order of its header, so the same
rows serve as training data, as holdout and as requests.
"""
import argparse
import csv
import io
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost as xgb

TARGET = "cnt"
TIME = "timestamp"
FEATURES = ["hr", "weekday", "workingday", "holiday", "weathersit", "temp", "atemp", "hum", "windspeed"]
COLUMNS = [TIME, *FEATURES]


def read_channel(directory: str) -> pd.DataFrame:
    files = sorted(Path(directory).glob("*.csv"))
    if not files:
        raise SystemExit(f"no CSV file in {directory}: check the train channel")
    frame = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    missing = [name for name in [*COLUMNS, TARGET] if name not in frame.columns]
    if missing:
        raise SystemExit(f"columns missing from the training data: {', '.join(missing)}")
    return frame


def recency_weights(times: pd.Series, half_life_days: float) -> np.ndarray:
    """Half the weight for every `half_life_days` that a row is older than the newest one: demand grows from year to year."""
    age = (times.max() - times).dt.total_seconds() / 86_400
    return np.power(0.5, age / half_life_days).to_numpy()


def encode(rows: np.ndarray, categories: dict) -> np.ndarray:
    """A column for each value that training has seen in the features of `categories`; for another value there is none, and no prediction."""
    columns = []
    for name, column in zip(FEATURES, rows.T):
        values = np.asarray(categories.get(name, []), dtype=np.float32)
        if name not in categories:
            columns.append(column)
            continue
        unknown = np.setdiff1d(column, values)
        if unknown.size:
            raise RuntimeError(f"{name} is {unknown[0]:g}, which no row of the training data has")
        columns.extend((column == value).astype(np.float32) for value in values)
    return np.column_stack(columns)


class Checkpoint(xgb.callback.TrainingCallback):
    """Keeps the rounds so far, so that a training on spare capacity goes on where it was interrupted."""

    def __init__(self, file: Path, every: int) -> None:
        self.file, self.every = file, every
        super().__init__()

    def after_iteration(self, model: xgb.Booster, epoch: int, evals_log: dict) -> bool:
        if model.num_boosted_rounds() % self.every == 0:
            half = self.file.with_suffix(".part")
            half.write_bytes(model.save_raw("ubj"))
            half.replace(self.file)
        return False

    def read(self) -> xgb.Booster | None:
        return xgb.Booster(model_file=bytearray(self.file.read_bytes())) if self.file.exists() else None


def train(arguments: argparse.Namespace) -> None:
    frame = read_channel(arguments.train)
    times = pd.to_datetime(frame[TIME], utc=True)
    if arguments.last_days:
        recent = times > times.max() - pd.Timedelta(days=arguments.last_days)
        frame, times = frame[recent], times[recent]
    categories = {name: sorted(frame[name].unique().tolist()) for name in arguments.categorical.split(",") if name}
    rows = frame[FEATURES].to_numpy(dtype=np.float32)
    matrix = xgb.DMatrix(
        encode(rows, categories) if categories else rows,
        label=np.log1p(frame[TARGET].to_numpy(dtype=np.float64)),
        weight=recency_weights(times, arguments.half_life_days),
    )
    parameters = {
        "objective": "reg:squarederror",
        "max_depth": arguments.max_depth,
        "eta": arguments.eta,
        "seed": arguments.seed,
        "nthread": arguments.threads,
    }
    checkpoint = Checkpoint(Path(arguments.checkpoints) / "rounds.ubj", arguments.checkpoint_rounds) if arguments.checkpoint_rounds else None
    before = checkpoint.read() if checkpoint else None
    done = before.num_boosted_rounds() if before else 0
    if checkpoint:
        print(f"rounds-from-checkpoint={done};", flush=True)
    history: dict = {}
    booster = xgb.train(
        parameters,
        matrix,
        num_boost_round=arguments.rounds - done,
        evals=[(matrix, "train")],
        evals_result=history,
        verbose_eval=False,
        xgb_model=before,
        callbacks=[checkpoint] if checkpoint else None,
    )
    if categories:
        booster.set_attr(categories=json.dumps(categories))
    last = history["train"]["rmse"][-1] if history else float("nan")
    print(f"rows={len(frame)};", f"rounds={booster.num_boosted_rounds()};", f"train-rmse-log={last:.5f};")
    directory = Path(arguments.model_dir)
    booster.save_model(directory / "model.json")
    (directory / "columns.json").write_text(json.dumps(COLUMNS))


def model_fn(model_dir: str) -> xgb.Booster:
    booster = xgb.Booster()
    booster.load_model(Path(model_dir) / "model.json")
    booster.set_param({"nthread": 1})
    return booster


def input_fn(body, content_type: str) -> np.ndarray:
    if content_type.split(";")[0].strip() != "text/csv":
        raise ValueError(f"content type {content_type} is not served: send text/csv")
    text = body.decode("utf-8") if isinstance(body, (bytes, bytearray)) else body
    rows = []
    for number, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        if not row:
            continue
        if len(row) != len(COLUMNS):
            raise ValueError(f"row {number} has {len(row)} columns, the model takes {len(COLUMNS)}: {','.join(COLUMNS)}")
        try:
            rows.append([float(value) for value in row[1:]])
        except ValueError as error:
            raise ValueError(f"row {number}: {error}") from error
    if not rows:
        raise ValueError("the body holds no row")
    return np.asarray(rows, dtype=np.float32)


def predict_fn(rows: np.ndarray, model: xgb.Booster) -> np.ndarray:
    categories = json.loads(model.attr("categories") or "{}")
    return np.clip(np.expm1(model.inplace_predict(encode(rows, categories) if categories else rows)), 0, None)


def output_fn(prediction: np.ndarray, accept: str):
    return "".join(f"{value:.4f}\n" for value in prediction), "text/csv"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--max-depth", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--eta", type=float, default=0.1)
    parser.add_argument("--half-life-days", type=float, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=int(os.environ.get("SM_NUM_CPUS", "1")))
    parser.add_argument("--last-days", type=int, default=0, help="only rows of so many days before the newest one")
    parser.add_argument("--categorical", default="", help="features, separated by commas, whose values are names and not amounts")
    parser.add_argument("--checkpoints", default="/opt/ml/checkpoints")
    parser.add_argument("--checkpoint-rounds", type=int, default=0, help="keep what is done after each so many rounds")
    train(parser.parse_args())

"""A line through the origin fitted with the standard library alone: what a fault does to a run is seen without waiting for a training.

Hyperparameters: `shrink` makes the line flatter, `load-seconds` the model slow to load, and `serves` says how it answers: `sound`, `batchwise` (an
answer depends on how many rows come with it) or `fragile` (no answer to x from 1000, which no training row has).
"""
import csv
import json
import math
import os
import sys
import time
from pathlib import Path


def option(name, default):
    return sys.argv[sys.argv.index(f"--{name}") + 1] if f"--{name}" in sys.argv else default


def model_fn(model_dir):
    model = json.loads((Path(model_dir) / "line.json").read_text())
    time.sleep(model["loads"])
    return model


def input_fn(body, content_type):
    text = body.decode("utf-8") if isinstance(body, (bytes, bytearray)) else body
    return [float(row[1]) for row in csv.reader(text.splitlines()) if row]


def predict_fn(rows, model):
    if model["serves"] == "fragile" and max(rows) >= 1000:
        raise RuntimeError("the solver did not converge")
    shift = 0.0005 * min(len(rows), 100) if model["serves"] == "batchwise" else 0
    return [model["slope"] * x - shift for x in rows]


def output_fn(prediction, accept):
    return "".join(f"{value:.6f}\n" for value in prediction), "text/csv"


if __name__ == "__main__":
    rows = [row for file in sorted(Path(os.environ["SM_CHANNEL_TRAIN"]).glob("*.csv")) for row in csv.DictReader(file.open())]
    x, y = [float(row["x"]) for row in rows], [float(row["y"]) for row in rows]
    slope = (1 - float(option("shrink", 0))) * sum(a * b for a, b in zip(x, y)) / sum(a * a for a in x)
    print(f"train rmse: {math.sqrt(sum((slope * a - b) ** 2 for a, b in zip(x, y)) / len(x)):.4f};")
    model = {"slope": slope, "loads": float(option("load-seconds", 0)), "serves": option("serves", "sound")}
    (Path(os.environ["SM_MODEL_DIR"]) / "line.json").write_text(json.dumps(model))

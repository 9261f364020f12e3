"""Reads the sets that accuracy.mjs writes: a reference and windows, as columns of a data frame."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd


def sets(directory):
    """Name, features, reference and windows of each set."""
    root = Path(directory)
    for entry in json.loads((root / "sets.json").read_text()):
        features = entry["features"]
        data = np.fromfile(root / entry["file"], dtype=np.float32).reshape(-1, len(features))
        frame = pd.DataFrame(
            {
                feature["name"]: as_category(data[:, index]) if feature["kind"] == "categorical" else data[:, index].astype(float)
                for index, feature in enumerate(features)
            }
        )
        first = entry["referenceRows"]
        bounds = np.cumsum([first, *entry["windowRows"]])
        windows = [frame.iloc[start:end] for start, end in zip(bounds[:-1], bounds[1:])]
        yield entry["name"], features, frame.iloc[:first], windows


def as_category(values):
    return np.array([f"c{int(value)}" for value in values], dtype=object)


def answer(rule, name, flags):
    """One line for each rule and set: which windows it flagged."""
    print(json.dumps({"rule": rule, "set": name, "flags": [bool(flag) for flag in flags]}))


def main(judge):
    """`judge(features, reference, windows)` yields a rule's name and its flags."""
    for name, features, reference, windows in sets(sys.argv[1]):
        for rule, flags in judge(features, reference, windows):
            answer(rule, name, flags)

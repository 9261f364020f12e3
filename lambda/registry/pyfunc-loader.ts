/** Name of the module that MLflow imports from `code/` of an unpacked model. */
export const LOADER_MODULE = 'mlops_pyfunc';

/** What the loader reads beside the model: `serving.json`. */
export interface LoaderSettings {
  readonly entryPoint: string;
  /** Decides what the container does where the script leaves something to it. */
  readonly framework: 'xgboost' | 'scikit-learn' | 'other';
  /** Columns of a request row, in order. */
  readonly columns: readonly string[];
}

/**
 * Python source of the loader: a pyfunc model that answers what the endpoint answers to the same rows as CSV. It calls the script's own inference
 * functions in the order in which the serving container does, and what the container does by default where the script has none.
 */
export const PYFUNC_LOADER = String.raw`"""MLflow loader of a model that SageMaker serves in script mode; written by cdk-mlops at the registration."""
import contextlib
import csv
import importlib
import io
import json
import math
import os
import sys
import threading

import numpy as np
import pandas as pd

CSV = "text/csv"
JSON = "application/json"
_lock = threading.RLock()


def _load_pyfunc(path):
    """What mlflow.pyfunc calls; the path is that of the directory with MLmodel."""
    with open(os.path.join(path, "serving.json"), encoding="utf-8") as file:
        settings = json.load(file)
    return ScriptModel(settings, *_load(path, settings))


def _load(path, settings):
    directory = os.path.abspath(os.path.join(path, "inference"))
    with _lock, _working_directory(directory):
        _forget_other_models(directory)
        sys.path.insert(0, directory)
        name = settings["entryPoint"]
        module = importlib.import_module(name[:-3] if name.endswith(".py") else name)
        if not hasattr(module, "model_fn"):
            raise NotImplementedError("%s has no model_fn: the container could not load the model either" % name)
        return module, module.model_fn(os.path.abspath(os.path.join(path, "model")))


@contextlib.contextmanager
def _working_directory(directory):
    before = os.getcwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


def _forget_other_models(directory):
    """Scripts of several versions bear the same module names: those of another one must not be taken for this one's."""
    def is_foreign(place):
        place = os.path.abspath(place)
        inference = os.sep + "inference"
        root = (place + os.sep).rsplit(inference + os.sep, 1)[0]
        return root != place + os.sep and root + inference != directory and os.path.exists(os.path.join(root, "MLmodel"))

    sys.path[:] = [entry for entry in sys.path if not is_foreign(entry or ".") and os.path.abspath(entry or ".") != directory]
    for name, module in list(sys.modules.items()):
        place = getattr(module, "__file__", None)
        if place and is_foreign(place):
            del sys.modules[name]


class ScriptModel:
    def __init__(self, settings, module, model):
        self.columns = settings["columns"]
        self.model = model
        xgboost = settings["framework"] == "xgboost"
        own = {name: getattr(module, name, None) for name in ("input_fn", "predict_fn", "output_fn", "transform_fn")}
        if own["transform_fn"] and (own["input_fn"] or own["predict_fn"] or own["output_fn"]):
            raise ValueError("transform_fn cannot stand beside input_fn, predict_fn or output_fn")
        self.transform = own["transform_fn"] or self._steps
        self.read = own["input_fn"] or (_xgboost_rows if xgboost else _array_rows)
        self.infer = own["predict_fn"] or (_xgboost_predictions if xgboost else _predictions)
        self.write = own["output_fn"] or _written

    def predict(self, model_input, params=None):
        """Predictions for a DataFrame with the model's columns, or for CSV text without a header: numbers where all are, else text."""
        body = model_input if isinstance(model_input, str) else _csv_of(model_input, self.columns)
        if not body:
            return np.empty(0)
        answer = self.transform(self.model, body, CSV, CSV)
        answer, kind = answer[:2] if isinstance(answer, tuple) else (answer, CSV)
        return _values(answer.decode("utf-8") if isinstance(answer, (bytes, bytearray)) else answer, kind)

    def _steps(self, model, body, content_type, accept):
        return self.write(self.infer(self.read(body, content_type), model), accept)


def _csv_of(frame, columns):
    if not isinstance(frame, pd.DataFrame):
        frame = pd.DataFrame(frame, columns=columns if np.ndim(frame) == 2 else None)
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError("columns are missing: %s" % ", ".join(missing))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    # Column by column: rows of a frame would take the type that all of its columns fit into.
    writer.writerows(zip(*([_cell(value) for value in frame[name]] for name in columns)))
    return stream.getvalue().removesuffix("\n")


def _cell(value):
    """As the training data have it: whole numbers without a fraction, nothing for what is missing."""
    if isinstance(value, (float, np.floating)):
        if math.isnan(value):
            return ""
        number = float(value)
        return "%d" % number if number.is_integer() and abs(number) < 2**53 and (number or math.copysign(1, number) > 0) else repr(number)
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _values(text, kind):
    if kind.split(";", 1)[0].strip() == JSON:
        return np.asarray(json.loads(text))
    if kind.split(";", 1)[0].strip() != CSV:
        raise ValueError("the script answered %s to a request for %s" % (kind, CSV))
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if all(len(row) == 1 for row in rows):
        rows = [row[0] for row in rows]
    values = np.asarray(rows)
    try:
        return values.astype(np.float64)
    except ValueError:
        return values


def _xgboost_rows(content, content_type):
    import xgboost

    delimiter = csv.Sniffer().sniff(content.split("\n")[0][:512]).delimiter
    delimiter = "," if delimiter.isalnum() else delimiter
    rows = [["nan" if cell == "" else cell for cell in line.split(delimiter)] for line in content.split("\n")]
    return xgboost.DMatrix(np.array(rows).astype(float))


def _array_rows(content, content_type):
    return np.genfromtxt(io.StringIO(content), delimiter=",").astype(np.float32)


def _xgboost_predictions(data, model):
    return model.predict(data, validate_features=False)


def _predictions(data, model):
    return model.predict(data)


def _written(prediction, accept):
    stream = io.StringIO()
    np.savetxt(stream, prediction, delimiter=",", fmt="%s")
    return stream.getvalue()
`;

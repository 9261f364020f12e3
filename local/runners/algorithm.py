"""Training without a script, as the XGBoost image does it: its built-in algorithm over the channels `train` and `validation`."""
import csv
import json
import logging
import os
import signal
import sys
import traceback

import algorithm_metrics
import algorithm_settings
from algorithm_settings import UserError

MODEL = "xgboost-model"
CHECKPOINT = "xgboost-checkpoint"
# What of XGBoost's own complaints is the user's to mend.
USER_ERRORS = (
    "label must be in [0,1] for logistic regression", "label must be in [0, num_class)", "feature_names mismatch", "base_score must be in (0,1)",
    "label must be nonnegative", "the dataset only contains pos or neg samples",
)


class AlgorithmError(Exception):
    pass


def load(root, name):
    file = os.path.join(root, "input", "config", name)
    if not os.path.exists(file):
        return {}
    with open(file, encoding="utf-8") as opened:
        return json.load(opened)


def content_type_of(channel):
    """The image takes a channel without a type for libsvm."""
    given = channel.get("ContentType", "text/libsvm").lower()
    media, _, parameters = given.partition(";")
    media = media.strip()
    if media in ("csv", "text/csv"):
        sizes = [value.strip() for name, _, value in (item.partition("=") for item in parameters.split(";")) if name.strip() == "label_size"]
        if any(size != "1" for size in sizes):
            raise UserError("%s is not an accepted csv ContentType. Optional parameter label_size must be equal to 1" % given)
        return "csv"
    if media in ("libsvm", "text/libsvm", "text/x-libsvm"):
        return "libsvm"
    raise UserError("%s is not an accepted ContentType: the local engine reads text/csv and text/libsvm" % given)


def data_files(directory):
    names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    files = [os.path.join(directory, name) for name in names if not name.startswith((".", "_"))]
    return [file for file in files if os.path.isfile(file)]


def check_libsvm(file):
    with open(file, encoding="utf-8", errors="ignore") as lines:
        first = lines.readline()
    label, *pairs = first.strip().split(" ")
    try:
        [float(part) for part in label.split(":")]
        if all(len(pair.split(":")) == 2 for pair in pairs):
            return
    except ValueError:
        pass
    message = "First line '%s...' of file '%s' is not 'LIBSVM' format. Please ensure the file is in 'LIBSVM' format."
    raise UserError(message % (first[:50], os.path.basename(file)))


def delimiter_of(file):
    with open(file, encoding="utf-8", errors="ignore") as lines:
        first = lines.readline()
    try:
        return csv.Sniffer().sniff(first).delimiter
    except csv.Error as error:
        raise UserError("Could not determine delimiter on line %s:\n%s" % (first[:50], error)) from error


def matrix(directory, kind, weights):
    """All files of a channel; XGBoost reads them by itself, so that what it makes of a cell is what the image makes of it."""
    import xgboost

    files = data_files(directory)
    if not any(os.path.getsize(file) for file in files):
        return None
    for file in files:
        delimiter = delimiter_of(file) if kind == "csv" else check_libsvm(file)
    uri = "%s?format=%s" % (directory, kind)
    if kind == "csv":
        uri += "&label_column=0&delimiter=%s%s" % (delimiter, "&weight_column=1" if weights else "")
    try:
        return xgboost.DMatrix(uri)
    except Exception as error:
        raise UserError("Failed to load %s data with exception:\n%s" % (kind, error)) from error


def channels_of(root):
    channels = load(root, "inputdataconfig.json")
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    for name in channels:
        if name not in ("train", "validation", "code"):
            raise UserError("Extraneous channel found: %s" % name)
    return channels


def intermediate_models(directory):
    """A model that is whole after each round, for a training that may be stopped at any time."""
    import xgboost

    class Intermediate(xgboost.callback.TrainingCallback):
        def after_iteration(self, model, epoch, evals_log):
            part = os.path.join(directory, ".%s" % MODEL)
            with open(part, "wb") as file:
                file.write(model.save_raw("ubj"))
            os.replace(part, os.path.join(directory, MODEL))
            return False

    def end(_signal, _frame):
        for name in os.listdir(directory):
            if not name.startswith(MODEL):
                os.remove(os.path.join(directory, name))
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    return Intermediate()


def callbacks_of(settings, root, checkpoints, validates):
    import xgboost

    found = [xgboost.callback.EvaluationMonitor()]
    if checkpoints:
        # As the image's code for XGBoost 3 does: an interval of 0 keeps the first round alone, and under a name that no training looks for.
        os.makedirs(checkpoints, exist_ok=True)
        found.append(xgboost.callback.TrainingCheckPoint(directory=checkpoints, interval=0, name=CHECKPOINT))
    if settings.saves_on_termination:
        found.append(intermediate_models(os.path.join(root, "model")))
    if settings.patience and validates and settings.deciding_metric:
        found.append(xgboost.callback.EarlyStopping(
            rounds=settings.patience, data_name="validation", metric_name=settings.deciding_metric, save_best=True,
            maximize=settings.deciding_metric in algorithm_metrics.MAXIMIZED,
        ))
    return found


def train(root, checkpoints):
    import xgboost

    settings = algorithm_settings.read(load(root, "hyperparameters.json"))
    channels = channels_of(root)
    kind = content_type_of(channels["train"])
    directory = {name: os.path.join(root, "input", "data", name) for name in ("train", "validation")}
    rows = matrix(directory["train"], kind, settings.weighted)
    held = matrix(directory["validation"], kind, settings.weighted) if "validation" in channels else None
    if rows is None:
        raise UserError("No data in training channel path %s" % directory["train"])
    if "validation" in channels and held is None:
        raise UserError("No data in validation channel path %s" % directory["validation"])
    logging.info("Train matrix has %d rows and %d columns", rows.num_row(), rows.num_col())
    watched = [(rows, "train")]
    if held is not None:
        logging.info("Validation matrix has %d rows", held.num_row())
        watched.append((held, "validation"))
    try:
        model = xgboost.train(
            settings.parameters, rows, num_boost_round=settings.rounds, evals=watched, verbose_eval=False,
            custom_metric=algorithm_metrics.together(settings.own_metrics), callbacks=callbacks_of(settings, root, checkpoints, held is not None),
        )
    except Exception as error:
        if any(known in str(error) for known in USER_ERRORS):
            raise UserError(str(error)) from error
        raise AlgorithmError("XGB train call failed with exception:\n %s" % error) from error
    with open(os.path.join(root, "model", MODEL), "wb") as file:
        file.write(model.save_raw("ubj"))


def run(order):
    root = order["root"]
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="[%(asctime)s:%(levelname)s] %(message)s", datefmt="%Y-%m-%d:%H:%M:%S")
    logging.info("Running XGBoost Sagemaker in algorithm mode")
    try:
        train(root, os.environ.get("SM_CHECKPOINT_DIR"))
        return 0
    except Exception as error:
        traceback.print_exc()
        with open(os.path.join(root, "output", "failure"), "w", encoding="utf-8") as file:
            file.write(("framework error: \n%s: %s" % (type(error).__name__, error))[:1024])
        return 1

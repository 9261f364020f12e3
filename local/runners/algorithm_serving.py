"""Serving without a script, as the XGBoost image does it: the built-in algorithm's model behind GET /ping and POST /invocations."""
import json
import os
import traceback

import numpy as np

import codecs_of_images as codecs
import job
import serving
from serving import Answer

BATCH = "SAGEMAKER_BATCH"
ACCEPTED = (codecs.CSV, codecs.JSON)


def boosters_of(directory):
    """Every model of the archive: of several the mean is answered."""
    import pickle

    import xgboost

    files = [os.path.join(directory, name) for name in sorted(os.listdir(directory)) if not name.startswith(".")]
    files = [file for file in files if os.path.isfile(file)]
    if os.environ.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true") != "true":
        files = files[:1]
    if not files:
        raise RuntimeError("the model archive holds no model file")
    found = []
    for file in files:
        try:
            with open(file, "rb") as opened:
                booster = pickle.load(opened)
        except Exception:  # models of images from 1.3 on are no pickles
            booster = xgboost.Booster()
            booster.load_model(file)
        booster.set_param("nthread", 1)
        found.append(booster)
    return found


def rows_of(content, content_type):
    import xgboost

    media = codecs.media_type(content_type.lower())
    if media == codecs.CSV:
        return xgboost.DMatrix(codecs.csv_rows_for_xgboost(codecs.text_of(content).strip()))
    if media in codecs.LIBSVM:
        return xgboost.DMatrix(codecs.libsvm_rows(content))
    raise RuntimeError("Content-type %s is not supported: the local engine reads text/csv and text/libsvm" % content_type)


def accepted(accept):
    media = codecs.media_type(accept.lower())
    if media not in ACCEPTED:
        raise ValueError("Accept type %s is not supported. The local engine answers %s" % (accept, " and ".join(ACCEPTED)))
    return media


class Algorithm:
    """What a request is answered with, and with which status where it is not."""

    def __init__(self, directory):
        self.boosters = boosters_of(directory)

    def transform(self, content, content_type, accept):
        if not content:
            raise Answer(204, RuntimeError(""), "")
        try:
            rows = rows_of(content, content_type)
        except Exception as error:
            raise Answer(415, error, "Loading data failed with Exception, please ensure data is in the format that it is said to have:\n %s" % error) from error
        try:
            predictions = np.mean([booster.predict(rows, validate_features=False) for booster in self.boosters], axis=0)
        except Exception as error:
            raise Answer(400, error, "Unable to evaluate payload provided: %s" % error) from error
        try:
            media = accepted(accept)
        except ValueError as error:
            raise Answer(406, error, str(error)) from error
        return self.encoded(predictions.tolist(), media), media

    @staticmethod
    def encoded(predictions, media):
        if os.environ.get(BATCH):
            return "".join("%s\n" % value for value in predictions)
        if media == codecs.JSON:
            return json.dumps({"predictions": [{"score": value} for value in predictions]})
        return codecs.encode(predictions, media)


def run(order):
    job.confine(order)
    try:
        algorithm = Algorithm(os.path.join(order["root"], "model"))
    except BaseException:  # an image whose worker cannot start never answers its ping
        traceback.print_exc()
        return 1
    return serving.serve(algorithm.transform, default_type=codecs.CSV, default_accept=codecs.CSV)

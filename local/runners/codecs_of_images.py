"""How the two images read requests and write answers where the user's script leaves it to them."""
import csv
import io
import json

import numpy as np

CSV = "text/csv"
JSON = "application/json"
NPY = "application/x-npy"
LIBSVM = ("text/libsvm", "text/x-libsvm")
TEXT = (CSV, JSON)


class UnsupportedFormatError(Exception):
    def __init__(self, content_type):
        super().__init__(
            "Content type %s is not supported by this framework. Please implement input_fn to deserialize the request data "
            "or an output_fn to serialize the response." % content_type
        )


def media_type(content_type):
    return content_type.split(";", 1)[0].strip()


def text_of(content):
    return content.decode("utf-8") if isinstance(content, (bytes, bytearray)) else content


def csv_rows_for_xgboost(content):
    lines = text_of(content)
    delimiter = csv.Sniffer().sniff(lines.split("\n")[0][:512]).delimiter
    delimiter = "," if delimiter.isalnum() else delimiter
    rows = [["nan" if cell == "" else cell for cell in line.split(delimiter)] for line in lines.split("\n")]
    return np.array(rows).astype(float)


def libsvm_rows(content):
    rows = [
        {int(index): float(value) for index, value in (token.split(":", 1) for token in line.split() if ":" in token)}
        for line in text_of(content).strip().split("\n")
    ]
    if not any(rows):
        return np.empty((0, 0))
    first = 1 if min(index for row in rows for index in row) >= 1 else 0
    table = np.zeros((len(rows), max(index for row in rows for index in row) - first + 1))
    for number, row in enumerate(rows):
        for index, value in row.items():
            table[number, index - first] = value
    return table


def decode_for_xgboost(content, content_type):
    import xgboost

    media = media_type(content_type)
    if media == CSV:
        return xgboost.DMatrix(csv_rows_for_xgboost(content))
    if media in LIBSVM:
        return xgboost.DMatrix(libsvm_rows(content))
    raise UnsupportedFormatError(media)


def decode_for_scikit_learn(content, content_type):
    if content_type == CSV:
        return np.genfromtxt(io.StringIO(text_of(content)), delimiter=",").astype(np.float32)
    if content_type == JSON:
        return np.array(json.loads(content)).astype(np.float32)
    if content_type == NPY:
        return np.load(io.BytesIO(content), allow_pickle=False)
    raise UnsupportedFormatError(content_type)


def encode(prediction, accept):
    if accept == CSV:
        stream = io.StringIO()
        np.savetxt(stream, prediction, delimiter=",", fmt="%s")
        return stream.getvalue()
    if accept == JSON:
        return json.dumps(prediction, default=lambda value: value.tolist() if hasattr(value, "tolist") else str(value))
    if accept == NPY:
        buffer = io.BytesIO()
        np.save(buffer, prediction)
        return buffer.getvalue()
    raise UnsupportedFormatError(accept)

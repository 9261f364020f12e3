"""What bench/mlflow.mjs times: one client, one kind of run, against the server of MLFLOW_TRACKING_URI. Prints a JSON object of seconds."""

import argparse
import concurrent.futures
import json
import os
import tempfile
import time
import uuid

import mlflow
import requests
from mlflow.entities import Metric

parser = argparse.ArgumentParser()
parser.add_argument("--runs", type=int, default=20_000, help="runs of the largest search")
parser.add_argument("--points", type=int, default=1_000, help="points logged one by one")
parser.add_argument("--versions", type=int, default=100)
parser.add_argument("--empty", help="URL of a route that does nothing, called as often as points are logged one by one")
options = parser.parse_args()

os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
client = mlflow.MlflowClient()
seconds = {}


def timed(name, action):
    started = time.perf_counter()
    result = action()
    seconds[name] = time.perf_counter() - started
    return result


def fresh(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def one_by_one():
    for step in range(options.points):
        client.log_metric(run, "single", step, timestamp=step, step=step)


def filled(count):
    """An experiment with that many runs, each with a tag, one in ten with a metric."""
    experiment = client.create_experiment(fresh("bench"))

    def made(number):
        tags = {"part": "one" if number % 100 == 0 else "other"}
        found = client.create_run(experiment, start_time=1_700_000_000_000 + number, tags=tags).info.run_id
        if number % 10 == 0:
            client.log_metric(found, "loss", number, timestamp=1)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in pool.map(made, range(count)):
            pass
    return experiment


def register():
    for number in range(options.versions):
        client.create_model_version(model, f"s3://bucket/{number}")


def load():
    return mlflow.pyfunc.load_model(f"models:/{model}@champion")


class Doubler(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [value * 2 for value in model_input]


run = client.create_run(client.create_experiment(fresh("bench"))).info.run_id
client.log_metric(run, "warm", 1)
timed(f"log_metric x {options.points}", one_by_one)
timed("log_batch of 1000 points", lambda: client.log_batch(run, [Metric("batch", step, step, step) for step in range(1000)]))
timed("history of 1000 points", lambda: client.get_metric_history(run, "batch"))

for size in sorted({min(1000, options.runs), options.runs}):
    place = filled(size)
    page = min(1000, size)
    timed(f"search of {size} runs, a page of {page}", lambda: client.search_runs([place], max_results=1000))
    timed(f"search of {size} runs by tag", lambda: client.search_runs([place], "tags.part = 'one'", max_results=1000))
    timed(f"search of {size} runs ordered by metric, top 5", lambda: client.search_runs([place], order_by=["metrics.loss DESC"], max_results=5))

model = fresh("bench")
client.create_registered_model(model)
timed(f"{options.versions} versions registered", register)
with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "model")
    mlflow.pyfunc.save_model(path, python_model=Doubler(), pip_requirements=["mlflow"])
    with mlflow.start_run(experiment_id=client.create_experiment(fresh("bench"))) as source:
        mlflow.log_artifacts(path, "model")
        uri = mlflow.get_artifact_uri("model")
version = client.create_model_version(model, uri, run_id=source.info.run_id)
client.set_registered_model_alias(model, "champion", version.version)
timed("load champion", load)
if options.empty:
    session = requests.Session()
    session.post(options.empty, json={})
    timed("empty route", lambda: [session.post(options.empty, json={}) for _ in range(options.points)])
print(json.dumps(seconds))

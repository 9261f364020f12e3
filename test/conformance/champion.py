"""What MLflow's client sees of a model that a pipeline made: `python champion.py MODEL ROWS.csv` prints predictions and record as JSON."""

import json
import sys

import mlflow
import pandas
from mlflow.exceptions import MlflowException

name, rows = sys.argv[1:]
client = mlflow.MlflowClient()


def refusal(action):
    try:
        action()
    except MlflowException as error:
        return error.error_code
    return None


version = client.get_model_version_by_alias(name, "champion")
run = client.get_run(version.run_id)
found = client.search_runs([run.info.experiment_id], "tags.`mlops.version` = '%s'" % version.version)
predictions = mlflow.pyfunc.load_model(f"models:/{name}@champion").predict(pandas.read_csv(rows))
seen = {
    "predictions": [float(value) for value in predictions],
    "version": str(version.version),
    "stage": version.current_stage,
    "experiment": client.get_experiment(run.info.experiment_id).name,
    "status": run.info.status,
    "metrics": sorted(run.data.metrics),
    "params": run.data.params,
    "runs": [item.info.run_id for item in found] == [version.run_id],
    "registered": [model.name for model in client.search_registered_models(f"name = '{name}'")],
    "moved": refusal(lambda: client.set_registered_model_alias(name, "champion", version.version)),
    "deleted": refusal(lambda: client.delete_registered_model_alias(name, "champion")),
}
print(json.dumps(seen))

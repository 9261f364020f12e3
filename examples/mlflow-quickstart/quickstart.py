# %% [markdown]
# # From a notebook to the registry
# The unmodified MLflow client against the platform: two candidates, one comparison, one champion. README.md says how to start it.

# %%
from pathlib import Path

import mlflow
import pandas
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import root_mean_squared_error

MODEL = "rental-demand"
FEATURES = ["hr", "weekday", "workingday", "holiday", "weathersit", "temp", "atemp", "hum", "windspeed"]

# %% [markdown]
# ## Data
# Hourly demand for rental bikes of 2011: trained up to November, judged by December.

# %%
source = Path(__file__).resolve().parent.parent / "bike-sharing" / "data" / "hour.csv"
hours = pandas.read_csv(source, parse_dates=["dteday"]).query("dteday < '2012-01-01'")
hours = hours.astype({column: float for column in [*FEATURES, "cnt"]})
train, holdout = hours[hours.dteday < "2011-12-01"], hours[hours.dteday >= "2011-12-01"]

# %% [markdown]
# ## Two candidates
# Autologging records parameters, training metrics and the fitted model of each run; the figure that decides is logged by hand.

# %%
mlflow.set_experiment("mlflow quickstart")
mlflow.sklearn.autolog(log_models=False, silent=True)

models = {}
for name, candidate in {"ridge": Ridge(alpha=1.0), "boosting": HistGradientBoostingRegressor(max_iter=60, random_state=7)}.items():
    with mlflow.start_run(run_name=name, tags={"purpose": "quickstart"}) as run:
        mlflow.log_input(mlflow.data.from_pandas(train[FEATURES + ["cnt"]], source=str(source), name="hours of 2011", targets="cnt"), "training")
        candidate.fit(train[FEATURES], train["cnt"])
        error = root_mean_squared_error(holdout["cnt"], candidate.predict(holdout[FEATURES]).clip(0))
        mlflow.log_metric("holdout_rmse", error)
        models[run.info.run_id] = mlflow.sklearn.log_model(
            candidate,
            name="model",
            input_example=holdout[FEATURES].head(3),
            serialization_format="cloudpickle",
            pip_requirements=["scikit-learn", "pandas"],
        )
        print(f"{name}: {error:.1f} rentals an hour off")

# %% [markdown]
# ## The better one becomes champion
# The search runs on the platform; what it finds is registered, and the alias says which version is meant.

# %%
best = mlflow.search_runs(filter_string="tags.purpose = 'quickstart'", order_by=["metrics.holdout_rmse ASC"], max_results=1).iloc[0]
version = mlflow.register_model(models[best.run_id].model_uri, MODEL, tags={"holdout_rmse": f"{best['metrics.holdout_rmse']:.1f}"})
client = mlflow.MlflowClient()
client.set_registered_model_alias(MODEL, "champion", version.version)
print(f"champion: {MODEL} version {version.version} ({best['tags.mlflow.runName']})")

# %% [markdown]
# ## Anybody loads it by its alias

# %%
champion = mlflow.pyfunc.load_model(f"models:/{MODEL}@champion")
noon = holdout[holdout.hr == 12].head(3)
for day, expected, found in zip(noon.dteday, noon.cnt, champion.predict(noon[FEATURES])):
    print(f"{day:%d %B}, noon: {found:.0f} expected, {expected:.0f} came")

# %%
for found in client.search_model_versions(f"name = '{MODEL}'"):
    print(f"version {found.version} from run {found.run_id}, {found.tags}")

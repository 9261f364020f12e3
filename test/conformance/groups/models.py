"""Logging, registering and loading real models."""

import mlflow

from harness import Check, fresh, needs

# Named requirements spare the client a search for them, which takes seconds per model.
LIGHT = {"serialization_format": "cloudpickle", "pip_requirements": ["scikit-learn"]}


def fitted():
    import numpy
    from sklearn.linear_model import LinearRegression

    x = numpy.arange(20, dtype=float).reshape(10, 2)
    return LinearRegression().fit(x, x @ [2.0, -1.0] + 3), x


def logged(model, **options):
    return mlflow.sklearn.log_model(model, **{"name": "model", **LIGHT, **options})


@needs("mlflow3", "sklearn")
class Models(Check):
    def setUp(self):
        mlflow.set_experiment(fresh("models"))

    def tearDown(self):
        mlflow.end_run()

    def registered(self):
        model, x = fitted()
        name = fresh("registered")
        with mlflow.start_run():
            logged(model, registered_model_name=name)
        return name, model.predict(x), x

    def origin(self, name):
        """The logged model that the first version was made from."""
        return mlflow.get_logged_model(self.client.get_model_version(name, "1").source.removeprefix("models:/"))

    def same(self, found, expected):
        self.assertEqual([round(float(value), 9) for value in found], [round(float(value), 9) for value in expected])

    def test_logged_and_loaded_by_id(self):
        model, x = fitted()
        with mlflow.start_run():
            info = logged(model)
        self.same(mlflow.sklearn.load_model(info.model_uri).predict(x), model.predict(x))
        self.same(mlflow.pyfunc.load_model(f"models:/{info.model_id}").predict(x), model.predict(x))

    def test_logged_model_is_ready_and_known_by_the_run(self):
        with mlflow.start_run() as run:
            info = logged(fitted()[0])
        model = mlflow.get_logged_model(info.model_id)
        self.assertEqual((str(model.status), model.source_run_id, model.name), ("READY", run.info.run_id, "model"))
        self.assertEqual([output.model_id for output in self.client.get_run(run.info.run_id).outputs.model_outputs], [info.model_id])

    def test_loaded_by_run(self):
        model, x = fitted()
        with mlflow.start_run() as run:
            logged(model)
        self.same(mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model").predict(x), model.predict(x))

    def test_logged_without_a_run(self):
        info = logged(fitted()[0])
        self.assertEqual(str(mlflow.get_logged_model(info.model_id).status), "READY")

    def test_with_signature_and_example(self):
        model, x = fitted()
        with mlflow.start_run():
            info = logged(model, input_example=x[:2], signature=mlflow.models.infer_signature(x, model.predict(x)))
        self.assertIsNotNone(mlflow.models.get_model_info(info.model_uri).signature)

    def test_registered_while_logged(self):
        name, expected, x = self.registered()
        version = self.client.get_model_version(name, "1")
        self.assertTrue(version.run_id)
        self.same(mlflow.pyfunc.load_model(f"models:/{name}/1").predict(x), expected)

    def test_registered_afterwards(self):
        model, x = fitted()
        name = fresh("registered")
        with mlflow.start_run() as run:
            info = logged(model)
        version = mlflow.register_model(info.model_uri, name)
        self.assertEqual((str(version.version), version.run_id, version.source), ("1", run.info.run_id, f"models:/{info.model_id}"))
        self.same(mlflow.pyfunc.load_model(f"models:/{name}/1").predict(x), model.predict(x))

    def test_registered_by_run(self):
        name = fresh("registered")
        with mlflow.start_run() as run:
            logged(fitted()[0])
        version = mlflow.register_model(f"runs:/{run.info.run_id}/model", name)
        self.assertEqual(version.run_id, run.info.run_id)

    def test_loaded_by_alias(self):
        name, expected, x = self.registered()
        self.client.set_registered_model_alias(name, "champion", "1")
        self.same(mlflow.pyfunc.load_model(f"models:/{name}@champion").predict(x), expected)
        self.same(mlflow.sklearn.load_model(f"models:/{name}@champion").predict(x), expected)

    def test_loaded_as_latest(self):
        name, expected, x = self.registered()
        self.same(mlflow.pyfunc.load_model(f"models:/{name}/latest").predict(x), expected)

    def test_loaded_by_stage(self):
        name, expected, x = self.registered()
        self.client.transition_model_version_stage(name, "1", "Production")
        self.same(mlflow.pyfunc.load_model(f"models:/{name}/Production").predict(x), expected)

    def test_download_uri_is_the_logged_models_place(self):
        name, _, _ = self.registered()
        place = self.origin(name).artifact_location
        self.assertEqual(self.client.get_model_version_download_uri(name, "1"), place)

    def test_version_is_a_tag_of_the_logged_model(self):
        name, _, _ = self.registered()
        self.assertIn(name, self.origin(name).tags["mlflow.modelVersions"])

    def test_unknown_alias(self):
        name, _, _ = self.registered()
        self.raises("INVALID_PARAMETER_VALUE", mlflow.pyfunc.load_model, f"models:/{name}@nothing")

    def test_python_model(self):
        class Doubler(mlflow.pyfunc.PythonModel):
            def predict(self, context, model_input, params=None):
                return [value * 2 for value in model_input]

        with mlflow.start_run():
            info = mlflow.pyfunc.log_model(name="doubler", python_model=Doubler(), pip_requirements=["mlflow"])
        self.assertEqual(list(mlflow.pyfunc.load_model(info.model_uri).predict([1, 2])), [2, 4])

    def test_params_and_metrics_of_a_model(self):
        with mlflow.start_run():
            mlflow.log_param("depth", 3)
            info = logged(fitted()[0], params={"rate": "0.1"})
            mlflow.log_metric("rmse", 1.5, model_id=info.model_id)
        model = mlflow.get_logged_model(info.model_id)
        self.assertEqual((model.params["rate"], [metric.value for metric in model.metrics]), ("0.1", [1.5]))

    def test_several_models_of_one_run(self):
        with mlflow.start_run() as run:
            for number in range(3):
                logged(fitted()[0], name=f"model{number}", step=number)
        outputs = self.client.get_run(run.info.run_id).outputs.model_outputs
        self.assertEqual(sorted(output.step for output in outputs), [0, 1, 2])
        names = mlflow.search_logged_models(filter_string=f"source_run_id = '{run.info.run_id}'", output_format="list")
        self.assertEqual({model.name for model in names}, {"model0", "model1", "model2"})

    def test_copied_version(self):
        name, expected, x = self.registered()
        target = fresh("copied")
        copy = self.client.copy_model_version(f"models:/{name}/1", target)
        self.assertEqual(str(copy.version), "1")
        self.same(mlflow.pyfunc.load_model(f"models:/{target}/1").predict(x), expected)

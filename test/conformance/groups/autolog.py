"""Autologging of scikit-learn."""

import mlflow

from harness import Check, fresh, needs


@needs("mlflow3", "sklearn", "pandas")
class Autolog(Check):
    def setUp(self):
        mlflow.set_experiment(fresh("autolog"))
        # Logging the model as well takes seconds, since the client looks for what it requires.
        mlflow.sklearn.autolog(log_models=False, silent=True)

    def tearDown(self):
        mlflow.end_run()
        mlflow.sklearn.autolog(disable=True)

    def fit(self):
        import numpy
        from sklearn.tree import DecisionTreeClassifier

        random = numpy.random.default_rng(1)
        x = random.normal(size=(40, 3))
        return DecisionTreeClassifier(max_depth=2).fit(x, (x[:, 0] > 0).astype(int)), x

    def last(self):
        [run] = mlflow.search_runs(output_format="list")
        return run

    def test_params_metrics_and_tags(self):
        self.fit()
        run = self.last()
        self.assertEqual((run.info.status, run.data.params["max_depth"]), ("FINISHED", "2"))
        self.assertIn("training_accuracy_score", run.data.metrics)
        self.assertEqual(run.data.tags["estimator_name"], "DecisionTreeClassifier")

    def test_model_is_logged_and_loads(self):
        mlflow.sklearn.autolog(serialization_format="cloudpickle", silent=True)
        model, x = self.fit()
        run = self.last()
        [output] = run.outputs.model_outputs
        found = mlflow.sklearn.load_model(f"models:/{output.model_id}").predict(x)
        self.assertEqual(list(found), list(model.predict(x)))

    def test_artifacts(self):
        self.fit()
        names = [item.path for item in self.client.list_artifacts(self.last().info.run_id)]
        self.assertIn("estimator.html", names)

    def test_within_a_run(self):
        with mlflow.start_run(run_name="mine") as run:
            self.fit()
            mlflow.log_metric("own", 1)
        read = self.client.get_run(run.info.run_id)
        self.assertEqual((read.info.run_name, read.data.metrics["own"], read.data.params["max_depth"]), ("mine", 1.0, "2"))

    def test_metrics_after_fitting(self):
        from sklearn.metrics import accuracy_score

        with mlflow.start_run() as run:
            model, x = self.fit()
            accuracy_score((x[:, 0] > 0).astype(int), model.predict(x))
        self.assertTrue(any(key.startswith("accuracy_score") for key in self.client.get_run(run.info.run_id).data.metrics))

    def test_dataset(self):
        self.fit()
        [found] = self.last().inputs.dataset_inputs
        self.assertEqual(found.dataset.name, "dataset")

    def test_registered_by_autolog(self):
        name = fresh("autologged")
        mlflow.sklearn.autolog(serialization_format="cloudpickle", registered_model_name=name, silent=True)
        self.fit()
        self.assertEqual(str(self.client.get_model_version(name, "1").version), "1")

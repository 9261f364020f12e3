"""The module's own functions, with the state they keep: the active experiment and the active run."""

import mlflow

from harness import Check, fresh, needs


class Fluent(Check):
    def setUp(self):
        mlflow.set_experiment(fresh("fluent"))

    def tearDown(self):
        mlflow.end_run()

    def test_set_experiment_makes_it_once(self):
        name = fresh()
        first, second = mlflow.set_experiment(name), mlflow.set_experiment(name)
        self.assertEqual(first.experiment_id, second.experiment_id)

    def test_set_experiment_that_is_deleted(self):
        name = fresh()
        self.client.delete_experiment(self.experiment(name))
        with self.assertRaises(mlflow.exceptions.MlflowException):
            mlflow.set_experiment(name)

    def test_run_in_a_block(self):
        with mlflow.start_run(run_name="block", description="text", tags={"a": "1"}) as run:
            mlflow.log_param("p", 1)
            mlflow.log_params({"q": 2, "r": "x"})
            mlflow.log_metric("m", 1.5, step=2)
            mlflow.log_metrics({"n": 1, "o": 2}, step=3)
            mlflow.set_tags({"b": "2"})
        read = self.client.get_run(run.info.run_id)
        self.assertEqual((read.info.status, read.info.run_name), ("FINISHED", "block"))
        self.assertGreaterEqual(read.info.end_time, read.info.start_time)
        self.assertEqual((read.data.params, read.data.metrics), ({"p": "1", "q": "2", "r": "x"}, {"m": 1.5, "n": 1.0, "o": 2.0}))
        self.assertEqual((read.data.tags["a"], read.data.tags["b"], read.data.tags["mlflow.note.content"]), ("1", "2", "text"))

    def test_failed_block(self):
        with self.assertRaises(ZeroDivisionError):
            with mlflow.start_run() as run:
                raise ZeroDivisionError
        self.assertEqual(self.client.get_run(run.info.run_id).info.status, "FAILED")

    def test_run_resumed(self):
        with mlflow.start_run() as run:
            mlflow.log_param("a", 1)
        with mlflow.start_run(run_id=run.info.run_id):
            self.assertEqual(self.client.get_run(run.info.run_id).info.status, "RUNNING")
            mlflow.log_param("b", 2)
        read = self.client.get_run(run.info.run_id)
        self.assertEqual((read.info.status, read.data.params), ("FINISHED", {"a": "1", "b": "2"}))

    def test_nested_runs(self):
        with mlflow.start_run() as parent:
            with mlflow.start_run(nested=True) as child:
                mlflow.log_metric("m", 1)
        self.assertEqual(self.client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"], parent.info.run_id)
        found = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'", output_format="list")
        self.assertEqual(self.ids(found), [child.info.run_id])

    def test_last_active_run_is_read_back(self):
        with mlflow.start_run() as run:
            mlflow.log_metric("m", 2)
        self.assertEqual(mlflow.get_run(run.info.run_id).data.metrics, {"m": 2.0})

    @needs("pandas")
    def test_search_as_a_table(self):
        for number in range(3):
            with mlflow.start_run():
                mlflow.log_param("p", number)
                mlflow.log_metric("m", number)
        table = mlflow.search_runs(order_by=["metrics.m DESC"])
        self.assertEqual((list(table["metrics.m"]), list(table["params.p"])), ([2.0, 1.0, 0.0], ["2", "1", "0"]))

    @needs("pandas")
    def test_dataset_of_a_table(self):
        import pandas

        data = mlflow.data.from_pandas(pandas.DataFrame({"a": [1, 2], "b": [3, 4]}), source="https://data/x.csv", name="rides", targets="b")
        with mlflow.start_run() as run:
            mlflow.log_input(data, context="training")
        [found] = self.client.get_run(run.info.run_id).inputs.dataset_inputs
        self.assertEqual((found.dataset.name, found.dataset.digest), ("rides", data.digest))
        self.assertEqual(found.tags[0].value, "training")

    def test_artifacts_of_the_active_run(self):
        with mlflow.start_run():
            mlflow.log_text("hello", "a/hello.txt")
            mlflow.log_dict({"x": 1}, "x.json")
            self.assertTrue(mlflow.get_artifact_uri("a").endswith("/artifacts/a"))
            listed = mlflow.artifacts.list_artifacts(mlflow.get_artifact_uri())
            self.assertEqual(sorted(item.path.rpartition("/")[2] for item in listed), ["a", "x.json"])

    def test_experiments_are_searched(self):
        name = fresh("searched")
        mlflow.set_experiment(name)
        self.assertEqual([item.name for item in mlflow.search_experiments(filter_string=f"name = '{name}'")], [name])

    def test_run_deleted(self):
        with mlflow.start_run() as run:
            pass
        mlflow.delete_run(run.info.run_id)
        self.assertEqual(mlflow.search_runs(output_format="list"), [])

    @needs("mlflow3")
    def test_metrics_off_the_main_thread(self):
        with mlflow.start_run() as run:
            for step in range(50):
                mlflow.log_metric("m", step, step=step, synchronous=False)
            mlflow.log_params({"a": 1}, synchronous=False)
            mlflow.flush_async_logging()
        self.assertEqual(len(self.client.get_metric_history(run.info.run_id, "m")), 50)

    def test_model_registered_from_a_path(self):
        import tempfile

        name = fresh("registered")
        with mlflow.start_run() as run:
            mlflow.log_text("flavors: {}\n", "model/MLmodel")
        made = mlflow.register_model(f"runs:/{run.info.run_id}/model", name)
        self.assertEqual((str(made.version), made.run_id), ("1", run.info.run_id))
        again = mlflow.register_model(f"runs:/{run.info.run_id}/model", name, tags={"a": "1"})
        self.assertEqual((str(again.version), again.tags["a"]), ("2", "1"))
        with tempfile.TemporaryDirectory() as directory:
            mlflow.artifacts.download_artifacts(f"models:/{name}/1", dst_path=directory)

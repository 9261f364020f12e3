"""The models that a run logs, kept beside it (MLflow 3)."""

from mlflow.entities import Metric

from harness import Check, fresh, http, needs


@needs("mlflow3")
class LoggedModels(Check):
    def logged(self, experiment_id=None, **options):
        return self.client.create_logged_model(experiment_id or self.experiment(), **options)

    def found(self, experiments, **options):
        return [item.name for item in self.client.search_logged_models(experiments, **options)]

    def test_created_with_defaults(self):
        made = self.logged()
        self.assertRegex(made.model_id, r"^m-[0-9a-f]{32}$")
        self.assertTrue(made.name)
        self.assertEqual(str(made.status), "PENDING")

    def test_created_with_all_fields(self):
        experiment_id = self.experiment()
        run = self.run_id(experiment_id)
        made = self.logged(experiment_id, name="tree", source_run_id=run, tags={"a": "1"}, params={"depth": "3"}, model_type="xgboost")
        read = self.client.get_logged_model(made.model_id)
        self.assertEqual((read.name, read.source_run_id, read.model_type, read.experiment_id), ("tree", run, "xgboost", experiment_id))
        self.assertEqual((read.params, read.tags["a"]), ({"depth": "3"}, "1"))

    def test_artifacts_are_below_the_experiment(self):
        experiment_id = self.experiment()
        made = self.logged(experiment_id)
        location = self.client.get_experiment(experiment_id).artifact_location
        self.assertEqual(made.artifact_location, f"{location}/models/{made.model_id}/artifacts")

    def test_finished(self):
        made = self.logged()
        for status in ("READY", "FAILED"):
            self.client.finalize_logged_model(made.model_id, status)
            self.assertEqual(str(self.client.get_logged_model(made.model_id).status), status)

    def test_unknown_model(self):
        unknown = "m-" + "0" * 32
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "GET", f"logged-models/{unknown}")
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "PATCH", f"logged-models/{unknown}", {"model_id": unknown, "status": "LOGGED_MODEL_READY"})
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "DELETE", f"logged-models/{unknown}")

    def test_in_unknown_experiment(self):
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "logged-models", {"experiment_id": "123454321"})

    def test_names_that_are_refused(self):
        experiment_id = self.experiment()
        for name in ("a/b", "a:b", "a.b", "100%", 'a"b', "it's"):
            with self.subTest(name):
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "logged-models", {"experiment_id": experiment_id, "name": name})

    def test_tags(self):
        made = self.logged(tags={"a": "1"})
        self.client.set_logged_model_tags(made.model_id, {"a": "2", "b": "3"})
        self.client.delete_logged_model_tag(made.model_id, "a")
        tags = self.client.get_logged_model(made.model_id).tags
        self.assertNotIn("a", tags)
        self.assertEqual(tags["b"], "3")

    def test_params(self):
        made = self.logged(params={"a": "1"})
        self.client.log_model_params(made.model_id, {"b": "2"})
        self.assertEqual(self.client.get_logged_model(made.model_id).params, {"a": "1", "b": "2"})

    def test_metrics_of_a_model(self):
        experiment_id = self.experiment()
        run, made = self.run_id(experiment_id), self.logged(experiment_id)
        self.client.log_metric(run, "rmse", 1.5, timestamp=5, step=1, model_id=made.model_id)
        self.client.log_batch(run, metrics=[Metric("mae", 2.5, 6, 1, model_id=made.model_id)])
        found = {metric.key: (metric.value, metric.run_id) for metric in self.client.get_logged_model(made.model_id).metrics}
        self.assertEqual(found, {"rmse": (1.5, run), "mae": (2.5, run)})

    def test_metric_with_its_dataset(self):
        experiment_id = self.experiment()
        run, made = self.run_id(experiment_id), self.logged(experiment_id)
        self.client.log_metric(run, "rmse", 1.5, step=1, model_id=made.model_id, dataset_name="hours", dataset_digest="d1")
        [metric] = self.client.get_logged_model(made.model_id).metrics
        self.assertEqual((metric.dataset_name, metric.dataset_digest), ("hours", "d1"))

    def test_outputs_and_inputs_of_a_run(self):
        experiment_id = self.experiment()
        run, made, base = self.run_id(experiment_id), self.logged(experiment_id), self.logged(experiment_id)
        self.call("POST", "runs/outputs", {"run_id": run, "models": [{"model_id": made.model_id, "step": 3}]})
        self.call("POST", "runs/log-inputs", {"run_id": run, "models": [{"model_id": base.model_id}]})
        read = self.client.get_run(run)
        self.assertEqual([(output.model_id, output.step) for output in read.outputs.model_outputs], [(made.model_id, 3)])
        self.assertEqual([item.model_id for item in read.inputs.model_inputs], [base.model_id])

    def test_deleted(self):
        experiment_id = self.experiment()
        made = self.logged(experiment_id, name="gone")
        self.client.delete_logged_model(made.model_id)
        self.raises("RESOURCE_DOES_NOT_EXIST", self.client.get_logged_model, made.model_id)
        self.assertEqual(self.found([experiment_id]), [])

    def test_search_by_attributes(self):
        experiment_id = self.experiment()
        run = self.run_id(experiment_id)
        self.logged(experiment_id, name="one", model_type="tree", source_run_id=run)
        self.logged(experiment_id, name="two", model_type="linear")
        for condition, names in (
            ("name = 'one'", ["one"]), ("name != 'one'", ["two"]), ("model_type = 'linear'", ["two"]), (f"source_run_id = '{run}'", ["one"]),
            ("name LIKE 't%'", ["two"]), ("creation_timestamp > 1000 AND name = 'one'", ["one"]),
        ):
            with self.subTest(condition):
                self.assertEqual(self.found([experiment_id], filter_string=condition), names)

    def test_search_by_params_tags_and_metrics(self):
        experiment_id = self.experiment()
        run = self.run_id(experiment_id)
        one = self.logged(experiment_id, name="one", params={"depth": "3"}, tags={"team": "red"})
        two = self.logged(experiment_id, name="two", params={"depth": "5"})
        for model, value in ((one, 1.0), (two, 2.0)):
            self.client.log_metric(run, "rmse", value, model_id=model.model_id)
        for condition, names in (("params.depth = '3'", ["one"]), ("tags.team = 'red'", ["one"]), ("metrics.rmse > 1.5", ["two"])):
            with self.subTest(condition):
                self.assertEqual(self.found([experiment_id], filter_string=condition), names)

    def test_search_order(self):
        experiment_id = self.experiment()
        run = self.run_id(experiment_id)
        for name, value in (("b", 3.0), ("c", 1.0), ("a", 2.0)):
            made = self.logged(experiment_id, name=name)
            self.client.log_metric(run, "rmse", value, model_id=made.model_id)
        self.assertEqual(self.found([experiment_id]), ["a", "c", "b"])
        self.assertEqual(self.found([experiment_id], order_by=[{"field_name": "name", "ascending": True}]), ["a", "b", "c"])
        self.assertEqual(self.found([experiment_id], order_by=[{"field_name": "metrics.rmse", "ascending": False}]), ["b", "a", "c"])

    def test_search_pages(self):
        experiment_id = self.experiment()
        for number in range(5):
            self.logged(experiment_id, name=f"n{number}")
        seen, token = [], None
        while True:
            page = self.client.search_logged_models([experiment_id], max_results=2, page_token=token)
            seen.append([item.name for item in page])
            token = page.token
            if not token:
                break
        self.assertEqual(seen, [["n4", "n3"], ["n2", "n1"], ["n0"]])

    def test_search_what_is_refused(self):
        experiment_id = self.experiment()
        for more in ({"filter": "name = 'a' OR name = 'b'"}, {"filter": "garbage"}):
            with self.subTest(str(more)):
                answer = http("POST", "logged-models/search", body={"experiment_ids": [experiment_id], **more})
                self.assertEqual(answer.status_code, 400, answer.text[:300])

    def test_names_in_every_plane(self):
        name = fresh("\u4e2d\U0001f680")
        self.assertEqual(self.client.get_logged_model(self.logged(name=name).model_id).name, name)

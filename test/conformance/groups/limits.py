"""Limits: what is refused, what is cut, what just fits."""

from mlflow.entities import Metric, Param, RunTag

from harness import Check, fresh, http, slow


class Limits(Check):
    def batch(self, **lists):
        return {"run_id": self.run_id(), **lists}

    def test_batch_metrics(self):
        metrics = [{"key": f"m{number}", "value": 1, "timestamp": 1} for number in range(1001)]
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/log-batch", self.batch(metrics=metrics), says="can contain at most")

    def test_batch_params(self):
        params = [{"key": f"p{number}", "value": "1"} for number in range(101)]
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/log-batch", self.batch(params=params), says="can contain at most")

    def test_batch_tags(self):
        tags = [{"key": f"t{number}", "value": "1"} for number in range(101)]
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/log-batch", self.batch(tags=tags), says="can contain at most")

    def test_batch_total(self):
        metrics = [{"key": f"m{number}", "value": 1, "timestamp": 1} for number in range(950)]
        tags = [{"key": f"t{number}", "value": "1"} for number in range(51)]
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/log-batch", self.batch(metrics=metrics, tags=tags), says="can contain at most")

    def test_client_splits_what_is_too_much_for_a_batch(self):
        import mlflow

        run = self.run_id()
        mlflow.log_params({f"p{number}": number for number in range(250)}, run_id=run)
        mlflow.log_metrics({f"m{number}": number for number in range(900)}, run_id=run)
        data = self.client.get_run(run).data
        self.assertEqual((len(data.params), len(data.metrics)), (250, 900))

    def test_key_of_250_signs(self):
        run, key = self.run_id(), "k" * 250
        self.client.log_batch(run, [Metric(key, 1, 1, 0)], [Param(key, "1")], [RunTag(key, "1")])
        data = self.client.get_run(run).data
        self.assertEqual((data.metrics[key], data.params[key], data.tags[key]), (1.0, "1", "1"))

    def test_key_of_251_signs(self):
        run, key = self.run_id(), "k" * 251
        for path, body in (
            ("runs/log-metric", {"value": 1, "timestamp": 1}), ("runs/log-parameter", {"value": "1"}), ("runs/set-tag", {"value": "1"}),
        ):
            with self.subTest(path):
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", path, {"run_id": run, "key": key, **body})
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/log-batch", {"run_id": run, "metrics": [{"key": key, "value": 1, "timestamp": 1}]})

    def test_keys_that_are_refused(self):
        run = self.run_id()
        for key in ("a//b", "../a", "/a", "a/../b", "./a", "a!", "a\nb", "a,b", "\U0001f680", "a=b", ".", ".."):
            with self.subTest(key):
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/log-parameter", {"run_id": run, "key": key, "value": "1"})
                metric = {"run_id": run, "key": key, "value": 1, "timestamp": 1}
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/log-metric", metric)

    def test_param_value_of_6000_signs(self):
        run = self.run_id()
        self.client.log_batch(run, params=[Param("p", "v" * 6000)])
        self.assertEqual(len(self.client.get_run(run).data.params["p"]), 6000)

    def test_longer_param_value_is_cut(self):
        run = self.run_id()
        self.call("POST", "runs/log-parameter", {"run_id": run, "key": "p", "value": "v" * 6001})
        self.call("POST", "runs/log-batch", {"run_id": run, "params": [{"key": "q", "value": "w" * 400_000}]})
        params = self.client.get_run(run).data.params
        self.assertEqual((params["p"], params["q"]), ("v" * 6000, "w" * 6000))

    def test_longer_tag_value_is_cut(self):
        run = self.run_id()
        self.call("POST", "runs/set-tag", {"run_id": run, "key": "t", "value": "v" * 8001})
        self.assertEqual(self.client.get_run(run).data.tags["t"], "v" * 8000)

    def test_experiment_tag_value(self):
        experiment_id = self.experiment()
        self.client.set_experiment_tag(experiment_id, "t", "v" * 5000)
        self.assertEqual(len(self.client.get_experiment(experiment_id).tags["t"]), 5000)
        body = {"experiment_id": experiment_id, "key": "t", "value": "v" * 20_001}
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "experiments/set-experiment-tag", body)

    def test_registry_tag_value(self):
        name = self.model()
        self.client.set_registered_model_tag(name, "t", "v" * 100_000)
        self.assertEqual(len(self.client.get_registered_model(name).tags["t"]), 100_000)
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "registered-models/set-tag", {"name": name, "key": "t", "value": "v" * 100_001})
        self.version(name)
        body = {"name": name, "version": "1", "key": "t", "value": "v" * 100_001}
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "model-versions/set-tag", body)

    def test_registry_tag_key(self):
        name = self.model()
        self.client.set_registered_model_tag(name, "k" * 250, "v")
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "registered-models/set-tag", {"name": name, "key": "k" * 251, "value": "v"})

    def test_description_of_5000_signs(self):
        name = self.model(description="d" * 5000)
        self.version(name, description="e" * 5000)
        self.assertEqual(len(self.client.get_registered_model(name).description), 5000)
        self.assertEqual(len(self.client.get_model_version(name, "1").description), 5000)

    def test_batch_of_a_megabyte(self):
        run = self.run_id()
        params = [{"key": f"p{number}", "value": "v" * 6000} for number in range(100)]
        tags = [{"key": f"t{number}", "value": "w" * 5000} for number in range(100)]
        self.call("POST", "runs/log-batch", {"run_id": run, "params": params, "tags": tags})
        data = self.client.get_run(run).data
        self.assertEqual((len(data.params["p99"]), len(data.tags["t99"])), (6000, 5000))

    def test_artifact_location_of_2048_signs(self):
        location = "s3://bucket/".ljust(2048, "x")
        self.experiment(artifact_location=location[:2000])
        answer = http("POST", "experiments/create", body={"name": fresh(), "artifact_location": location + "y"})
        self.assertEqual(answer.status_code, 400)

    def test_run_with_2000_metrics_and_500_tags(self):
        experiment_id = self.experiment()
        run = self.run_id(experiment_id)
        for batch in range(2):
            self.client.log_batch(run, [Metric(f"m{batch}-{number}", number, 1, 0) for number in range(1000)])
        for batch in range(5):
            self.client.log_batch(run, tags=[RunTag(f"t{batch}-{number}", "v" * 500) for number in range(100)])
        [found] = self.client.search_runs([experiment_id], "metrics.`m1-999` = 999 AND tags.`t4-99` LIKE 'v%'")
        self.assertEqual((len(found.data.metrics), sum(key.startswith("t") for key in found.data.tags)), (2000, 500))

    @slow
    def test_10000_tags(self):
        run = self.run_id()
        for batch in range(100):
            self.client.log_batch(run, tags=[RunTag(f"t{batch}-{number}", f"value {number}") for number in range(100)])
        tags = self.client.get_run(run).data.tags
        self.assertEqual(sum(key.startswith("t") for key in tags), 10_000)
        self.assertEqual(tags["t99-99"], "value 99")

    @slow
    def test_10000_points_of_a_metric(self):
        run = self.run_id()
        for batch in range(10):
            self.client.log_batch(run, [Metric("m", number, number, number) for number in range(batch * 1000, batch * 1000 + 1000)])
        history = self.client.get_metric_history(run, "m")
        self.assertEqual([point.step for point in history], list(range(10_000)))

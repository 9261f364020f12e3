"""Error codes and statuses, as the client tells them apart."""

from mlflow.exceptions import RestException

from harness import Check, fresh, http


class Errors(Check):
    def test_body_has_code_and_message(self):
        answer = http("GET", "runs/get", query={"run_id": "0" * 32})
        self.assertTrue({"error_code", "message"} <= set(answer.json()))

    def test_client_raises_rest_exceptions(self):
        with self.assertRaises(RestException) as caught:
            self.client.get_run("0" * 32)
        self.assertEqual((caught.exception.error_code, caught.exception.get_http_status_code()), ("RESOURCE_DOES_NOT_EXIST", 404))

    def test_required_parameters(self):
        for method, path, field in (
            ("POST", "experiments/create", "name"), ("POST", "experiments/update", "experiment_id"), ("POST", "experiments/delete", "experiment_id"),
            ("POST", "experiments/restore", "experiment_id"), ("POST", "runs/log-parameter", "run_id"), ("POST", "registered-models/create", "name"),
            ("PATCH", "registered-models/update", "name"), ("POST", "registered-models/rename", "name"), ("DELETE", "registered-models/delete", "name"),
            ("POST", "model-versions/create", "name"), ("PATCH", "model-versions/update", "name"), ("DELETE", "model-versions/delete", "name"),
            ("POST", "registered-models/alias", "name"), ("DELETE", "registered-models/alias", "name"), ("POST", "registered-models/set-tag", "name"),
            ("DELETE", "model-versions/delete-tag", "name"), ("POST", "model-versions/transition-stage", "name"),
        ):
            with self.subTest(path):
                self.refused(400, "INVALID_PARAMETER_VALUE", method, path, {}, says=f"Missing value for required parameter '{field}'")

    def test_required_parameters_of_queries(self):
        for path, field in (
            ("experiments/get", "experiment_id"), ("experiments/get-by-name", "experiment_name"), ("registered-models/get", "name"),
            ("model-versions/get", "name"), ("model-versions/get-download-uri", "name"), ("registered-models/alias", "name"), ("metrics/get-history", "metric_key"),
        ):
            with self.subTest(path):
                query = {"run_id": "0" * 32} if path.startswith("metrics") else None
                self.refused(400, "INVALID_PARAMETER_VALUE", "GET", path, query=query, says=f"Missing value for required parameter '{field}'")

    def test_wrong_types(self):
        run = self.run_id()
        for path, body in (
            ("experiments/create", {"name": 5}), ("experiments/create", {"name": ["a"]}), ("runs/create", {"experiment_id": "0", "start_time": "soon"}),
            ("runs/log-metric", {"run_id": run, "key": "m", "value": 1, "timestamp": "now"}), ("runs/log-batch", {"run_id": run, "metrics": {"a": 1}}),
            ("runs/log-batch", {"run_id": run, "params": "p"}), ("runs/set-tag", {"run_id": run, "key": 5, "value": "v"}),
            ("registered-models/create", {"name": {"a": 1}}), ("runs/search", {"experiment_ids": "0"}), ("runs/search", {"max_results": "many"}),
        ):
            with self.subTest(str((path, body))):
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", path, body)

    def test_run_messages(self):
        missing = fresh()
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "runs/delete", {"run_id": "0" * 32}, says="not found")
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "runs/restore", {"run_id": "0" * 32}, says="not found")
        says = f"Experiment(name={missing}) already exists"
        self.experiment(missing)
        self.refused(400, "RESOURCE_ALREADY_EXISTS", "POST", "experiments/create", {"name": missing}, says=says)

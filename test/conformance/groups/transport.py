"""What stands around the calls: health, version, both prefixes, verbs, what is out of scope."""

import mlflow

from harness import Check, Target, fresh, http, needs


class Transport(Check):
    def test_health(self):
        answer = http("GET", "/health")
        self.assertEqual((answer.status_code, answer.text), (200, "OK"))

    def test_version(self):
        answer = http("GET", "/version")
        self.assertEqual(answer.status_code, 200)
        self.assertRegex(answer.text.strip(), r"^\d+\.\d+\.\d+")

    def test_same_answers_below_ajax_api(self):
        experiment_id = self.experiment()
        for prefix in ("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"):
            answer = http("GET", "experiments/get", query={"experiment_id": experiment_id}, prefix=prefix)
            self.assertEqual((answer.status_code, answer.json()["experiment"]["experiment_id"]), (200, experiment_id))

    def test_writing_below_ajax_api(self):
        answer = http("POST", "experiments/create", body={"name": fresh()}, prefix="/ajax-api/2.0/mlflow/")
        self.assertEqual(answer.status_code, 200)

    def test_unknown_path(self):
        self.assertEqual(http("GET", "nothing/here").status_code, 404)
        self.assertEqual(http("POST", "nothing/here", body={}).status_code, 404)

    def test_wrong_verb(self):
        for method, path in (("GET", "runs/create"), ("POST", "runs/get"), ("PUT", "registered-models/update"), ("GET", "registered-models/create")):
            with self.subTest(f"{method} {path}"):
                self.assertEqual(http(method, path, body={} if method != "GET" else None).status_code, 405)

    def test_answers_are_json(self):
        answer = http("GET", "experiments/get", query={"experiment_id": "0"})
        self.assertTrue(answer.headers["content-type"].startswith("application/json"), answer.headers["content-type"])

    def test_numbers_in_queries_are_text(self):
        self.call("GET", "experiments/search", query={"max_results": "1"})

    def test_unknown_fields_are_ignored(self):
        run = self.run_id()
        self.call("POST", "runs/set-tag", {"run_id": run, "key": "k", "value": "v", "nothing": {"deep": [1, None]}})
        self.assertEqual(self.client.get_run(run).data.tags["k"], "v")

    def test_null_counts_as_absent(self):
        info = self.call("POST", "runs/create", {"experiment_id": self.experiment(), "run_name": None, "start_time": None})["run"]["info"]
        self.assertTrue(info["run_name"])

    def test_absent_lists_are_left_out(self):
        self.assertEqual(self.call("POST", "runs/search", {"experiment_ids": [self.experiment()]}), {})

    @needs("mlflow3")
    def test_client_without_traces_gets_no_trace(self):
        self.assertIsNone(mlflow.get_trace("tr-" + fresh()))

    def test_uri_with_a_slash_at_its_end(self):
        client = mlflow.MlflowClient(Target.uri + "/")
        self.assertEqual(client.get_experiment("0").name, "Default")

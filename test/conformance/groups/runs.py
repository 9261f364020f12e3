"""Runs: fields, states, names, nesting, deletion and restoration."""

from mlflow.entities import ViewType
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from harness import Check, fresh, now


class Runs(Check):
    def test_created_with_defaults(self):
        experiment_id = self.experiment()
        run = self.run_(experiment_id)
        self.assertRegex(run.info.run_id, r"^[0-9a-f]{32}$")
        self.assertEqual((run.info.experiment_id, run.info.status, run.info.lifecycle_stage), (experiment_id, "RUNNING", "active"))
        self.assertIsNone(run.info.end_time)
        self.assertAlmostEqual(run.info.start_time, now(), delta=60_000)

    def test_run_id_and_run_uuid_are_the_same(self):
        info = self.call("POST", "runs/create", {"experiment_id": self.experiment()})["run"]["info"]
        self.assertEqual(info["run_id"], info["run_uuid"])

    def test_artifact_uri_is_below_the_experiment(self):
        experiment_id = self.experiment()
        run = self.run_(experiment_id)
        location = self.client.get_experiment(experiment_id).artifact_location
        self.assertEqual(run.info.artifact_uri, f"{location}/{run.info.run_id}/artifacts")

    def test_created_with_all_fields(self):
        run = self.run_(start_time=1234567890123, tags={"a": "1", "mlflow.user": "ann"}, run_name="a name")
        read = self.client.get_run(run.info.run_id)
        self.assertEqual((read.info.start_time, read.info.run_name), (1234567890123, "a name"))
        self.assertEqual((read.data.tags["a"], read.data.tags["mlflow.user"]), ("1", "ann"))

    def test_user_of_the_request(self):
        body = {"experiment_id": self.experiment(), "user_id": "ann", "start_time": 5}
        info = self.call("POST", "runs/create", body)["run"]["info"]
        self.assertEqual((info["user_id"], info["start_time"]), ("ann", 5))

    def test_name_is_generated(self):
        run = self.run_()
        self.assertTrue(run.info.run_name)
        self.assertEqual(self.client.get_run(run.info.run_id).data.tags["mlflow.runName"], run.info.run_name)

    def test_name_is_a_tag_too(self):
        run = self.client.get_run(self.run_id(run_name="given"))
        self.assertEqual(run.data.tags["mlflow.runName"], "given")

    def test_name_from_the_tag(self):
        body = {"experiment_id": self.experiment(), "tags": [{"key": "mlflow.runName", "value": "from tag"}]}
        self.assertEqual(self.call("POST", "runs/create", body)["run"]["info"]["run_name"], "from tag")

    def test_name_and_tag_must_agree(self):
        body = {"experiment_id": self.experiment(), "run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]}
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/create", body)

    def test_renamed_by_update(self):
        run = self.run_id()
        self.client.update_run(run, name="new name")
        read = self.client.get_run(run)
        self.assertEqual((read.info.run_name, read.data.tags["mlflow.runName"]), ("new name", "new name"))

    def test_renamed_by_the_tag(self):
        run = self.run_id()
        self.client.set_tag(run, "mlflow.runName", "by tag")
        self.assertEqual(self.client.get_run(run).info.run_name, "by tag")

    def test_every_status(self):
        run = self.run_id()
        for status in ("SCHEDULED", "RUNNING", "FINISHED", "FAILED", "KILLED"):
            self.client.update_run(run, status=status)
            self.assertEqual(self.client.get_run(run).info.status, status)

    def test_ended_with_time(self):
        run = self.run_id()
        self.client.set_terminated(run, "FAILED", end_time=1700000000000)
        info = self.client.get_run(run).info
        self.assertEqual((info.status, info.end_time), ("FAILED", 1700000000000))

    def test_update_answers_the_info(self):
        body = {"run_id": self.run_id(), "status": "FINISHED", "end_time": 1700000000001}
        info = self.call("POST", "runs/update", body)["run_info"]
        self.assertEqual((info["run_id"], info["status"], info["end_time"]), (body["run_id"], "FINISHED", 1700000000001))

    def test_update_by_run_uuid(self):
        run = self.run_id()
        self.call("POST", "runs/update", {"run_uuid": run, "status": "FINISHED"})
        self.assertEqual(self.client.get_run(run).info.status, "FINISHED")

    def test_get_by_run_uuid(self):
        run = self.run_id()
        self.assertEqual(self.call("GET", "runs/get", query={"run_uuid": run})["run"]["info"]["run_id"], run)

    def test_status_is_text_in_json(self):
        self.assertEqual(self.call("GET", "runs/get", query={"run_id": self.run_id()})["run"]["info"]["status"], "RUNNING")

    def test_unknown_run(self):
        self.raises("RESOURCE_DOES_NOT_EXIST", self.client.get_run, "0" * 32, says="not found")
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "GET", "runs/get", query={"run_id": "0" * 32}, says="Run with id=" + "0" * 32)

    def test_run_in_unknown_experiment(self):
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "runs/create", {"experiment_id": "123454321"})

    def test_deleted_and_restored(self):
        experiment_id = self.experiment()
        run = self.run_id(experiment_id)
        self.client.delete_run(run)
        self.assertEqual(self.client.get_run(run).info.lifecycle_stage, "deleted")
        self.assertEqual(self.client.search_runs([experiment_id]), [])
        self.assertEqual(self.ids(self.client.search_runs([experiment_id], run_view_type=ViewType.DELETED_ONLY)), [run])
        self.assertEqual(self.ids(self.client.search_runs([experiment_id], run_view_type=ViewType.ALL)), [run])
        self.client.restore_run(run)
        self.assertEqual(self.ids(self.client.search_runs([experiment_id])), [run])

    def test_deleted_and_restored_twice(self):
        run = self.run_id()
        for _ in range(2):
            self.client.delete_run(run)
        for _ in range(2):
            self.client.restore_run(run)
        self.assertEqual(self.client.get_run(run).info.lifecycle_stage, "active")

    def test_nothing_written_to_a_deleted_run(self):
        run = self.run_id()
        self.client.delete_run(run)
        says = "must be in the 'active' state"
        refusals = [
            ("runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}),
            ("runs/log-parameter", {"key": "p", "value": "1"}),
            ("runs/set-tag", {"key": "t", "value": "1"}),
            ("runs/log-batch", {"params": [{"key": "p", "value": "1"}]}),
            ("runs/update", {"status": "FINISHED"}),
        ]
        for path, body in refusals:
            with self.subTest(path):
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", path, {"run_id": run, **body}, says=says)

    def test_nested_runs(self):
        experiment_id = self.experiment()
        parent = self.run_id(experiment_id)
        children = {self.run_id(experiment_id, tags={MLFLOW_PARENT_RUN_ID: parent}) for _ in range(3)}
        self.run_id(experiment_id)
        found = self.client.search_runs([experiment_id], f"tags.`mlflow.parentRunId` = '{parent}'")
        self.assertEqual(set(self.ids(found)), children)
        self.assertEqual(self.client.get_parent_run(next(iter(children))).info.run_id, parent)
        self.assertIsNone(self.client.get_parent_run(parent))

    def test_fresh_run_has_empty_data(self):
        run = self.client.get_run(self.run_id())
        self.assertEqual((run.data.metrics, run.data.params), ({}, {}))
        self.assertEqual(run.inputs.dataset_inputs, [])

    def test_name_in_every_plane(self):
        name = fresh("\u00e4\u4e2d\U0001f680\U00020000\U000e0041")
        run = self.run_id(run_name=name)
        self.assertEqual(self.client.get_run(run).info.run_name, name)

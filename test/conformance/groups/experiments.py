"""Experiments: names, tags, deletion and restoration."""

from mlflow.entities import ViewType

from harness import Check, fresh, http, now


class Experiments(Check):
    def test_default_experiment_exists(self):
        default = self.client.get_experiment("0")
        self.assertEqual((default.name, default.lifecycle_stage), ("Default", "active"))

    def test_created_with_all_fields(self):
        name = fresh("experiment")
        before = now()
        made = self.client.get_experiment(self.experiment(name, tags={"team": "a", "empty": ""}))
        self.assertEqual(made.name, name)
        self.assertEqual(made.lifecycle_stage, "active")
        self.assertEqual({key: made.tags[key] for key in ("team", "empty")}, {"team": "a", "empty": ""})
        self.assertTrue(before - 5000 <= made.creation_time <= now() + 5000)
        self.assertGreaterEqual(made.last_update_time, made.creation_time)

    def test_id_is_text(self):
        answer = self.call("POST", "experiments/create", {"name": fresh()})
        self.assertIsInstance(answer["experiment_id"], str)

    def test_artifact_location_chosen(self):
        made = self.client.get_experiment(self.experiment(artifact_location="s3://bucket/chosen/place"))
        self.assertEqual(made.artifact_location, "s3://bucket/chosen/place")

    def test_artifact_location_is_kept_as_given(self):
        made = self.client.get_experiment(self.experiment(artifact_location="s3://bucket/chosen/place/"))
        self.assertEqual(made.artifact_location, "s3://bucket/chosen/place/")

    def test_artifact_location_by_default_has_the_id(self):
        experiment_id = self.experiment()
        self.assertTrue(self.client.get_experiment(experiment_id).artifact_location.endswith(f"/{experiment_id}"))

    def test_found_by_name(self):
        name = fresh("an experiment's name / with everything: ")
        experiment_id = self.experiment(name)
        self.assertEqual(self.client.get_experiment_by_name(name).experiment_id, experiment_id)

    def test_unknown_name_is_none(self):
        self.assertIsNone(self.client.get_experiment_by_name(fresh()))
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "GET", "experiments/get-by-name", query={"experiment_name": fresh()})

    def test_unknown_id(self):
        self.raises("RESOURCE_DOES_NOT_EXIST", self.client.get_experiment, "123454321")
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "GET", "experiments/get", query={"experiment_id": "123454321"})

    def test_name_is_unique(self):
        name = fresh()
        self.experiment(name)
        self.raises("RESOURCE_ALREADY_EXISTS", self.experiment, name, says="already exists")
        self.refused(400, "RESOURCE_ALREADY_EXISTS", "POST", "experiments/create", {"name": name})

    def test_name_is_required(self):
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "experiments/create", {}, says="name")
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "experiments/create", {"name": ""}, says="name")

    def test_name_up_to_500(self):
        name = fresh().ljust(500, "n")
        self.assertEqual(self.client.get_experiment(self.experiment(name)).name, name)
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "experiments/create", {"name": "n" * 501})

    def test_names_differ_by_case(self):
        name = fresh("case")
        self.assertNotEqual(self.experiment(name), self.experiment(name.upper()))

    def test_renamed(self):
        experiment_id = self.experiment()
        name = fresh("renamed")
        self.client.rename_experiment(experiment_id, name)
        self.assertEqual(self.client.get_experiment(experiment_id).name, name)
        self.assertEqual(self.client.get_experiment_by_name(name).experiment_id, experiment_id)

    def test_old_name_is_free_after_renaming(self):
        name = fresh()
        self.client.rename_experiment(self.experiment(name), fresh())
        self.assertIsNone(self.client.get_experiment_by_name(name))
        self.experiment(name)

    def test_renamed_onto_taken_name(self):
        taken = fresh()
        self.experiment(taken)
        self.refused(400, "BAD_REQUEST", "POST", "experiments/update", {"experiment_id": self.experiment(), "new_name": taken})

    def test_deleted_and_restored(self):
        experiment_id = self.experiment()
        self.client.delete_experiment(experiment_id)
        self.assertEqual(self.client.get_experiment(experiment_id).lifecycle_stage, "deleted")
        self.client.restore_experiment(experiment_id)
        self.assertEqual(self.client.get_experiment(experiment_id).lifecycle_stage, "active")

    def test_deleted_twice(self):
        experiment_id = self.experiment()
        self.client.delete_experiment(experiment_id)
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "experiments/delete", {"experiment_id": experiment_id})

    def test_restored_though_active(self):
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "experiments/restore", {"experiment_id": self.experiment()})

    def test_name_of_a_deleted_one_stays_taken(self):
        name = fresh()
        self.client.delete_experiment(self.experiment(name))
        self.raises("RESOURCE_ALREADY_EXISTS", self.experiment, name)

    def test_deleted_one_is_found_by_name(self):
        name = fresh()
        self.client.delete_experiment(self.experiment(name))
        self.assertEqual(self.client.get_experiment_by_name(name).lifecycle_stage, "deleted")

    def test_renaming_a_deleted_one(self):
        experiment_id = self.experiment()
        self.client.delete_experiment(experiment_id)
        answer = http("POST", "experiments/update", body={"experiment_id": experiment_id, "new_name": fresh()})
        self.assertEqual(answer.json()["error_code"], "INVALID_STATE")

    def test_deletion_takes_the_runs_along(self):
        experiment_id = self.experiment()
        runs = [self.run_id(experiment_id) for _ in range(3)]
        self.client.delete_experiment(experiment_id)
        self.assertEqual({self.client.get_run(run).info.lifecycle_stage for run in runs}, {"deleted"})
        self.assertEqual(self.client.search_runs([experiment_id]), [])
        self.assertEqual(len(self.client.search_runs([experiment_id], run_view_type=ViewType.DELETED_ONLY)), 3)
        self.client.restore_experiment(experiment_id)
        self.assertEqual({self.client.get_run(run).info.lifecycle_stage for run in runs}, {"active"})
        self.assertEqual(len(self.client.search_runs([experiment_id])), 3)

    def test_no_runs_in_a_deleted_one(self):
        experiment_id = self.experiment()
        self.client.delete_experiment(experiment_id)
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/create", {"experiment_id": experiment_id})

    def test_tag_set_and_changed(self):
        experiment_id = self.experiment(tags={"a": "1"})
        self.client.set_experiment_tag(experiment_id, "a", "2")
        self.client.set_experiment_tag(experiment_id, "b", "ü \U0001f600")
        tags = self.client.get_experiment(experiment_id).tags
        self.assertEqual((tags["a"], tags["b"]), ("2", "ü \U0001f600"))

    def test_tag_deleted(self):
        experiment_id = self.experiment(tags={"a": "1", "b": "2"})
        self.call("POST", "experiments/delete-experiment-tag", {"experiment_id": experiment_id, "key": "a"})
        self.assertNotIn("a", self.client.get_experiment(experiment_id).tags)
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "experiments/delete-experiment-tag", {"experiment_id": experiment_id, "key": "a"})

    def test_tag_of_unknown_experiment(self):
        body = {"experiment_id": "123454321", "key": "k", "value": "v"}
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "experiments/set-experiment-tag", body)

    def test_success_without_content_is_empty_json(self):
        answer = http("POST", "experiments/set-experiment-tag", body={"experiment_id": self.experiment(), "key": "k", "value": "v"})
        self.assertEqual((answer.status_code, answer.json()), (200, {}))

    def test_change_moves_last_update(self):
        experiment_id = self.experiment()
        made = self.client.get_experiment(experiment_id)
        self.client.rename_experiment(experiment_id, fresh())
        self.assertGreaterEqual(self.client.get_experiment(experiment_id).last_update_time, made.last_update_time)

"""Datasets that a run read."""

import json

from mlflow.entities import Dataset, DatasetInput, InputTag

from harness import Check


def dataset(name="hours", digest="d1", **options):
    return Dataset(name=name, digest=digest, source_type="http", source=json.dumps({"url": "https://data/hours.csv"}), **options)


class Datasets(Check):
    def inputs(self, run):
        return self.client.get_run(run).inputs.dataset_inputs

    def test_logged_with_all_fields(self):
        run = self.run_id()
        given = dataset(schema=json.dumps({"mlflow_colspec": []}), profile=json.dumps({"num_rows": 3}))
        self.client.log_inputs(run, [DatasetInput(given, [InputTag("mlflow.data.context", "training")])])
        [found] = self.inputs(run)
        self.assertEqual(dict(found.dataset), dict(given))
        self.assertEqual([(tag.key, tag.value) for tag in found.tags], [("mlflow.data.context", "training")])

    def test_several_at_once(self):
        run = self.run_id()
        self.client.log_inputs(run, [DatasetInput(dataset("a")), DatasetInput(dataset("b")), DatasetInput(dataset("a", "d2"))])
        self.assertEqual({(item.dataset.name, item.dataset.digest) for item in self.inputs(run)}, {("a", "d1"), ("b", "d1"), ("a", "d2")})

    def test_same_one_again_is_kept_once(self):
        run = self.run_id()
        for _ in range(2):
            self.client.log_inputs(run, [DatasetInput(dataset())])
        self.assertEqual(len(self.inputs(run)), 1)

    def test_found_by_name(self):
        experiment_id = self.experiment()
        run = self.run_id(experiment_id)
        self.run_id(experiment_id)
        self.client.log_inputs(run, [DatasetInput(dataset("rides"))])
        for condition in ("dataset.name = 'rides'", "datasets.name LIKE 'ri%'", "dataset.digest = 'd1'", "dataset.name IN ('rides', 'x')"):
            with self.subTest(condition):
                self.assertEqual(self.ids(self.client.search_runs([experiment_id], condition)), [run])

    def test_found_by_context(self):
        experiment_id = self.experiment()
        train, other = self.run_id(experiment_id), self.run_id(experiment_id)
        self.client.log_inputs(train, [DatasetInput(dataset(), [InputTag("mlflow.data.context", "train")])])
        self.client.log_inputs(other, [DatasetInput(dataset(), [InputTag("mlflow.data.context", "eval")])])
        self.assertEqual(self.ids(self.client.search_runs([experiment_id], "dataset.context = 'train'")), [train])

    def test_found_with_the_run_in_a_search(self):
        experiment_id = self.experiment()
        self.client.log_inputs(self.run_id(experiment_id), [DatasetInput(dataset("rides"))])
        [run] = self.client.search_runs([experiment_id])
        self.assertEqual(run.inputs.dataset_inputs[0].dataset.name, "rides")

    def test_name_and_digest_have_limits(self):
        run = self.run_id()
        for given in (dataset("n" * 501), dataset(digest="d" * 37)):
            self.raises("INVALID_PARAMETER_VALUE", self.client.log_inputs, run, [DatasetInput(given)])

    def test_unknown_run(self):
        body = {"run_id": "0" * 32, "datasets": [{"dataset": {"name": "n", "digest": "d", "source_type": "t", "source": "s"}}]}
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "runs/log-inputs", body)

    def test_long_schema_and_profile(self):
        run = self.run_id()
        given = dataset(schema="s" * 60_000, profile="p" * 500_000)
        self.client.log_inputs(run, [DatasetInput(given)])
        [found] = self.inputs(run)
        self.assertEqual((len(found.dataset.schema), len(found.dataset.profile)), (60_000, 500_000))

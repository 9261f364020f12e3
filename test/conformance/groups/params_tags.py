"""Parameters (written once) and tags (the last one wins) of runs."""

from mlflow.entities import Metric, Param, RunTag

from harness import Check


class ParamsAndTags(Check):
    def params(self, run):
        return self.client.get_run(run).data.params

    def tags(self, run):
        return {key: value for key, value in self.client.get_run(run).data.tags.items() if not key.startswith("mlflow.")}

    def test_param(self):
        run = self.run_id()
        self.client.log_param(run, "depth", 6)
        self.client.log_param(run, "rate", 0.1)
        self.assertEqual(self.params(run), {"depth": "6", "rate": "0.1"})

    def test_param_with_the_same_value_again(self):
        run = self.run_id()
        for _ in range(2):
            self.call("POST", "runs/log-parameter", {"run_id": run, "key": "p", "value": "1"})
        self.assertEqual(self.params(run), {"p": "1"})

    def test_param_with_another_value(self):
        run = self.run_id()
        self.client.log_param(run, "p", "1")
        body = {"run_id": run, "key": "p", "value": "2"}
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/log-parameter", body, says="Changing param values is not allowed")
        self.assertEqual(self.params(run), {"p": "1"})

    def test_param_names_the_old_value(self):
        run = self.run_id()
        self.client.log_param(run, "p", "first")
        self.raises("INVALID_PARAMETER_VALUE", self.client.log_batch, run, params=[Param("p", "2")], says="first")

    def test_conflict_in_a_batch_writes_nothing(self):
        run = self.run_id()
        self.client.log_param(run, "p", "1")
        metrics, tags = [Metric("m", 1, 1, 0)], [RunTag("t", "1")]
        self.raises("INVALID_PARAMETER_VALUE", self.client.log_batch, run, metrics, [Param("new", "1"), Param("p", "2")], tags)
        data = self.client.get_run(run).data
        self.assertEqual((data.metrics, data.params, self.tags(run)), ({}, {"p": "1"}, {}))

    def test_same_params_again_in_a_batch(self):
        run = self.run_id()
        for _ in range(2):
            self.client.log_batch(run, params=[Param("a", "1"), Param("b", "2")])
        self.assertEqual(self.params(run), {"a": "1", "b": "2"})

    def test_double_param_in_one_batch(self):
        run = self.run_id()
        for second in ("1", "2"):
            body = {"run_id": run, "params": [{"key": "p", "value": "1"}, {"key": "p", "value": second}]}
            self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/log-batch", body)
        self.assertEqual(self.params(run), {})

    def test_empty_param(self):
        run = self.run_id()
        self.client.log_param(run, "empty", "")
        self.assertEqual(self.params(run), {"empty": ""})

    def test_params_beyond_one_batch(self):
        run = self.run_id()
        for batch in range(3):
            self.client.log_batch(run, params=[Param(f"p{batch}-{number}", "v" * 50) for number in range(100)])
        self.assertEqual(len(self.params(run)), 300)

    def test_long_values_of_many_params(self):
        run = self.run_id()
        self.client.log_batch(run, params=[Param(f"p{number}", chr(97 + number % 26) * 5000) for number in range(100)])
        self.assertEqual(self.params(run)["p27"], "b" * 5000)
        self.assertEqual(len(self.params(run)), 100)

    def test_value_in_every_plane(self):
        run = self.run_id()
        text = "a\u00e4\u4e2d\U0001f680\U00020000\U000e0041\U000f0001 \t\n'\"`%_"
        self.client.log_param(run, "p", text)
        self.client.set_tag(run, "t", text)
        self.assertEqual((self.params(run)["p"], self.tags(run)["t"]), (text, text))

    def test_tag_changed(self):
        run = self.run_id(tags={"a": "1"})
        self.client.set_tag(run, "a", "2")
        self.client.set_tag(run, "b", "")
        self.assertEqual(self.tags(run), {"a": "2", "b": ""})

    def test_last_tag_of_a_batch_wins(self):
        run = self.run_id()
        self.client.log_batch(run, tags=[RunTag("t", "1"), RunTag("t", "2")])
        self.assertEqual(self.tags(run), {"t": "2"})

    def test_tag_deleted(self):
        run = self.run_id(tags={"a": "1", "b": "2"})
        self.client.delete_tag(run, "a")
        self.assertEqual(self.tags(run), {"b": "2"})

    def test_absent_tag_deleted(self):
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "runs/delete-tag", {"run_id": self.run_id(), "key": "a"})

    def test_number_as_tag_is_text(self):
        run = self.run_id()
        self.client.set_tag(run, "t", 5)
        self.assertEqual(self.tags(run), {"t": "5"})

    def test_keys_are_required(self):
        run = self.run_id()
        for path in ("runs/log-parameter", "runs/set-tag", "runs/delete-tag"):
            with self.subTest(path):
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", path, {"run_id": run, "value": "1"}, says="key")

    def test_keys_differ_by_case(self):
        run = self.run_id()
        self.client.log_batch(run, params=[Param("Key", "1"), Param("key", "2")], tags=[RunTag("Tag", "1"), RunTag("tag", "2")])
        self.assertEqual(self.params(run), {"Key": "1", "key": "2"})
        self.assertEqual(self.tags(run), {"Tag": "1", "tag": "2"})

    def test_keys_with_everything_allowed(self):
        run = self.run_id()
        keys = ["a/b", "a.b", "a b", "a-b", "a_b", "a:b", "\u00e4\u4e2d", "1"]
        self.client.log_batch(run, params=[Param(key, "v") for key in keys], tags=[RunTag(key, "v") for key in keys])
        self.assertEqual(set(self.params(run)), set(keys))
        self.assertEqual(set(self.tags(run)), set(keys))

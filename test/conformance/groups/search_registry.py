"""Search over registered models and their versions."""

from harness import PreparedCheck, fresh


class Models(PreparedCheck):
    label = "search_models"

    def prepare(self):
        mark = fresh("mark")
        for word, tags in (("beta", {"team": "red"}), ("alpha", {"team": "blue"}), ("Gamma", {"odd key": "x"}), ("a_c", None)):
            self.model(f"{mark}-{word}", tags=tags)
        self.version(f"{mark}-beta")
        return mark

    def found(self, condition="", **options):
        mark = type(self).prepared
        both = f"name LIKE '{mark}-%'" + (f" AND {condition}" if condition else "")
        return [name.removeprefix(f"{mark}-") for name in self.names(self.client.search_registered_models(both, **options))]

    def test_by_name(self):
        mark = type(self).prepared
        self.assertEqual(self.names(self.client.search_registered_models(f"name = '{mark}-beta'")), [f"{mark}-beta"])
        self.assertEqual(self.names(self.client.search_registered_models(f"name ILIKE '{mark.upper()}-GAMMA'")), [f"{mark}-Gamma"])
        self.assertEqual(self.found("name != 'x'"), ["Gamma", "a_c", "alpha", "beta"])
        self.assertEqual(self.found("name LIKE '%a'"), ["Gamma", "alpha", "beta"])

    def test_by_tag(self):
        self.assertEqual(self.found("tags.team = 'red'"), ["beta"])
        self.assertEqual(self.found("tag.team LIKE '%e%'"), ["alpha", "beta"])
        self.assertEqual(self.found("tags.`odd key` = 'x'"), ["Gamma"])

    def test_absent_tag_never_matches(self):
        self.assertEqual(self.found("tags.team != 'red'"), ["alpha"])
        self.assertEqual(self.found("tags.nothing != 'red'"), [])

    def test_prompts_are_left_out(self):
        name = fresh("prompt")
        tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
        self.call("POST", "registered-models/create", {"name": name, "tags": tags})
        for condition in (f"name = '{name}'", f"name = '{name}' AND tags.`mlflow.prompt.is_prompt` != 'true'"):
            with self.subTest(condition):
                answer = self.call("GET", "registered-models/search", query={"filter": condition})
                self.assertEqual([item["name"] for item in answer.get("registered_models", [])], [])

    def test_default_order_is_by_name(self):
        self.assertEqual(self.found(), ["Gamma", "a_c", "alpha", "beta"])

    def test_order(self):
        self.assertEqual(self.found(order_by=["name DESC"]), ["beta", "alpha", "a_c", "Gamma"])
        self.assertEqual(self.found(order_by=["timestamp DESC", "name"])[0], "beta")
        self.assertEqual(self.found(order_by=["last_updated_timestamp DESC"])[0], "beta")

    def test_pages(self):
        mark = type(self).prepared
        seen, token = [], None
        while True:
            page = self.client.search_registered_models(f"name LIKE '{mark}-%'", max_results=3, page_token=token)
            seen.append(len(page))
            token = page.token
            if not token:
                break
        self.assertEqual(seen, [3, 1])

    def test_result_has_the_latest_versions(self):
        mark = type(self).prepared
        [model] = self.client.search_registered_models(f"name = '{mark}-beta'")
        self.assertEqual([str(item.version) for item in model.latest_versions], ["1"])

    def test_what_is_refused(self):
        for query in (
            {"filter": "nothing = 'x'"}, {"filter": "name > 'x'"}, {"filter": "name = 'a' OR name = 'b'"}, {"filter": "name = x"},
            {"order_by": "nothing"}, {"max_results": 1001}, {"page_token": "garbage"},
        ):
            with self.subTest(str(query)):
                self.refused(400, "INVALID_PARAMETER_VALUE", "GET", "registered-models/search", query=query)


class Versions(PreparedCheck):
    label = "search_versions"

    def prepare(self):
        mark, experiment_id = fresh("mark"), self.experiment()
        names, runs = [f"{mark}-a", f"{mark}-b"], [self.run_id(experiment_id), self.run_id(experiment_id)]
        for name in names:
            self.model(name)
        self.version(names[0], f"s3://bucket/{mark}/1", run_id=runs[0], tags={"k": "x"})
        self.version(names[0], f"s3://bucket/{mark}/2", run_id=runs[1])
        self.version(names[1], f"s3://bucket/{mark}/3", run_id=runs[0], tags={"k": "y"})
        return (mark, names, runs)

    def found(self, condition, **options):
        return [f"{item.name[-1]}{item.version}" for item in self.client.search_model_versions(condition, **options)]

    def test_by_name(self):
        mark, names, _ = type(self).prepared
        self.assertEqual(sorted(self.found(f"name = '{names[0]}'")), ["a1", "a2"])
        self.assertEqual(sorted(self.found(f"name IN ('{names[0]}', '{names[1]}')")), ["a1", "a2", "b1"])
        self.assertEqual(sorted(self.found(f"name LIKE '{mark}%'")), ["a1", "a2", "b1"])

    def test_by_run(self):
        _, names, runs = type(self).prepared
        self.assertEqual(sorted(self.found(f"run_id = '{runs[0]}'")), ["a1", "b1"])
        self.assertEqual(sorted(self.found(f"run_id IN ('{runs[0]}', '{runs[1]}')")), ["a1", "a2", "b1"])
        self.assertEqual(self.found(f"name = '{names[0]}' AND run_id = '{runs[1]}'"), ["a2"])

    def test_by_source(self):
        mark, _, _ = type(self).prepared
        self.assertEqual(self.found(f"source_path = 's3://bucket/{mark}/3'"), ["b1"])

    def test_by_number(self):
        _, names, _ = type(self).prepared
        self.assertEqual(self.found(f"name = '{names[0]}' AND version_number = 2"), ["a2"])
        self.assertEqual(self.found(f"name = '{names[0]}' AND version_number < 2"), ["a1"])

    def test_by_tag(self):
        mark, _, _ = type(self).prepared
        self.assertEqual(self.found(f"name LIKE '{mark}%' AND tags.k = 'x'"), ["a1"])
        self.assertEqual(self.found(f"name LIKE '{mark}%' AND tags.k LIKE 'y%'"), ["b1"])

    def test_order(self):
        mark, _, _ = type(self).prepared
        condition = f"name LIKE '{mark}%'"
        self.assertEqual(self.found(condition, order_by=["name ASC", "version_number DESC"]), ["a2", "a1", "b1"])
        self.assertEqual(self.found(condition, order_by=["version_number ASC", "name DESC"]), ["b1", "a1", "a2"])
        self.assertEqual(self.found(condition, order_by=["creation_timestamp ASC", "name", "version_number"])[0], "a1")

    def test_default_order_is_last_updated_first(self):
        name = self.model()
        for _ in range(3):
            self.version(name)
        self.client.update_model_version(name, "1", "touched")
        self.assertEqual(str(self.client.search_model_versions(f"name = '{name}'")[0].version), "1")

    def test_pages(self):
        mark, _, _ = type(self).prepared
        first = self.client.search_model_versions(f"name LIKE '{mark}%'", max_results=2, order_by=["name", "version_number"])
        rest = self.client.search_model_versions(f"name LIKE '{mark}%'", max_results=2, order_by=["name", "version_number"], page_token=first.token)
        self.assertEqual([f"{item.name[-1]}{item.version}" for item in [*first, *rest]], ["a1", "a2", "b1"])
        self.assertFalse(rest.token)

    def test_nothing_found(self):
        self.assertEqual(self.found(f"name = '{fresh()}'"), [])
        self.assertEqual(self.found("run_id = 'nothing'"), [])

    def test_what_is_refused(self):
        for query in (
            {"filter": "nothing = 'x'"}, {"filter": "name > 'x'"}, {"filter": "run_id = 'a' OR run_id = 'b'"}, {"filter": "version_number = 'x'"},
            {"order_by": "nothing"}, {"max_results": 200001}, {"page_token": "garbage"},
        ):
            with self.subTest(str(query)):
                self.refused(400, "INVALID_PARAMETER_VALUE", "GET", "model-versions/search", query=query)

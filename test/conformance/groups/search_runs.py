"""The filter language of runs, and what it refuses."""

import math

from mlflow.entities import Metric, Param, RunTag, ViewType

from harness import PreparedCheck, fresh


class Filters(PreparedCheck):
    """Four runs, known by one letter each, in an experiment of their own."""

    def prepare(self):
        experiment_id = self.experiment()
        runs = {
            "a": self.run_id(experiment_id, run_name="alpha", start_time=1000, tags={"team": "red", "mlflow.user": "ann"}),
            "b": self.run_id(experiment_id, run_name="beta", start_time=2000, tags={"team": "blue", "odd key's": "x"}),
            "c": self.run_id(experiment_id, run_name="Gamma%1", start_time=3000, tags={"other": "red"}),
            "d": self.run_id(experiment_id, run_name="delta", start_time=4000),
        }
        self.client.log_batch(runs["a"], [Metric("loss", 0.5, 1, 0), Metric("val/acc", 1, 1, 0)], [Param("model", "tree"), Param("n", "10")])
        self.client.log_batch(runs["b"], [Metric("loss", 0.9, 1, 0), Metric("loss", 0.7, 1, 1)], [Param("model", "Forest"), Param("a b", "1")])
        self.client.log_batch(runs["c"], [Metric("loss", math.nan, 1, 0), Metric("neg", -1.5, 1, 0)], [Param("model", "tree_2")], [RunTag("t", "")])
        self.client.set_terminated(runs["a"], "FINISHED", end_time=1500)
        self.client.set_terminated(runs["b"], "FAILED", end_time=2500)
        return (experiment_id, runs)

    def found(self, condition, view=ViewType.ACTIVE_ONLY):
        experiment_id, runs = type(self).prepared
        letters = {run: letter for letter, run in runs.items()}
        return "".join(sorted(letters[run] for run in self.ids(self.client.search_runs([experiment_id], condition, view))))

    def expect(self, **conditions):
        for condition, letters in conditions.items():
            with self.subTest(condition):
                self.assertEqual(self.found(condition), letters)

    def test_no_filter(self):
        self.expect(**{"": "abcd"})

    def test_metric_comparisons(self):
        self.expect(**{
            "metrics.loss < 0.7": "a", "metrics.loss <= 0.7": "ab", "metrics.loss = 0.7": "b", "metric.loss > 0.5": "b",
            "metrics.loss >= 0.5": "ab", "metrics.loss != 0.5": "bc", "metrics.neg = -1.5": "c", "metrics.neg < -1": "c",
        })

    def test_metric_compares_the_latest_value(self):
        self.expect(**{"metrics.loss = 0.9": "", "metrics.loss = 7e-1": "b"})

    def test_metric_key_in_quotes(self):
        self.expect(**{"metrics.`val/acc` = 1": "a", 'metrics."val/acc" >= 1': "a"})

    def test_params(self):
        self.expect(**{
            "params.model = 'tree'": "a", 'params.model = "tree"': "a", "param.model != 'tree'": "bc", "parameters.n = '10'": "a",
            "params.`a b` = '1'": "b", "params.model = 'TREE'": "",
        })

    def test_tags(self):
        self.expect(**{"tags.team = 'red'": "a", "tag.team != 'red'": "b", "tags.other = 'red'": "c", "tags.`odd key's` = 'x'": "b", "tags.t = ''": "c"})

    def test_tags_of_the_client(self):
        self.expect(**{"tags.mlflow.user = 'ann'": "a", "tags.`mlflow.runName` = 'beta'": "b"})

    def test_like(self):
        self.expect(**{
            "params.model LIKE 'tree%'": "ac", "params.model LIKE '%ree'": "a", "params.model LIKE 'Tree%'": "", "params.model LIKE '%o%'": "b",
            "params.model LIKE 'tree__'": "c", "params.model LIKE 'tr_e'": "a", "tags.team LIKE '%e%'": "ab", "attributes.run_name LIKE '%ta'": "bd",
        })

    def test_ilike(self):
        self.expect(**{"params.model ILIKE 'TREE%'": "ac", "params.model ILIKE 'forest'": "b", "attributes.run_name ilike 'GAMMA%'": "c"})

    def test_null(self):
        self.expect(**{"params.n IS NULL": "bcd", "params.n IS NOT NULL": "a", "tags.team IS NULL": "cd", "tags.team is not null": "ab"})

    def test_absent_never_matches(self):
        self.expect(**{"metrics.nothing != 1": "", "params.nothing != '1'": "", "tags.nothing != '1'": ""})

    def test_several_conditions(self):
        self.expect(**{
            "metrics.loss > 0.1 AND params.model = 'tree'": "a", "metrics.loss > 0.1 and tags.team = 'blue' and status = 'FAILED'": "b",
            "params.model = 'tree' AND params.model = 'Forest'": "", "params.model LIKE 't%' AND tags.team IS NULL": "c",
        })

    def test_status(self):
        self.expect(**{"attributes.status = 'FINISHED'": "a", "status = 'RUNNING'": "cd", "attr.status != 'RUNNING'": "ab"})

    def test_run_name(self):
        self.expect(**{
            "attributes.run_name = 'alpha'": "a", "run_name != 'alpha'": "bcd", "attributes.`run name` = 'beta'": "b", "run.`Run name` = 'beta'": "b",
            "attributes.run_name = 'Gamma%1'": "c",
        })

    def test_times(self):
        self.expect(**{
            "attributes.start_time >= 3000": "cd", "start_time < 2000": "a", "attributes.created = 2000": "b",
            "attributes.end_time <= 2000": "a", "end_time != 1500": "b", "start_time > 1000 AND start_time <= 3000": "bc",
        })

    def test_run_id(self):
        _, runs = type(self).prepared
        self.expect(**{
            f"attributes.run_id = '{runs['b']}'": "b", f"run_id != '{runs['b']}'": "acd", f"attributes.run_id IN ('{runs['a']}', '{runs['d']}')": "ad",
            f"attributes.run_id NOT IN ('{runs['a']}')": "bcd",
        })

    def test_user_and_artifact_uri(self):
        _, runs = type(self).prepared
        uri = self.client.get_run(runs["c"]).info.artifact_uri
        self.expect(**{f"attributes.artifact_uri = '{uri}'": "c", f"artifact_uri LIKE '%{runs['d']}%'": "d"})

    def test_values_with_quotes_and_signs(self):
        experiment_id = self.experiment()
        values = ["it's", 'say "x"', "100%", "a_b", "a AND b", "(x)", "\u4e2d\U0001f680"]
        runs = [self.run_id(experiment_id, tags={"t": value}) for value in values]
        for run, value in zip(runs, values):
            quote = "'" if '"' in value else '"'
            with self.subTest(value):
                self.assertEqual(self.ids(self.client.search_runs([experiment_id], f"tags.t = {quote}{value}{quote}")), [run])

    def test_what_is_refused(self):
        experiment_id, _ = type(self).prepared
        for condition in (
            "metrics.loss > 0.1 OR params.model = 'tree'", "metrics.loss > 'a'", "metrics.loss LIKE '0%'", "params.model = 5", "params.model > '5'",
            "tags.team = red", "nothing.at = 'all'", "attributes.nothing = 'x'", "status", "metrics.loss >", "= 5", "metrics.a IS NULL",
            "params.model = 'tree", "start_time = 'x'", "attributes.status IN ('FINISHED')", "(metrics.loss > 1", "metrics.loss == 1", "garbage",
            "dataset.nothing = 'x'", "metrics.a = 1, metrics.b = 2", "attributes.run_id IN ()",
        ):
            with self.subTest(condition):
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/search", {"experiment_ids": [experiment_id], "filter": condition})

    def test_views(self):
        experiment_id = self.experiment()
        kept, gone = self.run_id(experiment_id), self.run_id(experiment_id)
        self.client.delete_run(gone)
        for view, expected in ((ViewType.ACTIVE_ONLY, {kept}), (ViewType.DELETED_ONLY, {gone}), (ViewType.ALL, {kept, gone})):
            self.assertEqual(set(self.ids(self.client.search_runs([experiment_id], run_view_type=view))), expected)

    def test_several_experiments(self):
        experiments = [self.experiment(), self.experiment(), self.experiment()]
        runs = [self.run_id(experiment) for experiment in experiments]
        self.assertEqual(set(self.ids(self.client.search_runs(experiments[:2]))), set(runs[:2]))

    def test_no_experiment_finds_nothing(self):
        self.assertFalse(self.call("POST", "runs/search", {"experiment_ids": []}).get("runs"))
        self.assertEqual(self.client.search_runs(["987654321"]), [])

    def test_result_has_the_whole_run(self):
        experiment_id, runs = type(self).prepared
        [run] = self.client.search_runs([experiment_id], f"run_id = '{runs['b']}'")
        read = self.client.get_run(runs["b"])
        self.assertEqual((run.data.metrics, run.data.params, run.data.tags), (read.data.metrics, read.data.params, read.data.tags))
        self.assertEqual(dict(run.info), dict(read.info))


class Experiments(PreparedCheck):
    """Searching experiments; `mark` keeps other checks' experiments out."""

    label = "search_experiments"

    def prepare(self):
        mark = fresh("mark")
        names = {letter: f"{mark}/{word}" for letter, word in (("a", "alpha"), ("b", "Beta"), ("c", "gamma_1"), ("d", "gone"))}
        ids = {letter: self.experiment(name, tags={"mark": mark, "letter": letter}) for letter, name in names.items()}
        self.client.set_experiment_tag(ids["c"], "color", "red")
        self.client.delete_experiment(ids["d"])
        return (mark, ids)

    def found(self, condition="", **options):
        mark, ids = type(self).prepared
        letters = {experiment: letter for letter, experiment in ids.items()}
        both = f"tags.mark = '{mark}'" + (f" AND {condition}" if condition else "")
        return "".join(letters[item.experiment_id] for item in self.client.search_experiments(filter_string=both, **options))

    def test_by_name(self):
        mark, _ = type(self).prepared
        for condition, letters in (
            (f"name = '{mark}/alpha'", "a"), (f"attribute.name != '{mark}/alpha'", "bc"), ("name LIKE '%a'", "ab"), ("name LIKE '%beta'", ""),
            ("name ILIKE '%BETA'", "b"), ("attribute.name LIKE '%gamma%'", "c"),
        ):
            with self.subTest(condition):
                self.assertEqual("".join(sorted(self.found(condition))), letters)

    def test_by_tag(self):
        for condition, letters in (("tags.letter = 'a'", "a"), ("tag.letter != 'a'", "bc"), ("tags.color LIKE 'r%'", "c"), ("tags.`letter` = 'b'", "b")):
            with self.subTest(condition):
                self.assertEqual("".join(sorted(self.found(condition))), letters)

    def test_by_time(self):
        mark, ids = type(self).prepared
        time = self.client.get_experiment(ids["b"]).creation_time
        self.assertIn("b", self.found(f"creation_time >= {time}"))
        self.assertNotIn("b", self.found(f"creation_time < {time}"))
        self.assertEqual(self.found("last_update_time < 1000"), "")

    def test_views(self):
        self.assertEqual(sorted(self.found()), ["a", "b", "c"])
        self.assertEqual(self.found(view_type=ViewType.DELETED_ONLY), "d")
        self.assertEqual(sorted(self.found(view_type=ViewType.ALL)), ["a", "b", "c", "d"])

    def test_order(self):
        self.assertEqual(self.found(order_by=["name DESC"]), "cab")
        self.assertEqual(self.found(order_by=["name ASC"]), "bac")
        self.assertEqual(self.found(order_by=["creation_time ASC"]), "abc")
        self.assertEqual(self.found(order_by=["experiment_id ASC"])[0] in "abc", True)

    def test_default_order_is_newest_first(self):
        self.assertEqual(self.found(), "cba")

    def test_pages(self):
        mark, _ = type(self).prepared
        seen, token = [], None
        while True:
            page = self.client.search_experiments(filter_string=f"tags.mark = '{mark}'", max_results=2, page_token=token)
            seen.append(len(page))
            token = page.token
            if not token:
                break
        self.assertEqual(seen, [2, 1])

    def test_get_request(self):
        mark, _ = type(self).prepared
        query = {"max_results": 2, "filter": f"tags.mark = '{mark}'", "order_by": ["name ASC", "creation_time DESC"]}
        page = self.call("GET", "experiments/search", query=query)
        self.assertEqual([item["name"] for item in page["experiments"]], [f"{mark}/Beta", f"{mark}/alpha"])

    def test_what_is_refused(self):
        for body in (
            {"max_results": 0}, {}, {"max_results": -1}, {"max_results": 50001}, {"max_results": 5, "filter": "nothing = 'x'"},
            {"max_results": 5, "filter": "name > 'x'"}, {"max_results": 5, "order_by": ["nothing ASC"]}, {"max_results": 5, "page_token": "garbage"},
            {"max_results": 5, "filter": "name = 'x' OR name = 'y'"},
        ):
            with self.subTest(str(body)):
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "experiments/search", body)

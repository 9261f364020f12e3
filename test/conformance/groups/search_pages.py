"""Order and pages of a search over runs."""

import math

from mlflow.entities import Metric, Param

from harness import Check, PreparedCheck, fresh


class Order(PreparedCheck):
    """Values of metric, parameter and tag `k` by letter; e has none of them."""

    label = "search_order"

    def prepare(self):
        experiment_id = self.experiment()
        runs = {}
        given = {"a": (2, "x", 3000), "b": (1, "y", 1000), "c": (math.nan, "z", 2000), "d": (math.inf, "w", 2000), "e": (None, None, 5000), "f": (-1, "v", 4000)}
        for letter, (number, text, start) in given.items():
            runs[letter] = self.run_id(experiment_id, run_name=f"run {letter}", start_time=start, tags={"k": text} if text else {})
            if text:
                self.client.log_batch(runs[letter], [Metric("k", number, 1, 0), Metric("same", 1, 1, 0)], [Param("k", text)])
        self.client.set_terminated(runs["b"], end_time=9000)
        self.client.set_terminated(runs["a"], end_time=8000)
        return (experiment_id, runs)

    def order(self, *order_by, condition=""):
        experiment_id, runs = type(self).prepared
        letters = {run: letter for letter, run in runs.items()}
        return "".join(letters[run] for run in self.ids(self.client.search_runs([experiment_id], condition, order_by=list(order_by))))

    def by_id(self, *letters):
        """What has the same place in an order follows by run id."""
        _, runs = type(self).prepared
        return "".join(sorted(letters, key=runs.get))

    def test_newest_first_by_default(self):
        self.assertEqual(self.order(), "efa" + self.by_id("c", "d") + "b")

    def test_start_time(self):
        self.assertEqual(self.order("attributes.start_time ASC"), "b" + self.by_id("c", "d") + "afe")
        self.assertEqual(self.order("start_time DESC"), "efa" + self.by_id("c", "d") + "b")
        self.assertEqual(self.order("attribute.created ASC")[0], "b")

    def test_metric_ascending(self):
        self.assertEqual(self.order("metrics.k ASC"), "fbadce")

    def test_metric_descending(self):
        self.assertEqual(self.order("metrics.k DESC"), "dabfce")

    def test_direction_is_ascending_where_left_out(self):
        self.assertEqual(self.order("metric.`k`"), "fbadce")

    def test_param(self):
        self.assertEqual(self.order("params.k ASC"), "fdabce")
        self.assertEqual(self.order("params.k DESC"), "cbadfe")

    def test_tag(self):
        self.assertEqual(self.order("tags.k"), "fdabce")
        self.assertEqual(self.order("tag.`k` desc"), "cbadfe")

    def test_name(self):
        self.assertEqual(self.order("attributes.run_name ASC"), "abcdef")
        self.assertEqual(self.order("run_name DESC"), "fedcba")

    def test_status_then_name(self):
        self.assertEqual(self.order("attributes.status ASC", "attributes.run_name DESC"), "bafedc")

    def test_end_time_absent_last(self):
        self.assertEqual(self.order("end_time ASC")[:2], "ab")
        self.assertEqual(self.order("end_time DESC")[:2], "ba")

    def test_second_key_settles_ties(self):
        self.assertEqual(self.order("metrics.same ASC", "params.k DESC"), "cbadfe")

    def test_ties_are_settled_by_start_then_id(self):
        self.assertEqual(self.order("metrics.same"), "fa" + self.by_id("c", "d") + "be")

    def test_with_a_filter(self):
        self.assertEqual(self.order("metrics.k DESC", condition="params.k != 'x' AND metrics.k < 100"), "bf")

    def test_unknown_key_keeps_the_default_order(self):
        self.assertEqual(self.order("metrics.nothing DESC"), self.order())

    def test_what_is_refused(self):
        experiment_id, _ = type(self).prepared
        for order_by in ("nothing.k ASC", "attributes.nothing", "metrics.k UPWARDS", "metrics.k ASC DESC", "garbage here"):
            with self.subTest(order_by):
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/search", {"experiment_ids": [experiment_id], "order_by": [order_by]})


class Pages(Check):
    def pages(self, experiments, size, **options):
        token, found = None, []
        while True:
            page = self.client.search_runs(experiments, max_results=size, page_token=token, **options)
            found.append(self.ids(page))
            token = page.token
            if not token:
                return found

    def many(self, count=23):
        experiment_id = self.experiment()
        runs = [self.run_id(experiment_id, start_time=1000 + number // 3, tags={"odd": str(number % 2)}) for number in range(count)]
        for number, run in enumerate(runs[:10]):
            self.client.log_metric(run, "k", number % 4, timestamp=1)
        return experiment_id, runs

    def test_pages_have_each_run_once(self):
        experiment_id, runs = self.many()
        whole = self.ids(self.client.search_runs([experiment_id]))
        for size in (1, 5, 23, 100):
            with self.subTest(size):
                pages = self.pages([experiment_id], size)
                self.assertEqual(sum(pages, []), whole)
                self.assertTrue(all(len(page) == size for page in pages[:-1]))
        self.assertEqual(sorted(whole), sorted(runs))

    def test_pages_of_an_order_and_a_filter(self):
        experiment_id, _ = self.many()
        for options in ({"order_by": ["metrics.k DESC"]}, {"filter_string": "tags.odd = '1'"}, {"filter_string": "metrics.k >= 1", "order_by": ["metrics.k"]}):
            with self.subTest(str(options)):
                whole = self.ids(self.client.search_runs([experiment_id], **options))
                pages = self.pages([experiment_id], 4, **options)
                self.assertEqual(sum(pages, []), whole)
                self.assertTrue(all(len(page) == 4 for page in pages[:-1]))

    def test_pages_over_experiments(self):
        first, second = self.many(5)[0], self.many(6)[0]
        whole = self.ids(self.client.search_runs([first, second]))
        self.assertEqual(sum(self.pages([first, second], 3), []), whole)
        self.assertEqual(len(whole), 11)

    def test_last_page_has_no_token(self):
        experiment_id = self.experiment()
        self.run_id(experiment_id)
        self.assertFalse(self.client.search_runs([experiment_id], max_results=5).token)
        self.assertFalse(self.client.search_runs([self.experiment()], max_results=5).token)

    def test_garbage_as_token(self):
        for token in ("garbage", "bm90IGpzb24=", "eyJvZmZzZXQiOiAtMX0x"):
            with self.subTest(token):
                body = {"experiment_ids": [self.experiment()], "page_token": token}
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/search", body)

    def test_page_sizes_that_are_refused(self):
        for size in (50001, -1):
            with self.subTest(size):
                body = {"experiment_ids": [self.experiment()], "max_results": size}
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/search", body)

    def test_run_made_between_two_pages(self):
        experiment_id, runs = self.many(6)
        first = self.client.search_runs([experiment_id], max_results=3, order_by=["start_time ASC"])
        self.run_id(experiment_id, start_time=10_000, run_name=fresh())
        rest = self.client.search_runs([experiment_id], max_results=10, order_by=["start_time ASC"], page_token=first.token)
        self.assertEqual(set(self.ids(first) + self.ids(rest)) >= set(runs), True)

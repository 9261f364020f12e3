"""Metrics: single and batched, history, the rule of the latest point, values that are no ordinary numbers."""

import math

from mlflow.entities import Metric, Param, RunTag

from harness import Check

LARGEST = 1.7976931348623157e308


class Metrics(Check):
    def points(self, run, key="m"):
        return [(point.value, point.timestamp, point.step) for point in self.client.get_metric_history(run, key)]

    def latest(self, run, key="m"):
        found = self.call("GET", "runs/get", query={"run_id": run})["run"]["data"]["metrics"]
        return next((point["value"], point["timestamp"], point["step"]) for point in found if point["key"] == key)

    def log(self, run, *points, key="m"):
        self.client.log_batch(run, metrics=[Metric(key, *point) for point in points])

    def test_logged_one_by_one(self):
        run = self.run_id()
        for step in range(5):
            self.client.log_metric(run, "m", step * 0.5, timestamp=1000 + step, step=step)
        self.assertEqual(self.points(run), [(step * 0.5, 1000 + step, step) for step in range(5)])

    def test_default_time_and_step(self):
        run = self.run_id()
        self.client.log_metric(run, "m", 1.5)
        [(value, timestamp, step)] = self.points(run)
        self.assertEqual((value, step), (1.5, 0))
        self.assertGreater(timestamp, 1_600_000_000_000)

    def test_step_is_optional_in_json(self):
        run = self.run_id()
        self.call("POST", "runs/log-metric", {"run_id": run, "key": "m", "value": 2, "timestamp": 7})
        self.assertEqual(self.points(run), [(2.0, 7, 0)])

    def test_batch_of_1000_points_of_one_metric(self):
        run = self.run_id()
        self.log(run, *[(step / 7, 1000 + step, step) for step in range(1000)])
        self.assertEqual(self.points(run), [(step / 7, 1000 + step, step) for step in range(1000)])
        self.assertEqual(self.latest(run), (999 / 7, 1999, 999))

    def test_batch_of_1000_metrics(self):
        run = self.run_id()
        self.client.log_batch(run, metrics=[Metric(f"m{number}", number, 1, 0) for number in range(1000)])
        self.assertEqual(self.client.get_run(run).data.metrics, {f"m{number}": float(number) for number in range(1000)})

    def test_batch_of_everything(self):
        run = self.run_id()
        metrics = [Metric(f"m{number}", number, 1, 0) for number in range(800)]
        params = [Param(f"p{number}", str(number)) for number in range(100)]
        self.client.log_batch(run, metrics, params, [RunTag(f"t{number}", str(number)) for number in range(100)])
        data = self.client.get_run(run).data
        self.assertEqual((len(data.metrics), len(data.params)), (800, 100))
        self.assertEqual(sum(key.startswith("t") for key in data.tags), 100)

    def test_empty_batch(self):
        self.call("POST", "runs/log-batch", {"run_id": self.run_id()})

    def test_history_over_many_batches(self):
        run = self.run_id()
        for batch in range(4):
            self.log(run, *[(number, number, number) for number in range(batch * 500, batch * 500 + 500)])
        self.assertEqual(self.points(run), [(float(number), number, number) for number in range(2000)])

    def test_history_ordered_by_time_then_step(self):
        run = self.run_id()
        self.log(run, (1, 30, 1), (2, 10, 9), (3, 20, 2), (4, 20, 1))
        self.assertEqual(self.points(run), [(2.0, 10, 9), (4.0, 20, 1), (3.0, 20, 2), (1.0, 30, 1)])

    def test_history_of_unknown_metric_is_empty(self):
        self.assertEqual(self.client.get_metric_history(self.run_id(), "nothing"), [])

    def test_history_of_unknown_run_is_empty(self):
        self.assertFalse(self.call("GET", "metrics/get-history", query={"run_id": "0" * 32, "metric_key": "m"}).get("metrics"))

    def test_history_in_pages(self):
        run = self.run_id()
        self.log(run, *[(number, number, number) for number in range(25)])
        seen, token = [], None
        while True:
            query = {"run_id": run, "metric_key": "m", "max_results": 10, **({"page_token": token} if token else {})}
            page = self.call("GET", "metrics/get-history", query=query)
            seen.append([point["step"] for point in page["metrics"]])
            token = page.get("next_page_token")
            if not token:
                break
        self.assertEqual([len(page) for page in seen if page], [10, 10, 5])
        self.assertEqual(sum(seen, []), list(range(25)))

    def test_identical_point_is_kept_once(self):
        run = self.run_id()
        for _ in range(3):
            self.client.log_metric(run, "m", 1.0, timestamp=5, step=5)
        self.log(run, (1.0, 5, 5), (1.0, 5, 5))
        self.assertEqual(self.points(run), [(1.0, 5, 5)])

    def test_points_that_differ_in_one_field(self):
        run = self.run_id()
        self.log(run, (1.0, 5, 5), (2.0, 5, 5), (1.0, 6, 5), (1.0, 5, 6))
        self.assertEqual(len(self.points(run)), 4)

    def test_latest_has_the_highest_step(self):
        run = self.run_id()
        self.log(run, (1, 100, 3))
        self.log(run, (2, 900, 2))
        self.assertEqual(self.latest(run), (1.0, 100, 3))

    def test_latest_of_one_step_has_the_highest_time(self):
        run = self.run_id()
        self.log(run, (1, 200, 1))
        self.log(run, (9, 100, 1))
        self.assertEqual(self.latest(run), (1.0, 200, 1))

    def test_latest_of_one_time_has_the_highest_value(self):
        run = self.run_id()
        self.log(run, (5, 100, 1))
        self.log(run, (3, 100, 1), (4, 100, 1))
        self.assertEqual(self.latest(run), (5.0, 100, 1))

    def test_latest_within_one_batch(self):
        run = self.run_id()
        self.log(run, (1, 1, 2), (7, 9, 5), (3, 3, 4), (6, 8, 5))
        self.assertEqual(self.latest(run), (7.0, 9, 5))

    def test_negative_step(self):
        run = self.run_id()
        self.log(run, (1, 10, -5), (2, 10, -9))
        self.assertEqual(self.points(run), [(2.0, 10, -9), (1.0, 10, -5)])
        self.assertEqual(self.latest(run), (1.0, 10, -5))

    def test_steps_beyond_32_bits(self):
        run = self.run_id()
        self.log(run, (1, 10, 2**40))
        self.assertEqual(self.points(run), [(1.0, 10, 2**40)])

    def test_not_a_number(self):
        run = self.run_id()
        self.client.log_metric(run, "m", math.nan, timestamp=1)
        self.assertTrue(math.isnan(self.client.get_run(run).data.metrics["m"]))
        self.assertTrue(math.isnan(self.points(run)[0][0]))
        self.assertEqual(self.latest(run)[0], "NaN")

    def test_infinities_are_the_largest_numbers(self):
        run = self.run_id()
        self.client.log_metric(run, "up", math.inf, timestamp=1)
        self.client.log_batch(run, metrics=[Metric("down", -math.inf, 1, 0)])
        self.assertEqual(self.client.get_run(run).data.metrics, {"up": LARGEST, "down": -LARGEST})

    def test_numbers_keep_every_digit(self):
        values = [0.1, 1 / 3, -0.0, 5e-324, LARGEST, 123456789012345.67, 1e21, -7]
        run = self.run_id()
        self.log(run, *[(value, 1, step) for step, value in enumerate(values)])
        self.assertEqual([point[0] for point in self.points(run)], [float(value) for value in values])

    def test_numbers_as_text_in_json(self):
        run = self.run_id()
        body = {"run_id": run, "key": "m", "value": "NaN", "timestamp": "12", "step": "3"}
        self.call("POST", "runs/log-metric", body)
        self.assertEqual(self.points(run)[0][1:], (12, 3))

    def test_keys_with_everything_allowed(self):
        run = self.run_id()
        keys = ["a/b", "a.b", "a b", "a-b", "a_b", "a:b", "\u00e4\u4e2d", "1", "val/\u03b1 loss-2.x"]
        self.client.log_batch(run, metrics=[Metric(key, 1, 1, 0) for key in keys])
        self.assertEqual(set(self.client.get_run(run).data.metrics), set(keys))
        self.assertEqual(len(self.client.get_metric_history(run, "a/b")), 1)

    def test_run_uuid_instead_of_run_id(self):
        run = self.run_id()
        self.call("POST", "runs/log-metric", {"run_uuid": run, "key": "m", "value": 1, "timestamp": 1})
        self.call("POST", "runs/log-parameter", {"run_uuid": run, "key": "p", "value": "1"})
        self.call("POST", "runs/set-tag", {"run_uuid": run, "key": "t", "value": "1"})
        data = self.client.get_run(run).data
        self.assertEqual((data.metrics["m"], data.params["p"], data.tags["t"]), (1.0, "1", "1"))

    def test_required_fields(self):
        full = {"run_id": self.run_id(), "key": "m", "value": 1, "timestamp": 1}
        for field in ("key", "value", "timestamp"):
            with self.subTest(field):
                body = {key: value for key, value in full.items() if key != field}
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/log-metric", body, says=field)

    def test_value_that_is_no_number(self):
        body = {"run_id": self.run_id(), "key": "m", "value": "abc", "timestamp": 1}
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/log-metric", body)

    def test_unknown_run(self):
        body = {"run_id": "0" * 32, "key": "m", "value": 1, "timestamp": 1}
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "runs/log-metric", body)
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "runs/log-batch", {"run_id": "0" * 32})

    def test_negative_time(self):
        body = {"run_id": self.run_id(), "key": "m", "value": 1, "timestamp": -1}
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "runs/log-metric", body)

    def test_time_of_the_future(self):
        run = self.run_id()
        self.log(run, (1, 32503680000000, 0))
        self.assertEqual(self.points(run), [(1.0, 32503680000000, 0)])

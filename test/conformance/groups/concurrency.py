"""Many clients at once: nothing lost, nothing double."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

from mlflow.entities import Metric, Param, RunTag

from harness import Check, fresh, http, slow


class Concurrency(Check):
    def together(self, function, items, threads=8):
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(function, items))

    def test_8_threads_log_metrics_of_one_run(self):
        run, client = self.run_id(), self.client

        def work(thread):
            for step in range(10):
                client.log_metric(run, "m", thread * 100 + step, timestamp=thread * 100 + step, step=step)
                client.log_metric(run, f"m{thread}", step, step=step)

        self.together(work, range(8))
        self.assertEqual(len(client.get_metric_history(run, "m")), 80)
        data = client.get_run(run).data.metrics
        self.assertEqual({key: value for key, value in data.items() if key != "m"}, {f"m{thread}": 9.0 for thread in range(8)})
        self.assertEqual(data["m"], 709.0)

    def test_8_threads_log_batches_of_one_run(self):
        run, client = self.run_id(), self.client

        def work(thread):
            metrics = [Metric("m", thread, thread * 1000 + number, number) for number in range(100)]
            params = [Param(f"p{thread}-{number}", "v") for number in range(10)]
            client.log_batch(run, metrics, params, [RunTag(f"t{thread}", "v")])

        self.together(work, range(8))
        data = client.get_run(run).data
        self.assertEqual((len(client.get_metric_history(run, "m")), len(data.params)), (800, 80))
        self.assertEqual(sum(key.startswith("t") for key in data.tags), 8)

    def test_8_threads_make_runs(self):
        experiment_id, client = self.experiment(), self.client

        def work(_):
            run = client.create_run(experiment_id).info.run_id
            client.log_batch(run, [Metric("m", 1, 1, 0)], [Param("p", "1")])
            client.set_terminated(run)
            return run

        made = self.together(work, range(24))
        found = client.search_runs([experiment_id], "metrics.m = 1 AND params.p = '1' AND status = 'FINISHED'")
        self.assertEqual(sorted(self.ids(found)), sorted(made))

    def test_same_param_with_two_values(self):
        run = self.run_id()

        def work(value):
            return http("POST", "runs/log-parameter", body={"run_id": run, "key": "p", "value": value}).status_code

        answers = self.together(work, ["a", "b", "c", "d", "e", "f", "g", "h"])
        self.assertEqual(sorted(answers), [200] + [400] * 7)

    def test_same_experiment_made_at_once(self):
        name = fresh()
        answers = self.together(lambda _: http("POST", "experiments/create", body={"name": name}).status_code, range(8))
        self.assertEqual(sorted(answers), [200] + [400] * 7)

    def test_same_model_made_at_once(self):
        name = fresh()
        answers = self.together(lambda _: http("POST", "registered-models/create", body={"name": name}).status_code, range(8))
        self.assertEqual(sorted(answers), [200] + [400] * 7)

    def registrations(self, count, threads):
        name = self.model()

        def work(number):
            for attempt in range(8):
                answer = http("POST", "model-versions/create", body={"name": name, "source": f"s3://bucket/{number}"})
                # What a server refuses because it is busy has not happened; the client asks again, later and later.
                if answer.status_code not in (429, 503):
                    break
                time.sleep(random.random() * 0.2 * 2**attempt)
            self.assertEqual(answer.status_code, 200, answer.text[:300])
            return int(answer.json()["model_version"]["version"])

        return self.together(work, range(count), threads)

    def test_20_registrations_at_once(self):
        self.assertEqual(sorted(self.registrations(20, 8)), list(range(1, 21)))

    @slow
    def test_100_registrations_by_16_at_once(self):
        self.assertEqual(sorted(self.registrations(100, 16)), list(range(1, 101)))

    def test_alias_moved_by_many(self):
        name, client = self.model(), self.client
        for _ in range(4):
            self.version(name)
        self.together(lambda number: client.set_registered_model_alias(name, "champion", str(number)), [1, 2, 3, 4] * 2)
        holders = [number for number in range(1, 5) if "champion" in client.get_model_version(name, str(number)).aliases]
        self.assertEqual(len(holders), 1)
        self.assertEqual(client.get_registered_model(name).aliases, {"champion": str(holders[0])})

"""Input that no well-behaved client sends: it is refused as the caller's mistake, and nothing of it is kept."""

from harness import Check, fresh, http

JSON = {"Content-Type": "application/json"}


class Hostile(Check):
    def mistake(self, method, path, **options):
        """Some 4xx answer, never a 5xx that the client would try again."""
        answer = http(method, path, **options)
        self.assertTrue(400 <= answer.status_code < 500, f"{answer.status_code}: {answer.text[:300]}")
        return answer

    def test_malformed_json(self):
        for data in ("{", "{'name': 1}", '{"name": }', "name=x", '{"name": "a"} trailing', '{"name": "a"'):
            with self.subTest(data):
                self.mistake("POST", "experiments/create", data=data.encode(), headers=JSON)

    def test_json_that_is_no_object(self):
        for data in ("[]", '"text"', "5", "[{}]"):
            with self.subTest(data):
                self.assertGreaterEqual(http("POST", "experiments/create", data=data.encode(), headers=JSON).status_code, 400)

    def test_no_body_at_all(self):
        self.mistake("POST", "experiments/create", data=b"", headers=JSON)

    def test_other_content_type(self):
        self.mistake("POST", "experiments/create", data=b'{"name": "x"}', headers={"Content-Type": "text/plain"})

    def test_bytes_that_are_no_text(self):
        self.mistake("POST", "experiments/create", data=b'{"name": "\xff\xfe"}', headers=JSON)

    def test_deeply_nested_json(self):
        name = fresh()
        data = f'{{"name": "{name}", "nothing": {"[" * 200}{"]" * 200}}}'.encode()
        http("POST", "experiments/create", data=data, headers=JSON)
        self.assertEqual(http("GET", "/health").status_code, 200)

    def test_deletion_without_a_body(self):
        self.mistake("DELETE", "registered-models/delete")

    def test_text_that_looks_like_code(self):
        experiment_id = self.experiment()
        for text in ("'; DROP TABLE runs; --", "<script>alert(1)</script>", "${jndi:ldap://x}", "{{7*7}}", "__proto__", "constructor", "%00%2e%2e"):
            with self.subTest(text):
                run = self.run_id(experiment_id, run_name=text, tags={"t": text})
                read = self.client.get_run(run)
                self.assertEqual((read.info.run_name, read.data.tags["t"]), (text, text))

    def test_keys_of_objects_in_javascript(self):
        run = self.run_id()
        for key in ("constructor", "__proto__", "toString", "hasOwnProperty", "valueOf", "prototype"):
            self.client.log_param(run, key, "p")
            self.client.set_tag(run, key, "t")
            self.client.log_metric(run, key, 1.5, timestamp=1)
        data = self.client.get_run(run).data
        for key in ("constructor", "__proto__", "toString", "hasOwnProperty", "valueOf", "prototype"):
            with self.subTest(key):
                self.assertEqual((data.params.get(key), data.tags.get(key), data.metrics.get(key)), ("p", "t", 1.5))

    def test_models_named_as_objects_in_javascript(self):
        for name in ("constructor", "__proto__", "toString"):
            with self.subTest(name):
                answer = http("POST", "registered-models/create", body={"name": f"{name}"})
                self.assertIn(answer.status_code, (200, 400))
                self.assertEqual(self.client.get_registered_model(name).name, name)
                self.client.set_registered_model_tag(name, "__proto__", "v")
                self.assertEqual(self.client.get_registered_model(name).tags["__proto__"], "v")
                self.client.delete_registered_model(name)

    def test_tag_values_in_every_plane(self):
        run = self.run_id()
        for plane in range(17):
            low = max(plane * 0x10000 + 0x1234, 0x20)
            text = "".join(chr(low + offset) for offset in range(0, 0x4000, 0x333))
            with self.subTest(plane):
                self.client.set_tag(run, f"plane{plane}", text)
                self.assertEqual(self.client.get_run(run).data.tags[f"plane{plane}"], text)

    def test_tag_found_by_text_of_every_plane(self):
        experiment_id = self.experiment()
        text = "\u00e4\u4e2d\U0001f680\U00020000\U000e0041"
        run = self.run_id(experiment_id, tags={"t": text})
        self.run_id(experiment_id, tags={"t": text[:-1]})
        self.assertEqual(self.ids(self.client.search_runs([experiment_id], f"tags.t = '{text}'")), [run])

    def test_numbers_that_do_not_fit(self):
        run = self.run_id()
        metric = {"run_id": run, "key": "m", "value": 1, "timestamp": 1}
        for field, value in (("step", "x"), ("timestamp", "soon"), ("timestamp", ""), ("value", "1.2.3"), ("value", "0x10")):
            with self.subTest(f"{field} {value}"):
                self.mistake("POST", "runs/log-metric", body={**metric, field: value})
        self.assertEqual(self.client.get_run(run).data.metrics, {})

    def test_numbers_beyond_64_bits_break_nothing(self):
        run = self.run_id()
        huge = "1" + "0" * 40
        data = f'{{"run_id": "{run}", "key": "m", "value": {huge}, "timestamp": {huge}, "step": {huge}}}'
        self.assertLess(http("POST", "runs/log-metric", data=data.encode(), headers=JSON).status_code, 500)
        self.client.log_metric(run, "after", 1.0)
        self.assertEqual(self.client.get_run(run).data.metrics["after"], 1.0)

    def test_very_long_filter(self):
        condition = " AND ".join(f"params.p{number} = '{number}'" for number in range(50))
        self.assertEqual(self.client.search_runs([self.experiment()], condition), [])

    def test_very_long_path(self):
        self.mistake("GET", "nothing/" + "x" * 5000)

    def test_paths_that_climb(self):
        for path in ("runs/../../../etc/passwd", "runs/%2e%2e/%2e%2e/secret", "logged-models/..%2f..%2fx"):
            with self.subTest(path):
                self.mistake("GET", path)

    def test_duplicate_registrations_leave_one(self):
        name = fresh()
        answers = [http("POST", "registered-models/create", body={"name": name}).status_code for _ in range(3)]
        self.assertEqual(answers, [200, 400, 400])
        self.assertEqual(self.names(self.client.search_registered_models(f"name = '{name}'")), [name])

    def test_stale_page_token(self):
        experiment_id = self.experiment()
        runs = [self.run_id(experiment_id) for _ in range(4)]
        token = self.client.search_runs([experiment_id], max_results=2).token
        for run in runs:
            self.client.delete_run(run)
        self.assertEqual(self.client.search_runs([experiment_id], max_results=2, page_token=token), [])

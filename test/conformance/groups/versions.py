"""Model versions: numbers, fields, tags, stages, download locations."""

from harness import Check, fresh, http


class Versions(Check):
    def test_numbers_count_up(self):
        name = self.model()
        self.assertEqual([str(self.version(name)) for _ in range(3)], ["1", "2", "3"])

    def test_created_with_all_fields(self):
        name, run = self.model(), self.run_id()
        made = self.client.create_model_version(name, "s3://bucket/key", run_id=run, tags={"a": "1"}, run_link="https://run", description="d")
        read = self.client.get_model_version(name, made.version)
        self.assertEqual((read.source, read.run_id, read.tags, read.run_link, read.description), ("s3://bucket/key", run, {"a": "1"}, "https://run", "d"))
        self.assertEqual((read.status, read.current_stage, list(read.aliases)), ("READY", "None", []))
        self.assertGreater(read.creation_timestamp, 1_600_000_000_000)

    def test_version_is_text_in_json(self):
        answer = self.call("POST", "model-versions/create", {"name": self.model(), "source": "s3://b/k"})
        self.assertEqual(answer["model_version"]["version"], "1")

    def test_unknown_version(self):
        name = self.model()
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "GET", "model-versions/get", query={"name": name, "version": "1"})
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "DELETE", "model-versions/delete", {"name": name, "version": "1"})
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "PATCH", "model-versions/update", {"name": name, "version": "1", "description": "d"})
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "GET", "model-versions/get-download-uri", query={"name": name, "version": "1"})

    def test_version_that_is_no_number(self):
        self.refused(400, "INVALID_PARAMETER_VALUE", "GET", "model-versions/get", query={"name": self.model(), "version": "one"})

    def test_description_changed(self):
        name = self.model()
        self.version(name)
        self.client.update_model_version(name, "1", "text")
        self.assertEqual(self.client.get_model_version(name, "1").description, "text")

    def test_deleted(self):
        name = self.model()
        self.version(name)
        self.client.delete_model_version(name, "1")
        self.raises("RESOURCE_DOES_NOT_EXIST", self.client.get_model_version, name, "1")

    def test_number_of_a_deleted_one_is_not_given_again(self):
        name = self.model()
        self.version(name)
        self.version(name)
        self.client.delete_model_version(name, "1")
        self.assertEqual(str(self.version(name)), "3")

    def test_tags(self):
        name = self.model()
        self.version(name, tags={"a": "1"})
        self.client.set_model_version_tag(name, "1", "a", "2")
        self.client.set_model_version_tag(name, "1", "b", "3")
        self.assertEqual(self.client.get_model_version(name, "1").tags, {"a": "2", "b": "3"})
        self.client.delete_model_version_tag(name, "1", "a")
        self.client.delete_model_version_tag(name, "1", "nothing")
        self.assertEqual(self.client.get_model_version(name, "1").tags, {"b": "3"})

    def test_tag_of_unknown_version(self):
        body = {"name": self.model(), "version": "7", "key": "k", "value": "v"}
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "model-versions/set-tag", body)

    def test_download_uri_is_the_source(self):
        name = self.model()
        self.version(name, "s3://bucket/a key/x")
        self.assertEqual(self.client.get_model_version_download_uri(name, "1"), "s3://bucket/a key/x")

    def test_source_and_name_are_required(self):
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "model-versions/create", {"name": self.model()}, says="source")
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "model-versions/create", {"source": "s3://b/k"}, says="name")

    def test_sources_that_are_refused(self):
        name = self.model()
        for source in ("/etc", "file:///etc", "./model", "s3://bucket/../other", "mlflow-artifacts:/a/../../b", "file:/tmp/x"):
            with self.subTest(source):
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "model-versions/create", {"name": name, "source": source})

    def test_source_of_another_version(self):
        first, second = self.model(), self.model()
        self.version(first, "s3://bucket/origin")
        self.version(second, f"models:/{first}/1")
        self.assertEqual(self.client.get_model_version_download_uri(second, "1"), "s3://bucket/origin")

    def test_latest_versions_of_the_model(self):
        name = self.model()
        for _ in range(3):
            self.version(name)
        [latest] = self.client.get_registered_model(name).latest_versions
        self.assertEqual((str(latest.version), latest.current_stage), ("3", "None"))


class Stages(Check):
    label = "stages"

    def move(self, name, version, stage, archive=False):
        return self.client.transition_model_version_stage(name, version, stage, archive_existing_versions=archive)

    def three(self):
        name = self.model()
        for _ in range(3):
            self.version(name)
        return name

    def stages(self, name):
        return [self.client.get_model_version(name, str(number)).current_stage for number in (1, 2, 3)]

    def test_moved(self):
        name = self.three()
        self.assertEqual(self.move(name, "1", "Staging").current_stage, "Staging")
        self.assertEqual(self.move(name, "1", "production").current_stage, "Production")
        self.assertEqual(self.move(name, "1", "ARCHIVED").current_stage, "Archived")
        self.assertEqual(self.move(name, "1", "None").current_stage, "None")

    def test_others_are_archived(self):
        name = self.three()
        self.move(name, "1", "Production")
        self.move(name, "2", "Production", archive=True)
        self.assertEqual(self.stages(name), ["Archived", "Production", "None"])

    def test_others_stay(self):
        name = self.three()
        self.move(name, "1", "Staging")
        self.move(name, "2", "Staging")
        self.assertEqual(self.stages(name), ["Staging", "Staging", "None"])

    def test_archiving_only_with_live_stages(self):
        name = self.three()
        body = {"name": name, "version": "1", "stage": "Archived", "archive_existing_versions": True}
        self.assertGreaterEqual(http("POST", "model-versions/transition-stage", body=body).status_code, 400)
        self.assertEqual(self.stages(name), ["None", "None", "None"])

    def test_unknown_stage(self):
        body = {"name": self.three(), "version": "1", "stage": "Nowhere", "archive_existing_versions": False}
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "model-versions/transition-stage", body)

    def test_latest_per_stage(self):
        name = self.three()
        self.move(name, "1", "Production")
        self.move(name, "2", "Staging")
        latest = {item.current_stage: str(item.version) for item in self.client.get_latest_versions(name)}
        self.assertEqual(latest, {"Production": "1", "Staging": "2", "None": "3"})

    def test_latest_of_some_stages(self):
        name = self.three()
        self.move(name, "1", "Production")
        self.move(name, "2", "Production")
        self.assertEqual([str(item.version) for item in self.client.get_latest_versions(name, ["production"])], ["2"])
        self.assertEqual(self.client.get_latest_versions(name, ["Staging"]), [])

    def test_latest_by_get_request(self):
        name = self.three()
        answer = self.call("GET", "registered-models/get-latest-versions", query={"name": name, "stages": ["None", "Staging"]})
        self.assertEqual([item["version"] for item in answer["model_versions"]], ["3"])

    def test_latest_of_unknown_model(self):
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "registered-models/get-latest-versions", {"name": fresh()})

"""Registered models: names, descriptions, tags, aliases, renaming, deletion."""

from harness import Check, fresh, now


class RegisteredModels(Check):
    def test_created_with_all_fields(self):
        name = fresh("model")
        before = now()
        self.client.create_registered_model(name, tags={"a": "1"}, description="what it is for")
        made = self.client.get_registered_model(name)
        self.assertEqual((made.name, made.tags, made.description), (name, {"a": "1"}, "what it is for"))
        self.assertTrue(before - 5000 <= made.creation_timestamp <= now() + 5000)
        self.assertEqual(made.aliases, {})
        self.assertEqual(list(made.latest_versions), [])

    def test_name_is_unique(self):
        name = self.model()
        self.raises("RESOURCE_ALREADY_EXISTS", self.client.create_registered_model, name, says=f"Registered Model (name={name}) already exists")
        self.refused(400, "RESOURCE_ALREADY_EXISTS", "POST", "registered-models/create", {"name": name})

    def test_unknown_model(self):
        name = fresh()
        says = f"Registered Model with name={name} not found"
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "GET", "registered-models/get", query={"name": name}, says=says)
        for method, path, more in (
            ("PATCH", "registered-models/update", {"description": "d"}), ("DELETE", "registered-models/delete", {}),
            ("POST", "registered-models/rename", {"new_name": fresh()}), ("POST", "registered-models/set-tag", {"key": "k", "value": "v"}),
            ("POST", "registered-models/alias", {"alias": "a", "version": "1"}), ("POST", "model-versions/create", {"source": "s3://b/k"}),
        ):
            with self.subTest(path):
                self.refused(404, "RESOURCE_DOES_NOT_EXIST", method, path, {"name": name, **more})

    def test_names_that_are_refused(self):
        for name in ("", " ", "a/b", "a:b", "/", "..", "."):
            with self.subTest(name):
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "registered-models/create", {"name": name})
        self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "registered-models/create", {})

    def test_name_in_every_plane(self):
        name = fresh("\u00e4 \u4e2d\U0001f680\U00020000\U000e0041 +&?#%")
        self.model(name)
        self.version(name)
        self.assertEqual(self.client.get_registered_model(name).name, name)
        self.assertEqual(self.client.get_model_version(name, "1").name, name)

    def test_description_changed(self):
        name = self.model(description="old")
        self.client.update_registered_model(name, "new")
        self.assertEqual(self.client.get_registered_model(name).description, "new")

    def test_update_answers_the_model(self):
        name = self.model()
        answer = self.call("PATCH", "registered-models/update", {"name": name, "description": "d"})
        self.assertEqual((answer["registered_model"]["name"], answer["registered_model"]["description"]), (name, "d"))

    def test_renamed_with_versions_aliases_and_tags(self):
        name, new = self.model(tags={"a": "1"}), fresh("renamed")
        self.version(name)
        self.client.set_registered_model_alias(name, "champion", "1")
        self.client.rename_registered_model(name, new)
        made = self.client.get_registered_model(new)
        self.assertEqual((made.tags, made.aliases), ({"a": "1"}, {"champion": "1"}))
        self.assertEqual(self.client.get_model_version_by_alias(new, "champion").name, new)
        self.raises("RESOURCE_DOES_NOT_EXIST", self.client.get_registered_model, name)

    def test_renamed_onto_taken_name(self):
        name, taken = self.model(), self.model()
        self.refused(400, "RESOURCE_ALREADY_EXISTS", "POST", "registered-models/rename", {"name": name, "new_name": taken})

    def test_old_name_is_free_after_renaming(self):
        name = self.model()
        self.client.rename_registered_model(name, fresh())
        self.model(name)

    def test_deleted_with_everything(self):
        name = self.model()
        self.version(name)
        self.client.delete_registered_model(name)
        self.raises("RESOURCE_DOES_NOT_EXIST", self.client.get_registered_model, name)
        self.raises("RESOURCE_DOES_NOT_EXIST", self.client.get_model_version, name, "1")
        self.assertEqual(len(self.client.search_model_versions(f"name = '{name}'")), 0)

    def test_made_again_starts_at_one(self):
        name = self.model(tags={"old": "1"})
        self.version(name)
        self.version(name)
        self.client.set_registered_model_alias(name, "champion", "2")
        self.client.delete_registered_model(name)
        self.model(name)
        made = self.client.get_registered_model(name)
        self.assertEqual((made.tags, made.aliases), ({}, {}))
        self.assertEqual(self.version(name), "1")

    def test_tag_set_changed_and_deleted(self):
        name = self.model()
        self.client.set_registered_model_tag(name, "a", "1")
        self.client.set_registered_model_tag(name, "a", "2")
        self.client.set_registered_model_tag(name, "b", "\u4e2d\U0001f680")
        self.assertEqual(self.client.get_registered_model(name).tags, {"a": "2", "b": "\u4e2d\U0001f680"})
        self.client.delete_registered_model_tag(name, "a")
        self.assertEqual(self.client.get_registered_model(name).tags, {"b": "\u4e2d\U0001f680"})

    def test_absent_tag_deleted(self):
        self.client.delete_registered_model_tag(self.model(), "nothing")

    def test_change_moves_last_update(self):
        name = self.model()
        made = self.client.get_registered_model(name).last_updated_timestamp
        self.version(name)
        self.assertGreaterEqual(self.client.get_registered_model(name).last_updated_timestamp, made)


class Aliases(Check):
    label = "aliases"

    def two(self):
        name = self.model()
        self.version(name)
        self.version(name)
        return name

    def test_set_and_read(self):
        name = self.two()
        self.client.set_registered_model_alias(name, "champion", "2")
        self.assertEqual(self.client.get_model_version_by_alias(name, "champion").version, self.client.get_model_version(name, "2").version)
        self.assertEqual(self.client.get_registered_model(name).aliases, {"champion": "2"})
        self.assertEqual(list(self.client.get_model_version(name, "2").aliases), ["champion"])

    def test_moved(self):
        name = self.two()
        self.client.set_registered_model_alias(name, "champion", "1")
        self.client.set_registered_model_alias(name, "champion", "2")
        self.assertEqual(str(self.client.get_model_version_by_alias(name, "champion").version), "2")
        self.assertEqual(list(self.client.get_model_version(name, "1").aliases), [])

    def test_several_of_one_version(self):
        name = self.two()
        for alias in ("a", "b", "c-1_x"):
            self.client.set_registered_model_alias(name, alias, "1")
        self.assertEqual(sorted(self.client.get_model_version(name, "1").aliases), ["a", "b", "c-1_x"])

    def test_deleted(self):
        name = self.two()
        self.client.set_registered_model_alias(name, "champion", "1")
        self.client.delete_registered_model_alias(name, "champion")
        self.assertEqual(self.client.get_registered_model(name).aliases, {})
        self.client.delete_registered_model_alias(name, "champion")

    def test_absent_one_is_an_invalid_parameter(self):
        name = self.two()
        self.refused(400, "INVALID_PARAMETER_VALUE", "GET", "registered-models/alias", query={"name": name, "alias": "nothing"})
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "GET", "registered-models/alias", query={"name": fresh(), "alias": "a"})

    def test_of_unknown_version(self):
        body = {"name": self.two(), "alias": "a", "version": "9"}
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "POST", "registered-models/alias", body)

    def test_names_that_are_refused(self):
        name = self.two()
        for alias in ("latest", "Latest", "v1", "V23", "a b", "a/b", "a" * 256, "\U0001f680"):
            with self.subTest(alias):
                body = {"name": name, "alias": alias, "version": "1"}
                self.refused(400, "INVALID_PARAMETER_VALUE", "POST", "registered-models/alias", body)

    def test_names_that_are_accepted(self):
        name = self.two()
        for alias in ("v", "v1a", "version1", "a" * 255, "_", "1", "\u00e4"):
            with self.subTest(alias):
                self.client.set_registered_model_alias(name, alias, "1")

    def test_gone_with_its_version(self):
        name = self.two()
        self.client.set_registered_model_alias(name, "champion", "1")
        self.client.delete_model_version(name, "1")
        self.assertEqual(self.client.get_registered_model(name).aliases, {})
        self.raises("INVALID_PARAMETER_VALUE", self.client.get_model_version_by_alias, name, "champion")

"""Artifacts of runs: uploads, listings, downloads; through the server (proxied) and straight to S3."""

import json
import os
import tempfile
import urllib.parse

import mlflow

from harness import Check, Target, fresh, http, needs


class Artifacts:
    """The same checks for each scheme; `location()` says where the experiment keeps its files."""

    def started(self):
        return self.run_id(self.experiment(artifact_location=self.location()))

    def file(self, name="a.txt", content=b"content", directory=None):
        path = os.path.join(directory or tempfile.mkdtemp(), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def read(self, run, path):
        with tempfile.TemporaryDirectory() as directory:
            with open(self.client.download_artifacts(run, path, directory), "rb") as file:
                return file.read()

    def listed(self, run, path=None):
        return [(item.path, item.is_dir) for item in self.client.list_artifacts(run, path)]

    def test_file_comes_back(self):
        run = self.started()
        self.client.log_artifact(run, self.file())
        self.assertEqual(self.listed(run), [("a.txt", False)])
        self.assertEqual(self.read(run, "a.txt"), b"content")

    def test_file_size(self):
        run = self.started()
        self.client.log_artifact(run, self.file(content=b"12345"))
        [item] = self.client.list_artifacts(run)
        self.assertEqual(item.file_size, 5)

    def test_file_in_a_folder(self):
        run = self.started()
        self.client.log_artifact(run, self.file(), "some/folder")
        self.assertEqual(self.listed(run), [("some", True)])
        self.assertEqual(self.listed(run, "some"), [("some/folder", True)])
        self.assertEqual(self.listed(run, "some/folder"), [("some/folder/a.txt", False)])
        self.assertEqual(self.read(run, "some/folder/a.txt"), b"content")

    def test_folder_comes_back(self):
        run, directory = self.started(), tempfile.mkdtemp()
        for name in ("a.txt", "b/c.txt", "b/d/e.bin"):
            self.file(name, name.encode(), directory)
        self.client.log_artifacts(run, directory, "tree")
        with tempfile.TemporaryDirectory() as target:
            found = self.client.download_artifacts(run, "tree", target)
            names = sorted(os.path.relpath(os.path.join(root, name), found) for root, _, files in os.walk(found) for name in files)
            self.assertEqual(names, ["a.txt", "b/c.txt", "b/d/e.bin"])
            with open(os.path.join(found, "b/d/e.bin"), "rb") as file:
                self.assertEqual(file.read(), b"b/d/e.bin")

    def test_whole_run_comes_back(self):
        run = self.started()
        self.client.log_text(run, "1", "x.txt")
        self.client.log_text(run, "2", "y/z.txt")
        with tempfile.TemporaryDirectory() as target:
            found = mlflow.artifacts.download_artifacts(run_id=run, artifact_path="", dst_path=target, tracking_uri=Target.uri)
            self.assertEqual(sorted(os.listdir(found)), ["x.txt", "y"])

    def test_every_byte(self):
        run, content = self.started(), bytes(range(256)) * 40
        self.client.log_artifact(run, self.file("all.bin", content))
        self.assertEqual(self.read(run, "all.bin"), content)

    def test_empty_file(self):
        run = self.started()
        self.client.log_artifact(run, self.file("empty", b""))
        self.assertEqual(self.listed(run), [("empty", False)])
        self.assertEqual(self.read(run, "empty"), b"")

    def test_names_with_blanks_and_other_signs(self):
        run = self.started()
        names = ["a b.txt", "\u00e4\u4e2d.txt", "a+b&c=d.txt", "(x)[y]@.txt", "\U0001f680.txt"]
        for name in names:
            self.client.log_artifact(run, self.file(name, name.encode()))
        self.assertEqual(sorted(path for path, _ in self.listed(run)), sorted(names))
        for name in names:
            with self.subTest(name):
                self.assertEqual(self.read(run, name), name.encode())

    def test_file_written_again(self):
        run = self.started()
        for content in (b"old", b"newer"):
            self.client.log_artifact(run, self.file(content=content))
        self.assertEqual(self.read(run, "a.txt"), b"newer")

    def test_two_megabytes(self):
        run, content = self.started(), os.urandom(2_000_000)
        self.client.log_artifact(run, self.file("big.bin", content))
        self.assertEqual(self.read(run, "big.bin"), content)

    def test_text_and_dictionaries(self):
        run = self.started()
        self.client.log_text(run, "t\u00e4xt", "notes/text.txt")
        self.client.log_dict(run, {"a": [1, 2]}, "data.json")
        self.client.log_dict(run, {"a": 1}, "data.yaml")
        self.assertEqual(mlflow.artifacts.load_text(f"runs:/{run}/notes/text.txt"), "t\u00e4xt")
        self.assertEqual(mlflow.artifacts.load_dict(f"runs:/{run}/data.json"), {"a": [1, 2]})

    @needs("matplotlib", "PIL", "numpy")
    def test_figures_and_images(self):
        import matplotlib

        matplotlib.use("Agg")
        import numpy
        from matplotlib import pyplot

        run = self.started()
        figure, axes = pyplot.subplots()
        axes.plot([1, 2])
        self.client.log_figure(run, figure, "plot.png")
        self.client.log_image(run, numpy.zeros((4, 4, 3), dtype="uint8"), "image.png")
        self.assertEqual(sorted(path for path, _ in self.listed(run)), ["image.png", "plot.png"])
        self.assertEqual(self.read(run, "plot.png")[:4], b"\x89PNG")

    @needs("pandas")
    def test_table(self):
        run = self.started()
        self.client.log_table(run, {"a": [1], "b": ["x"]}, "table.json")
        self.client.log_table(run, {"a": [2], "b": ["y"]}, "table.json")
        self.assertEqual(json.loads(self.read(run, "table.json")), {"columns": ["a", "b"], "data": [[1, "x"], [2, "y"]]})

    def test_absent_file(self):
        run = self.started()
        self.assertEqual(self.listed(run), [])
        self.assertEqual(self.listed(run, "nothing"), [])
        with self.assertRaises(Exception):
            self.read(run, "nothing.txt")

    def test_many_files(self):
        run, directory = self.started(), tempfile.mkdtemp()
        for number in range(30):
            self.file(f"{number:02}.txt", str(number).encode(), directory)
        self.client.log_artifacts(run, directory)
        self.assertEqual([path for path, _ in self.listed(run)], [f"{number:02}.txt" for number in range(30)])

    def test_listing_as_json(self):
        run = self.started()
        self.client.log_text(run, "x", "a/b.txt")
        uri = self.client.get_run(run).info.artifact_uri
        self.assertEqual(self.call("GET", "artifacts/list", query={"run_id": run})["root_uri"], uri)
        [item] = self.call("GET", "artifacts/list", query={"run_id": run, "path": "a"})["files"]
        self.assertEqual((item["path"], item["is_dir"]), ("a/b.txt", False))

    def test_paths_that_climb(self):
        run = self.started()
        for path in ("..", "../x", "a/../../b", "/etc"):
            with self.subTest(path):
                self.refused(400, "INVALID_PARAMETER_VALUE", "GET", "artifacts/list", query={"run_id": run, "path": path})

    def test_listing_of_unknown_run(self):
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", "GET", "artifacts/list", query={"run_id": "0" * 32})


@needs("proxied-artifacts")
class Proxied(Artifacts, Check):
    label = "artifacts_proxied"

    def location(self):
        return f"mlflow-artifacts:/{fresh('conformance')}"

    def proxy(self, method, path, **options):
        return http(method, "/api/2.0/mlflow-artifacts/artifacts" + path, **options)

    def test_proxy_put_get_delete(self):
        path = "/" + urllib.parse.quote(f"{fresh()}/raw file.bin")
        self.assertEqual(self.proxy("PUT", path, data=b"\x00\xffraw").status_code, 200)
        answer = self.proxy("GET", path)
        self.assertEqual((answer.status_code, answer.content), (200, b"\x00\xffraw"))
        self.assertEqual(self.proxy("DELETE", path).status_code, 200)
        self.assertEqual(self.proxy("GET", path).status_code, 404)

    def test_proxy_lists_relative_to_the_asked_path(self):
        root = fresh()
        self.proxy("PUT", f"/{root}/a/b.txt", data=b"x")
        [folder] = self.proxy("GET", "", query={"path": root}).json()["files"]
        self.assertEqual((folder["path"], folder["is_dir"]), ("a", True))
        [file] = self.proxy("GET", "", query={"path": f"{root}/a"}).json()["files"]
        self.assertEqual((file["path"], file["is_dir"], file["file_size"]), ("b.txt", False, 1))

    def test_proxy_absent(self):
        self.assertEqual(self.proxy("GET", f"/{fresh()}/x").status_code, 404)
        self.assertEqual(self.proxy("DELETE", f"/{fresh()}/x").status_code, 200)
        self.assertFalse(self.proxy("GET", "", query={"path": fresh()}).json().get("files"))

    def test_proxy_refuses_paths_that_climb(self):
        for path in ("/a/%2e%2e/%2e%2e/b", "/%2e%2e%2fx", "/a/..%2f..%2fx"):
            with self.subTest(path):
                self.assertIn(self.proxy("PUT", path, data=b"x").status_code, (400, 404))
                self.assertIn(self.proxy("GET", path).status_code, (400, 404))

    def test_proxy_of_a_folder_is_no_file(self):
        root = fresh()
        self.proxy("PUT", f"/{root}/a/b.txt", data=b"x")
        self.assertIn(self.proxy("GET", f"/{root}/a").status_code, (400, 404))


@needs("s3-artifacts", "boto3")
class StraightToS3(Artifacts, Check):
    label = "artifacts_s3"

    def location(self):
        return f"{Target.s3_root}/{fresh('conformance')}"

    def test_root_is_s3(self):
        run = self.client.get_run(self.started())
        self.assertTrue(run.info.artifact_uri.startswith(Target.s3_root))

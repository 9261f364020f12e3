"""What the checks share: the server under test, raw requests beside the client's own, fresh names."""

import contextlib
import functools
import os
import time
import unittest
import uuid

import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException


class Target:
    """The server that is checked; set once by run.py before the groups are loaded."""

    uri = ""
    token = None
    features = frozenset()
    s3_root = None


def needs(*features):
    """Leaves a check (or a whole class) out where the client's installation or the server's set-up has no such feature."""

    def mark(item):
        item.needs = frozenset(features) | getattr(item, "needs", frozenset())
        return item

    return mark


slow = needs("slow")


def fresh(prefix="c"):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def now():
    return int(time.time() * 1000)


@functools.lru_cache(maxsize=1)
def _session(_pid):
    session = requests.Session()
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=32)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def http(method, path, *, body=None, query=None, data=None, headers=None, prefix="/api/2.0/mlflow/", timeout=120):
    """One request as it is, outside the client. A path that starts with a slash is taken from the tracking URI."""
    url = Target.uri + (path if path.startswith("/") else prefix + path)
    sent = dict(headers or {})
    if Target.token:
        sent.setdefault("Authorization", f"Bearer {Target.token}")
    options = {"params": query, "headers": sent, "timeout": timeout, "allow_redirects": True}
    if data is not None:
        options["data"] = data
    elif body is not None:
        options["json"] = body
    return _session(os.getpid()).request(method, url, **options)


class Check(unittest.TestCase):
    """A group's checks; each `test_<name>` is one check."""

    maxDiff = 2000

    @property
    def client(self):
        return MlflowClient(Target.uri)

    def experiment(self, name=None, **options):
        return self.client.create_experiment(name or fresh("experiment"), **options)

    def run_(self, experiment_id=None, **options):
        return self.client.create_run(experiment_id or self.experiment(), **options)

    def run_id(self, experiment_id=None, **options):
        return self.run_(experiment_id, **options).info.run_id

    def model(self, name=None, **options):
        name = name or fresh("model")
        self.client.create_registered_model(name, **options)
        return name

    def version(self, name, source="s3://bucket/some/model", **options):
        return self.client.create_model_version(name, source, **options).version

    def call(self, method, path, body=None, **options):
        """The JSON of a request that must succeed."""
        answer = http(method, path, body=body, **options)
        self.assertEqual(answer.status_code, 200, answer.text[:500])
        return answer.json()

    def refused(self, status, code, method, path, body=None, says=None, **options):
        """A raw request that must be answered with this status and error code."""
        answer = http(method, path, body=body, **options)
        self.assertEqual(answer.status_code, status, answer.text[:500])
        error = answer.json()
        self.assertEqual(error["error_code"], code, error)
        self.assertIsInstance(error["message"], str)
        if says:
            self.assertIn(says, error["message"])
        return error

    def raises(self, code, function, *args, says=None, **options):
        """A call of the client that must end with this error code."""
        with self.assertRaises(MlflowException) as caught:
            function(*args, **options)
        self.assertEqual(caught.exception.error_code, code, str(caught.exception)[:500])
        if says:
            self.assertIn(says, str(caught.exception))
        return caught.exception

    def names(self, page):
        return [item.name for item in page]

    def ids(self, page):
        return [item.info.run_id for item in page]


class PreparedCheck(Check):
    """Checks of one class that share what `prepare` answers; the first of them makes it, so that a fault there is told as a check's."""

    prepared = None

    def setUp(self):
        cls = type(self)
        if cls.prepared is None:
            cls.prepared = self.prepare()


@contextlib.contextmanager
def environment(**values):
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

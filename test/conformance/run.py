"""Checks an MLflow tracking server through the real client: `python run.py --uri http://127.0.0.1:5000`. README.md says more."""

import argparse
import concurrent.futures
import importlib
import importlib.util
import json
import multiprocessing
import os
import sys
import time
import traceback
import unittest

import requests

HERE = os.path.dirname(os.path.abspath(__file__))
GROUPS = [
    "autolog", "models", "artifacts", "concurrency", "limits", "search_runs", "hostile", "registry", "runs", "metrics", "search_pages",
    "search_registry", "versions", "logged_models", "experiments", "params_tags", "datasets", "errors", "transport", "fluent",
]


class Results(unittest.TestResult):
    """One line per check, as soon as it is known."""

    def __init__(self):
        super().__init__()
        self.checks = []

    def startTest(self, test):
        super().startTest(test)
        self.started = time.perf_counter()

    def note(self, test, outcome, error=None):
        seconds = round(time.perf_counter() - self.started, 3)
        record = {"name": name_of(test), "outcome": outcome, "seconds": seconds}
        line = f"{outcome:<6} {record['name']} ({seconds:.2f} s)"
        if error:
            record["error"] = "".join(traceback.format_exception(*error))[-4000:]
            first = str(error[1]).strip().splitlines() or [""]
            line += f": {error[0].__name__}: {' | '.join(first)[:240]}"
        self.checks.append(record)
        print(line, file=sys.__stdout__, flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note(test, "ok")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, "FAILED", err)

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, "FAILED", err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err and not any(check["name"] == name_of(test) for check in self.checks):
            self.note(test, "FAILED", err)


def name_of(test):
    if not hasattr(test, "_testMethodName"):
        return str(test)
    label = getattr(test, "label", type(test).__module__.rpartition(".")[2])
    return f"{label}.{test._testMethodName.removeprefix('test_')}"


def features(options):
    import mlflow

    found = {module for module in ("sklearn", "pandas", "numpy", "boto3", "matplotlib", "PIL") if importlib.util.find_spec(module)}
    if int(mlflow.__version__.split(".")[0]) >= 3:
        found.add("mlflow3")
    found.update(f"{kind}-artifacts" for kind in options.artifacts)
    if options.slow:
        found.add("slow")
    return frozenset(found)


def tests_of(group, chosen_features, only):
    module = importlib.import_module(f"groups.{group}")
    kept, left_out = [], []
    for suite in unittest.defaultTestLoader.loadTestsFromModule(module):
        for test in suite:
            method = getattr(test, test._testMethodName)
            wanted = getattr(method, "needs", frozenset()) | getattr(type(test), "needs", frozenset())
            missing = sorted(wanted - chosen_features)
            if only and not any(text in name_of(test) for text in only):
                continue
            if missing:
                left_out.append({"name": name_of(test), "outcome": "left out", "needs": missing})
            else:
                kept.append(test)
    return kept, left_out


def run_group(group, options):
    """In a process of its own: autologging and the active run are global to the client."""
    if HERE not in sys.path:
        sys.path.insert(0, HERE)
    import warnings

    warnings.simplefilter("ignore")
    import logging

    import mlflow
    from harness import Target

    logging.disable(logging.ERROR)
    # The client tells there what it does; what goes wrong is in the results.
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")
    Target.uri = options.uri.rstrip("/")
    Target.token = options.token
    Target.s3_root = options.s3_root
    Target.features = features(options)
    mlflow.set_tracking_uri(Target.uri)
    kept, left_out = tests_of(group, Target.features, options.only)
    results = Results()
    for test in kept:
        test(results)
    return results.checks + left_out


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uri", required=True, help="tracking URI of the server")
    parser.add_argument("--token", default=os.environ.get("MLFLOW_TRACKING_TOKEN"), help="bearer token (default: MLFLOW_TRACKING_TOKEN)")
    parser.add_argument("--artifacts", default="proxied", type=lambda text: text.split(","), help="schemes to check: proxied, s3, or both")
    parser.add_argument("--s3-root", help="s3://bucket/prefix for artifacts that the client writes to S3 itself")
    parser.add_argument("--groups", default=",".join(GROUPS), type=lambda text: text.split(","), help="groups to run (default: all)")
    parser.add_argument("--only", type=lambda text: text.split(","), help="only checks whose name has one of these texts")
    parser.add_argument("--slow", action="store_true", help="also what takes minutes: 10,000 tags, 100 registrations, 16 at once")
    parser.add_argument("--jobs", type=int, default=2, help="groups that run at the same time")
    parser.add_argument("--json", help="file for the summary; standard output's last line has it in any case")
    options = parser.parse_args(arguments)
    unknown = [group for group in options.groups if group not in GROUPS]
    if unknown:
        parser.error(f"unknown groups: {', '.join(unknown)} (there are {', '.join(sorted(GROUPS))})")
    if "s3" in options.artifacts and not options.s3_root:
        parser.error("--artifacts s3 needs --s3-root")
    options.groups = [group for group in GROUPS if group in options.groups]
    return options


def answers(options):
    headers = {"Authorization": f"Bearer {options.token}"} if options.token else {}
    try:
        return requests.get(f"{options.uri.rstrip('/')}/health", headers=headers, timeout=30).ok
    except requests.RequestException:
        return False


def main(arguments=None):
    options = parse(arguments)
    # A server that answers 500 shall fail the check at once, not after minutes of retries.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    if options.token:
        os.environ["MLFLOW_TRACKING_TOKEN"] = options.token
    if not answers(options):
        print(f"no MLflow server answers at {options.uri}", file=sys.stderr)
        return 2
    started = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(options.jobs, mp_context=context, max_tasks_per_child=1) as pool:
        pending = {group: pool.submit(run_group, group, options) for group in options.groups}
        checks = [check for group in options.groups for check in pending[group].result()]
    import mlflow

    counted = {outcome: sum(check["outcome"] == outcome for check in checks) for outcome in ("ok", "FAILED", "left out")}
    summary = {
        "client": f"mlflow {mlflow.__version__}",
        "passed": counted["ok"],
        "failed": counted["FAILED"],
        "left_out": counted["left out"],
        "seconds": round(time.perf_counter() - started, 1),
        "failures": [check["name"] for check in checks if check["outcome"] == "FAILED"],
    }
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({**summary, "checks": checks}, file, indent=2)
    print(json.dumps(summary), flush=True)
    return 1 if counted["FAILED"] or not counted["ok"] else 0


if __name__ == "__main__":
    sys.exit(main())

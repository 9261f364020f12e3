"""Puts every addition in place, in the order in which they build on each other."""

from . import calls, iam, internal_api, lambda_runtime, lifetime, recorder, sagemaker, sfn_definition, sfn_run, sfn_tasks


def install(settings) -> None:
    recorder.install()
    iam.install()
    sagemaker.install(settings)
    lambda_runtime.install()
    sfn_definition.install(settings)
    sfn_tasks.install()
    sfn_run.install()
    calls.install()
    internal_api.install(settings)
    lifetime.install(settings)

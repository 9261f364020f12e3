"""Puts every addition in place, in the order in which they build on each other."""

from . import (
    alarm_names,
    alarms,
    autoscaling,
    calls,
    cfn_storage,
    cfn_types,
    dynamodb_limits,
    dynamodb_queries,
    ecr,
    events,
    execution_logs,
    faults,
    firehose,
    http_api,
    iam,
    internal_api,
    kms,
    lambda_runtime,
    lifetime,
    metrics,
    recorder,
    sagemaker,
    sfn_definition,
    sfn_run,
    sfn_tasks,
    streams,
    sts_signature,
)


def install(settings) -> None:
    recorder.install()
    iam.install()
    sagemaker.install(settings)
    ecr.install()
    autoscaling.install()
    kms.install()
    lambda_runtime.install()
    sfn_definition.install(settings)
    sfn_tasks.install()
    sfn_run.install()
    alarms.install()
    alarm_names.install()
    metrics.install()
    execution_logs.install()
    events.install()
    firehose.install()
    cfn_storage.install()
    cfn_types.install()
    http_api.install()
    dynamodb_limits.install()
    dynamodb_queries.install()
    streams.install()
    sts_signature.install()
    faults.install()
    calls.install()
    internal_api.install(settings)
    lifetime.install(settings)

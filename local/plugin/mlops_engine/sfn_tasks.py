"""Task states: the role is asked first, SageMaker does real work, callbacks and timeouts end what they should."""

import contextvars
import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

from ministack.core import iam_actions
from ministack.services import stepfunctions

from . import identity, s3_inside, sagemaker, sfn_permissions, sfn_scope
from .sfn_branches import number

_POLL_SECONDS = 0.2
_LONGEST = 99999999
_JOBS = ('TrainingJob', 'TransformJob', 'ProcessingJob', 'HyperParameterTuningJob')
_MODELLED = ('ResourceLimitExceeded', 'ResourceInUse', 'ResourceNotFound', 'ConflictException')
# Never caught by States.ALL or States.TaskFailed, as AWS has it.
_TERMINAL = ('States.Runtime', 'States.DataLimitExceeded')


def install() -> None:
    _wrap_task()
    _wrap_resource()
    stepfunctions._invoke_resource_with_timeout = _with_timeout
    stepfunctions._invoke_with_callback = _with_callback
    stepfunctions._invoke_nested_start_execution_sync = _start_and_wait
    _wrap_retry()
    _wrap_heartbeat()
    _add_s3_objects()


def _wrap_task() -> None:
    original = stepfunctions._execute_task

    def execute(state_def, raw_input, execution, ctx):
        effective = stepfunctions._apply_input_path(state_def, raw_input, ctx)
        resolved = dict(state_def)
        for field in ('TimeoutSeconds', 'HeartbeatSeconds'):
            value = number(state_def, field, raw_input, effective, ctx)
            if value is not None:
                resolved[field] = value
        return original(resolved, raw_input, execution, ctx)

    stepfunctions._execute_task = execute


def _wrap_resource() -> None:
    original = stepfunctions._invoke_resource

    def invoke(resource, input_data):
        sfn_scope.check()
        _tell_request(resource, input_data)
        sfn_permissions.require_for(sfn_scope.run.get(), resource, input_data)
        if ':::sagemaker:' in resource or ':::aws-sdk:sagemaker:' in resource:
            return _sagemaker(resource, input_data)
        if ':::aws-sdk:sagemakerruntime:' in resource:
            raise stepfunctions._ExecutionError('States.Runtime', 'aws-sdk:sagemakerruntime is not available in the local engine')
        return original(resource, input_data)

    stepfunctions._invoke_resource = invoke


def _tell_request(resource: str, params) -> None:
    """The history names what was asked for, as that of AWS does; who stops an execution finds its jobs there."""
    event = sfn_scope.scheduled.get()
    if event and event['taskScheduledEventDetails'].get('resource') == resource:
        event['taskScheduledEventDetails'].setdefault('parameters', json.dumps(params))


def _sagemaker(resource: str, params: dict):
    sdk = ':::aws-sdk:' in resource
    name = resource.rsplit('sagemaker:', 1)[1].split('.', 1)[0].split(':', 1)[0]
    operation = name[0].upper() + name[1:]
    answer = _call(operation, params, sdk)
    noun = operation.removeprefix('Create')
    if sdk or '.sync' not in resource:
        return answer
    if noun not in _JOBS:
        raise stepfunctions._ExecutionError('States.Runtime', f'{resource} is not a job that can be waited for')
    return _wait_for_job(noun, str(params.get(f'{noun}Name', '')))


def _call(operation: str, params: dict, sdk: bool = False) -> dict:
    run = sfn_scope.run.get()
    principal = _principal(run)
    status, payload = sagemaker.call(operation, params, principal, 'states')
    if status < 400:
        return payload
    code, message = str(payload.get('__type', 'InternalFailure')).rsplit('#', 1)[-1], payload.get('message', '')
    request = stepfunctions.new_uuid()
    if sdk:
        # Errors that the service's model names have a class in the SDK; throttling and validation have none.
        name = f"SageMaker.{code.removesuffix('Exception')}Exception" if code in _MODELLED else 'SageMaker.SageMakerException'
        raise stepfunctions._ExecutionError(
            name, f'{message} (Service: SageMaker, Status Code: {status}, Request ID: {request})')
    # The quota error is what state machines retry on, by its own name; everything else comes under the service's.
    name = 'SageMaker.ResourceLimitExceededException' if code == 'ResourceLimitExceeded' else 'SageMaker.AmazonSageMakerException'
    raise stepfunctions._ExecutionError(
        name,
        f'{message} (Service: AmazonSageMaker; Status Code: {status}; Error Code: {code}; Request ID: {request}; Proxy: null)')


def _principal(run) -> str:
    return identity.session_arn(run.role_arn, run.session_name) if run else ''


def _wait_for_job(noun: str, name: str) -> dict:
    """Poll until the job has ended; when the execution or the task ends first, the job is stopped."""
    while True:
        described = _call(f'Describe{noun}', {f'{noun}Name': name})
        status = described.get(f'{noun}Status')
        if status == 'Completed':
            return described
        if status in ('Failed', 'Stopped'):
            raise stepfunctions._ExecutionError('States.TaskFailed', json.dumps(described))
        try:
            sfn_scope.sleep(_POLL_SECONDS)
        except sfn_scope.Stopped:
            try:
                _call(f'Stop{noun}', {f'{noun}Name': name})
            except stepfunctions._ExecutionError as error:
                stepfunctions.logger.info('Could not stop %s %s: %s', noun, name, error)
            raise


def _with_timeout(resource, input_data, timeout):
    group = sfn_scope.new_cancel() if sfn_scope.run.get() else None

    def job():
        if group is not None:
            sfn_scope.cancel.set(group)
        return stepfunctions._invoke_resource(resource, input_data)

    pool = ThreadPoolExecutor(max_workers=1)
    future = pool.submit(contextvars.copy_context().run, job)
    pool.shutdown(wait=False)
    deadline = time.monotonic() + float(timeout)
    while True:
        try:
            return future.result(timeout=min(0.25, max(0.0, deadline - time.monotonic())))
        except FutureTimeout:
            sfn_scope.check()
            if time.monotonic() >= deadline:
                if group is not None:
                    group.set()
                raise stepfunctions._ExecutionError('States.Timeout', f'Task timed out after {timeout} seconds') from None


def _with_callback(resource, input_data, token, state_def):
    """Call the integration, then wait for the token; an integration that fails, fails the task."""
    run = sfn_scope.run.get()
    event = threading.Event()
    record = {'event': event, 'result': None, 'error': None, 'heartbeat': time.monotonic(),
              'stateMachineArn': run.execution['stateMachineArn'] if run else ''}
    stepfunctions._task_tokens[token] = record
    deadline = time.monotonic() + float(state_def.get('TimeoutSeconds', _LONGEST))
    heartbeat = state_def.get('HeartbeatSeconds')
    try:
        stepfunctions._invoke_resource(resource.replace('.waitForTaskToken', ''), input_data)
        while not event.wait(timeout=0.1):
            sfn_scope.check()
            if time.monotonic() >= deadline:
                raise stepfunctions._ExecutionError('States.Timeout', 'Task timed out waiting for callback')
            if heartbeat and time.monotonic() - record['heartbeat'] > float(heartbeat):
                raise stepfunctions._ExecutionError('States.HeartbeatTimeout', f'No heartbeat for {heartbeat} seconds')
    finally:
        stepfunctions._task_tokens.pop(token, None)
    if record['error']:
        raise stepfunctions._ExecutionError(record['error'].get('Error', ''), record['error'].get('Cause', ''))
    try:
        return json.loads(record['result']) if isinstance(record['result'], str) else record['result']
    except ValueError:
        return record['result']


def _wrap_heartbeat() -> None:
    original = stepfunctions._send_task_heartbeat

    def send(data):
        record = stepfunctions._task_tokens.get(data.get('taskToken'))
        answer = original(data)
        if record:
            record['heartbeat'] = time.monotonic()
        return answer

    stepfunctions._send_task_heartbeat = send
    extract = iam_actions.extract_resource_arn

    def resource_arn(service, method, path, headers, body, query_params, region, account_id):
        if service == 'states' and '.SendTask' in headers.get('x-amz-target', ''):
            # A callback is authorized on the state machine that waits for it.
            record = stepfunctions._task_tokens.get(iam_actions._safe_json_field(body, 'taskToken')) or {}
            return record.get('stateMachineArn') or '*'
        return extract(service, method, path, headers, body, query_params, region, account_id)

    iam_actions.extract_resource_arn = resource_arn


def _start_and_wait(resource, input_data):
    """Start the other machine as an execution of its own, with status events, and end it when this one ends."""
    started = stepfunctions._invoke_nested_start_execution(resource, input_data)
    arn = started['ExecutionArn']
    child = stepfunctions._executions[arn]
    try:
        while child['status'] == 'RUNNING':
            sfn_scope.sleep(0.05)
    except sfn_scope.Stopped:
        stepfunctions._stop_execution({'executionArn': arn, 'cause': 'The parent execution ended'})
        raise
    described = json.loads(stepfunctions._describe_execution({'executionArn': arn})[2])
    result = {name[0].upper() + name[1:]: value for name, value in described.items()}
    if child['status'] != 'SUCCEEDED':
        raise stepfunctions._ExecutionError('States.TaskFailed', json.dumps(result))
    if resource.endswith('.sync:2'):
        result['Output'] = json.loads(result.get('Output') or 'null')
    return result


def _wrap_retry() -> None:
    original = stepfunctions._find_matching_retrier

    def matches(error_equals, error):
        if error in error_equals:
            return True
        if error in _TERMINAL:
            return False
        return 'States.ALL' in error_equals or ('States.TaskFailed' in error_equals and error != 'States.Timeout')

    def find(retriers, error, retry_counts):
        retrier, index = original(retriers, error, retry_counts)
        if retrier is None:
            return retrier, index
        # The caller multiplies and caps at 60 s; handing it the final delay keeps MaxDelaySeconds and jitter.
        delay = retrier.get('IntervalSeconds', 1) * retrier.get('BackoffRate', 2.0) ** retry_counts.get(index, 0)
        delay = min(delay, retrier.get('MaxDelaySeconds', delay))
        if retrier.get('JitterStrategy') == 'FULL':
            delay = random.uniform(0, delay)
        return {**retrier, 'IntervalSeconds': delay, 'BackoffRate': 1}, index

    stepfunctions._error_matches = matches
    stepfunctions._find_matching_retrier = find


def _add_s3_objects() -> None:
    dispatch = stepfunctions._invoke_aws_sdk_integration

    def invoke(resource, input_data):
        if resource.endswith((':aws-sdk:s3:putObject', ':aws-sdk:s3:getObject')):
            return _s3_object(resource.rsplit(':', 1)[1], input_data)
        return dispatch(resource, input_data)

    stepfunctions._invoke_aws_sdk_integration = invoke


def _s3_object(operation: str, params: dict) -> dict:
    put = operation == 'putObject'
    value = params.get('Body', '') if put else ''
    body = value.encode() if isinstance(value, str) else json.dumps(value).encode()
    names = (('ContentType', 'content-type'), ('IfNoneMatch', 'if-none-match'), ('IfMatch', 'if-match'))
    headers = {name: str(params[field]) for field, name in names if params.get(field)}
    status, found, answer = s3_inside.request(
        'PUT' if put else 'GET', str(params.get('Bucket')), str(params.get('Key')), body if put else b'', headers)
    if status >= 400:
        code, message = s3_inside.error(answer)
        modelled = f'{code}Exception' if code in ('NoSuchKey', 'NoSuchBucket') else 'S3Exception'
        raise stepfunctions._ExecutionError(f'S3.{modelled}', f'{message} (Service: S3, Status Code: {status})')
    result = {'ETag': found.get('etag'), 'VersionId': found.get('x-amz-version-id')}
    if not put:
        result.update(Body=answer.decode('utf-8', 'replace'), ContentType=found.get('content-type'), ContentLength=len(answer))
    return {name: value for name, value in result.items() if value is not None}

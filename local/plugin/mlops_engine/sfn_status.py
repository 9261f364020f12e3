"""What the world sees of an execution: status events, its description, and redrive."""

import contextvars
import json
import threading

from ministack.core.responses import error_response_json, json_response, now_iso
from ministack.services import eventbridge, stepfunctions

_REDRIVABLE = ('FAILED', 'ABORTED', 'TIMED_OUT')
_lock = threading.Lock()


def install(run_execution) -> None:
    stepfunctions._emit_execution_status_event = emit
    _wrap_describe()
    _wrap_requests(run_execution)


def emit(execution: dict) -> None:
    """Put the status change on the default bus; an execution of the synchronous (Express) kind emits nothing."""
    if execution.get('sync'):
        return
    status = execution['status']
    ended_badly = status in _REDRIVABLE
    detail = {
        'executionArn': execution['executionArn'],
        'stateMachineArn': execution['stateMachineArn'],
        'name': execution['name'],
        'status': status,
        'startDate': stepfunctions._iso_to_epoch_ms(execution.get('startDate')),
        'stopDate': stepfunctions._iso_to_epoch_ms(execution.get('stopDate')),
        **_payload('input', execution.get('input')),
        **_payload('output', execution.get('output') if status == 'SUCCEEDED' else None),
        'stateMachineVersionArn': None,
        'stateMachineAliasArn': None,
        **redrive_fields(execution),
        'error': execution.get('error') if ended_badly else None,
        'cause': execution.get('cause') if ended_badly else None,
    }
    try:
        eventbridge._put_events({'Entries': [{
            'Source': 'aws.states', 'DetailType': 'Step Functions Execution Status Change',
            'Detail': json.dumps(detail), 'Resources': [execution['executionArn']],
        }]}, allow_aws_source=True)
    except Exception:
        stepfunctions.logger.warning('Failed to publish the status of %s', execution['executionArn'], exc_info=True)


def _payload(name: str, value) -> dict:
    if value is None:
        return {name: None, f'{name}Details': None}
    included = len(value) <= stepfunctions._STATUS_EVENT_PAYLOAD_CAP
    return {name: value if included else None, f'{name}Details': {'included': included}}


def redrive_fields(execution: dict) -> dict:
    status = execution['status']
    redrivable = status in _REDRIVABLE and '_progress' in execution
    return {
        'redriveCount': execution.get('redriveCount', 0),
        'redriveDate': stepfunctions._iso_to_epoch_ms(execution.get('redriveDate')),
        'redriveStatus': 'REDRIVABLE' if redrivable else 'NOT_REDRIVABLE',
        'redriveStatusReason': f"Execution is {status} and {'is redrivable' if redrivable else 'cannot be redriven'}",
    }


def _wrap_describe() -> None:
    original = stepfunctions._describe_execution

    def describe(data):
        status, headers, body = original(data)
        execution = stepfunctions._executions.get(data.get('executionArn'))
        if status != 200 or execution is None:
            return status, headers, body
        fields = redrive_fields(execution)
        if execution.get('redriveDate'):
            fields['redriveDate'] = execution['redriveDate']
        else:
            fields.pop('redriveDate')
        described = {**json.loads(body), **fields}
        # AWS leaves out what does not exist (yet) instead of answering null.
        return json_response({name: value for name, value in described.items() if value is not None})

    stepfunctions._describe_execution = describe


def _wrap_requests(run_execution) -> None:
    original = stepfunctions.handle_request

    async def handle(method, path, headers, body, query_params):
        if headers.get('x-amz-target', '').endswith('.RedriveExecution'):
            return stepfunctions._finalize_response(_redrive(json.loads(body or b'{}'), run_execution))
        return await original(method, path, headers, body, query_params)

    stepfunctions.handle_request = handle


def _redrive(data: dict, run_execution):
    execution = stepfunctions._executions.get(data.get('executionArn'))
    if execution is None:
        return error_response_json('ExecutionDoesNotExist', f"Execution Does Not Exist: '{data.get('executionArn')}'", 400)
    with _lock:
        if data.get('clientToken') and execution.get('_redriveToken') == data['clientToken']:
            return json_response({'redriveDate': execution['redriveDate']})
        if redrive_fields(execution)['redriveStatus'] != 'REDRIVABLE':
            return error_response_json('ExecutionNotRedrivable', redrive_fields(execution)['redriveStatusReason'], 400)
        execution.update(
            status='RUNNING', stopDate=None, output=None, error=None, cause=None, redriveDate=now_iso(),
            redriveCount=execution.get('redriveCount', 0) + 1, _generation=execution.get('_generation', 0) + 1,
            _redriveToken=data.get('clientToken'))
    stepfunctions._add_event(execution, 'ExecutionRedriven', {
        'executionRedrivenEventDetails': {'redriveCount': execution['redriveCount']}})
    emit(execution)
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run_execution, execution['executionArn']), daemon=True).start()
    return json_response({'redriveDate': execution['redriveDate']})

"""Functions and state machines write their logs with their own roles, and only then."""

import json
import time

from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import cloudwatch_logs, lambda_svc, stepfunctions
from ministack.services.cloudformation import provisioners

from . import identity, metrics

_DELIVERY = (
    'logs:CreateLogDelivery', 'logs:GetLogDelivery', 'logs:UpdateLogDelivery', 'logs:DeleteLogDelivery', 'logs:ListLogDeliveries',
    'logs:PutResourcePolicy', 'logs:DescribeResourcePolicies', 'logs:DescribeLogGroups',
)
_ENDED_BADLY = ('ExecutionFailed', 'ExecutionAborted', 'ExecutionTimedOut')


def install() -> None:
    _wrap_functions()
    _wrap_machines()
    _wrap_history()


def _wrap_functions() -> None:
    original = lambda_svc._emit_lambda_logs

    def emit(func, request_id, log_text, *args, **kwargs):
        config = func.get('config') or func
        group = (config.get('LoggingConfig') or {}).get('LogGroup') or f"/aws/lambda/{config.get('FunctionName', '')}"
        # Without these permissions AWS loses the lines, and with them the metrics embedded in them.
        if _may_write(config.get('Role', ''), str(config.get('FunctionName', ''))[:64], group):
            original(func, request_id, log_text, *args, **kwargs)
            metrics.embedded_in(log_text)

    lambda_svc._emit_lambda_logs = emit


def _may_write(role: str, session: str, group: str) -> bool:
    arn = f'arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}'
    needed = [('logs:CreateLogStream', f'{arn}:log-stream:*'), ('logs:PutLogEvents', f'{arn}:log-stream:*')]
    if group not in cloudwatch_logs._log_groups:
        needed.insert(0, ('logs:CreateLogGroup', arn))
    return identity.find_role(role) is not None and not any(identity.denial(role, session, action, target) for action, target in needed)


def _logging_refusal(role: str, configuration: dict | None) -> str | None:
    """Why a state machine with this role cannot have its executions logged, or None."""
    settings = {name[0].lower() + name[1:]: value for name, value in (configuration or {}).items()}
    if settings.get('level', 'OFF') == 'OFF' or identity.find_role(role) is None:
        return None
    missing = [action for action in _DELIVERY if identity.denial(role, 'stepfunctions', action, '*')]
    return f"The state machine IAM Role is not authorized to access the Log Destination ({', '.join(missing)})" if missing else None


def _wrap_machines() -> None:
    create, update = stepfunctions._create_state_machine, stepfunctions._update_state_machine

    def refusal(data):
        known = stepfunctions._state_machines.get(data.get('stateMachineArn')) or {}
        role = data.get('roleArn') or known.get('roleArn', '')
        message = _logging_refusal(role, data.get('loggingConfiguration') or known.get('loggingConfiguration'))
        return error_response_json('AccessDeniedException', message, 400) if message else None

    stepfunctions._create_state_machine = lambda data: refusal(data) or create(data)
    stepfunctions._update_state_machine = lambda data: refusal(data) or update(data)
    handlers = provisioners._RESOURCE_HANDLERS['AWS::StepFunctions::StateMachine']
    create_resource = handlers['create']

    def created(logical_id, props, stack_name):
        message = _logging_refusal(props.get('RoleArn', ''), props.get('LoggingConfiguration'))
        if message:
            raise ValueError(f'{message} (Service: AWSStepFunctions; Status Code: 400; Error Code: AccessDeniedException)')
        return create_resource(logical_id, props, stack_name)

    handlers['create'] = created


def _wrap_history() -> None:
    original = stepfunctions._add_event

    def add_event(execution, event_type, details=None):
        event = original(execution, event_type, details)
        machine = stepfunctions._state_machines.get(execution.get('stateMachineArn'))
        if machine:
            _log(machine, execution, event)
        return event

    stepfunctions._add_event = add_event


def _log(machine: dict, execution: dict, event: dict) -> None:
    settings = {name[0].lower() + name[1:]: value for name, value in (machine.get('loggingConfiguration') or {}).items()}
    level, kind = settings.get('level', 'OFF'), event['type']
    failed = kind.endswith(('Failed', 'TimedOut', 'Aborted'))
    if level == 'OFF' or (level == 'ERROR' and not failed) or (level == 'FATAL' and kind not in _ENDED_BADLY):
        return
    details = next((value for name, value in event.items() if name.endswith('EventDetails')), {})
    if not settings.get('includeExecutionData'):
        details = {name: value for name, value in details.items() if name not in ('input', 'output')}
    line = json.dumps({
        'id': str(event['id']), 'type': kind, 'details': details, 'previous_event_id': str(event['id'] - 1),
        'event_timestamp': str(int(time.time() * 1000)), 'execution_arn': execution['executionArn']})
    for destination in settings.get('destinations') or []:
        group = destination.get('cloudWatchLogsLogGroup') or destination.get('CloudWatchLogsLogGroup') or {}
        arn = group.get('logGroupArn') or group.get('LogGroupArn') or ''
        append(arn.partition(':log-group:')[2].removesuffix(':*'), f"states/{machine['name']}/{execution['name']}", line)


def append(group_name: str, stream_name: str, line: str) -> None:
    group = cloudwatch_logs._log_groups.get(group_name)
    if group is None:
        return
    now = int(time.time() * 1000)
    stream = group['streams'].setdefault(stream_name, {
        'events': [], 'uploadSequenceToken': '1', 'creationTime': now,
        'firstEventTimestamp': None, 'lastEventTimestamp': None, 'lastIngestionTime': None})
    cloudwatch_logs._append_log_events(stream, [{'timestamp': now, 'message': line, 'ingestionTime': now}])

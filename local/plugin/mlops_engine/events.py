"""Targets of rules and schedules: asked for permission as on AWS, retried where AWS retries, dead-lettered where configured."""

import json
import re
import time
from datetime import datetime, timezone

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import cloudwatch, eventbridge, lambda_svc, scheduler, sns, sqs, stepfunctions

from . import identity, kms

# Action on the target, and whether the target's own policy decides (else the target's role does).
_ACTIONS = {
    'states': ('states:StartExecution', False), 'lambda': ('lambda:InvokeFunction', True), 'sqs': ('sqs:SendMessage', True),
    'sns': ('sns:Publish', True), 'events': ('events:PutEvents', False), 'firehose': ('firehose:PutRecord', False),
}
_POLICIES = {'lambda': lambda_svc.function_policy_for_arn, 'sqs': sqs.queue_policy_for_arn, 'sns': sns.topic_policy_for_arn}
_UNIVERSAL = re.compile(r'^arn:aws:scheduler:::(aws-sdk:[a-z0-9-]+:[A-Za-z0-9]+)$')
# A schedule is noticed when the ticker looks; stock MiniStack looks every ten seconds.
_TICK_SECONDS = 1


class Undelivered(Exception):
    """Why a target did not get its event: AWS's error code and a sentence."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def install() -> None:
    scheduler._SCHEDULE_TICK_INTERVAL = _TICK_SECONDS
    if hasattr(eventbridge, '_SCHEDULER_TICK_INTERVAL'):
        eventbridge._SCHEDULER_TICK_INTERVAL = _TICK_SECONDS
    deliver = eventbridge._invoke_target

    def invoke(target, event, rule, view=None):
        scheduled = str(rule.get('Arn', '')).startswith('arn:aws:scheduler:')
        if scheduled and target.get('Input'):
            target = {**target, 'Input': _scheduled_input(target['Input'], event, rule)}
        try:
            _require(target, rule, scheduled)
            if scheduled and _delivered_by_scheduler(target):
                return
            deliver(target, event, rule, view)
            _count('Invocations', rule, scheduled)
        except Undelivered as error:
            _count('FailedInvocations', rule, scheduled)
            _dead_letter(target, event, rule, view, error)

    eventbridge._invoke_target = invoke
    eventbridge._dispatch_to_lambda = _to_lambda
    eventbridge._render_input_template = _rendered


def _require(target: dict, rule: dict, scheduled: bool) -> None:
    arn, role = target.get('Arn', ''), target.get('RoleArn')
    if _UNIVERSAL.match(arn):
        return
    try:
        service = parse_arn(arn).service
    except ArnParseError as error:
        raise Undelivered('INVALID_PARAMETER', str(error)) from error
    if service not in _ACTIONS:
        return
    action, by_policy = _ACTIONS[service]
    _require_target(service, arn)
    principal = 'scheduler.amazonaws.com' if scheduled else 'events.amazonaws.com'
    if role or scheduled or not by_policy:
        _require_role(role, principal, action, arn, 'Amazon_EventBridge_Scheduler' if scheduled else 'events')
    else:
        _require_policy(service, arn, action, principal, rule.get('Arn', ''))


def _require_target(service: str, arn: str) -> None:
    exists = {
        'states': lambda: stepfunctions._resolve_state_machine_arn(arn) is not None,
        'lambda': lambda: lambda_svc._get_func_record_for_ref(arn)[0] is not None,
        'sqs': lambda: sqs._queue_by_arn(arn) is not None,
        'sns': lambda: sns.topic_policy_for_arn(arn) is not None,
    }.get(service)
    if exists and not exists():
        raise Undelivered('RESOURCE_NOT_FOUND', f'The target {arn} does not exist')


def _require_role(role, principal: str, action: str, arn: str, session_name: str) -> None:
    if not role:
        # A bus on the same account may be a target without a role.
        if action == 'events:PutEvents':
            return
        raise Undelivered('NO_PERMISSIONS', f'The target {arn} has no role with {action}')
    try:
        identity.require_trust(role, principal)
    except identity.NotAllowed as error:
        raise Undelivered('NO_PERMISSIONS', str(error)) from error
    message = identity.denial(role, session_name, action, arn)
    if message:
        raise Undelivered('NO_PERMISSIONS', message)


def _require_policy(service: str, arn: str, action: str, principal: str, source: str) -> None:
    found = _POLICIES[service](arn)
    context = EvalContext(
        principal_arn=principal, principal_type='Service', principal_account='', action=action, resource_arn=arn, region=get_region(),
        service_context={'aws:sourcearn': source, 'aws:sourceaccount': get_account_id()})
    policy = found[0] if found else None
    if not policy or evaluate_resource_policy(policy, context, principal).decision != 'Allow':
        raise Undelivered('NO_PERMISSIONS', f'The resource policy of {arn} does not let {principal} do {action} for {source}')
    encrypted = sqs._queue_by_arn(arn) if service == 'sqs' else sns._topics.get(arn) if service == 'sns' else None
    if encrypted and not kms.service_may_use(principal, encrypted['attributes'].get('KmsMasterKeyId')):
        raise Undelivered('NO_PERMISSIONS', f'The policy of the key of {arn} does not let {principal} use it')


def _count(metric: str, rule: dict, scheduled: bool) -> None:
    if scheduled:
        if metric == 'FailedInvocations':
            cloudwatch.record_metric('AWS/Scheduler', 'TargetErrorCount', 1, 'Count', {'ScheduleGroup': rule.get('GroupName', 'default')})
    else:
        cloudwatch.record_metric('AWS/Events', metric, 1, 'Count', {'RuleName': rule.get('Name', '')})


def _dead_letter(target: dict, event: dict, rule: dict, view, error: Undelivered) -> None:
    queue_arn = (target.get('DeadLetterConfig') or {}).get('Arn')
    eventbridge.logger.warning('%s: target %s was not invoked: %s (%s)%s', rule.get('Arn'), target.get('Arn'), error.code, error,
                               '' if queue_arn else '; no dead-letter queue')
    queue = sqs._queue_by_arn(queue_arn) if queue_arn else None
    if queue is None:
        return
    body = target.get('Input') or json.dumps((view or eventbridge._pattern_event_view(event)).event_with_detail())
    attributes = {
        'RULE_ARN': rule.get('Arn', ''), 'TARGET_ARN': target.get('Arn', ''), 'ERROR_CODE': error.code, 'ERROR_MESSAGE': str(error)[:1000],
        'EXHAUSTED_RETRY_CONDITION': 'None', 'RETRY_ATTEMPTS': '0',
    }
    try:
        sqs._act_send_message({
            'QueueUrl': queue['url'], 'MessageBody': body,
            'MessageAttributes': {name: {'DataType': 'String', 'StringValue': value or '-'} for name, value in attributes.items()},
        }, queue['url'])
    except Exception:
        eventbridge.logger.exception('The dead-letter queue %s took no message', queue_arn)


def _to_lambda(arn: str, payload: str) -> None:
    """Asynchronously, with Lambda's own retries and its dead-letter queue or failure destination."""
    func, config, _ = lambda_svc._get_func_record_for_ref(arn)
    try:
        event = json.loads(payload)
    except (TypeError, ValueError):
        event = {'body': payload}
    lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(func, config), event)


def _scheduled_input(text: str, event: dict, schedule: dict) -> str:
    at = datetime.fromtimestamp(event.get('Time') or time.time(), timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
    values = {'schedule-arn': schedule.get('Arn', ''), 'scheduled-time': at, 'execution-id': event.get('EventId', ''), 'attempt-number': '1'}
    for name, value in values.items():
        text = text.replace(f'<aws.scheduler.{name}>', value)
    return text


def _delivered_by_scheduler(target: dict) -> bool:
    """What schedules can do and rules cannot: any API call, and events with a source of their own."""
    match = _UNIVERSAL.match(target.get('Arn', ''))
    if match:
        _call_api(match.group(1), target)
        return True
    parameters = target.get('EventBridgeParameters')
    if parameters:
        bus = target['Arn'].rsplit('/', 1)[-1]
        eventbridge._put_events({'Entries': [{
            'EventBusName': bus, 'Source': parameters['Source'], 'DetailType': parameters['DetailType'], 'Detail': target.get('Input') or '{}'}]})
        return True
    return False


def _call_api(call: str, target: dict) -> None:
    from . import sfn_permissions, sfn_scope

    role = target.get('RoleArn') or ''
    try:
        identity.require_trust(role, 'scheduler.amazonaws.com')
        caller = sfn_scope.Run({'executionArn': f'scheduler:{new_uuid()}', 'status': 'RUNNING'}, role, 'JSONPath')
        resource, params = f'arn:aws:states:::{call}', json.loads(target.get('Input') or '{}')
        sfn_permissions.require_for(caller, resource, params)
        stepfunctions._invoke_aws_sdk_integration(resource, params)
    except (identity.NotAllowed, stepfunctions._ExecutionError) as error:
        raise Undelivered('SDK_CLIENT_ERROR', str(error)) from error


_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|<[^<>]*>')
_PLACEHOLDER = re.compile(r'<([^<>]*)>')


def _rendered(template: str, replacements: dict) -> str:
    """As MiniStack renders it, but a value inside a JSON string is escaped, so the result stays valid JSON."""
    def inside(match):
        text = eventbridge._render_placeholder(match.group(1), match.group(0), replacements, True)
        known = isinstance(replacements.get(match.group(1)), str)
        return json.dumps(text)[1:-1] if known else text

    def token(match):
        found = match.group(0)
        if found.startswith('"'):
            return _PLACEHOLDER.sub(inside, found)
        return eventbridge._render_placeholder(found[1:-1], found, replacements, False)

    if '"' not in template:
        return _PLACEHOLDER.sub(lambda m: eventbridge._render_placeholder(m.group(1), m.group(0), replacements, True), template)
    return _TOKEN.sub(token, template)

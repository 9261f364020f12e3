"""Faults on demand: rules that make an API call, a job, a deployment or a function go wrong, counted and kept in memory only."""

import itertools
import json
import os
import signal
import threading

from ministack.core import lambda_runtime
from ministack.core.responses import error_response_json, new_uuid
from ministack.services import lambda_svc, stepfunctions

_JOBS = ('CreateTrainingJob', 'CreateTransformJob', 'CreateProcessingJob', 'CreateHyperParameterTuningJob')
_DEPLOYMENTS = ('CreateEndpoint', 'UpdateEndpoint')
# What can happen to the work that an operation starts, beyond an error of the call itself.
_WORK = {
    **{operation: ('timeout', 'stop', 'kill', 'fail') for operation in _JOBS},
    'CreateTrainingJob': ('timeout', 'interrupt-spot', 'stop', 'kill', 'fail'),
    **{operation: ('timeout', 'kill', 'fail') for operation in _DEPLOYMENTS},
}
_FUNCTION = ('error', 'timeout', 'kill')
_FIELDS = {'on', 'operation', 'nameContains', 'skip', 'times', 'effect'}
_EFFECT_FIELDS = {'kind', 'error', 'message', 'status', 'afterSeconds', 'afterCheckpoint', 'afterRun'}

_lock = threading.Lock()
_rules: dict = {}
_ids = itertools.count(1)
# The rule for the invocation that this thread is about to hand to a worker.
_running = threading.local()


def install() -> None:
    _wrap_invoke()
    _wrap_task()
    _wrap_execution()
    _wrap_worker()


def add(rule: dict) -> dict:
    """Keep the rule; ValueError says what is wrong with it."""
    unknown = (set(rule) - _FIELDS) | (set(rule.get('effect') or {}) - _EFFECT_FIELDS)
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
    effect, operation = rule['effect'], str(rule['operation'])
    if rule['on'] not in ('sagemaker', 'lambda') or not operation:
        raise ValueError("`on` is sagemaker or lambda, and `operation` names the operation or part of the function's name")
    kind = effect['kind']
    known = _FUNCTION if rule['on'] == 'lambda' else ('error', *_WORK.get(operation, ()))
    if kind not in known:
        raise ValueError(f"{rule['on']} {operation} has no fault {kind!r}: it knows {', '.join(known)}")
    if kind == 'error' and not (effect.get('error') and isinstance(effect.get('message'), str)):
        raise ValueError('an error has a name (`error`) and a `message`')
    if kind == 'error' and effect.get('status') is not None and not 400 <= int(effect['status']) <= 599:
        raise ValueError('`status` is from 400 to 599')
    if effect.get('afterRun') and (rule['on'] != 'lambda' or kind == 'kill' or effect.get('status')):
        raise ValueError("`afterRun` belongs to errors and timeouts of a function's own")
    if effect.get('afterCheckpoint') and (operation != 'CreateTrainingJob' or kind == 'error'):
        raise ValueError('`afterCheckpoint` belongs to what happens to training jobs')
    for field in ('skip', 'times'):
        if int(rule.get(field) or 0) < 0:
            raise ValueError(f'`{field}` is 0 or more')
    if float(effect.get('afterSeconds') or 0) < 0:
        raise ValueError('`afterSeconds` is 0 or more')
    record = {**rule, 'id': f'fault-{next(_ids)}', 'skip': int(rule.get('skip') or 0), 'times': int(rule.get('times', 1)), 'seen': 0, 'hits': 0}
    with _lock:
        _rules[record['id']] = record
    return dict(record)


def listed() -> list:
    with _lock:
        return [dict(rule) for rule in _rules.values()]


def remove(rule_id: str | None = None) -> int:
    """How many rules went; KeyError where there is none of this id."""
    with _lock:
        if rule_id is None:
            count = len(_rules)
            _rules.clear()
            return count
        del _rules[rule_id]
        return 1


def effect_of(on: str, operation: str, name: str, wanted=lambda effect: True) -> dict | None:
    """The effect for this call, counted as a hit; the oldest rule that applies and is not used up wins."""
    with _lock:
        for rule in _rules.values():
            named = operation == rule['operation'] if on == 'sagemaker' else rule['operation'] in operation
            if rule['on'] != on or not named or not wanted(rule['effect']) or (rule.get('nameContains') or '') not in name:
                continue
            if rule['times'] and rule['hits'] >= rule['times']:
                continue
            rule['seen'] += 1
            if rule['seen'] <= rule['skip']:
                continue
            rule['hits'] += 1
            return dict(rule['effect'])
    return None


def on_sagemaker(operation: str, params: dict) -> dict | None:
    """The effect for a call of SageMaker, matched on every name in its parameters."""
    if not _rules:
        return None
    names = [str(value) for field, value in params.items() if field.endswith('Name') and isinstance(value, str)]
    return effect_of('sagemaker', operation, ' '.join(names))


def _of_service(effect: dict) -> bool:
    """With a status it is Lambda itself that refuses, before any sandbox is involved."""
    return effect['kind'] == 'error' and effect.get('status') is not None


def _wrap_invoke() -> None:
    original = lambda_svc._invoke

    async def invoke(name, event, headers, path_qualifier=None, query_params=None):
        effect = effect_of('lambda', str(name), _text(event), _of_service) if _rules else None
        if effect:
            return error_response_json(effect['error'], effect['message'], int(effect['status']))
        return await original(name, event, headers, path_qualifier, query_params)

    lambda_svc._invoke = invoke


def _wrap_task() -> None:
    original = stepfunctions._call_lambda

    def call(func_ref, event):
        effect = effect_of('lambda', str(func_ref), _text(event), _of_service) if _rules else None
        if effect:
            raise stepfunctions._ExecutionError(
                f"Lambda.{effect['error']}",
                f"{effect['message']} (Service: Lambda, Status Code: {effect['status']}, Request ID: {new_uuid()})")
        return original(func_ref, event)

    stepfunctions._call_lambda = call


def _wrap_execution() -> None:
    original = lambda_svc._execute_function_warm

    def execute(func, event, request_id):
        config = func.get('config') or func
        effect = effect_of('lambda', str(config.get('FunctionName', '')), _text(event), lambda e: not _of_service(e)) if _rules else None
        if effect is None:
            return original(func, event, request_id)
        log = ''
        if effect['kind'] == 'kill' and effect.get('afterSeconds'):
            _running.kill_after = float(effect['afterSeconds'])
        elif not effect.get('afterRun'):
            return _failed(effect, config, log)
        try:
            result = original(func, event, request_id)
        finally:
            _running.kill_after = None
        log = result.get('log', '')
        # A process that had answered before it was to be killed has answered.
        return result if effect['kind'] == 'kill' and not result.get('error') else _failed(effect, config, log)

    lambda_svc._execute_function_warm = execute


def _failed(effect: dict, config: dict, log: str) -> dict:
    request = new_uuid()
    if effect['kind'] == 'error':
        body = {'errorType': effect['error'], 'errorMessage': effect['message'], 'trace': []}
    elif effect['kind'] == 'timeout':
        text = f"RequestId: {request} Error: Task timed out after {float(config.get('Timeout', 3)):.2f} seconds"
        body = {'errorType': 'Sandbox.Timedout', 'errorMessage': text}
    else:
        body = {'errorType': 'Runtime.ExitError', 'errorMessage': f'RequestId: {request} Error: Runtime exited with error: signal: killed'}
    return {'body': body, 'error': True, 'log': '\n'.join(filter(None, [log, json.dumps(body)]))}


def _wrap_worker() -> None:
    original = lambda_runtime.Worker.invoke

    def invoke(self, event, request_id, **kwargs):
        seconds = getattr(_running, 'kill_after', None)
        if seconds is None:
            return original(self, event, request_id, **kwargs)
        timer = threading.Timer(seconds, _kill, (self,))
        timer.daemon = True
        timer.start()
        try:
            return original(self, event, request_id, **kwargs)
        finally:
            timer.cancel()

    lambda_runtime.Worker.invoke = invoke


def _kill(worker) -> None:
    process = worker._proc
    if process is not None and process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)


def _text(event) -> str:
    return event if isinstance(event, str) else json.dumps(event, ensure_ascii=False, default=str)

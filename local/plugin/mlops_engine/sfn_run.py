"""Executions as AWS runs them: status, timeouts and abort, payload limit, and redrive from where they failed."""

import copy
import json
import threading

from ministack.core.responses import now_iso
from ministack.services import stepfunctions

from . import sfn_branches, sfn_scope, sfn_status
from .sfn_scope import Run, Stopped

_PAYLOAD_LIMIT = 256 * 1024
_transition_lock = threading.Lock()
_history_lock = threading.Lock()


def install() -> None:
    stepfunctions._run_execution = run_execution
    stepfunctions._run_sub_machine = sfn_branches.run_branch
    stepfunctions._fail_execution = lambda execution, error, cause: finish(
        execution, execution.get('_generation', 0), 'FAILED', error=error, cause=cause)
    stepfunctions._scaled_sleep = sfn_scope.scaled_sleep
    sfn_branches.install(run_states)
    _wrap_history()
    sfn_status.install(run_execution)


def _wrap_history() -> None:
    original = stepfunctions._add_event

    def add_event(execution, event_type, details=None):
        with _history_lock:
            event = original(execution, event_type, details)
        if event_type == 'TaskScheduled':
            sfn_scope.scheduled.set(event)
        return event

    stepfunctions._add_event = add_event


def run_execution(execution_arn: str) -> None:
    execution = stepfunctions._executions.get(execution_arn)
    machine = stepfunctions._state_machines.get(execution['stateMachineArn']) if execution else None
    if execution is None:
        return
    generation = execution.setdefault('_generation', 0)
    if machine is None:
        finish(execution, generation, 'FAILED', error='StateMachineDeleted', cause='State machine no longer exists')
        return
    # A redrive runs the definition that the execution started with, whatever was deployed since.
    definition = json.loads(execution.setdefault('_definition', machine['definition']))
    language = definition.get('QueryLanguage', 'JSONPath')
    run = Run(execution, machine['roleArn'], language)
    sfn_scope.run.set(run)
    sfn_scope.cancel.set(sfn_scope.Cancel(None, run))
    sfn_scope.node.set(execution.setdefault('_progress', {}))
    if definition.get('TimeoutSeconds'):
        _expire_after(float(definition['TimeoutSeconds']), execution, generation)
    try:
        data = json.loads(execution['input'] or '{}')
        output = run_states(definition.get('States', {}), definition.get('StartAt'), data, execution, _context(run, machine, data))
    except Stopped:
        return
    except stepfunctions._ExecutionError as error:
        finish(execution, generation, 'FAILED', error=error.error, cause=error.cause)
    except Exception as error:
        stepfunctions.logger.exception('Unexpected error in execution %s', execution_arn)
        finish(execution, generation, 'FAILED', error='States.Runtime', cause=str(error))
    else:
        finish(execution, generation, 'SUCCEEDED', output=json.dumps(output))


def _context(run: Run, machine: dict, data) -> dict:
    execution = run.execution
    context = {
        'QueryLanguage': run.query_language,
        'Execution': {
            'Id': execution['executionArn'], 'Input': data, 'Name': execution['name'], 'RoleArn': machine['roleArn'],
            'StartTime': execution['startDate'], 'RedriveCount': execution.get('redriveCount', 0),
        },
        'StateMachine': {'Id': execution['stateMachineArn'], 'Name': machine['name']},
        'variables': {},
    }
    if execution.get('redriveDate'):
        context['Execution']['RedriveTime'] = execution['redriveDate']
    return context


def run_states(states: dict, start_at: str, data, execution: dict, ctx: dict):
    """Walk through a machine, or a branch of one, from its start or from where the last run of it failed."""
    node = sfn_scope.node.get()
    name, value = node.get('state', start_at), node.get('input', data)
    if 'state' in node:
        ctx['variables'] = copy.deepcopy(node.get('variables', {}))
    while name:
        sfn_scope.check()
        state = states.get(name)
        if state is None:
            raise stepfunctions._ExecutionError('States.Runtime', f"State '{name}' not found in definition")
        if node.get('state') != name or 'branches' not in node:
            node['branches'] = {}
        node.update(state=name, input=value, variables=copy.deepcopy(ctx.get('variables', {})))
        output, following = _run_state(name, state, value, execution, ctx)
        sfn_scope.check()
        if len(json.dumps(output)) > _PAYLOAD_LIMIT:
            raise stepfunctions._ExecutionError(
                'States.DataLimitExceeded',
                f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service limit.")
        stepfunctions._add_event(execution, f"{state['Type']}StateExited", {
            'stateExitedEventDetails': {'name': name, 'output': json.dumps(output)}})
        # Entering the next state, even the same one again in a loop, forgets the branches of this one.
        node.pop('state', None)
        name, value = following, output
    return value


def _run_state(name: str, state: dict, value, execution: dict, ctx: dict) -> tuple:
    kind = state.get('Type')
    ctx['State'] = {'Name': name, 'EnteredTime': now_iso(), 'RetryCount': 0}
    stepfunctions._add_event(execution, f'{kind}StateEntered', {'stateEnteredEventDetails': {'name': name, 'input': json.dumps(value)}})
    if kind == 'Succeed':
        if stepfunctions._state_query_language(state, ctx) == 'JSONata':
            return stepfunctions._apply_jsonata_output(state, value, ctx, default=value), None
        return stepfunctions._apply_output_path(state, stepfunctions._apply_input_path(state, value, ctx), ctx), None
    if kind == 'Fail':
        raise stepfunctions._ExecutionError(*stepfunctions._fail_state_error(state, value, ctx))
    if kind in ('Task', 'Parallel', 'Map'):
        handler = {'Task': stepfunctions._execute_task, 'Parallel': stepfunctions._execute_parallel, 'Map': stepfunctions._execute_map}[kind]
        return handler(state, value, execution, ctx)
    handler = {'Pass': stepfunctions._execute_pass, 'Choice': stepfunctions._execute_choice, 'Wait': stepfunctions._execute_wait}.get(kind)
    if handler is None:
        raise stepfunctions._ExecutionError('States.Runtime', f'Unknown state type: {kind}')
    return handler(state, value, ctx)


def _expire_after(seconds: float, execution: dict, generation: int) -> None:
    context = stepfunctions.contextvars.copy_context()

    def expire():
        context.run(finish, execution, generation, 'TIMED_OUT', error='States.Timeout', cause='')

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()


def finish(execution: dict, generation: int, status: str, output=None, error=None, cause=None) -> bool:
    """End the run, unless it ended in another way before (stopped, timed out) or was redriven since."""
    with _transition_lock:
        if execution['status'] != 'RUNNING' or execution.get('_generation', 0) != generation:
            return False
        execution.update(status=status, output=output, stopDate=now_iso(), error=error, cause=cause)
    if status == 'SUCCEEDED':
        execution.pop('_progress', None)
        stepfunctions._add_event(execution, 'ExecutionSucceeded', {'executionSucceededEventDetails': {'output': output}})
    else:
        kind, details = {
            'FAILED': ('ExecutionFailed', 'executionFailedEventDetails'),
            'TIMED_OUT': ('ExecutionTimedOut', 'executionTimedOutEventDetails'),
        }[status]
        stepfunctions._add_event(execution, kind, {details: {'error': error or '', 'cause': cause or ''}})
    stepfunctions._emit_execution_status_event(execution)
    return True

"""Parallel and inline Map: branches with a context of their own, ended together when one fails, redriven one by one."""

import contextvars
import copy
from concurrent.futures import ThreadPoolExecutor, as_completed

from ministack.services import stepfunctions

from . import sfn_scope
from .sfn_scope import Stopped

_UNBOUNDED = 40
_run_states = None


def install(run_states) -> None:
    global _run_states
    from . import sfn_distributed

    _run_states = run_states
    stepfunctions._with_retry_and_catch = _with_retry_and_catch(stepfunctions._with_retry_and_catch)
    stepfunctions._run_parallel_branches = _run_parallel
    stepfunctions._run_map_items = _run_map
    stepfunctions._run_distributed_map = sfn_distributed.run


def run_branch(states, start_at, data, execution, ctx):
    return _run_states(states, start_at, copy.deepcopy(data), execution, ctx)


def _with_retry_and_catch(original):
    def run(state_def, raw_input, ctx, attempt):
        attempts = []

        def counted():
            # A Retry starts the whole state anew; only the first attempt of a redrive keeps what had succeeded.
            if attempts:
                sfn_scope.node.get()['branches'] = {}
            attempts.append(1)
            return attempt()

        return original(state_def, raw_input, ctx, counted)

    return run


def run_all(jobs: list, concurrency: int, stop_at_first_failure: bool = True) -> tuple:
    """Run the jobs, (progress node, function) each; results and errors in order. A job that had ended well is not run again."""
    results, errors = [None] * len(jobs), [None] * len(jobs)
    group = sfn_scope.new_cancel()
    first_failure: list = []

    def one(index: int, record: dict, job) -> None:
        if record.get('done'):
            results[index] = record['result']
            return
        sfn_scope.cancel.set(group)
        sfn_scope.node.set(record)
        try:
            sfn_scope.check()
            results[index] = job()
            sfn_scope.check()
            record.clear()
            record.update(done=True, result=results[index])
        except Stopped as stopped:
            errors[index] = stopped
        except Exception as error:
            known = isinstance(error, stepfunctions._ExecutionError)
            errors[index] = error if known else stepfunctions._ExecutionError('States.Runtime', str(error))
            first_failure.append(errors[index])
            if stop_at_first_failure:
                group.set()

    pool = ThreadPoolExecutor(max_workers=max(1, min(concurrency or _UNBOUNDED, len(jobs) or 1)))
    futures = [pool.submit(contextvars.copy_context().run, one, index, record, job) for index, (record, job) in enumerate(jobs)]
    for future in as_completed(futures):
        future.result()
        if first_failure and stop_at_first_failure:
            break
    # A function that is still running cannot be interrupted; its thread ends by itself, nobody waits for it.
    pool.shutdown(wait=False, cancel_futures=True)
    sfn_scope.check()
    if first_failure and stop_at_first_failure:
        raise first_failure[0]
    return results, errors


def record_of(index: int) -> dict:
    return sfn_scope.node.get()['branches'].setdefault(str(index), {})


def _run_parallel(state_def, raw_input, execution, ctx):
    jsonata = stepfunctions._state_query_language(state_def, ctx) == 'JSONata'
    if jsonata:
        effective = stepfunctions._apply_jsonata_arguments(state_def, raw_input, ctx)
    else:
        effective = stepfunctions._apply_parameters(state_def, stepfunctions._apply_input_path(state_def, raw_input, ctx), ctx)

    def branch(definition):
        return lambda: run_branch(definition.get('States', {}), definition.get('StartAt'), effective, execution, copy.deepcopy(ctx))

    branches = state_def.get('Branches', [])
    results, _ = run_all([(record_of(i), branch(b)) for i, b in enumerate(branches)], len(branches))
    return finish(state_def, raw_input, results, ctx)


def _run_map(state_def, raw_input, execution, ctx):
    iterator = state_def.get('ItemProcessor') or state_def.get('Iterator') or {}
    effective = stepfunctions._apply_input_path(state_def, raw_input, ctx)
    if (iterator.get('ProcessorConfig') or {}).get('Mode') == 'DISTRIBUTED':
        return stepfunctions._run_distributed_map(state_def, raw_input, effective, iterator, execution, ctx)
    items = items_of(state_def, raw_input, effective, ctx)

    def item_job(index, item):
        def job():
            item_ctx = item_context(ctx, index, item)
            data = item_input(state_def, raw_input, effective, item, item_ctx)
            return run_branch(iterator.get('States', {}), iterator.get('StartAt'), data, execution, item_ctx)
        return job

    jobs = [(record_of(i), item_job(i, item)) for i, item in enumerate(items)]
    results, _ = run_all(jobs, int(number(state_def, 'MaxConcurrency', raw_input, effective, ctx) or 0))
    return finish(state_def, raw_input, results, ctx)


def items_of(state_def, raw_input, effective, ctx) -> list:
    if stepfunctions._state_query_language(state_def, ctx) == 'JSONata' and 'Items' in state_def:
        items = stepfunctions._jsonata_state_field(state_def, 'Items', 'array', raw_input, ctx)
    else:
        items = stepfunctions._resolve_path_or_ctx(state_def.get('ItemsPath', '$'), effective, ctx)
    if not isinstance(items, list):
        raise stepfunctions._ExecutionError('States.Runtime', 'The items of a Map state must be an array')
    return items


def item_context(ctx: dict, index: int, item) -> dict:
    return {**copy.deepcopy(ctx), 'Map': {'Item': {'Index': index, 'Value': item}}}


def item_input(state_def, raw_input, effective, item, item_ctx):
    selector = state_def.get('ItemSelector') or state_def.get('Parameters')
    if not selector:
        return item
    if stepfunctions._state_query_language(state_def, item_ctx) == 'JSONata':
        return stepfunctions._apply_jsonata_template(selector, raw_input, item_ctx)
    return stepfunctions._resolve_params_obj(selector, effective, item_ctx)


def number(state_def, field: str, raw_input, effective, ctx):
    """A number given directly, as a JSONata expression, or by a path; None when the field is absent."""
    if state_def.get(f'{field}Path'):
        return stepfunctions._resolve_path_or_ctx(state_def[f'{field}Path'], effective, ctx)
    value = state_def.get(field)
    if isinstance(value, str) and stepfunctions._state_query_language(state_def, ctx) == 'JSONata':
        return stepfunctions._jsonata_state_field(state_def, field, 'number', raw_input, ctx)
    return value


def finish(state_def, raw_input, result, ctx) -> tuple:
    """The output of the state and the state that follows."""
    if stepfunctions._state_query_language(state_def, ctx) == 'JSONata':
        output = stepfunctions._apply_jsonata_output(state_def, raw_input, ctx, result=result, default=result)
        stepfunctions._apply_state_assign(state_def, raw_input, ctx, result=result)
        return output, stepfunctions._next_or_end(state_def)
    selected = stepfunctions._apply_result_selector(state_def, result)
    output = stepfunctions._apply_result_path(state_def, raw_input, selected)
    return stepfunctions._apply_output_path(state_def, output, ctx), stepfunctions._next_or_end(state_def)

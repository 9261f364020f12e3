"""Distributed Map: batches of items, child executions, tolerated failures, and results written to S3."""

import json

from ministack.core.responses import new_uuid, now_iso
from ministack.services import stepfunctions

from . import kms, s3_inside, sfn_branches, sfn_permissions, sfn_scope

_CONCURRENCY = 64
_COUNTS = ('pending', 'running', 'succeeded', 'failed', 'timedOut', 'aborted', 'total', 'resultsWritten', 'failuresNotRedrivable', 'pendingRedrive')


def run(state_def, raw_input, effective, iterator, execution, ctx):
    run_scope = sfn_scope.run.get()
    sfn_permissions.require_to_start(run_scope, execution['stateMachineArn'])
    items = _items(state_def, raw_input, effective, ctx)
    inputs = _batches(state_def, raw_input, effective, items, ctx)
    map_run = _new_map_run(state_def, execution, len(items), len(inputs))
    stepfunctions._map_runs[map_run['mapRunArn']] = map_run
    children: list = [None] * len(inputs)

    def job(index, size, child_input, child_ctx):
        def start():
            child = children[index] = _child(map_run, execution, child_input)
            _count(map_run, size, pending=-1, running=1)
            try:
                output = sfn_branches.run_branch(iterator.get('States', {}), iterator.get('StartAt'), child_input, child, child_ctx)
            except sfn_scope.Stopped:
                _end(child, map_run, size, 'ABORTED', 'aborted')
                raise
            except Exception as error:
                known = error if isinstance(error, stepfunctions._ExecutionError) else stepfunctions._ExecutionError('States.Runtime', str(error))
                _end(child, map_run, size, 'FAILED', 'failed', error=known.error, cause=known.cause)
                raise known from error
            _end(child, map_run, size, 'SUCCEEDED', 'succeeded', output=json.dumps(output))
            return output
        return start

    jobs = [(sfn_branches.record_of(i), job(i, *given)) for i, given in enumerate(inputs)]
    concurrency = sfn_branches.number(state_def, 'MaxConcurrency', raw_input, effective, ctx)
    results, errors = sfn_branches.run_all(jobs, int(concurrency or _CONCURRENCY), stop_at_first_failure=False)
    failed_items = sum(inputs[i][0] for i, error in enumerate(errors) if error is not None)
    exceeded = _exceeded(state_def, raw_input, effective, ctx, failed_items, len(items))
    map_run.update(status='FAILED' if exceeded else 'SUCCEEDED', stopDate=now_iso())
    result = _write_results(state_def, effective, ctx, map_run, [c for c in children if c]) or results
    if exceeded:
        raise stepfunctions._ExecutionError(
            'States.ExceedToleratedFailureThreshold', 'The specified tolerated failure threshold was exceeded')
    return sfn_branches.finish(state_def, raw_input, result, ctx)


def _items(state_def, raw_input, effective, ctx) -> list:
    reader = state_def.get('ItemReader')
    if not reader:
        return sfn_branches.items_of(state_def, raw_input, effective, ctx)
    sfn_permissions.require_to_read(sfn_scope.run.get(), reader, _parameters(reader, raw_input, effective, ctx))
    items = stepfunctions._read_map_items(reader, effective, ctx)
    return items if isinstance(items, list) else [items]


def _parameters(part: dict, raw_input, effective, ctx) -> dict:
    if 'Arguments' in part:
        return stepfunctions._apply_jsonata_template(part['Arguments'], raw_input, ctx)
    return stepfunctions._resolve_params_obj(part.get('Parameters') or {}, effective, ctx)


def _batches(state_def, raw_input, effective, items: list, ctx) -> list:
    """The inputs of the child executions: (number of items, input, context)."""
    selected = []
    for index, item in enumerate(items):
        item_ctx = sfn_branches.item_context(ctx, index, item)
        selected.append((sfn_branches.item_input(state_def, raw_input, effective, item, item_ctx), item_ctx))
    batcher = state_def.get('ItemBatcher')
    if not batcher:
        return [(1, data, item_ctx) for data, item_ctx in selected]
    most = sfn_branches.number(batcher, 'MaxItemsPerBatch', raw_input, effective, ctx) or len(items) or 1
    most_bytes = sfn_branches.number(batcher, 'MaxInputBytesPerBatch', raw_input, effective, ctx)
    template = batcher.get('BatchInput')
    jsonata = ctx.get('QueryLanguage') == 'JSONata'
    shared = None if template is None else (
        stepfunctions._apply_jsonata_template(template, raw_input, ctx) if jsonata else stepfunctions._resolve_params_obj(template, effective, ctx))
    wrapped = {} if shared is None else {'BatchInput': shared}
    batches: list = []
    size = 0
    for data, item_ctx in selected:
        item_size = len(json.dumps(data))
        full = not batches or len(batches[-1][0]) >= int(most) or (most_bytes and size + item_size > int(most_bytes))
        if full:
            batches.append(([], item_ctx))
            size = len(json.dumps(wrapped))
        batches[-1][0].append(data)
        size += item_size
    return [(len(group), {**wrapped, 'Items': group}, item_ctx) for group, item_ctx in batches]


def _new_map_run(state_def, execution, items: int, executions: int) -> dict:
    parts = execution['stateMachineArn'].split(':')
    name, label = parts[6], state_def.get('Label') or new_uuid()
    prefix = f'arn:aws:states:{parts[3]}:{parts[4]}'
    return {
        'mapRunArn': f'{prefix}:mapRun:{name}/{label}:{new_uuid()}', 'executionArn': execution['executionArn'], 'status': 'RUNNING',
        'startDate': now_iso(), 'maxConcurrency': int(state_def.get('MaxConcurrency') or 0),
        'toleratedFailurePercentage': float(state_def.get('ToleratedFailurePercentage') or 0),
        'toleratedFailureCount': int(state_def.get('ToleratedFailureCount') or 0), 'redriveCount': 0,
        'itemCounts': {**dict.fromkeys(_COUNTS, 0), 'total': items, 'pending': items},
        'executionCounts': {**dict.fromkeys(_COUNTS, 0), 'total': executions, 'pending': executions},
        '_stateMachineArn': f'{prefix}:stateMachine:{name}/{label}',
    }


def _child(map_run: dict, execution: dict, child_input) -> dict:
    name = new_uuid()
    child = {
        'executionArn': f"{map_run['_stateMachineArn'].replace(':stateMachine:', ':execution:')}:{name}",
        'stateMachineArn': map_run['_stateMachineArn'], 'name': name, 'status': 'RUNNING', 'startDate': now_iso(), 'stopDate': None,
        'input': json.dumps(child_input), 'inputDetails': {'included': True}, 'output': None, 'outputDetails': {'included': True},
        'mapRunArn': map_run['mapRunArn'], 'events': [], 'testCase': execution.get('testCase'), 'mockAttempts': {},
    }
    stepfunctions._executions[child['executionArn']] = child
    return child


def _end(child: dict, map_run: dict, size: int, status: str, outcome: str, **fields) -> None:
    child.update(status=status, stopDate=now_iso(), **fields)
    _count(map_run, size, running=-1, **{outcome: 1})


def _count(map_run: dict, size: int, **changes) -> None:
    for name, change in changes.items():
        map_run['itemCounts'][name] += change * size
        map_run['executionCounts'][name] += change


def _exceeded(state_def, raw_input, effective, ctx, failed: int, total: int) -> bool:
    count = sfn_branches.number(state_def, 'ToleratedFailureCount', raw_input, effective, ctx)
    percentage = sfn_branches.number(state_def, 'ToleratedFailurePercentage', raw_input, effective, ctx)
    limits = ([failed > float(count)] if count is not None else []) + (
        [failed * 100 > float(percentage) * total] if percentage is not None else [])
    return bool(failed) and (any(limits) if limits else True)


def _write_results(state_def, effective, ctx, map_run: dict, children: list) -> dict | None:
    writer = state_def.get('ResultWriter') or {}
    target = _parameters(writer, effective, effective, ctx)
    if not target.get('Bucket'):
        return None
    prefix = f"{target.get('Prefix', '').rstrip('/')}/{map_run['mapRunArn'].rsplit(':', 1)[1]}".lstrip('/')
    files: dict = {'FAILED': [], 'PENDING': [], 'SUCCEEDED': []}
    for status in ('SUCCEEDED', 'FAILED'):
        rows = [_result_row(child) for child in children if child['status'] == status]
        if rows:
            key = f'{prefix}/{status}_0.json'
            files[status].append({'Key': key, 'Size': _put(target['Bucket'], key, rows)})
    manifest = {'DestinationBucket': target['Bucket'], 'MapRunArn': map_run['mapRunArn'], 'ResultFiles': files}
    _put(target['Bucket'], f'{prefix}/manifest.json', manifest)
    return {'MapRunArn': map_run['mapRunArn'], 'ResultWriterDetails': {'Bucket': target['Bucket'], 'Key': f'{prefix}/manifest.json'}}


def _result_row(child: dict) -> dict:
    row = {
        'ExecutionArn': child['executionArn'], 'Input': child['input'], 'InputDetails': {'Included': True}, 'Name': child['name'],
        'Output': child.get('output'), 'OutputDetails': {'Included': True}, 'StartDate': child['startDate'],
        'StateMachineArn': child['stateMachineArn'], 'Status': child['status'], 'StopDate': child['stopDate'],
        'Error': child.get('error'), 'Cause': child.get('cause'),
    }
    return {name: value for name, value in row.items() if value is not None}


def _put(bucket: str, key: str, value) -> int:
    sfn_permissions.require(sfn_scope.run.get(), 's3', [('s3:PutObject', f'arn:aws:s3:::{bucket}/{key}', None), *kms.write_checks(bucket)])
    body = json.dumps(value).encode()
    status, _, answer = s3_inside.request('PUT', bucket, key, body, {'content-type': 'application/json'})
    if status >= 400:
        raise stepfunctions._ExecutionError('States.ResultWriterFailed', ': '.join(s3_inside.error(answer)))
    return len(body)

"""Table streams to functions: read with the function's role, retried from the first record that failed, given up where the mapping says so."""

import logging
import time

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import request_scope
from ministack.services import dynamodb, lambda_svc

from . import identity

logger = logging.getLogger('mlops_engine.streams')

# What AWS does with the role of the function before it reads. ListStreams, which AWS's documentation adds, is not needed to read a stream by its ARN.
_READ = ('dynamodb:DescribeStream', 'dynamodb:GetShardIterator', 'dynamodb:GetRecords')
_SEND = {'sqs': 'sqs:SendMessage', 'sns': 'sns:Publish', 's3': 's3:PutObject'}
_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0

# Of each mapping with a batch that failed: position, attempts made, and how many records are tried at once.
_trouble: dict = {}


def install() -> None:
    lambda_svc._poll_dynamodb_streams = _poll


def _poll() -> bool:
    progressed = False
    for account_id, region, mapping in lambda_svc._iter_all_esms():
        if str(mapping.get('Enabled', True)).lower() == 'false':
            continue
        with request_scope(account_id, region):
            table = _table_of(mapping, account_id, region)
            if table is not None:
                progressed = _advance(mapping, table) or progressed
    return progressed


def _table_of(mapping: dict, account_id: str, region: str) -> str | None:
    source = mapping.get('EventSourceArn', '')
    try:
        spec = parse_arn(source)
    except ArnParseError:
        return None
    if (spec.service, spec.account_id, spec.region) != ('dynamodb', account_id, region):
        return None
    named = lambda_svc._dynamodb_stream_table_from_arn_spec(spec)
    if named is None or (dynamodb._tables.get(named[0]) or {}).get('LatestStreamArn') != source:
        return None
    return named[0]


def _advance(mapping: dict, table: str) -> bool:
    """Hands the next batch of a mapping to its function; whether anything came of it."""
    function, _ = lambda_svc._get_func_record_for_qualifier(mapping['FunctionName'], mapping.get('Qualifier'))
    key, start, end = mapping['UUID'], dynamodb.stream_start_position(table), dynamodb.stream_end_position(table)
    if function is None or lambda_svc._esm_backoff_until.get(key, 0) > time.time():
        return False
    with lambda_svc._dynamodb_stream_positions_lock:
        first = start if mapping.get('StartingPosition', 'LATEST') == 'TRIM_HORIZON' else end
        position = max(lambda_svc._dynamodb_stream_positions.setdefault(key, first), start)
    if position >= end:
        return False
    role = (function.get('config') or function).get('Role', '')
    refusal = _refusal(role, mapping['FunctionName'], mapping['EventSourceArn'])
    if refusal:
        mapping['LastProcessingResult'] = f'PROBLEM: {refusal}'
        lambda_svc._esm_backoff_until[key] = time.time() + _LONGEST_PAUSE_SECONDS
        return False
    trouble = _trouble.get(key)
    if trouble is None or trouble['position'] != position:
        trouble = {'position': position, 'attempts': 0, 'size': int(mapping.get('BatchSize') or 100)}
    records = dynamodb.stream_records_since(table, position, trouble['size'])
    wanted = lambda_svc._apply_filter_criteria(records, mapping)
    if not wanted:
        _move(key, position + len(records))
        return True
    result = lambda_svc._execute_function(function, {'Records': wanted})
    failed = _first_failed(mapping, wanted, result)
    if failed is None:
        _trouble.pop(key, None)
        mapping['LastProcessingResult'] = f'OK - {len(wanted)} records'
        _move(key, position + len(records))
        return True
    return _again(mapping, function, role, records, wanted, failed, trouble, result)


def _move(key: str, position: int) -> None:
    with lambda_svc._dynamodb_stream_positions_lock:
        lambda_svc._dynamodb_stream_positions[key] = position
    lambda_svc._esm_backoff_until.pop(key, None)


def _refusal(role: str, function: str, stream: str) -> str | None:
    return next((found for action in _READ if (found := identity.denial(role, function[:64], action, stream))), None)


def _first_failed(mapping: dict, records: list, result: dict) -> int | None:
    """Where in the batch to begin again; None when all went well."""
    if result.get('error'):
        return 0
    if 'ReportBatchItemFailures' not in (mapping.get('FunctionResponseTypes') or []):
        return None
    body = result.get('body')
    failures = body.get('batchItemFailures') if isinstance(body, dict) else None
    if not failures:
        return None
    order = {str(record['dynamodb']['SequenceNumber']): at for at, record in enumerate(records)}
    # A number that is none of the batch's means that all of it failed.
    return min(order.get(str((failure or {}).get('itemIdentifier') or ''), 0) for failure in failures)


def _again(mapping: dict, function: dict, role: str, records: list, wanted: list, failed: int, trouble: dict, result: dict) -> bool:
    """Notes what failed, and moves on only past what went well or is given up."""
    key, done = mapping['UUID'], records.index(wanted[failed])
    mapping['LastProcessingResult'] = 'PROBLEM: Function call failed'
    if done > 0:
        # What came before is done with; the rest is a new batch with attempts of its own.
        _trouble.pop(key, None)
        _move(key, trouble['position'] + done)
        return True
    attempts = trouble['attempts'] + 1
    most = int(mapping.get('MaximumRetryAttempts', -1))
    if most >= 0 and attempts > most:
        return _given_up(mapping, function, role, records, wanted, trouble, result, 'RetryAttemptsExhausted')
    oldest = min(float(record['dynamodb'].get('ApproximateCreationDateTime', time.time())) for record in wanted)
    if 0 <= int(mapping.get('MaximumRecordAgeInSeconds', -1)) < time.time() - oldest:
        return _given_up(mapping, function, role, records, wanted, trouble, result, 'MaxRecordAgeExceeded')
    bisected = str(mapping.get('BisectBatchOnFunctionError', False)).lower() == 'true' and len(wanted) > 1
    size = max(len(records) // 2, 1) if bisected else trouble['size']
    _trouble[key] = {**trouble, 'attempts': 0 if bisected else attempts, 'size': size}
    lambda_svc._esm_backoff_until[key] = time.time() + min(_PAUSE_SECONDS * 2 ** (attempts - 1), _LONGEST_PAUSE_SECONDS)
    return False


def _given_up(mapping: dict, function: dict, role: str, records: list, wanted: list, trouble: dict, result: dict, condition: str) -> bool:
    target = ((mapping.get('DestinationConfig') or {}).get('OnFailure') or {}).get('Destination', '')
    service = target.split(':')[2] if target.count(':') > 4 else ''
    refusal = identity.denial(role, mapping['FunctionName'][:64], _SEND[service], target) if service in _SEND else None
    if refusal:
        logger.warning('records of %s are lost: %s', mapping['EventSourceArn'], refusal)
    else:
        lambda_svc._send_ddb_stream_failure_record(mapping, function, wanted, mapping['EventSourceArn'], result, condition)
    _trouble.pop(mapping['UUID'], None)
    _move(mapping['UUID'], trouble['position'] + len(records))
    return True

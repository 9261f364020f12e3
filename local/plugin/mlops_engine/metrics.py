"""Metrics nobody puts by hand: embedded in log lines, and those that AWS services publish about themselves."""

import json
import threading
import time

from ministack.core.responses import _request_account_id, _request_region
from ministack.services import cloudwatch, sqs, stepfunctions

_QUEUE_SECONDS = 1.0
_QUEUE_REPEAT_SECONDS = 60.0
_STATE_METRICS = {'SUCCEEDED': 'ExecutionsSucceeded', 'FAILED': 'ExecutionsFailed', 'ABORTED': 'ExecutionsAborted', 'TIMED_OUT': 'ExecutionsTimedOut'}


def install() -> None:
    _wrap_executions()
    threading.Thread(target=_watch_queues, daemon=True, name='mlops-queues').start()


def embedded_in(text: str) -> int:
    """Store the metrics of every line in the embedded metric format; how many datapoints there were."""
    return sum(embedded(line) for line in (text or '').splitlines() if '"CloudWatchMetrics"' in line)


def embedded(line: str) -> int:
    """Store the metrics of a log line in the embedded metric format; how many datapoints it held."""
    try:
        record = json.loads(line[line.index('{'):])
        directives = record['_aws']['CloudWatchMetrics']
    except (ValueError, KeyError, TypeError):
        return 0
    at = float(record['_aws'].get('Timestamp') or time.time() * 1000) / 1000
    stored = 0
    for directive in directives:
        for names in directive.get('Dimensions') or [[]]:
            dimensions = {name: str(record.get(name, '')) for name in names}
            for metric in directive.get('Metrics') or []:
                value = record.get(metric.get('Name'))
                values = value if isinstance(value, list) else [value]
                numbers = [float(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
                if numbers:
                    cloudwatch._store_datum(
                        directive.get('Namespace', 'aws-embedded-metrics'), metric['Name'], dimensions, at, metric.get('Unit', 'None'), None,
                        numbers, None, None)
                    stored += len(numbers)
    return stored


def _wrap_executions() -> None:
    original = stepfunctions._emit_execution_status_event

    def emit(execution):
        original(execution)
        dimensions = {'StateMachineArn': execution['stateMachineArn']}
        ended = _STATE_METRICS.get(execution['status'])
        if ended:
            cloudwatch.record_metric('AWS/States', ended, 1, 'Count', dimensions)
        if execution['status'] == 'RUNNING':
            cloudwatch.record_metric('AWS/States', 'ExecutionsStarted', 1, 'Count', dimensions)

    stepfunctions._emit_execution_status_event = emit


def _watch_queues() -> None:
    last: dict = {}
    while True:
        time.sleep(_QUEUE_SECONDS)
        for key, queue in list(sqs._queues.to_dict().items()):
            _request_account_id.set(key[0])
            _request_region.set(key[1])
            now = time.time()
            messages = list(queue.get('messages') or [])
            visible = sum(1 for message in messages if message.get('visible_at', 0) <= now)
            counted = (visible, len(messages) - visible)
            at, before = last.get(key, (0.0, None))
            # AWS measures once a minute; a change is published at once so that nobody waits for it locally.
            if counted == before and now - at < _QUEUE_REPEAT_SECONDS:
                continue
            last[key] = (now, counted)
            dimensions = {'QueueName': queue['name']}
            cloudwatch.record_metric('AWS/SQS', 'ApproximateNumberOfMessagesVisible', counted[0], 'Count', dimensions)
            cloudwatch.record_metric('AWS/SQS', 'ApproximateNumberOfMessagesNotVisible', counted[1], 'Count', dimensions)
            oldest = min((message.get('sent_at', now) for message in messages), default=now)
            cloudwatch.record_metric('AWS/SQS', 'ApproximateAgeOfOldestMessage', max(0.0, now - oldest), 'Seconds', dimensions)

"""Alarms by dimension, period and missing data, evaluated every second, and told to the default bus."""

import json
import threading
import time
from datetime import datetime, timezone

from ministack.core.responses import _request_account_id, _request_region, get_account_id, get_region
from ministack.services import cloudwatch, sns
from ministack.services.cloudformation import provisioners

from . import kms, metric_math

_TICK_SECONDS = 1.0
# AWS comes back to an alarm after up to a minute: a state that somebody set stays for a while before measurements decide again.
_HOLD_SECONDS = 5.0
_COMPARISONS = {
    'GreaterThanOrEqualToThreshold': lambda value, threshold: value >= threshold,
    'GreaterThanThreshold': lambda value, threshold: value > threshold,
    'LessThanThreshold': lambda value, threshold: value < threshold,
    'LessThanOrEqualToThreshold': lambda value, threshold: value <= threshold,
}
_lock = threading.RLock()


def install() -> None:
    cloudwatch._evaluate_alarm = evaluate
    _wrap_actions()
    _wrap_math_alarms()
    _wrap_set_state()
    threading.Thread(target=_tick, daemon=True, name='mlops-alarms').start()


def _tick() -> None:
    while True:
        time.sleep(_TICK_SECONDS)
        for account, region, name in list(cloudwatch._alarms.to_dict()):
            _request_account_id.set(account)
            _request_region.set(region)
            alarm = cloudwatch._alarms.get(name)
            try:
                if alarm is not None:
                    evaluate(alarm)
            except Exception:
                cloudwatch.logger.warning('Alarm %s could not be evaluated', name, exc_info=True)


def evaluate(alarm: dict) -> None:
    """Move the alarm to the state that the last periods ask for."""
    if time.monotonic() < alarm.get('_heldUntil', 0):
        return
    with _lock:
        values = _datapoints(alarm)
        state, reason = _verdict(alarm, values)
        old = alarm['StateValue']
        if state is None or state == old:
            return
        now = time.time()
        data = _reason_data(alarm, values, now)
        alarm.update(StateValue=state, StateReason=reason, StateReasonData=json.dumps(data), StateUpdatedTimestamp=int(now),
                     StateTransitionedTimestamp=int(now))
    cloudwatch._record_history(alarm['AlarmName'], old, state, reason, reason_data=data)
    cloudwatch._dispatch_alarm_actions(alarm, old, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _datapoints(alarm: dict) -> list:
    """One value per evaluation period, the newest first; None where nothing was measured."""
    now = time.time()
    if alarm.get('Metrics'):
        return metric_math.alarm_values(alarm, now)
    stat = alarm.get('ExtendedStatistic') or alarm.get('Statistic') or 'Average'
    period = int(alarm.get('Period') or 60)
    dimensions = cloudwatch._dims_from_list(alarm.get('Dimensions') or [])
    return [
        metric_math.statistic(alarm.get('Namespace'), alarm.get('MetricName'), dimensions, stat, now - period * (back + 1), now - period * back)
        for back in range(int(alarm.get('EvaluationPeriods') or 1))
    ]


def _verdict(alarm: dict, values: list) -> tuple:
    """New state and reason; None keeps the state."""
    compare = _COMPARISONS.get(alarm.get('ComparisonOperator', ''))
    if compare is None:
        return None, ''
    threshold, needed = float(alarm.get('Threshold') or 0), int(alarm.get('DatapointsToAlarm') or len(values))
    treat = alarm.get('TreatMissingData') or 'missing'
    measured = [value for value in values if value is not None]
    breaching = [value is not None and compare(value, threshold) for value in values]
    bad = sum(breaching)
    if treat == 'breaching':
        bad += len(values) - len(measured)
    shown = ', '.join(f'{value:g}' for value in measured) or 'no datapoints'
    if bad >= needed:
        word = f"{bad} out of the last {len(values)} datapoints [{shown}] were {_words(alarm)} the threshold ({threshold:g})"
        return 'ALARM', f'Threshold Crossed: {word}.'
    good = len(measured) - sum(breaching) + (len(values) - len(measured) if treat == 'notBreaching' else 0)
    if good > len(values) - needed or treat in ('breaching', 'notBreaching'):
        word = f'no {needed} out of the last {len(values)} datapoints [{shown}] were {_words(alarm)} the threshold ({threshold:g})'
        return 'OK', f'Threshold Crossed: {word}.'
    if treat == 'ignore':
        return None, ''
    if not measured:
        return 'INSUFFICIENT_DATA', 'Insufficient Data: no datapoints were received.'
    if any(not bad_one for bad_one, value in zip(breaching, values) if value is not None):
        return 'OK', f'Threshold Crossed: datapoints [{shown}] were not {_words(alarm)} the threshold ({threshold:g}).'
    # Only breaching datapoints, but too few: they count once the oldest is old enough that none can come before it.
    oldest = max(index for index, value in enumerate(values) if value is not None)
    return ('ALARM', f'Threshold Crossed: datapoints [{shown}] were {_words(alarm)} the threshold ({threshold:g}).') \
        if oldest + 1 >= needed else (None, '')


def _words(alarm: dict) -> str:
    return {
        'GreaterThanOrEqualToThreshold': 'greater than or equal to', 'GreaterThanThreshold': 'greater than',
        'LessThanThreshold': 'less than', 'LessThanOrEqualToThreshold': 'less than or equal to',
    }[alarm['ComparisonOperator']]


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.000+0000')


def _reason_data(alarm: dict, values: list, now: float) -> dict:
    return {
        'version': '1.0', 'queryDate': _stamp(now), 'period': alarm.get('Period'), 'threshold': alarm.get('Threshold'),
        'statistic': alarm.get('ExtendedStatistic') or alarm.get('Statistic'), 'recentDatapoints': [v for v in values if v is not None],
    }


def _wrap_actions() -> None:
    dispatch = cloudwatch._dispatch_alarm_actions

    def dispatched(alarm, old_state, new_state, reason):
        dispatch(_with_usable_topics(alarm), old_state, new_state, reason)
        _tell_bus(alarm, old_state, new_state, reason)

    cloudwatch._dispatch_alarm_actions = dispatched


def _with_usable_topics(alarm: dict) -> dict:
    """The alarm without the encrypted topics whose key CloudWatch may not use: AWS loses those messages too."""
    usable = {}
    for field in ('AlarmActions', 'OKActions', 'InsufficientDataActions'):
        usable[field] = []
        for action in alarm.get(field) or []:
            topic = sns._topics.get(action) or {}
            if kms.service_may_use('cloudwatch.amazonaws.com', (topic.get('attributes') or {}).get('KmsMasterKeyId')):
                usable[field].append(action)
            else:
                cloudwatch.logger.error('Alarm %s: the key of %s does not let cloudwatch.amazonaws.com in', alarm['AlarmName'], action)
    return {**alarm, **usable}


def _tell_bus(alarm: dict, old_state: str, new_state: str, reason: str) -> None:
    from ministack.services import eventbridge

    now = _stamp(time.time())
    detail = {
        'alarmName': alarm['AlarmName'],
        'state': {'value': new_state, 'reason': reason, 'reasonData': alarm.get('StateReasonData') or '{}', 'timestamp': now},
        'previousState': {'value': old_state, 'timestamp': now},
        'configuration': _configuration(alarm),
    }
    eventbridge._put_events({'Entries': [{
        'Source': 'aws.cloudwatch', 'DetailType': 'CloudWatch Alarm State Change', 'Detail': json.dumps(detail),
        'Resources': [f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{alarm['AlarmName']}"],
    }]}, allow_aws_source=True)


def _configuration(alarm: dict) -> dict:
    shared = {'description': alarm.get('AlarmDescription') or ''}
    if alarm.get('AlarmRule'):
        return {**shared, 'alarmRule': alarm['AlarmRule'], 'actionsSuppressor': None}
    if alarm.get('Metrics'):
        return {**shared, 'metrics': [{
            'id': m.get('Id'), 'expression': m.get('Expression'), 'label': m.get('Label'), 'returnData': m.get('ReturnData', True),
        } for m in alarm['Metrics']]}
    return {**shared, 'metrics': [{'id': 'm1', 'returnData': True, 'metricStat': {
        'metric': {
            'namespace': alarm.get('Namespace'), 'name': alarm.get('MetricName'),
            'dimensions': cloudwatch._dims_from_list(alarm.get('Dimensions') or []),
        },
        'period': alarm.get('Period'), 'stat': alarm.get('ExtendedStatistic') or alarm.get('Statistic'),
    }}]}


def _wrap_math_alarms() -> None:
    """MiniStack takes alarms over one metric only; with `Metrics`, from a template or the API, the queries are kept beside the record."""
    record = provisioners._cw_metric_alarm_record

    def recorded(name, props):
        if not props.get('Metrics'):
            return record(name, props)
        stand_in = {**props, 'MetricName': 'math', 'Namespace': 'math', 'Metrics': None, 'Threshold': props.get('Threshold', 0)}
        return _with_queries(record(name, stand_in), props['Metrics'])

    provisioners._cw_metric_alarm_record = recorded
    put = cloudwatch._put_metric_alarm

    def put_alarm(params, cbor_data, is_cbor, is_json=False):
        problem = metric_math.problem(cbor_data['Metrics']) if cbor_data.get('Metrics') else None
        if problem:
            return cloudwatch._error('ValidationError', problem, 400, use_json=is_json, use_cbor=is_cbor)
        response = put(params, cbor_data, is_cbor, is_json)
        if cbor_data.get('Metrics') and response[0] < 400:
            _with_queries(cloudwatch._alarms[cbor_data['AlarmName']], cbor_data['Metrics'])
        return response

    cloudwatch._put_metric_alarm = put_alarm


def _wrap_set_state() -> None:
    original = cloudwatch._set_alarm_state

    def set_state(params, cbor_data, is_cbor, is_json=False):
        name = cbor_data.get('AlarmName') if is_cbor or is_json else cloudwatch._p(params, 'AlarmName')
        with _lock:
            alarm = cloudwatch._alarms.get(name)
            if alarm is not None:
                alarm['_heldUntil'] = time.monotonic() + _HOLD_SECONDS
            return original(params, cbor_data, is_cbor, is_json)

    cloudwatch._set_alarm_state = set_state


def _with_queries(alarm: dict, queries: list) -> dict:
    problem = metric_math.problem(queries)
    if problem:
        raise ValueError(f"Alarm {alarm['AlarmName']}: {problem}")
    for name in ('MetricName', 'Namespace', 'Statistic', 'ExtendedStatistic', 'Unit'):
        alarm[name] = None
    alarm.update(Metrics=queries, Dimensions=[], Period=metric_math.period_of(queries))
    return alarm

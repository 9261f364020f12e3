"""Resource types that MiniStack's CloudFormation does not know."""

import json

from ministack.services import cloudwatch, eventbridge
from ministack.services.cloudformation import custom_resource, provisioners

# Kept as records: they change nothing that runs locally.
_RECORDED = (
    'AWS::ApiGatewayV2::Deployment', 'AWS::Athena::NamedQuery', 'AWS::Budgets::Budget', 'AWS::CloudWatch::AnomalyDetector',
    'AWS::Lambda::CodeSigningConfig', 'AWS::Logs::QueryDefinition', 'AWS::XRay::Group',
)
# CloudFormation waits an hour by default; locally nothing that works takes two minutes.
_CUSTOM_RESOURCE_SECONDS = 120


def install() -> None:
    handlers = provisioners._RESOURCE_HANDLERS
    handlers['AWS::CloudWatch::CompositeAlarm'] = _managed(_composite_put, _composite_delete)
    handlers['AWS::Events::Archive'] = _managed(_archive_put, _archive_delete)
    handlers['AWS::Events::EventBusPolicy'] = _managed(_bus_policy_put, _bus_policy_delete)
    for name in _RECORDED:
        handlers[name] = _managed(lambda physical_id, props: (physical_id, {}), lambda physical_id, props: None)
    _cap_custom_resources()


def _managed(put, delete) -> dict:
    """Handlers of a type that is written the same way at create and at update."""
    return {
        'create': lambda logical_id, props, stack: put(provisioners._physical_name(stack, logical_id, max_len=200), props),
        'update': lambda physical_id, old, new, stack: put(physical_id, new),
        'delete': delete,
    }


def _refuse(response: tuple) -> None:
    if response[0] >= 400:
        raise ValueError(response[2].decode('utf-8', 'replace') if isinstance(response[2], bytes) else str(response[2]))


def _composite_put(physical_id, props):
    name = props.get('AlarmName') or physical_id
    data = {**props, 'AlarmName': name}
    if str(data.get('ActionsEnabled', True)).lower() == 'false':
        data['ActionsEnabled'] = False
    _refuse(cloudwatch._put_composite_alarm({}, data, False, True))
    return name, {'Arn': cloudwatch._composite_alarms[name]['AlarmArn']}


def _composite_delete(physical_id, props):
    cloudwatch._composite_alarms.pop(physical_id, None)


def _archive_put(physical_id, props):
    name = props.get('ArchiveName') or physical_id[:48]
    data = {
        'ArchiveName': name, 'EventSourceArn': props.get('SourceArn', ''), 'Description': props.get('Description', ''),
        'RetentionDays': int(props.get('RetentionDays', 0)),
        'EventPattern': json.dumps(props['EventPattern']) if props.get('EventPattern') else '',
    }
    known = name in eventbridge._archives
    _refuse(eventbridge._update_archive(data) if known else eventbridge._create_archive(data))
    return name, {'Arn': eventbridge._archives[name]['ArchiveArn'], 'ArchiveName': name}


def _archive_delete(physical_id, props):
    eventbridge._archives.pop(physical_id, None)


def _bus_of(props: dict) -> str:
    name, error = eventbridge._event_bus_name_from_ref(props.get('EventBusName') or 'default')
    if error:
        raise ValueError(': '.join(error))
    return name


def _bus_policy_put(physical_id, props):
    bus, sid = _bus_of(props), props['StatementId']
    policy = eventbridge._event_bus_policies.get(bus) or {'Version': '2012-10-17', 'Statement': []}
    statement = props.get('Statement') or {
        'Effect': 'Allow', 'Action': props.get('Action', 'events:PutEvents'), 'Principal': _principal(props.get('Principal', '*')),
        'Resource': eventbridge._event_buses[bus]['Arn'],
        **({'Condition': {props['Condition']['Type']: {props['Condition']['Key']: props['Condition']['Value']}}} if props.get('Condition') else {}),
    }
    policy['Statement'] = [s for s in policy['Statement'] if s.get('Sid') != sid] + [{'Sid': sid, **statement}]
    eventbridge._event_bus_policies[bus] = policy
    return f'{bus}|{sid}', {}


def _principal(principal: str):
    return '*' if principal == '*' else {'AWS': f'arn:aws:iam::{principal}:root' if principal.isdigit() else principal}


def _bus_policy_delete(physical_id, props):
    bus, _, sid = physical_id.partition('|')
    policy = eventbridge._event_bus_policies.get(bus)
    if policy:
        policy['Statement'] = [s for s in policy['Statement'] if s.get('Sid') != sid]


class _Capped:
    """Waits no longer than it makes sense locally."""

    def __init__(self, event):
        self._event = event

    def wait(self, timeout=None):
        return self._event.wait(min(timeout or _CUSTOM_RESOURCE_SECONDS, _CUSTOM_RESOURCE_SECONDS))


def _cap_custom_resources() -> None:
    register = custom_resource.register_token
    custom_resource.register_token = lambda token: _Capped(register(token))

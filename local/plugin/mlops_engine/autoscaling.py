"""Application Auto Scaling as a register: targets and policies are kept and described, nothing is ever scaled."""

import json
import time

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import AccountRegionScopedDict, error_response_json, get_account_id, get_region, json_response, new_uuid
from ministack.services.cloudformation import provisioners

_targets, _policies = AccountRegionScopedDict(), AccountRegionScopedDict()


def install() -> None:
    router.SERVICE_PATTERNS['application-autoscaling'] = {'target_prefixes': ['AnyScaleFrontendService.']}
    iam_actions.SERVICE_TO_IAM_NAMESPACE['application-autoscaling'] = 'application-autoscaling'
    app.SERVICE_HANDLERS['application-autoscaling'] = _handle
    handlers = provisioners._RESOURCE_HANDLERS
    handlers['AWS::ApplicationAutoScaling::ScalableTarget'] = {
        'create': _target_created, 'update': lambda pid, old, new, stack: _target_created(pid, new, stack), 'delete': _target_deleted}
    handlers['AWS::ApplicationAutoScaling::ScalingPolicy'] = {
        'create': _policy_created, 'update': lambda pid, old, new, stack: _policy_created(pid, new, stack), 'delete': _policy_deleted}


def _target_key(data: dict) -> tuple:
    return data.get('ServiceNamespace', ''), data.get('ResourceId', ''), data.get('ScalableDimension', '')


def _policy_key(data: dict) -> tuple:
    return (*_target_key(data), data.get('PolicyName', ''))


def _unknown_target(data: dict) -> LookupError:
    return LookupError(
        'No scalable target registered for service namespace: {}, resource ID: {}, scalable dimension: {}'.format(*_target_key(data)))


def register_target(data: dict) -> str:
    known = _targets.get(_target_key(data)) or {
        'CreationTime': time.time(),
        'ScalableTargetARN': f'arn:aws:application-autoscaling:{get_region()}:{get_account_id()}:scalable-target/{new_uuid()[:16]}',
    }
    given = {name: value for name, value in data.items() if name != 'Tags' and value is not None}
    account = get_account_id()
    role = f'arn:aws:iam::{account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling'
    _targets[_target_key(data)] = {'RoleARN': role, **known, **given}
    return known['ScalableTargetARN']


def put_policy(data: dict) -> str:
    if _target_key(data) not in _targets:
        raise _unknown_target(data)
    namespace, resource, _ = _target_key(data)
    known = _policies.get(_policy_key(data)) or {
        'CreationTime': time.time(), 'Alarms': [],
        'PolicyARN': f'arn:aws:autoscaling:{get_region()}:{get_account_id()}:scalingPolicy:{new_uuid()}:resource/{namespace}/{resource}'
                     f":policyName/{data.get('PolicyName')}",
    }
    _policies[_policy_key(data)] = {**known, **data}
    return known['PolicyARN']


def _remove_target(key: tuple) -> bool:
    for policy in [p for p in _policies.keys() if p[:3] == key]:
        del _policies[policy]
    return _targets.pop(key, None) is not None


async def _handle(method, path, headers, body, query_params):
    operation = headers.get('x-amz-target', '').rpartition('.')[2]
    try:
        return _answer(operation, json.loads(body or b'{}'))
    except LookupError as error:
        return error_response_json('ObjectNotFoundException', str(error), 400)


def _answer(operation: str, data: dict):
    if operation == 'RegisterScalableTarget':
        return json_response({'ScalableTargetARN': register_target(data)})
    if operation == 'DeregisterScalableTarget':
        if not _remove_target(_target_key(data)):
            raise _unknown_target(data)
        return json_response({})
    if operation == 'PutScalingPolicy':
        return json_response({'PolicyARN': put_policy(data), 'Alarms': []})
    if operation == 'DeleteScalingPolicy':
        if _policies.pop(_policy_key(data), None) is None:
            raise LookupError(f"No scaling policy found for the policy name: {data.get('PolicyName')}")
        return json_response({})
    if operation == 'DescribeScalableTargets':
        wanted = set(data.get('ResourceIds') or [])
        return json_response({'ScalableTargets': [t for t in _of(_targets, data) if not wanted or t['ResourceId'] in wanted]})
    if operation == 'DescribeScalingPolicies':
        names = set(data.get('PolicyNames') or [])
        found = [p for p in _of(_policies, data) if not names or p['PolicyName'] in names]
        return json_response({'ScalingPolicies': [p for p in found if data.get('ResourceId') in (None, p['ResourceId'])]})
    return error_response_json('UnknownOperationException', f'{operation} is not available in the local engine', 400)


def _of(store, data: dict) -> list:
    dimension = data.get('ScalableDimension')
    return [
        row for row in store.values()
        if row.get('ServiceNamespace') == data.get('ServiceNamespace') and dimension in (None, row.get('ScalableDimension'))
    ]


def _target_created(logical_id, props, stack_name):
    data = {name: int(value) if name.endswith('Capacity') else value for name, value in props.items()}
    register_target(data)
    return '|'.join((data.get('ResourceId', ''), data.get('ScalableDimension', ''), data.get('ServiceNamespace', ''))), {}


def _target_deleted(physical_id, props):
    _remove_target(_target_key(props))


def _policy_created(logical_id, props, stack_name):
    data = dict(props)
    if data.get('ScalingTargetId'):
        resource, dimension, namespace = data.pop('ScalingTargetId').split('|')
        data.update(ResourceId=resource, ScalableDimension=dimension, ServiceNamespace=namespace)
    return put_policy(data), {}


def _policy_deleted(physical_id, props):
    for key in [k for k, policy in _policies.items() if policy['PolicyARN'] == physical_id]:
        del _policies[key]

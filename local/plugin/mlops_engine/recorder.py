"""What each role asked for and got, held against what its policies grant."""

import threading
from collections import Counter

from ministack.core import iam_evaluator
from ministack.services import iam as iam_service
from ministack.services import sts as sts_service

# Past this many resources of one (role, action), objects are counted by their bucket: keys are data, not permissions.
_RESOURCES_KEPT = 40

_lock = threading.Lock()
_seen: Counter = Counter()
_resources: dict = {}


def install() -> None:
    original = iam_evaluator.enforce

    def enforce(access_key_id, iam_action, service, region, resource_arn='*', service_context=None):
        result = original(access_key_id, iam_action, service, region, resource_arn=resource_arn, service_context=service_context)
        if not isinstance(result, iam_evaluator.AuthError):
            role = _role_of(access_key_id)
            if role:
                _record(role, iam_action, resource_arn, result is None)
        return result

    iam_evaluator.enforce = enforce


def _role_of(access_key_id: str) -> str | None:
    arn = (sts_service._sessions.get(access_key_id) or {}).get('Arn', '')
    if ':assumed-role/' not in arn:
        return None
    name = arn.split(':assumed-role/', 1)[1].split('/', 1)[0]
    role = iam_service._roles.get_scoped(arn.split(':')[4], None, name)
    return role['Arn'] if role else f"arn:aws:iam::{arn.split(':')[4]}:role/{name}"


def _record(role: str, action: str, resource: str, allowed: bool) -> None:
    with _lock:
        kept = _resources.setdefault((role, action, allowed), set())
        if resource not in kept and len(kept) >= _RESOURCES_KEPT and resource.startswith('arn:aws:s3:::') and '/' in resource:
            resource = f"{resource.split('/', 1)[0]}/*"
        kept.add(resource)
        _seen[(role, action, resource, allowed)] += 1


def reset() -> None:
    with _lock:
        _seen.clear()
        _resources.clear()


def report() -> dict:
    """Denied and used permissions with their counts, and the granted ones that nothing used so far."""
    with _lock:
        seen = dict(_seen)

    def rows(allowed: bool) -> list:
        return [
            {'role': role, 'action': action, 'resource': resource, 'count': count}
            for (role, action, resource, was_allowed), count in sorted(seen.items()) if was_allowed == allowed
        ]

    return {'denied': rows(False), 'used': rows(True), 'neverUsed': _never_used([key for key in seen if key[3]])}


def _never_used(used: list) -> list:
    by_role: dict = {}
    for role, action, resource, _ in used:
        by_role.setdefault(role, []).append((action, resource))
    rows = []
    for (account, _name), role in sorted(iam_service._roles.to_dict().items()):
        mine = by_role.get(role['Arn'], [])
        for statement in [s for policy in iam_evaluator._gather_role_policies(role['RoleName'], account) for s in policy]:
            if statement.effect != 'Allow':
                continue
            for pattern in statement.actions:
                if not any(_covers(statement, pattern, action, resource) for action, resource in mine):
                    rows.append({'role': role['Arn'], 'action': pattern, 'resource': ' '.join(statement.resources) or '*'})
    return rows


def _covers(statement, pattern: str, action: str, resource: str) -> bool:
    return iam_evaluator.fnmatch_iam(action, pattern) and iam_evaluator._resource_matches(
        resource, statement.resources, statement.not_resources)

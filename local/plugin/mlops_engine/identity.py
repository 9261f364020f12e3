"""Roles as principals: sessions of a role, who may assume it, and what it may do."""

import contextvars
import hashlib
import json

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_region
from ministack.services import iam as iam_service
from ministack.services import sts as sts_service


class NotAllowed(Exception):
    """A role is missing, does not trust the service, or lacks a permission; the message is the one AWS words."""


def role_name(role_arn: str) -> str:
    return role_arn.rsplit('/', 1)[-1]


def account_of(arn: str) -> str:
    return arn.split(':')[4]


def find_role(role_arn: str) -> dict | None:
    if not role_arn.startswith('arn:') or ':role/' not in role_arn:
        return None
    return iam_service._roles.get_scoped(account_of(role_arn), None, role_name(role_arn))


def require_trust(role_arn: str, service: str) -> None:
    """Raise NotAllowed unless the role exists and its trust policy lets the service principal assume it."""
    role = find_role(role_arn)
    if role is None:
        raise NotAllowed(f'The role {role_arn} does not exist')
    document = role.get('AssumeRolePolicyDocument') or '{}'
    document = json.loads(document) if isinstance(document, str) else document
    statements = document.get('Statement', [])
    statements = [statements] if isinstance(statements, dict) else statements
    allowed = False
    for statement in statements:
        actions = statement.get('Action', [])
        actions = [actions] if isinstance(actions, str) else actions
        if not any(iam_evaluator.fnmatch_iam('sts:AssumeRole', action) for action in actions):
            continue
        if not iam_evaluator._service_principal_matches(statement.get('Principal'), service):
            continue
        if statement.get('Effect') == 'Deny':
            allowed = False
            break
        allowed = True
    if not allowed:
        raise NotAllowed(f'The trust policy of {role_arn} does not allow {service} to assume the role')


def session(role_arn: str, session_name: str) -> dict:
    """Credentials of a session of the role; the same role and session name always give the same keys."""
    digest = hashlib.sha256(f'{role_arn}:{session_name}'.encode()).hexdigest()
    credentials = {
        'AccessKeyId': f'ASIA{digest[:16].upper()}',
        'SecretAccessKey': hashlib.sha256(f'secret:{digest}'.encode()).hexdigest(),
        'SessionToken': hashlib.sha256(f'token:{digest}'.encode()).hexdigest(),
    }
    sts_service.register_session(credentials['AccessKeyId'], {
        'Arn': session_arn(role_arn, session_name),
        'UserId': f'{role_name(role_arn)}:{session_name}',
        'SecretAccessKey': credentials['SecretAccessKey'],
        'SessionToken': credentials['SessionToken'],
    })
    return credentials


def session_arn(role_arn: str, session_name: str) -> str:
    return f'arn:aws:sts::{account_of(role_arn)}:assumed-role/{role_name(role_arn)}/{session_name}'


def denial(role_arn: str, session_name: str, action: str, resource: str, keys: dict | None = None) -> str | None:
    """The message with which AWS refuses the action to a session of the role, or None when it is allowed."""
    access_key = session(role_arn, session_name)['AccessKeyId']
    return denial_of_key(access_key, action, resource, keys)


def denial_of_key(access_key: str, action: str, resource: str, keys: dict | None = None) -> str | None:
    """As `denial`, for the caller that holds this access key (already authenticated)."""
    def decide():
        # The check is on the role, not on whichever request happens to be in flight on this thread.
        iam_evaluator._signed_request.set(None)
        iam_evaluator._anonymous.set(False)
        return iam_evaluator.enforce(access_key, action, action.split(':', 1)[0], get_region(), resource_arn=resource, service_context=keys)

    result = contextvars.copy_context().run(decide)
    if result is None:
        return None
    if isinstance(result, iam_evaluator.AuthError):
        return result.message
    explicit = result.decision == 'Deny'
    if explicit and result.resource_policy_arn:
        return iam_actions._resource_policy_denial(action.split(':', 1)[0], action, result.principal_arn, result.resource_policy_arn)
    return iam_actions.identity_denial_message(action, result.principal_arn, resource, explicit)

"""IAM on a loopback port: TLS-only policies hold, and handing a role to a service needs iam:PassRole."""

import json
import uuid

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.router import extract_access_key_id

from . import identity

_LOOPBACK = ('127.', '::1', 'localhost')

# Service in MiniStack, requests that carry a role (by target or path), where it is, and the principal it goes to.
_PASSING = {
    'lambda': ('lambda.amazonaws.com', (('Role',),)),
    'states': ('states.amazonaws.com', (('roleArn',),)),
    'scheduler': ('scheduler.amazonaws.com', (('Target', 'RoleArn'),)),
    'events': ('events.amazonaws.com', (('RoleArn',), ('Targets', '*', 'RoleArn'))),
    'firehose': ('firehose.amazonaws.com', (('ExtendedS3DestinationConfiguration', 'RoleARN'), ('S3DestinationConfiguration', 'RoleARN'))),
    'sagemaker': ('sagemaker.amazonaws.com', (
        ('RoleArn',), ('ExecutionRoleArn',), ('TrainingJobDefinition', 'RoleArn'), ('TrainingJobDefinitions', '*', 'RoleArn'),
    )),
}


def install() -> None:
    original = iam_evaluator._resolve_condition_key

    def resolve(key, ctx):
        # The engine listens on the loopback interface only, where plain HTTP is as private as TLS is elsewhere.
        if key.lower() == 'aws:securetransport' and ctx.source_ip.startswith(_LOOPBACK):
            return 'true'
        return original(key, ctx)

    iam_evaluator._resolve_condition_key = resolve
    for service in ('lambda', 'states', 'scheduler', 'events', 'firehose'):
        app.SERVICE_HANDLERS[service] = _checking_pass_role(service, app.SERVICE_HANDLERS[service])


def _checking_pass_role(service: str, handler):
    async def handle(method, path, headers, body, query_params):
        if method in ('POST', 'PUT') and body and not _is_invocation(service, path):
            message = pass_role_denial(service, extract_access_key_id(headers, query_params), body)
            if message:
                return iam_actions.access_denied_response(service, 'iam:PassRole', '', str(uuid.uuid4()), message=message, headers=headers)
        return await handler(method, path, headers, body, query_params)

    return handle


def _is_invocation(service: str, path: str) -> bool:
    return service == 'lambda' and path.rstrip('/').endswith(('/invocations', '/invoke-async'))


def pass_role_denial(service: str, access_key: str, body: bytes | dict) -> str | None:
    """Why this caller may not hand over the roles named in the request, or None."""
    for role_arn, passed_to in passed_roles(service, body):
        message = identity.denial_of_key(access_key, 'iam:PassRole', role_arn, {'iam:PassedToService': passed_to})
        if message:
            return message
    return None


def passed_roles(service: str, body: bytes | dict) -> list:
    """The (role ARN, service principal) pairs that a request hands over."""
    if service not in _PASSING:
        return []
    principal, places = _PASSING[service]
    if not isinstance(body, dict):
        try:
            body = json.loads(body)
        except ValueError:
            return []
    found = [arn for place in places for arn in _at(body, place) if isinstance(arn, str) and arn.startswith('arn:')]
    return [(arn, principal) for arn in dict.fromkeys(found)]


def _at(value, place: tuple) -> list:
    if not place:
        return [value]
    head, rest = place[0], place[1:]
    if head == '*':
        return [found for item in value for found in _at(item, rest)] if isinstance(value, list) else []
    return _at(value[head], rest) if isinstance(value, dict) and head in value else []

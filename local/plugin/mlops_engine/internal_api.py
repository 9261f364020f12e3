"""The private door between the engine and the SageMaker service: sessions of roles, events of AWS services, reports."""

import asyncio
import hmac
import json
import os

from ministack import app
from ministack.core.responses import _request_account_id, _request_region

from . import calls, faults, identity, recorder

_PREFIX = '/_mlops/'
_settings = None


def install(settings) -> None:
    global _settings
    _settings = settings
    original = app.app

    async def application(scope, receive, send):
        if scope['type'] == 'http' and scope['path'].startswith(_PREFIX):
            await _serve(scope, receive, send)
            return
        await original(scope, receive, send)

    app.app = application


async def _serve(scope, receive, send) -> None:
    headers = {name.decode('latin-1').lower(): value.decode('latin-1') for name, value in scope['headers']}
    given = headers.get('x-mlops-engine-token', '')
    if not _settings.token or not hmac.compare_digest(given.encode(), _settings.token.encode()):
        status, answer = 403, {'message': 'The engine token is missing or wrong'}
    else:
        try:
            status, answer = await _route(scope['method'], scope['path'][len(_PREFIX):], await _body(receive))
        except identity.NotAllowed as error:
            status, answer = 403, {'message': str(error)}
        except (KeyError, TypeError, ValueError) as error:
            status, answer = 400, {'message': f'Bad request: {error}'}
    raw = json.dumps(answer).encode()
    await send({'type': 'http.response.start', 'status': status, 'headers': [
        (b'content-type', b'application/json'), (b'content-length', str(len(raw)).encode())]})
    await send({'type': 'http.response.body', 'body': raw})


async def _body(receive) -> dict:
    raw = b''
    while True:
        message = await receive()
        raw += message.get('body', b'')
        if not message.get('more_body'):
            return json.loads(raw) if raw else {}


async def _route(method: str, name: str, body: dict) -> tuple:
    if method == 'GET' and name == 'health':
        return 200, {'status': 'ok', 'pid': os.getpid()}
    if method == 'GET' and name == 'permissions':
        return 200, await asyncio.to_thread(recorder.report)
    if method == 'POST' and name == 'permissions/reset':
        recorder.reset()
        return 200, {}
    if method == 'GET' and name == 'calls':
        return 200, calls.report()
    if name == 'faults' or name.startswith('faults/'):
        return _faults(method, name.partition('/')[2], body)
    if method == 'POST' and name == 'session':
        role_arn, service = str(body['roleArn']), str(body['service'])
        _enter_scope(identity.account_of(role_arn) if role_arn.startswith('arn:') else '', '')
        identity.require_trust(role_arn, service)
        return 200, identity.session(role_arn, str(body.get('sessionName') or service.split('.')[0])[:64])
    if method == 'POST' and name == 'permitted':
        return 200, await asyncio.to_thread(_permitted, str(body['roleArn']), str(body['action']), [str(arn) for arn in body['resources']])
    if method == 'POST' and name == 'events':
        return _put_event(body)
    return 404, {'message': f'No such route: {method} {name}'}


def _permitted(role_arn: str, action: str, resources: list) -> dict:
    _enter_scope(identity.account_of(role_arn), '')
    denials = (identity.denial(role_arn, 'SageMaker', action, resource) for resource in resources)
    return {'message': next((denial for denial in denials if denial), None)}


def _faults(method: str, rest: str, body: dict) -> tuple:
    if method == 'POST' and not rest:
        return 200, faults.add(body)
    if method == 'POST' and rest == 'match':
        # Work that the SageMaker service starts by itself, as a tuning job does, never came through the engine's door.
        return 200, {'effect': faults.effect_of('sagemaker', str(body['operation']), str(body['name']))}
    if method == 'GET' and not rest:
        return 200, {'faults': faults.listed()}
    if method == 'DELETE':
        try:
            return 200, {'removed': faults.remove(rest or None)}
        except KeyError:
            return 404, {'message': f'There is no fault {rest}'}
    return 404, {'message': f'No such route: {method} faults/{rest}'}


def _put_event(body: dict) -> tuple:
    from ministack.services import eventbridge

    resources = [str(arn) for arn in body.get('Resources') or []]
    parts = resources[0].split(':') if resources else []
    _enter_scope(parts[4] if len(parts) > 5 else '', parts[3] if len(parts) > 5 else '')
    detail = body['Detail']
    status, _, raw = eventbridge._put_events({'Entries': [{
        'Source': body['Source'], 'DetailType': body['DetailType'], 'Resources': resources,
        'Detail': detail if isinstance(detail, str) else json.dumps(detail),
    }]}, allow_aws_source=True)
    return status, json.loads(raw)


def _enter_scope(account: str, region: str) -> None:
    """The account and region that the request is about; it carries no AWS credentials that would say so."""
    if account:
        _request_account_id.set(account)
    if region:
        _request_region.set(region)

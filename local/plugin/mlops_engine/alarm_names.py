"""Alarms named in a list are authorized one by one; MiniStack asks on `*`, which a policy on alarms does not cover."""

import json
import uuid
from urllib.parse import parse_qs

from ministack import app
from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id

from . import identity


def install() -> None:
    original = iam_actions.extract_resource_arn

    def extract(service, method, path, headers, body, query_params, region, account_id):
        found = original(service, method, path, headers, body, query_params, region, account_id)
        names = names_of(headers, body, query_params) if service == 'monitoring' and found == '*' else []
        return _arn(names[0], region, account_id) if names else found

    iam_actions.extract_resource_arn = extract
    app.SERVICE_HANDLERS['monitoring'] = _asking_for_each(app.SERVICE_HANDLERS['monitoring'])


def _arn(name: str, region: str, account_id: str) -> str:
    return f'arn:aws:cloudwatch:{region}:{account_id}:alarm:{name}'


def _asking_for_each(original):
    async def handle(method, path, headers, body, query_params):
        # The first name was asked about on the way in.
        for name in names_of(headers, body, query_params)[1:]:
            action = iam_actions.extract_iam_action('monitoring', method, path, headers, body, query_params)
            key = extract_access_key_id(headers, query_params)
            message = identity.denial_of_key(key, action, _arn(name, get_region(), get_account_id()))
            if message:
                return iam_actions.access_denied_response('monitoring', action, '', str(uuid.uuid4()), message=message, headers=headers)
        return await original(method, path, headers, body, query_params)

    return handle


def names_of(headers: dict, body: bytes, query_params: dict) -> list:
    """AlarmNames of a request, in whichever of the three protocols it came."""
    kind = headers.get('content-type', '') + headers.get('smithy-protocol', '')
    if 'cbor' in kind or 'json' in kind or 'x-amz-target' in headers:
        names = _decoded(body, 'cbor' in kind).get('AlarmNames')
        return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    given = {**query_params, **parse_qs((body or b'').decode('utf-8', 'replace'))}
    members = sorted((int(number), value) for name, value in given.items() if (number := name.removeprefix('AlarmNames.member.')).isdigit())
    return [str(value[0] if isinstance(value, list) else value) for _, value in members]


def _decoded(body: bytes, cbor: bool) -> dict:
    try:
        if cbor:
            import cbor2

            value = cbor2.loads(body)
        else:
            value = json.loads(body)
    except Exception:
        # What cannot be read gets the service's own answer.
        return {}
    return value if isinstance(value, dict) else {}

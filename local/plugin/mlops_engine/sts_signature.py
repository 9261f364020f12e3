"""Who says to STS that they are root proves it: others rely on its answer, while MiniStack believes the root key without its signature."""

import datetime
import hashlib

from ministack import app
from ministack.core import iam_evaluator, sigv4
from ministack.core.router import extract_access_key_id
from ministack.services import sts

_SECRET = 'test'


def install() -> None:
    original = app.SERVICE_HANDLERS['sts']

    async def handle(method, path, headers, body, query_params):
        key = extract_access_key_id(headers, query_params)
        refusal = _refusal(method, path, headers, body, query_params) if key and iam_evaluator.is_root_access_key(key) else None
        if refusal:
            return sts._error(403, *refusal, ns='sts')
        return await original(method, path, headers, body, query_params)

    app.SERVICE_HANDLERS['sts'] = handle


def _refusal(method: str, path: str, headers: dict, body: bytes, query_params: dict) -> tuple | None:
    presigned = not headers.get('authorization')
    signature = sigv4.parse_query_signature(query_params) if presigned else sigv4.parse_header_signature(headers)
    if isinstance(signature, tuple):
        return signature
    if presigned and _expired(signature.amz_date, query_params):
        return 'SignatureDoesNotMatch', 'Signature expired'
    late = None if presigned else sigv4.request_time_failure(signature)
    if late:
        return late
    # AWS hashes what it received; the header alone proves nothing about the body.
    hashed = {**headers, 'x-amz-content-sha256': hashlib.sha256(body or b'').hexdigest()}
    if 'x-amz-content-sha256' in headers and headers['x-amz-content-sha256'] != hashed['x-amz-content-sha256']:
        return 'SignatureDoesNotMatch', 'The payload is not the one that x-amz-content-sha256 names'
    return sigv4.header_signature_failure(signature, _SECRET, method, path, query_params, hashed, body or b'', presigned=presigned)


def _expired(amz_date: str, query_params: dict) -> bool:
    try:
        expires = sigv4._query_value(query_params, 'X-Amz-Expires') or '900'
        return sigv4.presigned_request_is_expired(amz_date, expires, now=datetime.datetime.now(datetime.timezone.utc))
    except ValueError:
        return True

"""Whether a request carries the Signature Version 4 of who it says it is from; nothing is taken on trust, the root key's signature neither."""

import datetime
import hashlib
import urllib.parse
from dataclasses import dataclass

from ministack.core import iam_evaluator, sigv4

_ALGORITHM = 'AWS4-HMAC-SHA256'


class NotSigned(Exception):
    """Why the signature does not hold. AWS tells callers of an HTTP API no more than `Forbidden`; the engine's log has the sentence."""


@dataclass(frozen=True)
class Request:
    """A request exactly as it was sent."""

    method: str
    raw_path: str
    raw_query: str
    headers: dict
    body: bytes


def signer_of(request: Request, service: str, region: str, account_id: str) -> str:
    """The access key that signed the request for this service and region; raises NotSigned."""
    if not request.headers.get('authorization', '').startswith(_ALGORITHM + ' '):
        raise NotSigned('there is no AWS4-HMAC-SHA256 signature')
    signature = sigv4.parse_header_signature(request.headers)
    if isinstance(signature, tuple):
        raise NotSigned(signature[1])
    _require_scope(request, signature, service, region)
    _require_time(signature)
    _require_payload(request)
    secret = _secret_of(signature.access_key_id, request.headers.get('x-amz-security-token', ''), account_id)
    # AWS hashes what it received; MiniStack would take the header's word for it.
    headers = {**request.headers, 'x-amz-content-sha256': hashlib.sha256(request.body).hexdigest()}
    query = {}
    for name, value in urllib.parse.parse_qsl(request.raw_query, keep_blank_values=True, errors='surrogateescape'):
        query.setdefault(name, []).append(value)
    failure = sigv4.header_signature_failure(signature, secret, request.method, request.raw_path, query, headers, b'')
    if failure:
        raise NotSigned(failure[1])
    return signature.access_key_id


def _require_scope(request: Request, signature, service: str, region: str) -> None:
    term = _credential(request.headers['authorization']).rpartition('/')[2]
    if (signature.service, signature.region, term) != (service, region, 'aws4_request'):
        raise NotSigned(f'the signature is for {signature.region}/{signature.service}/{term}, not for {region}/{service}/aws4_request')
    signed = signature.signed_headers.split(';')
    needed = ['host'] + [name for name in ('x-amz-date', 'x-amz-security-token') if name in request.headers]
    missing = [name for name in needed if name not in signed]
    if missing or signed != sorted(signed):
        raise NotSigned(f"headers are not signed: {', '.join(missing) or 'they are out of order'}")


def _credential(authorization: str) -> str:
    fields = dict(part.strip().partition('=')[::2] for part in authorization.split(' ', 1)[1].split(','))
    return fields.get('Credential', '')


def _require_time(signature) -> None:
    try:
        datetime.datetime.strptime(signature.amz_date, '%Y%m%dT%H%M%SZ')
    except ValueError as error:
        raise NotSigned(f'{signature.amz_date!r} is no date') from error
    skewed = sigv4.request_time_failure(signature)
    if skewed:
        raise NotSigned(skewed[1])


def _require_payload(request: Request) -> None:
    stated = request.headers.get('x-amz-content-sha256')
    if stated is not None and stated != hashlib.sha256(request.body).hexdigest():
        raise NotSigned('the payload is not the one that x-amz-content-sha256 names')


def _secret_of(access_key: str, token: str, account_id: str) -> str:
    found = iam_evaluator.resolve_credential(access_key, account_id, token or None)
    if isinstance(found, iam_evaluator.CredentialResolutionError):
        raise NotSigned(found.message)
    return found.secret_access_key

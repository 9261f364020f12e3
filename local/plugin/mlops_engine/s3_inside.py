"""S3 requests the engine makes for another service, after that service's role was checked."""

from ministack import app
from ministack.core.responses import get_region


def request(method: str, bucket: str, key: str, body: bytes = b'', headers: dict | None = None) -> tuple:
    """Status, headers in lower case, and body. Call from a worker thread only."""
    authorization = f'AWS4-HMAC-SHA256 Credential=test/20260101/{get_region()}/s3/aws4_request'
    given = {'host': 's3.amazonaws.com', 'content-length': str(len(body)), 'authorization': authorization, **(headers or {})}
    path = f'/{bucket}/{key}'
    status, answered, content = app.call_service_handler_sync(app.SERVICE_HANDLERS['s3'], method, path, given, body, {})
    return status, {name.lower(): value for name, value in answered.items()}, content


def error(content: bytes) -> tuple:
    """Code and message of an error document."""
    text = content.decode('utf-8', 'replace')
    return text.partition('<Code>')[2].partition('</Code>')[0] or 'InternalError', text.partition('<Message>')[2].partition('</Message>')[0]

"""HTTP APIs as API Gateway runs them: signatures verified, requests limited in size, number and time, events as functions get them from AWS."""

import asyncio
import base64
import json
import logging
import os
import threading
import time

from ministack import app
from ministack.core import responses
from ministack.core.arn import execute_api_arn
from ministack.services import apigateway
from ministack.services.cloudformation import provisioners

from . import execution_logs, http_api_function, identity, sigv4

logger = logging.getLogger('mlops_engine.http_api')

_LARGEST = 10 * 1024 * 1024
_PREFIX = '/_aws/execute-api/'
_lock = threading.Lock()
# Tokens left and the time they were counted at, of each stage: (api, stage) -> (tokens, at).
_buckets: dict = {}


def install() -> None:
    http_api_function.install()
    _wrap_gateway()
    _wrap_endpoint()


def base_url(api_id: str) -> str:
    """Address of an API on this engine: host names below the loopback address do not resolve everywhere."""
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}{_PREFIX}{api_id}"


def _wrap_gateway() -> None:
    original, enforce = app._handle_execute_api_request, app._enforce_execute_api

    async def handle(host, path, method, headers, body, query_params, raw_path=None, raw_query_string=None):
        parsed = app._parse_execute_api_url(host, path)
        if parsed is None or _http_api(parsed[0]) is None:
            return await original(host, path, method, headers, body, query_params, raw_path=raw_path, raw_query_string=raw_query_string)
        account_id, region = apigateway.find_api_scope(parsed[0])
        with responses.request_scope(account_id, region):
            request = sigv4.Request(method, raw_path if raw_path is not None else path, raw_query_string or '', headers, body)
            return await _served(parsed, path, request, query_params, account_id, region)

    def enforce_others(api_id, stage, method, execute_path, headers, query_params, iam_action='execute-api:Invoke'):
        # HTTP APIs were asked for before, with the whole request at hand.
        return None if _http_api(api_id) else enforce(api_id, stage, method, execute_path, headers, query_params, iam_action)

    app._handle_execute_api_request = handle
    app._enforce_execute_api = enforce_others


def _http_api(api_id: str):
    scope = apigateway.find_api_scope(api_id)
    if scope is None:
        return None
    api = apigateway._apis.get_scoped(*scope, api_id)
    return api if api and api.get('protocolType', 'HTTP') == 'HTTP' else None


async def _served(parsed: tuple, path: str, request: sigv4.Request, query_params: dict, account_id: str, region: str) -> tuple:
    api_id = parsed[0]
    stage, execute_path = app._resolve_stage_and_path(*parsed)
    execute_path = _path_as_sent(path, execute_path, request.raw_path)
    route = apigateway._match_route(api_id, request.method, '/' + execute_path.lstrip('/'))
    started, caller, error = time.time(), {}, ''
    refusal = _refusal(api_id, stage, request)
    if refusal is None and route and str(route.get('authorizationType')).upper() == 'AWS_IAM':
        try:
            access_key = sigv4.signer_of(request, 'execute-api', region, account_id)
            caller = apigateway._iam_caller_identity_v2(request.headers, {}) or {}
            arn = execute_api_arn(region, account_id, api_id, stage, request.method, execute_path)
            error = await asyncio.to_thread(identity.denial_of_key, access_key, 'execute-api:Invoke', arn) or ''
        except sigv4.NotSigned as not_signed:
            error = str(not_signed)
        if error:
            logger.info('%s %s refused: %s', request.method, execute_path, error)
            refusal = _message(403, 'Forbidden')
    status, headers, body = refusal or await apigateway.handle_execute(
        api_id, stage, execute_path, request.method, request.headers, request.body, query_params, raw_query_string=request.raw_query)
    headers.setdefault('apigw-requestid', base64.b64encode(os.urandom(11)).decode())
    _log(api_id, stage, {
        'requestId': headers['apigw-requestid'], 'identity.userArn': caller.get('userArn'), 'identity.sourceIp': '127.0.0.1',
        'identity.userAgent': request.headers.get('user-agent'), 'httpMethod': request.method, 'path': execute_path,
        'routeKey': (route or {}).get('routeKey'), 'status': status, 'responseLength': len(body), 'stage': stage, 'apiId': api_id,
        'accountId': account_id, 'protocol': 'HTTP/1.1', 'responseLatency': round((time.time() - started) * 1000),
        'requestTime': time.strftime('%d/%b/%Y:%H:%M:%S +0000', time.gmtime(started)), 'requestTimeEpoch': round(started * 1000),
        'error.message': json.loads(refusal[2])['message'] if refusal else None,
        'integrationErrorMessage': http_api_function.last_error(),
    })
    return status, headers, b'' if request.method == 'HEAD' else body


def _path_as_sent(path: str, execute_path: str, raw_path: str) -> str:
    """The path below the API with every escape decoded but `%25`, as an HTTP API hands it on."""
    if not path.endswith(execute_path):
        return execute_path
    prefix, decoded = path[:len(path) - len(execute_path)], apigateway.decode_http_api_path(raw_path)
    return decoded[len(prefix):] if decoded.startswith(prefix) else execute_path


def _message(status: int, text: str) -> tuple:
    return status, {'Content-Type': 'application/json'}, json.dumps({'message': text}).encode()


def _refusal(api_id: str, stage: str, request: sigv4.Request) -> tuple | None:
    if len(request.body) > _LARGEST:
        return _message(413, 'Request Entity Too Large')
    settings = (apigateway._stages.get(api_id, {}).get(stage) or {}).get('defaultRouteSettings') or {}
    settings = {name[0].lower() + name[1:]: value for name, value in settings.items()}
    rate, burst = settings.get('throttlingRateLimit'), settings.get('throttlingBurstLimit')
    if rate is None or burst is None or _take(api_id, stage, float(rate), float(burst)):
        return None
    return _message(429, 'Too Many Requests')


def _take(api_id: str, stage: str, rate: float, burst: float) -> bool:
    """Takes a token of the stage's bucket, which holds `burst` and gets `rate` a second."""
    with _lock:
        now = time.monotonic()
        tokens, at = _buckets.get((api_id, stage), (burst, now))
        tokens = min(burst, tokens + (now - at) * rate)
        _buckets[(api_id, stage)] = (max(tokens - 1, 0) if tokens >= 1 else tokens, now)
        return tokens >= 1


def _log(api_id: str, stage: str, values: dict) -> None:
    settings = (apigateway._stages.get(api_id, {}).get(stage) or {}).get('accessLogSettings') or {}
    group = settings.get('destinationArn', '').partition(':log-group:')[2].removesuffix(':*')
    if not group or not settings.get('format'):
        return
    line = settings['format']
    # Longer names first: $context.requestTimeEpoch begins like $context.requestTime.
    for name in sorted(values, key=len, reverse=True):
        text = '-' if values[name] in (None, '') else str(values[name])
        line = line.replace(f'$context.{name}', json.dumps(text)[1:-1])
    execution_logs.append(group, f'{api_id}-{stage}', line)


def _wrap_endpoint() -> None:
    """`ApiEndpoint` of a template and of the API's description lead to this engine."""
    handlers = provisioners._RESOURCE_HANDLERS['AWS::ApiGatewayV2::Api']
    create, update = handlers['create'], handlers['update']

    def located(api_id, attributes):
        if _http_api(api_id) is None:
            return api_id, attributes
        apigateway._apis[api_id]['apiEndpoint'] = base_url(api_id)
        return api_id, {**attributes, 'ApiEndpoint': base_url(api_id)}

    handlers['create'] = lambda *args: located(*create(*args))
    handlers['update'] = lambda *args, **kwargs: located(*update(*args, **kwargs))

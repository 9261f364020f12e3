"""The function behind a route: the event it gets, and what becomes of its answer."""

import asyncio
import base64
import contextvars
import json
import os
import time

from ministack.core.concurrency import run_reentrant
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import apigateway, lambda_svc

_PRINCIPAL = 'apigateway.amazonaws.com'
_FUNCTION_LIMIT = 6 * 1024 * 1024
_LONGEST_MILLISECONDS = 30_000
_last_error: contextvars.ContextVar = contextvars.ContextVar('mlops_integration_error', default=None)


def install() -> None:
    apigateway._invoke_lambda_proxy = _invoke


def last_error() -> str | None:
    """Why the function of the request at hand did not answer."""
    return _last_error.get()


def _failed(status: int, text: str, why: str) -> tuple:
    _last_error.set(why)
    return status, {'Content-Type': 'application/json'}, json.dumps({'message': text}).encode()


async def _invoke(integration, api_id, stage, path, method, headers, body, query_params, route_key='$default', path_params=None, *,
                  authorizer_claims=None, authorizer_scopes=None, authorizer_lambda_context=None, authorizer_iam=None,
                  owner_account_id=None, owner_region=None, raw_query_string=None):
    _last_error.set(None)
    reference = apigateway._extract_lambda_ref_from_integration_uri(integration.get('integrationUri', ''))
    function, config, _ = lambda_svc._get_func_record_for_ref_in_scope(reference, account_id=owner_account_id, region=owner_region)
    if function is None or config is None:
        return _failed(500, 'Internal Server Error', f'The function {reference} does not exist')
    if not _may_invoke(config['FunctionArn'], api_id, stage, route_key):
        return _failed(500, 'Internal Server Error', 'The function lacks a permission that lets API Gateway invoke it')
    event = _event(api_id, stage, path, method, headers, body, query_params, route_key, path_params, raw_query_string)
    authorizer = _authorizer(authorizer_claims, authorizer_scopes, authorizer_lambda_context, authorizer_iam)
    if authorizer:
        event['requestContext']['authorizer'] = authorizer
    if len(json.dumps(event, ensure_ascii=False).encode()) > _FUNCTION_LIMIT:
        return _failed(413, 'Request Entity Too Large', 'The event is larger than 6 MB')
    record = lambda_svc._execution_record_for_config(function, config)
    milliseconds = min(int(integration.get('timeoutInMillis') or _LONGEST_MILLISECONDS), _LONGEST_MILLISECONDS)
    running = asyncio.ensure_future(
        run_reentrant(lambda_svc._execute_function_with_config_scope, record, event, thread_name='mlops-http-api'))
    # The function runs on, as on AWS; only nobody waits for it any more.
    done, _ = await asyncio.wait({running}, timeout=milliseconds / 1000)
    if not done:
        return _failed(503, 'Service Unavailable', 'The function did not answer in time')
    return _answer(running.result())


def _may_invoke(arn: str, api_id: str, stage: str, route_key: str) -> bool:
    found = lambda_svc.function_policy_for_arn(arn)
    if not found or not found[0]:
        return False
    method, _, path = route_key.partition(' ')
    source = f'arn:aws:execute-api:{get_region()}:{get_account_id()}:{api_id}/{stage}/{"*" if method == "ANY" else method}{path}'
    context = EvalContext(principal_arn=_PRINCIPAL, principal_type='Service', principal_account='', action='lambda:InvokeFunction', resource_arn=arn,
                          region=get_region(), service_context={'aws:sourcearn': source, 'aws:sourceaccount': get_account_id()})
    return evaluate_resource_policy(found[0], context, _PRINCIPAL).decision == 'Allow'


def _event(api_id, stage, path, method, headers, body, query_params, route_key, path_params, raw_query) -> dict:
    now = time.time()
    event = {
        'version': '2.0',
        'routeKey': route_key,
        'rawPath': path if stage == '$default' else f'/{stage}{path}',
        'rawQueryString': apigateway._raw_query_string(query_params, raw_query),
        'headers': {
            **headers, 'content-length': str(len(body or b'')), 'x-amzn-trace-id': f'Root=1-{int(now):08x}-{os.urandom(12).hex()}',
            'x-forwarded-for': '127.0.0.1', 'x-forwarded-port': os.environ['GATEWAY_PORT'], 'x-forwarded-proto': 'http',
        },
        'requestContext': {
            'accountId': get_account_id(), 'apiId': api_id, 'domainName': headers.get('host', ''),
            'domainPrefix': headers.get('host', '').partition('.')[0], 'requestId': new_uuid(), 'routeKey': route_key, 'stage': stage,
            'time': time.strftime('%d/%b/%Y:%H:%M:%S +0000', time.gmtime(now)), 'timeEpoch': int(now * 1000),
            'http': {'method': method, 'path': path if stage == '$default' else f'/{stage}{path}', 'protocol': 'HTTP/1.1',
                     'sourceIp': '127.0.0.1', 'userAgent': headers.get('user-agent', '')},
        },
        'isBase64Encoded': False,
    }
    if headers.get('cookie'):
        event['cookies'] = [cookie.strip() for cookie in headers['cookie'].split(';')]
    if query_params:
        event['queryStringParameters'] = {name: ','.join(values) for name, values in query_params.items()}
    if path_params:
        event['pathParameters'] = path_params
    variables = apigateway._get_stage_variables(api_id, stage)
    if variables:
        event['stageVariables'] = variables
    if body:
        event['body'], event['isBase64Encoded'] = _encoded(body, headers.get('content-type'))
    return event


def _encoded(body: bytes, content_type: str | None) -> tuple:
    if apigateway._v2_request_body_is_text(content_type):
        try:
            return body.decode('utf-8'), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode('ascii'), True


def _authorizer(claims, scopes, context, caller) -> dict | None:
    if claims is not None:
        return {'jwt': {'claims': {name: apigateway._jwt_claim_to_string(value) for name, value in claims.items()}, 'scopes': scopes or []}}
    if context is not None:
        return {'lambda': context}
    return {'iam': caller} if caller is not None else None


def _answer(result: dict) -> tuple:
    if result.get('throttle'):
        return _failed(503, 'Service Unavailable', 'The function has no free place')
    if result.get('error'):
        body = result.get('body')
        why = body.get('errorMessage') if isinstance(body, dict) else str(body)
        return _failed(500, 'Internal Server Error', str(why))
    payload = result.get('body')
    if isinstance(payload, (str, bytes)):
        try:
            payload = json.loads(payload)
        except ValueError:
            pass
    # What is no response is the body of one, as format 2.0 has it.
    response = payload if isinstance(payload, dict) and 'statusCode' in payload else {
        'statusCode': 200, 'body': payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)}
    try:
        status = int(response['statusCode'])
    except (TypeError, ValueError):
        return _failed(500, 'Internal Server Error', 'The function answered without a status')
    headers = {str(name).lower(): str(value) for name, value in (response.get('headers') or {}).items() if value is not None}
    headers.setdefault('content-type', 'application/json')
    # The gateway counts for itself.
    headers.pop('content-length', None)
    if response.get('cookies'):
        headers['set-cookie'] = list(response['cookies'])
    body = response.get('body')
    text = '' if body is None else body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return status, headers, base64.b64decode(text) if response.get('isBase64Encoded') else text.encode()

"""SageMaker and SageMaker Runtime on the engine's port: signature and IAM here, the work in the SageMaker service."""

import asyncio
import http.client
import json
import re
import urllib.parse
import uuid

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.iam_evaluator import request_caller_arn
from ministack.core.responses import get_account_id, get_region

from . import faults, iam, identity

_CONTROL_TIMEOUT = 60
# InvokeEndpoint answers within 60 s or not at all; the service itself reports the timeout of the model.
_RUNTIME_TIMEOUT = 75
_INVOCATION = re.compile(r'^/endpoints/([^/]+)/(invocations|async-invocations|invocations-response-stream)$')
_RUNTIME_ACTIONS = {
    'invocations': 'InvokeEndpoint', 'async-invocations': 'InvokeEndpointAsync', 'invocations-response-stream': 'InvokeEndpointWithResponseStream',
}
# Noun in the operation, ARN resource type, field that names it.
_KINDS = {
    'TrainingJob': ('training-job', 'TrainingJobName'),
    'TransformJob': ('transform-job', 'TransformJobName'),
    'ProcessingJob': ('processing-job', 'ProcessingJobName'),
    'HyperParameterTuningJob': ('hyper-parameter-tuning-job', 'HyperParameterTuningJobName'),
    'AutoMLJobV2': ('automl-job', 'AutoMLJobName'),
    'AutoMLJob': ('automl-job', 'AutoMLJobName'),
    'ModelPackageGroup': ('model-package-group', 'ModelPackageGroupName'),
    'ModelPackage': ('model-package', 'ModelPackageName'),
    'ModelCard': ('model-card', 'ModelCardName'),
    'Model': ('model', 'ModelName'),
    'EndpointConfig': ('endpoint-config', 'EndpointConfigName'),
    'EndpointWeightsAndCapacities': ('endpoint', 'EndpointName'),
    'Endpoint': ('endpoint', 'EndpointName'),
}
_OPERATION = re.compile(r'^(Create|Describe|Update|Delete|Stop)(.+)$')

_settings = None


def install(settings) -> None:
    global _settings
    _settings = settings
    router.SERVICE_PATTERNS['sagemaker'] = {'target_prefixes': ['SageMaker.'], 'host_patterns': [], 'credential_scope': 'sagemaker'}
    iam_actions.SERVICE_TO_IAM_NAMESPACE['sagemaker'] = 'sagemaker'
    app.SERVICE_HANDLERS['sagemaker'] = _handle
    # Loading botocore's SageMaker model for a list of taggable operations would cost tens of megabytes.
    iam_actions._TAG_OPERATIONS['sagemaker'] = frozenset(f'Create{noun}' for noun in _KINDS) | {'AddTags', 'DeleteTags'}
    iam_actions._UNSIGNED_OPERATIONS['sagemaker'] = frozenset()
    _wrap_action()
    _wrap_resource()
    _wrap_denial()
    for name in ('fix_error_content_type', 'fix_success_content_type'):
        setattr(app, name, _leaving_sagemaker_alone(getattr(app, name)))


def _leaving_sagemaker_alone(original):
    # It would turn a model's own application/json into the control plane's type, and load botocore's model to find out.
    def fix(service, status, headers):
        if service != 'sagemaker':
            original(service, status, headers)

    return fix


def _wrap_action() -> None:
    original = iam_actions.extract_iam_action

    def extract(service, method, path, headers, body, query_params):
        if service == 'sagemaker' and (match := _INVOCATION.match(path)):
            return f'sagemaker:{_RUNTIME_ACTIONS[match.group(2)]}'
        return original(service, method, path, headers, body, query_params)

    iam_actions.extract_iam_action = extract


def _wrap_resource() -> None:
    original = iam_actions.extract_resource_arn

    def extract(service, method, path, headers, body, query_params, region, account_id):
        if service != 'sagemaker':
            return original(service, method, path, headers, body, query_params, region, account_id)
        if match := _INVOCATION.match(path):
            return _arn('endpoint', urllib.parse.unquote(match.group(1)))
        return resources(_operation(headers), _parsed(body))[0]

    iam_actions.extract_resource_arn = extract


def _wrap_denial() -> None:
    original = iam_actions.access_denied_response

    def denied(service, action, principal_arn, request_id, **kwargs):
        if service == 'sagemaker' and not kwargs.get('error_code'):
            message = kwargs.get('message') or iam_actions.identity_denial_message(
                action, principal_arn, kwargs.get('resource_arn', '*'), kwargs.get('explicit_deny', False))
            return _error('AccessDeniedException', message, 403 if action.startswith('sagemaker:InvokeEndpoint') else 400)
        return original(service, action, principal_arn, request_id, **kwargs)

    iam_actions.access_denied_response = denied


def _operation(headers: dict) -> str:
    return headers.get('x-amz-target', '').rpartition('.')[2]


def _parsed(body: bytes) -> dict:
    try:
        value = json.loads(body or b'{}')
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _arn(kind: str, name: str) -> str:
    # SageMaker lower-cases names in its ARNs, so a policy with capitals matches nothing.
    return f'arn:aws:sagemaker:{get_region()}:{get_account_id()}:{kind}/{name.lower()}'


def endpoint_arn(name: str) -> str:
    return _arn('endpoint', name)


def resources(operation: str, params: dict) -> list:
    """The ARNs an operation is authorized on; the first is the one a denial names."""
    if operation in ('AddTags', 'DeleteTags', 'ListTags'):
        return [str(params.get('ResourceArn', '*'))]
    if operation == 'ListTrainingJobsForHyperParameterTuningJob':
        return [_arn('hyper-parameter-tuning-job', str(params.get('HyperParameterTuningJobName', '')) or '*')]
    match = _OPERATION.match(operation)
    if not match or match.group(2) not in _KINDS:
        return ['*']
    kind, field = _KINDS[match.group(2)]
    name = str(params.get(field, ''))
    found = [name if name.startswith('arn:') else _arn(kind, name or '*')]
    if operation in ('CreateEndpoint', 'UpdateEndpoint') and params.get('EndpointConfigName'):
        found.append(_arn('endpoint-config', str(params['EndpointConfigName'])))
    return found


def required_permissions(operation: str, params: dict) -> list:
    """Every (action, resource, condition keys) a caller needs for this request."""
    targets = resources(operation, params)
    tags = params.get('Tags') if isinstance(params.get('Tags'), list) else []
    keys = {f"aws:RequestTag/{tag.get('Key')}": tag.get('Value') for tag in tags if isinstance(tag, dict)}
    if keys:
        keys['aws:TagKeys'] = [tag.get('Key') for tag in tags if isinstance(tag, dict)]
    checks = [(f'sagemaker:{operation}', target, keys) for target in targets]
    if tags and operation.startswith('Create'):
        checks.append(('sagemaker:AddTags', targets[0], keys))
    checks += [('iam:PassRole', arn, {'iam:PassedToService': principal}) for arn, principal in iam.passed_roles('sagemaker', params)]
    return checks


async def _handle(method, path, headers, body, query_params):
    access_key = router.extract_access_key_id(headers, query_params)
    principal = request_caller_arn(headers, query_params)
    if match := _INVOCATION.match(path):
        return await asyncio.to_thread(_invoke, method, path, headers, body, principal, match)
    operation, params = _operation(headers), _parsed(body)
    if not operation:
        return _error('UnknownOperationException', f'No SageMaker operation at {method} {path}', 404)
    # The first check was made on the way in; the rest of them name further resources of the same request.
    for action, resource, keys in required_permissions(operation, params)[1:]:
        message = identity.denial_of_key(access_key, action, resource, keys)
        if message:
            return _error('AccessDeniedException', message, 400)
    status, payload = await asyncio.to_thread(call, operation, body, principal, 'api')
    if status >= 400:
        return _error(payload.get('__type', 'InternalFailure'), payload.get('message', ''), status)
    return status, {'Content-Type': 'application/x-amz-json-1.1'}, json.dumps(payload).encode()


def _error(code: str, message: str, status: int):
    body = json.dumps({'__type': code, 'message': message}).encode()
    return status, {'Content-Type': 'application/x-amz-json-1.1', 'x-amzn-errortype': code}, body


def call(operation: str, body: bytes | dict, principal: str, origin: str) -> tuple:
    """Ask the SageMaker service for an operation; the status and the decoded answer."""
    raw = json.dumps(body).encode() if isinstance(body, dict) else (body or b'{}')
    headers = {
        'content-type': 'application/json', 'x-mlops-engine-token': _settings.token,
        'x-mlops-principal': principal, 'x-mlops-origin': origin,
    }
    fault = faults.on_sagemaker(operation, body if isinstance(body, dict) else _parsed(body))
    if fault and fault['kind'] == 'error':
        return int(fault.get('status') or 400), {'__type': fault['error'], 'message': fault['message']}
    if fault:
        # What happens to the work is played by the service that does the work.
        headers['x-mlops-fault'] = json.dumps(fault)
    try:
        status, _, answer = _request('POST', f'/api/{operation}', raw, headers, _CONTROL_TIMEOUT)
    except OSError as error:
        return 503, {'__type': 'ServiceUnavailable', 'message': f'The local SageMaker service does not answer: {error}'}
    try:
        payload = json.loads(answer or b'{}')
    except ValueError:
        return 500, {'__type': 'InternalFailure', 'message': answer.decode('utf-8', 'replace')[:1000]}
    return status, payload if isinstance(payload, dict) else {}


def _invoke(method, path, headers, body, principal, match):
    forwarded = {
        name: value for name, value in headers.items()
        if name in ('content-type', 'accept') or (name.startswith('x-amzn-sagemaker') or name.startswith('x-amzn-sage-maker'))
    }
    fault = faults.on_sagemaker('InvokeEndpoint', {'EndpointName': urllib.parse.unquote(match.group(1))})
    if fault:
        return _error(fault['error'], fault['message'], int(fault.get('status') or 400))
    forwarded.update({'x-mlops-engine-token': _settings.token, 'x-mlops-principal': principal, 'x-mlops-origin': 'api'})
    try:
        status, answer_headers, answer = _request(method, urllib.parse.quote(path), body, forwarded, _RUNTIME_TIMEOUT)
    except TimeoutError:
        return _error('ModelError', f'Invocation of {match.group(1)} timed out', 424)
    except OSError as error:
        return _error('ServiceUnavailable', f'The local SageMaker service does not answer: {error}', 503)
    kept = {name: value for name, value in answer_headers if name.lower() not in ('connection', 'transfer-encoding', 'content-length', 'date')}
    return status, kept, answer


def _request(method: str, path: str, body: bytes, headers: dict, timeout: float) -> tuple:
    url = urllib.parse.urlsplit(_settings.sagemaker_url)
    if not url.hostname:
        raise OSError('MLOPS_SAGEMAKER_URL is not set')
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers={**headers, 'x-amzn-requestid': str(uuid.uuid4())})
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read()
    finally:
        connection.close()

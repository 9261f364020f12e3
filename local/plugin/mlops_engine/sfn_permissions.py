"""What a state machine's own role needs for each of its integrations, asked before the integration is called."""

import json
import re

from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import stepfunctions

from . import calls, iam, identity, kms, sagemaker

_DYNAMODB = {'putItem': 'PutItem', 'getItem': 'GetItem', 'deleteItem': 'DeleteItem', 'updateItem': 'UpdateItem'}
# Service, and the words in which the optimized integration reports that its API refused.
_OPTIMIZED = {
    'lambda': ('Lambda.AWSLambdaException', 'AWSLambda', 403),
    'dynamodb': ('DynamoDB.AmazonDynamoDBException', 'AmazonDynamoDBv2', 400),
    'events': ('EventBridge.AmazonEventBridgeException', 'AmazonEventBridge', 400),
    'sns': ('SNS.AmazonSNSException', 'AmazonSNS', 403),
    'sqs': ('SQS.AmazonSQSException', 'AmazonSQS', 403),
    'states': ('StepFunctions.AWSStepFunctionsException', 'AWSStepFunctions', 400),
    'sagemaker': ('SageMaker.AmazonSageMakerException', 'AmazonSageMaker', 400),
    's3': ('S3.AmazonS3Exception', 'Amazon S3', 403),
}
_SYNC_RULES = {
    'TrainingJob': 'TrainingJobs', 'TransformJob': 'TransformJobs', 'ProcessingJob': 'ProcessingJobs', 'HyperParameterTuningJob': 'TuningJobs',
}
_INTEGRATION = re.compile(r'^arn:aws:states:::(aws-sdk:)?([^:]+):([A-Za-z0-9]+)')


def require(run, service: str, checks: list, sdk: str | None = None) -> None:
    """Raise the error the integration fails with when the state machine's role lacks one of the permissions."""
    if run is None:
        return
    for action, resource, keys in checks:
        message = identity.denial(run.role_arn, run.session_name, action, resource, keys)
        if message:
            raise refused(service, message, sdk)


def refused(service: str, message: str, sdk: str | None = None):
    request = f'Request ID: {new_uuid()}'
    if sdk:
        prefix = 'SageMaker' if sdk == 'sagemaker' else stepfunctions._AWS_SDK_ERROR_PREFIX.get(sdk, sdk[:1].upper() + sdk[1:])
        return stepfunctions._ExecutionError(f'{prefix}.{prefix}Exception', f'{message} (Service: {prefix}, Status Code: 400, {request})')
    name, words, status = _OPTIMIZED.get(service, (f'{service.capitalize()}.{service.capitalize()}Exception', service, 400))
    return stepfunctions._ExecutionError(
        name, f'{message} (Service: {words}; Status Code: {status}; Error Code: AccessDeniedException; {request}; Proxy: null)')


def require_for(run, resource: str, params) -> None:
    """Check the role for a task's resource and its resolved parameters."""
    if run is None:
        return
    params = params if isinstance(params, dict) else {}
    if ':function:' in resource:
        return _require_lambda(run, resource)
    match = _INTEGRATION.match(resource)
    if not match:
        return None
    sdk, service, operation = match.groups()
    if service == 'lambda' and not sdk:
        return _require_lambda(run, str(params.get('FunctionName', '')))
    calls.count('sagemaker' if service == 'sagemakerruntime' else service)
    if sdk:
        return require(run, service, _sdk_checks(service, operation, params), sdk=service)
    return require(run, service, _optimized_checks(service, operation, resource, params))


def _require_lambda(run, ref: str) -> None:
    calls.count('lambda')
    arn = ref if ref.startswith('arn:') else f'arn:aws:lambda:{get_region()}:{get_account_id()}:function:{ref}'
    require(run, 'lambda', [('lambda:InvokeFunction', arn, None)])


def _optimized_checks(service: str, operation: str, resource: str, params: dict) -> list:
    region, account = get_region(), get_account_id()
    if service == 'dynamodb' and operation in _DYNAMODB:
        table = str(params.get('TableName', ''))
        arn = table if table.startswith('arn:') else f'arn:aws:dynamodb:{region}:{account}:table/{table}'
        return [(f'dynamodb:{_DYNAMODB[operation]}', arn, None), *kms.table_checks(_DYNAMODB[operation], params)]
    if service == 'events':
        arns = iam_actions.eventbridge_resource_arns(json.dumps(params).encode(), region, account)
        return [('events:PutEvents', arn, None) for arn in arns]
    if service == 'sns':
        return [('sns:Publish', str(params.get('TopicArn') or params.get('TargetArn') or '*'), None), *kms.topic_checks('Publish', params)]
    if service == 'sqs':
        return [('sqs:SendMessage', f"arn:aws:sqs:{region}:{account}:{str(params.get('QueueUrl', '')).rsplit('/', 1)[-1]}", None),
                *kms.queue_checks('SendMessage', params)]
    if service == 'states':
        return _start_checks(str(params.get('StateMachineArn', '')), '.sync' in resource)
    if service == 'sagemaker':
        return sagemaker_checks(operation, params, '.sync' in resource)
    return []


def _start_checks(machine: str, sync: bool) -> list:
    checks = [('states:StartExecution', machine, None)]
    if sync:
        execution = f"{machine.replace(':stateMachine:', ':execution:')}:*"
        checks += [(action, execution, None) for action in ('states:DescribeExecution', 'states:StopExecution')]
        checks += _rule_checks('StepFunctionsGetEventsForStepFunctionsExecutionRule')
    return checks


def _rule_checks(rule: str) -> list:
    arn = f'arn:aws:events:{get_region()}:{get_account_id()}:rule/{rule}'
    return [(f'events:{action}', arn, None) for action in ('PutTargets', 'PutRule', 'DescribeRule')]


def sagemaker_checks(operation: str, params: dict, sync: bool) -> list:
    operation = operation[0].upper() + operation[1:]
    checks = sagemaker.required_permissions(operation, params)
    noun = operation.removeprefix('Create')
    if sync and noun in _SYNC_RULES:
        arn = checks[0][1]
        # Step Functions tags the jobs it waits for.
        checks += [(f'sagemaker:{action}', arn, None) for action in (f'Describe{noun}', f'Stop{noun}', 'AddTags')]
        checks += _rule_checks(f'StepFunctionsGetEventsForSageMaker{_SYNC_RULES[noun]}Rule')
    return checks


def _sdk_checks(service: str, operation: str, params: dict) -> list:
    action = operation[0].upper() + operation[1:]
    if service == 'sagemaker':
        return sagemaker_checks(operation, params, False)
    if service == 'sagemakerruntime':
        return [(f'sagemaker:{action}', sagemaker.endpoint_arn(str(params.get('EndpointName', ''))), None)]
    if service == 's3':
        return _s3_checks(action, params)
    if service == 'lambda' and params.get('FunctionName'):
        ref = str(params['FunctionName'])
        arn = ref if ref.startswith('arn:') else f'arn:aws:lambda:{get_region()}:{get_account_id()}:function:{ref}'
        return [('lambda:InvokeFunction' if action == 'Invoke' else f'lambda:{action}', arn, None)]
    return _generic_checks(service, action, params)


def _s3_checks(action: str, params: dict) -> list:
    bucket = f"arn:aws:s3:::{params.get('Bucket', '*')}"
    target = f"{bucket}/{params['Key']}" if params.get('Key') else bucket
    if action in ('ListObjectsV2', 'ListObjects', 'HeadBucket'):
        return [('s3:ListBucket', bucket, None)]
    if action == 'HeadObject':
        return [('s3:GetObject', target, None)]
    if action == 'CopyObject':
        source = str(params.get('CopySource', '')).lstrip('/').split('?', 1)[0]
        read = kms.read_checks(*source.split('/', 1)) if '/' in source else []
        return [('s3:GetObject', f'arn:aws:s3:::{source}', None), ('s3:PutObject', target, None), *read, *kms.write_checks(str(params.get('Bucket')))]
    if action == 'DeleteObjects':
        objects = (params.get('Delete') or {}).get('Objects') or []
        return [('s3:DeleteObject', f"{bucket}/{item.get('Key')}", None) for item in objects]
    encrypted = {'GetObject': lambda: kms.read_checks(str(params.get('Bucket')), str(params.get('Key'))),
                 'PutObject': lambda: kms.write_checks(str(params.get('Bucket')))}
    return [(f's3:{action}', target, None), *encrypted.get(action, list)()]


def _generic_checks(service: str, action: str, params: dict) -> list:
    info = stepfunctions._AWS_SDK_SERVICE_MAP.get(service, {})
    key = info.get('service_key', service)
    namespace = iam_actions.SERVICE_TO_IAM_NAMESPACE.get(key, key)
    region, account = get_region(), get_account_id()
    wire = {name[0].lower() + name[1:]: value for name, value in params.items()} if info.get('param_case') == 'lower-camel' else params
    body = json.dumps(wire).encode()
    flat = stepfunctions._flatten_query_params(params) if info.get('protocol') == 'query' else {}
    query = {name: [str(value)] for name, value in flat.items()}
    headers = {'x-amz-target': f"{info.get('target_prefix', '')}.{action}"}
    if key == 'dynamodb':
        transaction = iam_actions.dynamodb_transaction_checks(f'dynamodb:{action}', body, region, account)
        if transaction:
            items = [(item_action, arn, {'dynamodb:EnclosingOperation': [action]}) for item_action, arn in transaction]
        else:
            items = [(f'dynamodb:{action}', arn, None) for arn in iam_actions.dynamodb_resource_arns(body, region, account) or ['*']]
        return items + kms.table_checks(action, params)
    if key == 'events' and action == 'PutEvents':
        return [('events:PutEvents', arn, None) for arn in iam_actions.eventbridge_resource_arns(body, region, account)]
    arn = iam_actions.extract_resource_arn(key, 'POST', '/', headers, body, query, region, account)
    passed = [('iam:PassRole', role, {'iam:PassedToService': principal}) for role, principal in iam.passed_roles(key, wire)]
    return [(f'{namespace}:{action}', arn, None), *passed]


def require_to_start(run, machine_arn: str) -> None:
    """A Distributed Map starts executions of its own state machine."""
    require(run, 'states', [('states:StartExecution', machine_arn, None)])


def require_to_read(run, reader: dict, params: dict) -> None:
    bucket = f"arn:aws:s3:::{params.get('Bucket', '*')}"
    if str(reader.get('Resource', '')).endswith('s3:listObjectsV2'):
        require(run, 's3', [('s3:ListBucket', bucket, {'s3:prefix': params.get('Prefix', '')})])
    else:
        encrypted = kms.read_checks(str(params.get('Bucket')), str(params.get('Key')))
        require(run, 's3', [('s3:GetObject', f"{bucket}/{params.get('Key', '')}", None), *encrypted])

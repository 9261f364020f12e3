"""A customer managed key must be usable by whoever reads or writes what it encrypts: callers and services alike."""

import json
import re
import urllib.parse
import uuid

from ministack.core import iam_actions
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import dynamodb, kms, s3, sns, sqs

from . import identity

_SSE, _SSE_KEY = 'x-amz-server-side-encryption', 'x-amz-server-side-encryption-aws-kms-key-id'
_TABLE_OPERATIONS = frozenset({
    'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'Scan', 'BatchGetItem', 'BatchWriteItem', 'TransactGetItems', 'TransactWriteItems',
})
_SUBRESOURCES = frozenset({'tagging', 'acl', 'retention', 'legal-hold', 'attributes', 'torrent', 'annotation'})


def install() -> None:
    _wrap_s3()
    _wrap_targeted(dynamodb, 'dynamodb', table_checks)
    _wrap_targeted(sqs, 'sqs', queue_checks)
    _wrap_targeted(sns, 'sns', topic_checks)


def customer_key(key_id) -> str | None:
    """The ARN of a customer managed key by id, alias or ARN; None for AWS's own keys, whose policies let everybody in."""
    record = kms._resolve_key(key_id) if key_id else None
    return record['Arn'] if record else None


def checks(service: str, key_id, actions: tuple) -> list:
    arn = customer_key(key_id)
    keys = {'kms:ViaService': f'{service}.{get_region()}.amazonaws.com', 'kms:CallerAccount': get_account_id()}
    return [(f'kms:{action}', arn, keys) for action in actions] if arn else []


def service_may_use(principal: str, key_id) -> bool:
    """Whether the key's policy lets an AWS service encrypt with it, as delivery to an encrypted topic or queue needs."""
    arn = customer_key(key_id)
    if arn is None:
        return True
    policy = kms.key_policy_for_arn(arn)[0]

    def allowed(action: str) -> bool:
        context = EvalContext(principal_arn=principal, principal_type='Service', principal_account='', action=f'kms:{action}', resource_arn=arn,
                              region=get_region(), service_context={'aws:sourceaccount': get_account_id()})
        return evaluate_resource_policy(policy, context, principal).decision == 'Allow'

    return allowed('GenerateDataKey') and allowed('Decrypt')


def bucket_key(bucket: str) -> str | None:
    return s3._bucket_default_sse_headers(bucket).get(_SSE_KEY)


def write_checks(bucket: str) -> list:
    return checks('s3', bucket_key(bucket), ('GenerateDataKey',))


def read_checks(bucket: str, key: str) -> list:
    stored = ((s3._buckets.get(bucket) or {}).get('objects') or {}).get(key)
    return checks('s3', s3._stored_sse_headers(stored).get(_SSE_KEY), ('Decrypt',)) if stored else []


def _wrap_s3() -> None:
    original = s3.handle_request

    async def handle(method, path, headers, body, query_params, *args, **kwargs):
        bucket, _, key = urllib.parse.unquote(path).lstrip('/').partition('/')
        if headers.get(_SSE) == 'aws:kms' and not headers.get(_SSE_KEY):
            # Without a key id AWS takes the bucket's own key, or else its managed one; MiniStack has neither rule.
            managed = f'arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/s3'
            headers = {**headers, _SSE_KEY: bucket_key(bucket) or managed}
        if key and not kwargs.get('internal') and not _SUBRESOURCES & query_params.keys():
            message = _denial(headers, query_params, _object_checks(method, bucket, key, headers, query_params))
            if message:
                return iam_actions.access_denied_response('s3', 'kms', '', str(uuid.uuid4()), message=message, headers=headers)
        return await original(method, path, headers, body, query_params, *args, **kwargs)

    s3.handle_request = handle


def _object_checks(method: str, bucket: str, key: str, headers: dict, query_params: dict) -> list:
    if method == 'GET':
        return read_checks(bucket, key)
    if method == 'PUT' or (method == 'POST' and 'uploads' in query_params):
        actions = ('GenerateDataKey', 'Decrypt') if 'partNumber' in query_params else ('GenerateDataKey',)
        encrypting = checks('s3', headers.get(_SSE_KEY) or bucket_key(bucket), actions)
        source = urllib.parse.unquote(headers.get('x-amz-copy-source', '')).lstrip('/').split('?', 1)[0]
        return encrypting + (read_checks(*source.split('/', 1)) if '/' in source else [])
    return []


def _denial(headers: dict, query_params: dict, needed: list) -> str | None:
    access_key = extract_access_key_id(headers, query_params)
    for action, arn, keys in needed if access_key else []:
        message = identity.denial_of_key(access_key, action, arn, keys)
        if message:
            return message
    return None


def _wrap_targeted(module, service: str, needed_for) -> None:
    original = module.handle_request

    async def handle(method, path, headers, body, query_params):
        operation, data = _request(headers, body)
        message = _denial(headers, query_params, needed_for(operation, data)) if operation else None
        if message:
            return iam_actions.access_denied_response(service, 'kms', '', str(uuid.uuid4()), message=message, headers=headers)
        return await original(method, path, headers, body, query_params)

    module.handle_request = handle


def _request(headers: dict, body: bytes) -> tuple:
    """Operation and parameters of a JSON or Query request."""
    target = headers.get('x-amz-target', '').rpartition('.')[2]
    try:
        if target:
            return target, json.loads(body or b'{}')
        form = urllib.parse.parse_qs(body.decode('utf-8')) if body else {}
    except ValueError:
        return '', {}
    return (form.get('Action') or [''])[0], {name: values[0] for name, values in form.items()}


def table_checks(operation: str, data: dict) -> list:
    if operation not in _TABLE_OPERATIONS:
        return []
    names = [data['TableName']] if data.get('TableName') else list(data.get('RequestItems') or {})
    for item in data.get('TransactItems') or []:
        names += [part['TableName'] for part in item.values() if isinstance(part, dict) and part.get('TableName')]
    found = []
    for name in dict.fromkeys(re.sub(r'^arn:.*:table/', '', str(name)).split('/')[0] for name in names):
        encryption = (dynamodb._tables.get(name) or {}).get('SSEDescription') or {}
        if encryption.get('Status') == 'ENABLED':
            found += checks('dynamodb', encryption.get('KMSMasterKeyArn'), ('Decrypt',))
    return found


def queue_checks(operation: str, data: dict) -> list:
    needed = {'SendMessage': ('GenerateDataKey', 'Decrypt'), 'SendMessageBatch': ('GenerateDataKey', 'Decrypt'), 'ReceiveMessage': ('Decrypt',)}
    if operation not in needed:
        return []
    name = str(data.get('QueueUrl', '')).rsplit('/', 1)[-1]
    queue = sqs._queue_by_arn(f'arn:aws:sqs:{get_region()}:{get_account_id()}:{name}')
    return checks('sqs', (queue or {'attributes': {}})['attributes'].get('KmsMasterKeyId'), needed[operation])


def topic_checks(operation: str, data: dict) -> list:
    if operation not in ('Publish', 'PublishBatch') or not data.get('TopicArn'):
        return []
    topic = sns._topics.get(data['TopicArn']) or {}
    return checks('sns', (topic.get('attributes') or {}).get('KmsMasterKeyId'), ('GenerateDataKey', 'Decrypt'))

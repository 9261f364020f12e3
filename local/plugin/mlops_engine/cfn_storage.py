"""Buckets and tables get from a template what the template says: encryption, tags, retention, recovery, protection."""

from xml.sax.saxutils import escape

from ministack.services import dynamodb, s3
from ministack.services.cloudformation import provisioners

_XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def install() -> None:
    handlers = provisioners._RESOURCE_HANDLERS
    _wrap(handlers['AWS::S3::Bucket'], _bucket_created, _bucket_emptied)
    for table in ('AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable'):
        _wrap(handlers[table], _table_created, _table_unprotected)


def _wrap(handler: dict, after, before_delete) -> None:
    create, update, delete = handler['create'], handler['update'], handler['delete']

    def created(logical_id, props, stack_name):
        physical_id, attributes = create(logical_id, props, stack_name)
        return physical_id, {**attributes, **(after(physical_id, props, {}) or {})}

    def updated(physical_id, old_props, new_props, stack_name, *logical_id):
        physical_id, attributes = update(physical_id, old_props, new_props, stack_name, *logical_id)
        return physical_id, {**attributes, **(after(physical_id, new_props, old_props) or {})}

    def deleted(physical_id, props):
        before_delete(physical_id)
        delete(physical_id, props)

    handler.update(create=created, update=updated, delete=deleted)


def _bucket_created(name: str, props: dict, old: dict) -> None:
    tags = {tag['Key']: tag.get('Value', '') for tag in props.get('Tags') or []}
    if tags:
        s3._bucket_tags[name] = tags
    else:
        s3._bucket_tags.pop(name, None)
    for field, put, to_xml in (
        ('BucketEncryption', s3._put_bucket_encryption, _encryption),
        ('LifecycleConfiguration', s3._put_bucket_lifecycle, _lifecycle),
        ('LoggingConfiguration', s3._put_bucket_logging, _logging),
    ):
        if props.get(field):
            _applied(put(name, to_xml(props[field]).encode()), f'AWS::S3::Bucket {field}')
    if old.get('BucketEncryption') and not props.get('BucketEncryption'):
        s3._bucket_encryption.pop(name, None)
    if old.get('LifecycleConfiguration') and not props.get('LifecycleConfiguration'):
        s3._bucket_lifecycle.pop(name, None)
    if props.get('ObjectLockEnabled') in (True, 'true'):
        s3._bucket_versioning[name] = 'Enabled'
        rule = ((props.get('ObjectLockConfiguration') or {}).get('Rule') or {}).get('DefaultRetention')
        retention = {key: int(value) if key != 'Mode' else value for key, value in rule.items()} if rule else None
        s3._bucket_object_lock[name] = {'enabled': True, 'default_retention': retention}


def _applied(response: tuple, what: str) -> None:
    if response[0] >= 400:
        raise ValueError(f'{what} was refused: {response[2]!r}')


def _bucket_emptied(name: str) -> None:
    bucket = s3._buckets.get(name)
    if bucket is not None and (bucket.get('objects') or any(key[0] == name for key in s3._object_versions.keys())):
        raise ValueError('The bucket you tried to delete is not empty (Service: S3, Status Code: 409)')


def _element(name: str, value) -> str:
    """An XML element of a scalar, or of a mapping or list of elements; nothing for None."""
    if value is None:
        return ''
    if isinstance(value, list):
        return ''.join(_element(name, item) for item in value)
    if isinstance(value, dict):
        return f"<{name}>{''.join(_element(key, item) for key, item in value.items())}</{name}>"
    return f"<{name}>{escape(str(value).lower() if isinstance(value, bool) else str(value))}</{name}>"


def _document(name: str, content: dict) -> str:
    return _element(name, content).replace(f'<{name}>', f'<{name} {_XMLNS}>', 1)


def _encryption(config: dict) -> str:
    rules = []
    for rule in config.get('ServerSideEncryptionConfiguration') or []:
        default = rule.get('ServerSideEncryptionByDefault')
        rules.append({
            'ApplyServerSideEncryptionByDefault': {
                'SSEAlgorithm': default.get('SSEAlgorithm'), 'KMSMasterKeyID': default.get('KMSMasterKeyID')} if default else None,
            'BucketKeyEnabled': rule.get('BucketKeyEnabled'),
        })
    return _document('ServerSideEncryptionConfiguration', {'Rule': rules})


def _lifecycle(config: dict) -> str:
    rules = []
    for index, rule in enumerate(config.get('Rules') or []):
        transitions = rule.get('Transitions') or ([rule['Transition']] if rule.get('Transition') else [])
        old_transitions = rule.get('NoncurrentVersionTransitions') or []
        noncurrent = rule.get('NoncurrentVersionExpiration') or (
            {'NoncurrentDays': rule['NoncurrentVersionExpirationInDays']} if rule.get('NoncurrentVersionExpirationInDays') else None)
        rules.append({
            'ID': rule.get('Id') or f'rule-{index}',
            'Filter': _lifecycle_filter(rule),
            'Status': rule.get('Status', 'Enabled'),
            'Expiration': {
                'Days': rule.get('ExpirationInDays'), 'Date': rule.get('ExpirationDate'),
                'ExpiredObjectDeleteMarker': rule.get('ExpiredObjectDeleteMarker'),
            } if {'ExpirationInDays', 'ExpirationDate', 'ExpiredObjectDeleteMarker'} & rule.keys() else None,
            'Transition': [
                {'Days': t.get('TransitionInDays'), 'Date': t.get('TransitionDate'), 'StorageClass': t.get('StorageClass')} for t in transitions],
            'NoncurrentVersionExpiration': noncurrent,
            'NoncurrentVersionTransition': [
                {'NoncurrentDays': t.get('TransitionInDays'), 'StorageClass': t.get('StorageClass')} for t in old_transitions],
            'AbortIncompleteMultipartUpload': rule.get('AbortIncompleteMultipartUpload'),
        })
    return _document('LifecycleConfiguration', {'Rule': rules})


def _lifecycle_filter(rule: dict) -> dict:
    tags = [{'Key': tag['Key'], 'Value': tag['Value']} for tag in rule.get('TagFilters') or []]
    prefix = rule.get('Prefix', '')
    if len(tags) + bool(prefix) > 1:
        return {'And': {'Prefix': prefix or None, 'Tag': tags}}
    return {'Tag': tags[0]} if tags else {'Prefix': prefix}


def _logging(config: dict) -> str:
    return _document('BucketLoggingStatus', {'LoggingEnabled': {
        'TargetBucket': config.get('DestinationBucketName', ''), 'TargetPrefix': config.get('LogFilePrefix', '')}})


def _table_created(name: str, props: dict, old: dict) -> dict:
    """TTL, recovery, encryption, protection and tags; a GlobalTable keeps most of them in its replica of this region."""
    table = dynamodb._tables[name]
    region = table['TableArn'].split(':')[3]
    replica = next((r for r in props.get('Replicas') or [] if r.get('Region') == region), {})
    ttl = props.get('TimeToLiveSpecification')
    if ttl:
        _applied(dynamodb._update_ttl({'TableName': name, 'TimeToLiveSpecification': {
            'Enabled': ttl.get('Enabled') in (True, 'true'), 'AttributeName': ttl.get('AttributeName', '')}}), 'TimeToLiveSpecification')
    recovery = replica.get('PointInTimeRecoverySpecification') or props.get('PointInTimeRecoverySpecification') or {}
    dynamodb._pitr_settings[name] = recovery.get('PointInTimeRecoveryEnabled') in (True, 'true')
    encryption = props.get('SSESpecification')
    if encryption:
        key = (replica.get('SSESpecification') or {}).get('KMSMasterKeyId') or encryption.get('KMSMasterKeyId')
        table['SSEDescription'] = dynamodb._sse_description_from_spec({
            'Enabled': encryption.get('SSEEnabled') in (True, 'true'), 'SSEType': encryption.get('SSEType'), 'KMSMasterKeyId': key})
    protection = replica.get('DeletionProtectionEnabled', props.get('DeletionProtectionEnabled', False))
    table['DeletionProtectionEnabled'] = protection in (True, 'true')
    if replica.get('Tags'):
        dynamodb._tags[table['TableArn']] = [{'Key': tag['Key'], 'Value': tag['Value']} for tag in replica['Tags']]
    return {'TableId': table['TableId']} if 'Replicas' in props else {}


def _table_unprotected(name: str) -> None:
    if (dynamodb._tables.get(name) or {}).get('DeletionProtectionEnabled'):
        raise ValueError(f'Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first: {name}')

"""Delivery streams collect records into objects as AWS does, with their own role, and say so when S3 refuses."""

import contextvars
import gzip
import threading
import time

from ministack.services import cloudwatch, firehose

from . import identity, kms, s3_inside

# AWS waits for the configured 60 to 900 seconds; the shape of the objects is what matters here, not the wait.
_BUFFER_SECONDS = 1.0
_lock = threading.Lock()
_buffers: dict = {}


def install() -> None:
    original = firehose._deliver_records_to_s3
    create = firehose._create_delivery_stream

    def deliver(stream, dest, records):
        config = dest['config']
        partitioned = (config.get('DynamicPartitioningConfiguration') or {}).get('Enabled')
        converted = (config.get('DataFormatConversionConfiguration') or {}).get('SchemaConfiguration')
        if partitioned or converted:
            return original(stream, dest, records)
        for _, payload in firehose._apply_lambda_processors(stream, dest, records):
            _collect(stream, config, payload)
        return None

    def created(data):
        for kind in ('ExtendedS3DestinationConfiguration', 'S3DestinationConfiguration'):
            role = (data.get(kind) or {}).get('RoleARN')
            if role:
                try:
                    identity.require_trust(role, 'firehose.amazonaws.com')
                except identity.NotAllowed as error:
                    return firehose._invalid(f'Firehose is unable to assume role {role}. Please check the role provided. ({error})')
        return create(data)

    firehose._deliver_records_to_s3 = deliver
    firehose._create_delivery_stream = created


def _collect(stream: dict, config: dict, payload: bytes) -> None:
    most = int((config.get('BufferingHints') or {}).get('SizeInMBs') or 5) * 1024 * 1024
    key = stream['arn']
    with _lock:
        buffer = _buffers.get(key)
        if buffer is None:
            buffer = _buffers[key] = {'records': [], 'size': 0, 'time': firehose._arrival_time(config)}
            timer = threading.Timer(_BUFFER_SECONDS, contextvars.copy_context().run, (_flush, key, stream, config))
            timer.daemon = True
            timer.start()
        buffer['records'].append(payload)
        buffer['size'] += len(payload)
        full = buffer['size'] >= most
    if full:
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(_flush, key, stream, config), daemon=True).start()


def _flush(key: str, stream: dict, config: dict) -> None:
    with _lock:
        buffer = _buffers.pop(key, None)
    if buffer is None:
        return
    # Records are put one after the other with nothing between them: a record without its newline runs into the next.
    body = b''.join(buffer['records'])
    extension = config.get('FileExtension') or ''
    if str(config.get('CompressionFormat', '')).upper() == 'GZIP':
        body, extension = gzip.compress(body), extension or '.gz'
    moment = buffer['time']
    bucket = firehose._s3_bucket_from_arn(config.get('BucketARN', ''))
    stamp = firehose._java_time('yyyy-MM-dd-HH-mm-ss', moment)
    prefix = firehose._evaluate_prefix(config.get('Prefix', ''), moment)
    name = f"{prefix}{stream['name']}-{stream.get('version', 1)}-{stamp}-{firehose.new_uuid()}{extension}"
    problem = _refused(stream, config, bucket, name) or _put(bucket, name, body)
    dimensions = {'DeliveryStreamName': stream['name']}
    cloudwatch.record_metric('AWS/Firehose', 'DeliveryToS3.Success', 0 if problem else 1, 'Count', dimensions)
    cloudwatch.record_metric('AWS/Firehose', 'DeliveryToS3.Records', 0 if problem else len(buffer['records']), 'Count', dimensions)
    if problem:
        firehose.logger.error('Delivery stream %s could not write s3://%s/%s: %s', stream['name'], bucket, name, problem)


def _refused(stream: dict, config: dict, bucket: str, name: str) -> str | None:
    role = config.get('RoleARN')
    if not role:
        return None
    needed = [('s3:PutObject', f'arn:aws:s3:::{bucket}/{name}', None), *kms.write_checks(bucket)]
    return next(filter(None, (identity.denial(role, stream['name'][:64], *check) for check in needed)), None)


def _put(bucket: str, name: str, body: bytes) -> str | None:
    # The bucket may be away for a moment (a stack is being updated); AWS retries for a day.
    for attempt in range(3):
        status, _, answer = s3_inside.request('PUT', bucket, name, body, {'content-type': 'application/octet-stream'})
        if status < 400:
            return None
        time.sleep(0.2 * (attempt + 1))
    return ': '.join(s3_inside.error(answer))

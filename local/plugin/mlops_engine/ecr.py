"""Images in registries of other accounts: the emulator takes every repository for the caller's own, AWS for the one of the registry that is named.

AWS's own images that the engine plays have a digest here: nobody's image has it, but it is another one for another version.
"""

import hashlib
import importlib.metadata
import json
import re

from ministack import app
from ministack.core import iam_actions

_PLAYED = {'sagemaker-xgboost': ('xgboost-cpu', 'xgboost'), 'sagemaker-scikit-learn': ('scikit-learn',)}
_TAG = re.compile(r'^(\d+\.\d+)-(\d+)(-|$)')


def install() -> None:
    original = iam_actions.extract_resource_arn

    def extract(service, method, path, headers, body, query_params, region, account_id):
        account = (_parsed(body).get('registryId') or account_id) if service == 'ecr' else account_id
        return original(service, method, path, headers, body, query_params, region, str(account))

    iam_actions.extract_resource_arn = extract
    app.SERVICE_HANDLERS['ecr'] = _telling_digests(app.SERVICE_HANDLERS['ecr'])


def _telling_digests(original):
    async def handle(method, path, headers, body, query_params):
        request = _parsed(body)
        if headers.get('x-amz-target', '').endswith('.BatchGetImage') and request.get('registryId'):
            images = [_image(request, wanted) for wanted in request.get('imageIds') or []]
            if images and all(images):
                answer = json.dumps({'images': images, 'failures': []})
                return 200, {'Content-Type': 'application/x-amz-json-1.1'}, answer.encode()
        return await original(method, path, headers, body, query_params)

    return handle


def _image(request: dict, wanted: dict) -> dict | None:
    repository = str(request.get('repositoryName'))
    version = _installed(repository)
    if version is None:
        return None
    # As images.ts has it, for those who name the image by its digest.
    digest = f"sha256:{hashlib.sha256(f'{repository}:{version}'.encode()).hexdigest()}"
    tag = _TAG.match(str(wanted.get('imageTag', '')))
    if wanted.get('imageDigest') != digest and not (tag and f'{tag.group(1)}.{tag.group(2)}' == version):
        return None
    return {'registryId': request['registryId'], 'repositoryName': repository, 'imageId': {**wanted, 'imageDigest': digest}, 'imageManifest': '{}'}


def _installed(repository: str) -> str | None:
    for name in _PLAYED.get(repository, ()):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _parsed(body: bytes) -> dict:
    try:
        value = json.loads(body or b'{}')
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

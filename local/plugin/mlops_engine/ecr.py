"""Images in registries of other accounts: the emulator takes every repository for the caller's own, AWS for the one of the registry that is named."""

import json

from ministack.core import iam_actions


def install() -> None:
    original = iam_actions.extract_resource_arn

    def extract(service, method, path, headers, body, query_params, region, account_id):
        account = (_registry(body) or account_id) if service == 'ecr' else account_id
        return original(service, method, path, headers, body, query_params, region, account)

    iam_actions.extract_resource_arn = extract


def _registry(body: bytes) -> str:
    try:
        value = json.loads(body or b'{}')
    except ValueError:
        return ''
    registry = value.get('registryId') if isinstance(value, dict) else None
    return registry if isinstance(registry, str) else ''

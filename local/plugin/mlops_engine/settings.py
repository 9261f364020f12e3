"""What the supervisor tells the engine, read once and taken out of the environment that functions inherit."""

import json
import os
from dataclasses import dataclass

# A function must see the engine's own endpoint and its role's keys, never the host's profile or the engine's secret.
_HOST_ONLY = (
    'MLOPS_ENGINE_TOKEN', 'MLOPS_PARENT_PID', 'MLOPS_SAGEMAKER_URL', 'MLOPS_OPTIMIZED_FIELDS', 'AWS_PROFILE', 'AWS_DEFAULT_PROFILE',
    'AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_SESSION_TOKEN', 'AWS_SECURITY_TOKEN', 'AWS_ROLE_ARN',
    'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'PYTHONPATH',
)


@dataclass(frozen=True)
class Settings:
    """Everything the plug-in needs to know about its surroundings."""

    port: int
    token: str
    sagemaker_url: str
    parent_pid: int
    optimized_fields: dict


def read() -> Settings:
    """Read the settings, set the defaults MiniStack itself reads at import, and hide what functions must not see."""
    environ = os.environ
    environ.setdefault('GATEWAY_PORT', '4566')
    environ.setdefault('BIND_HOST', '127.0.0.1')
    environ.setdefault('AUTH', 'true')
    # Two engines side by side must not fight for the fixed ports of services nobody here uses.
    environ.setdefault('SFTP_ENABLED', '0')
    environ.setdefault('IOT_MTLS_ENABLED', '0')
    # The root caller is the access key `test`, whatever the host's own keys are.
    environ['AWS_ACCESS_KEY_ID'] = 'test'
    environ['AWS_SECRET_ACCESS_KEY'] = 'test'
    settings = Settings(
        port=int(environ['GATEWAY_PORT']),
        token=environ.get('MLOPS_ENGINE_TOKEN', ''),
        sagemaker_url=environ.get('MLOPS_SAGEMAKER_URL', '').rstrip('/'),
        parent_pid=int(environ.get('MLOPS_PARENT_PID') or 0),
        optimized_fields=_optimized_fields(environ.get('MLOPS_OPTIMIZED_FIELDS', '')),
    )
    for name in [n for n in environ if n in _HOST_ONLY or n.startswith('AWS_ENDPOINT_URL')]:
        del environ[name]
    return settings


def _optimized_fields(path: str) -> dict:
    if not path:
        return {}
    with open(path, encoding='utf-8') as handle:
        return {name: frozenset(fields) for name, fields in json.load(handle).items()}

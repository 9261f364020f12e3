"""What CreateStateMachine and UpdateStateMachine refuse: roles nobody may use, and fields an optimized integration does not know."""

import json
import re

from ministack.core.responses import error_response_json
from ministack.services import stepfunctions
from ministack.services.cloudformation import provisioners

from . import identity

_OPTIMIZED_SAGEMAKER = re.compile(r'^arn:aws[a-z-]*:states:::sagemaker:([A-Za-z]+)(?:\.sync(?::2)?)?$')
_UNTRUSTING = 'Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.'
_fields: dict = {}


class InvalidDefinition(Exception):
    """Step Functions refuses the machine; the message says why, for a definition with every place."""


def install(settings) -> None:
    _fields.update(settings.optimized_fields)
    create, update = stepfunctions._create_state_machine, stepfunctions._update_state_machine

    def created(data):
        return _refusal(data) or create(data)

    def updated(data):
        return _refusal(data) or update(data)

    stepfunctions._create_state_machine, stepfunctions._update_state_machine = created, updated
    _wrap_cloudformation()


def _refusal(data: dict):
    problems = unsupported_fields(data.get('definition') or '{}')
    if problems:
        return error_response_json('InvalidDefinition', f"Invalid State Machine Definition: '{', '.join(problems)}'", 400)
    if _untrusting(data.get('roleArn', '')):
        return error_response_json('AccessDeniedException', _UNTRUSTING, 400)
    return None


def _untrusting(role_arn: str) -> bool:
    if identity.find_role(role_arn) is None:
        return False
    try:
        identity.require_trust(role_arn, 'states.amazonaws.com')
    except identity.NotAllowed:
        return True
    return False


def _wrap_cloudformation() -> None:
    handlers = provisioners._RESOURCE_HANDLERS['AWS::StepFunctions::StateMachine']
    create = handlers['create']

    def created(logical_id, props, stack_name):
        # MiniStack writes the record itself here, past CreateStateMachine and its checks.
        problems = unsupported_fields(provisioners._sfn_definition(props))
        if problems:
            raise InvalidDefinition(f"Invalid State Machine Definition: '{', '.join(problems)}' (Service: AWSStepFunctions; "
                                    'Status Code: 400; Error Code: InvalidDefinition)')
        if _untrusting(props.get('RoleArn', '')):
            raise InvalidDefinition(f'{_UNTRUSTING} (Service: AWSStepFunctions; Status Code: 400; Error Code: AccessDeniedException)')
        return create(logical_id, props, stack_name)

    handlers['create'] = created


def unsupported_fields(definition: str | dict) -> list:
    """One sentence per parameter that the optimized SageMaker integration of a Task state does not support."""
    try:
        machine = json.loads(definition) if isinstance(definition, str) else definition
    except ValueError:
        return []
    return [problem for path, state in _states(machine, '/States') for problem in _problems(path, state)]


def _states(machine: dict, path: str):
    for name, state in (machine.get('States') or {}).items():
        here = f'{path}/{name}'
        yield here, state
        for index, branch in enumerate(state.get('Branches') or []):
            yield from _states(branch, f'{here}/Branches[{index}]/States')
        for processor in ('ItemProcessor', 'Iterator'):
            if state.get(processor):
                yield from _states(state[processor], f'{here}/{processor}/States')


def _problems(path: str, state: dict) -> list:
    match = _OPTIMIZED_SAGEMAKER.match(str(state.get('Resource', '')))
    known = _fields.get(match.group(1)) if match else None
    if known is None:
        return []
    given = state.get('Parameters') if isinstance(state.get('Parameters'), dict) else state.get('Arguments')
    names = [name.removesuffix('.$') for name in given] if isinstance(given, dict) else []
    return [
        f'SCHEMA_VALIDATION_FAILED: The field "{name}" is not supported by Step Functions at {path}/Parameters'
        for name in names if name not in known
    ]

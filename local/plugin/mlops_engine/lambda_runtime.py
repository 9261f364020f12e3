"""Functions fail under their own error names, keep their sandbox, and see the environment that Lambda gives them."""

import json
import threading

from ministack.core import lambda_runtime
from ministack.core.responses import error_response_json
from ministack.services import lambda_svc
from ministack.services.cloudformation import custom_resource

_SYNC_LIMIT = 6 * 1024 * 1024
_RESPONSE_LIMIT = _SYNC_LIMIT + 100

_NODE_SETTLED = """          _realStdoutWrite(JSON.stringify({
            status: "error", error: String(err.message || err), trace: err.stack || ""
          }) + "\\n");"""
_NODE_THROWN = """      _realStdoutWrite(JSON.stringify({
        status: "error", error: e.message, trace: e.stack
      }) + "\\n");"""
# A handler's error is an answer of a healthy sandbox (status ok): MiniStack would otherwise end the process, AWS does not.
_NODE_REPORT = """
function _mlopsFailed(err) {
  const isError = err instanceof Error || (err && typeof err === "object" && "message" in err);
  _realStdoutWrite(JSON.stringify({
    status: "ok",
    failed: {
      errorType: isError ? String(err.name || "Error") : typeof err,
      errorMessage: isError ? String(err.message) : String(err),
      trace: isError && err.stack ? String(err.stack).split("\\n") : [],
    },
  }) + "\\n");
}
let handlerFn = null;"""
_PYTHON_THROWN = """_real_stdout.write(json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()}) + "\\n")"""
_PYTHON_REPORT = """_real_stdout.write(json.dumps({"status": "ok", "failed": {"errorType": type(e).__name__, """ \
    """"errorMessage": str(e), "trace": traceback.format_exc().splitlines()}}) + "\\n")"""

# The error of the invocation that this thread just ran: MiniStack's own result has no room for its name.
_last = threading.local()


def install() -> None:
    node = lambda_runtime._NODEJS_WORKER_SCRIPT
    node = _replaced(node, _NODE_SETTLED, '          _mlopsFailed(err);')
    node = _replaced(node, _NODE_THROWN, '      _mlopsFailed(e);')
    lambda_runtime._NODEJS_WORKER_SCRIPT = _replaced(node, '\nlet handlerFn = null;', _NODE_REPORT)
    lambda_runtime._PYTHON_WORKER_SCRIPT = _replaced(lambda_runtime._PYTHON_WORKER_SCRIPT, _PYTHON_THROWN, _PYTHON_REPORT)
    _wrap_worker()
    _wrap_execution()
    _wrap_environment()
    _wrap_invoke()
    _wrap_custom_resources()


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise RuntimeError('This MiniStack is not the pinned version: a function worker is not as expected')
    return text.replace(old, new)


def _wrap_worker() -> None:
    original = lambda_runtime.Worker.invoke

    def invoke(self, event, request_id, **kwargs):
        response = original(self, event, request_id, **kwargs)
        failed = response.get('failed')
        if failed is None and response.get('status') == 'ok' and _size(response.get('result')) > _RESPONSE_LIMIT:
            failed = {
                'errorType': 'Function.ResponseSizeTooLarge',
                'errorMessage': f'Response payload size exceeded maximum allowed payload size ({_RESPONSE_LIMIT} bytes).',
            }
        _last.failed = failed
        if failed is None:
            return response
        return {**response, 'status': 'error', 'error': failed['errorMessage'], 'trace': '\n'.join(failed.get('trace') or [])}

    lambda_runtime.Worker.invoke = invoke


def _wrap_execution() -> None:
    original = lambda_svc._execute_function_warm

    def execute(func, event, request_id):
        _last.failed = None
        result = original(func, event, request_id)
        return {**result, 'body': _last.failed} if _last.failed and result.get('error') else result

    lambda_svc._execute_function_warm = execute
    original_dispatch = lambda_svc._execute_function_dispatch
    emit = lambda_svc._emit_lambda_metrics

    def dispatch(func, config, event, request_id, started):
        result = original_dispatch(func, config, event, request_id, started)
        emit(config.get('FunctionName', ''), duration_ms=(lambda_svc.time.time() - started) * 1000,
             error=bool(result.get('error')), throttle=bool(result.get('throttle')))
        return result

    def emit_only_throttles(function_name, duration_ms, error, throttle):
        # Every invocation, however it came about, is counted in `dispatch`; MiniStack counts those of the Invoke API only.
        if throttle and duration_ms == 0:
            emit(function_name, duration_ms=0, error=False, throttle=True)

    lambda_svc._execute_function_dispatch = dispatch
    lambda_svc._emit_lambda_metrics = emit_only_throttles


def _size(value) -> int:
    return len(value) if isinstance(value, str) else len(json.dumps(value, ensure_ascii=False).encode())


def _wrap_environment() -> None:
    original = lambda_runtime.execution_credentials

    def credentials(config):
        # Applied last over the environment of a new sandbox, after the engine's own variables.
        group = (config.get('LoggingConfig') or {}).get('LogGroup') or f"/aws/lambda/{config.get('FunctionName', '')}"
        return {
            **original(config),
            'AWS_EXECUTION_ENV': f"AWS_Lambda_{config.get('Runtime', '')}",
            'AWS_LAMBDA_INITIALIZATION_TYPE': 'on-demand',
            'AWS_LAMBDA_LOG_GROUP_NAME': group,
            'TZ': ':UTC',
        }

    lambda_runtime.execution_credentials = credentials


def _wrap_invoke() -> None:
    original = lambda_svc._invoke

    async def invoke(name, event, headers, path_qualifier=None, query_params=None):
        if _size(event) > _SYNC_LIMIT:
            return error_response_json(
                'RequestTooLargeException', f'Request must be smaller than {_SYNC_LIMIT} bytes for the InvokeFunction operation', 413)
        return await original(name, event, headers, path_qualifier, query_params)

    lambda_svc._invoke = invoke


def _wrap_custom_resources() -> None:
    original = lambda_svc._execute_function_with_config_scope

    def execute(func, event):
        result = original(func, event)
        token = _response_token(event)
        pending = custom_resource._pending.get(token)
        if result.get('error') and pending is not None and pending['result'] is None:
            # The function is gone without an answer: say so now instead of after the service timeout.
            body = result.get('body')
            message = body.get('errorMessage') if isinstance(body, dict) else str(body)
            custom_resource.deliver_response(token, {
                'Status': 'FAILED', 'Reason': f"{func.get('config', func).get('FunctionName', 'The function')} failed: {message}",
            })
        return result

    lambda_svc._execute_function_with_config_scope = execute


def _response_token(event) -> str:
    url = str(event.get('ResponseURL', '')) if isinstance(event, dict) else ''
    return url.rpartition('/_ministack/cfn-response/')[2]

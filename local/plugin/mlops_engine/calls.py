"""How many AWS API calls were served, by service: SDK clients and the services' own integrations alike."""

import threading
from collections import Counter

from ministack import app
from ministack.core.router import detect_service

_lock = threading.Lock()
_count: Counter = Counter()


def install() -> None:
    dispatch = app._dispatch_service_request
    data_plane = app._handle_special_data_plane_request

    async def dispatched(method, path, headers, body, query_params, request_id):
        count(detect_service(method, path, headers, app._routing_params(method, path, headers, body, query_params)))
        return await dispatch(method, path, headers, body, query_params, request_id)

    async def special(method, path, headers, body, query_params, request_id, **kwargs):
        response = await data_plane(method, path, headers, body, query_params, request_id, **kwargs)
        if response is not None:
            count('execute-api' if app._parse_execute_api_url(headers.get('host', ''), path) else
                  detect_service(method, path, headers, query_params))
        return response

    app._dispatch_service_request = dispatched
    app._handle_special_data_plane_request = special


def count(service: str) -> None:
    with _lock:
        _count[service] += 1


def report() -> dict:
    with _lock:
        return dict(sorted(_count.items()))

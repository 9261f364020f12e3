"""The engine never outlives the process that started it, and its function workers never outlive the engine."""

import atexit
import os
import signal
import threading
import time

_POLL_SECONDS = 0.5
_GRACE_SECONDS = 5.0


def install(settings) -> None:
    atexit.register(kill_workers)
    if settings.parent_pid:
        threading.Thread(target=_watch, args=(settings.parent_pid,), daemon=True, name='mlops-parent').start()


def _watch(parent_pid: int) -> None:
    while _alive(parent_pid):
        time.sleep(_POLL_SECONDS)
    kill_workers()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    kill_workers()
    os._exit(1)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8') as handle:
            # A zombie still has a pid; only its parent's wait() would take it away.
            return handle.read().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return True


def kill_workers() -> None:
    """End every Lambda worker process this engine spawned, without the grace a function would get on AWS."""
    from ministack.core import lambda_runtime

    for worker in [worker for pool in list(lambda_runtime._workers.values()) for worker in list(pool)]:
        process = worker._proc
        if process is not None and process.poll() is None:
            process.kill()
        worker._discard_tmpdir()

"""What every thread of an execution knows: whose execution it is, whether to go on, and where it stands."""

import contextvars
import threading
import time

from ministack.services import stepfunctions

_SLICE_SECONDS = 0.1


class Stopped(Exception):
    """The execution, or the branch or task that this thread works for, has ended meanwhile."""


class Run:
    """One run of an execution from its start or redrive to its end; a later redrive is another run."""

    def __init__(self, execution: dict, role_arn: str, query_language: str):
        self.execution = execution
        self.role_arn = role_arn
        self.query_language = query_language
        self.generation = execution.get('_generation', 0)
        self.session_name = execution['executionArn'].rsplit(':', 1)[1][:64]

    def over(self) -> bool:
        return self.execution['status'] != 'RUNNING' or self.execution.get('_generation', 0) != self.generation


class Cancel:
    """Cancels a task, a branch or a Map; whoever waits below it notices."""

    def __init__(self, parent: 'Cancel | None', run: Run):
        self._parent, self._run, self._event = parent, run, threading.Event()

    def set(self) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set() or (self._parent.is_set() if self._parent else self._run.over())


run: contextvars.ContextVar = contextvars.ContextVar('mlops_sfn_run', default=None)
cancel: contextvars.ContextVar = contextvars.ContextVar('mlops_sfn_cancel', default=None)
# Progress of the (sub-)machine this thread walks through: its state, that state's input, and its branches.
node: contextvars.ContextVar = contextvars.ContextVar('mlops_sfn_node', default=None)
# Event of the history that tells what this thread's task asks for.
scheduled: contextvars.ContextVar = contextvars.ContextVar('mlops_sfn_scheduled', default=None)


def new_cancel() -> Cancel:
    return Cancel(cancel.get(), run.get())


def check() -> None:
    current = cancel.get()
    if current is not None and current.is_set():
        raise Stopped()


def sleep(seconds: float) -> None:
    """Sleep in slices, so that a stopped execution does not leave threads asleep for hours."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        check()
        time.sleep(min(left, _SLICE_SECONDS))
    check()


def scaled_sleep(seconds: float) -> None:
    sleep(seconds * stepfunctions._SFN_WAIT_SCALE)

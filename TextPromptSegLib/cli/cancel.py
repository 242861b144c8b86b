"""Ctrl-C and termination: the run stops, nothing half-written stays."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from ..outcome import Cancelled

_state = threading.Event()


class Stopped(Cancelled):
    """The user cancelled; the text says how to go on."""


def cancelled() -> bool:
    """Return whether the user has asked to stop; libraries may have swallowed the exception."""
    return _state.is_set()


@contextlib.contextmanager
def catch_signals() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into KeyboardInterrupt, and remember that they came."""
    _state.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        _state.set()
        raise KeyboardInterrupt

    numbers = [signal.SIGINT, signal.SIGTERM]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)

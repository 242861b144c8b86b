"""Plain Python work (files, downloads) in a thread, with progress and cancel; no Qt in it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import qt

from TextPromptSegLib.outcome import Cancelled

_INTERVAL_MS = 100

Work = Callable[[Callable[[int, int, str], bool]], Any]


class Task:
    """One function in a thread; its callbacks run in the main thread.

    Args:
        work: called with ``progress(done, total, message) -> bool``; False means cancelled.
        on_finished: called with (result, error); both None when it was cancelled.
        on_progress: called with (done, total, message).
    """

    def __init__(
        self,
        work: Work,
        on_finished: Callable[[Any, Exception | None], None],
        on_progress: Callable[[int, int, str], None] | None = None,
    ) -> None:
        """Start the thread."""
        self._work, self._on_finished, self._on_progress = work, on_finished, on_progress
        self._news: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._cancelled = threading.Event()
        self._timer = qt.QTimer()
        self._timer.interval = _INTERVAL_MS
        self._timer.connect("timeout()", self._poll)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._timer.start()

    def cancel(self) -> None:
        """Ask the work to stop at its next step."""
        self._cancelled.set()

    @property
    def running(self) -> bool:
        """Whether the work is still going on."""
        return bool(self._timer.active)

    def _run(self) -> None:
        try:
            self._news.put(("done", self._work(self._report)))
        except Cancelled:
            self._news.put(("done", None))
        except Exception as error:  # whatever it is, it belongs into the main thread
            self._news.put(("error", error))

    def _report(self, done: int, total: int, message: str) -> bool:
        self._news.put(("progress", (done, total, message)))
        return not self._cancelled.is_set()

    def _poll(self) -> None:
        latest = None
        while True:
            try:
                kind, value = self._news.get_nowait()
            except queue.Empty:
                break
            if kind == "progress":
                latest = value
                continue
            self._timer.stop()
            self._timer.disconnect("timeout()", self._poll)
            result, error = (None, value) if kind == "error" else (value, None)
            self._on_finished(result, error)
            return
        if latest is not None and self._on_progress is not None:
            self._on_progress(*latest)

"""One request to the worker: its state, its progress and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..image.volume import Volume
from ..prompting.boxed import Boxed

_STILL_IDLE = 1.0  # s after the question


@dataclass(eq=False)
class Job:
    """One request and what became of it.

    Attributes:
        id: number of the request.
        state: "waiting", "running", "done", "failed" or "cancelled".
        result: the answer, once done.
        info: facts about a finished run: "seconds" per stage and the "device" that was used.
        error: why there is no answer, once failed or cancelled.
        mask: what a run starts from, sent along with its request.
        done, total, message: the latest progress; total 0 means that it is not known.
        asked_twice: whether it was asked for again, because a file was lost on the way.
        asked_idle: when a process that had been idle was asked, until its first word about it.
    """

    id: int
    request: dict[str, Any]
    on_finished: Callable[[Job], None] | None = None
    on_progress: Callable[[Job], None] | None = None
    volume: Volume | None = None
    state: str = "waiting"
    result: Any = None
    info: dict[str, Any] = field(default_factory=dict)
    error: Exception | None = None
    done: int = 0
    total: int = 0
    message: str = ""
    mask: Boxed | None = None
    started: float = field(default_factory=time.monotonic)
    asked_idle: float | None = None
    asked_twice: bool = False
    _rate_from: tuple[float, int] | None = None

    @property
    def finished(self) -> bool:
        """Whether the job has come to an end, good or bad."""
        return self.state in ("done", "failed", "cancelled")

    def died_before_it_began(self) -> bool:
        """Whether the end of the process, noticed now, had nothing to do with this job."""
        return self.asked_idle is not None and time.monotonic() - self.asked_idle < _STILL_IDLE

    def ask_again(self) -> bool:
        """Wait once more for its turn; False when it has ended, or was asked twice already."""
        if self.finished or self.asked_twice:
            return False
        self.state, self.asked_twice = "waiting", True
        return True

    @property
    def eta_seconds(self) -> float | None:
        """Seconds that are left at the present pace, None where nobody can tell yet."""
        if self._rate_from is None or self.total <= 0:
            return None
        since, first = self._rate_from
        if self.done <= first:
            return None
        return (self.total - self.done) * (time.monotonic() - since) / (self.done - first)

    def advance(self, done: int, total: int, message: str) -> None:
        """Take in a progress message; the pace is measured anew for every stage."""
        if self._rate_from is None or total != self.total or done < self.done:
            self._rate_from = (time.monotonic(), done) if total > 0 else None
        self.done, self.total, self.message = done, total, message

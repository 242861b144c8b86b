"""Signal connections and scene observers that are all taken back by one call."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any


class Links:
    """Remembers connections; Qt holds on to Python callables until they are disconnected."""

    def __init__(self) -> None:
        """Start without any."""
        self._signals: list[tuple[Any, str, Callable[..., Any]]] = []
        self._observers: list[tuple[Any, int]] = []

    @property
    def active(self) -> bool:
        """Whether there is anything to take back; False after `clear`."""
        return bool(self._signals or self._observers)

    def connect(self, sender: Any, signal: str, slot: Callable[..., Any]) -> None:
        """Connect a Qt signal, named by its signature."""
        sender.connect(signal, slot)
        self._signals.append((sender, signal, slot))

    def observe(self, subject: Any, event: Any, slot: Callable[..., Any]) -> None:
        """Observe an event of a VTK object; the slot gets (caller, event)."""
        self._observers.append((subject, subject.AddObserver(event, slot)))

    def clear(self) -> None:
        """Disconnect everything."""
        for sender, signal, slot in self._signals:
            # The C++ object may already be gone, and its connections with it.
            with contextlib.suppress(RuntimeError, ValueError):
                sender.disconnect(signal, slot)
        for subject, tag in self._observers:
            subject.RemoveObserver(tag)
        self._signals.clear()
        self._observers.clear()

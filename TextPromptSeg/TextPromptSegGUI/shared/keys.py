"""Keys that work in the whole window, also where the application gives them another meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import qt


class EscapeKey:
    """Escape in a window, for as long as there is something to end.

    Segment Editor takes Escape as "no effect". Two shortcuts of one key block each other in Qt, so
    the key is asked for before shortcuts are looked up; when there is nothing to end, Segment
    Editor gets it as ever.
    """

    def __init__(self, end: Callable[[], bool]) -> None:
        """Remember what Escape does.

        Args:
            end: ends something and says whether there was anything to end.
        """
        self._filter = _Filter()
        self._filter.end = end
        self._window: Any = None

    def listen(self, window: Any) -> None:
        """Listen in a window, and in no other."""
        self.forget()
        self._window = window
        window.installEventFilter(self._filter)

    def forget(self) -> None:
        """Stop listening."""
        if self._window is not None:
            self._window.removeEventFilter(self._filter)
            self._window = None

    def cleanup(self) -> None:
        """Stop listening for good."""
        self.forget()
        self._filter.end = None


class _Filter(qt.QObject):
    """Takes the key from the window's events; PythonQt calls `eventFilter` of a subclass."""

    def __init__(self, *arguments: Any) -> None:
        qt.QObject.__init__(self, *arguments)
        self.end: Callable[[], bool] | None = None

    def eventFilter(self, _watched: Any, event: Any) -> bool:
        if self.end is None or event.type() != qt.QEvent.ShortcutOverride:
            return False
        if event.key() != qt.Qt.Key_Escape or not self.end():
            return False
        event.accept()
        return True


class Shortcuts:
    """Keys of a window that call functions while they are switched on."""

    def __init__(self, actions: Mapping[str, Callable[[], None]]) -> None:
        """Remember the keys, for example ``{"Ctrl+Return": apply}``."""
        self._actions = dict(actions)
        self._shortcuts: list[Any] = []

    def switch_on(self, window: Any) -> None:
        """Listen in a window."""
        self.switch_off()
        for keys, action in self._actions.items():
            shortcut = qt.QShortcut(qt.QKeySequence(keys), window)
            shortcut.connect("activated()", action)
            self._shortcuts.append(shortcut)

    def switch_off(self) -> None:
        """Stop listening."""
        for shortcut in self._shortcuts:
            shortcut.disconnect("activated()")
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts.clear()

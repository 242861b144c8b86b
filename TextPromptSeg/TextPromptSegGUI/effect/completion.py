"""Completion of the last name on a prompt line: history, trained prompts, vocabulary."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import qt

from ..shared.links import Links

MOST = 12
_SEPARATORS = re.compile(r"^(.*(?:[,;\n]|\band\b|\bwithout\b)\s*)?(.*)$", re.DOTALL)


class Completion:
    """Offers names below a line edit while the user types.

    Whole lines are put into the model and shown unfiltered, because completing the last of
    several names would otherwise need a subclass of QCompleter, which PythonQt calls back from
    C++ in the middle of a key press.

    The list never decides for the user: Qt marks its first row, and Enter would take "liver
    segment 2" for a typed "liver". A row is taken with the mouse or after an arrow key. The list
    goes as soon as the mouse moves elsewhere, because it would swallow the first click there.
    """

    def __init__(self, line: Any, on_apply: Callable[[], None] = lambda: None) -> None:
        """Attach to a QLineEdit; ``on_apply`` is called for Ctrl+Enter while names are offered."""
        self._line = line
        self._names: list[str] = []
        self._history: list[str] = []
        self._model = qt.QStringListModel(line)
        self._completer = qt.QCompleter(line)
        self._completer.setModel(self._model)
        self._completer.completionMode = qt.QCompleter.UnfilteredPopupCompletion
        self._completer.maxVisibleItems = MOST
        line.setCompleter(self._completer)
        self._list = self._completer.popup()
        self._list.mouseTracking = True
        self._filter = _Filter()
        self._filter.line, self._filter.list, self._filter.on_apply = line, self._list, on_apply
        self._list.installEventFilter(self._filter)  # after Qt's own, so that it is asked first
        self._links = Links()
        self._links.connect(line, "textEdited(QString)", self._edited)

    def set_names(self, trained: Iterable[str], known: Iterable[str]) -> None:
        """Choose the names to offer; those that the checkpoint was trained on come first."""
        self._names = list(dict.fromkeys([*trained, *known]))

    def set_history(self, history: Sequence[str]) -> None:
        """Choose the earlier prompts to offer."""
        self._history = list(history)

    @property
    def offering(self) -> bool:
        """Whether names are shown, so that the last word is probably not finished."""
        return bool(self._list.visible)

    def close(self) -> None:
        """Offer nothing until the next letter."""
        self._list.hide()

    def cleanup(self) -> None:
        """Disconnect."""
        self._links.clear()
        self._list.removeEventFilter(self._filter)
        self._filter.list = None

    def _edited(self, text: str) -> None:
        self._filter.chosen = False
        self._model.setStringList(complete(text, self._names, self._history))
        qt.QTimer.singleShot(0, self._filter.mark_nothing)  # Qt marks a row after this


class _Filter(qt.QObject):
    """Looks at the list's events before Qt does; PythonQt calls `eventFilter` of a subclass."""

    def __init__(self, *arguments: Any) -> None:
        qt.QObject.__init__(self, *arguments)
        self.line: Any = None
        self.list: Any = None
        self.on_apply: Callable[[], None] = lambda: None
        self.chosen = False  # by an arrow key since the last letter

    def mark_nothing(self) -> None:
        """Unmark the row that Qt marks by itself."""
        if self.list is not None and not self.chosen:
            self.list.setCurrentIndex(qt.QModelIndex())

    def eventFilter(self, _watched: Any, event: Any) -> bool:
        if self.list is None:
            return False
        kind = event.type()
        if kind == qt.QEvent.MouseMove and not self._is_at_home():
            self.list.hide()
        if kind != qt.QEvent.KeyPress:
            return False
        if event.key() in (qt.Qt.Key_Up, qt.Qt.Key_Down, qt.Qt.Key_PageUp, qt.Qt.Key_PageDown):
            self.chosen = True
        elif event.key() in (qt.Qt.Key_Return, qt.Qt.Key_Enter):
            if event.modifiers() & qt.Qt.ControlModifier:  # no shortcut works beside a list
                self.list.hide()
                qt.QTimer.singleShot(0, self.on_apply)
                return True
            self.mark_nothing()
        return False

    def _is_at_home(self) -> bool:
        """Whether the mouse is over the list or the line it belongs to."""
        place = qt.QCursor.pos()
        return any(w.rect.contains(w.mapFromGlobal(place)) for w in (self.list, self.line))


def complete(text: str, names: Sequence[str], history: Sequence[str] = ()) -> list[str]:
    """Return whole lines that complete ``text``, the best first.

    Names that begin with the last words come before names of which a word begins with them, and
    those before names that merely contain them; earlier prompts come first of all. Nothing is
    offered where the last words are a name as they stand: the list would lie over Preview and
    Apply just when they are wanted.
    """
    match = _SEPARATORS.match(text)
    head, tail = (match.group(1) or "", match.group(2)) if match else ("", text)
    wanted = tail.casefold().strip()
    if any(name.casefold() == wanted for name in names):
        return []
    earlier = [
        line for line in history if line.casefold().startswith(text.casefold()) and line != text
    ]
    if not wanted:
        return earlier[:MOST] if text.strip() or not history else list(history[:MOST])
    ranked: list[tuple[int, int, str]] = []
    for order, name in enumerate(names):
        low = name.casefold()
        if wanted not in low:
            continue
        rank = 0 if low.startswith(wanted) else 1 if f" {wanted}" in low else 2
        ranked.append((rank, order, head + name))
    return list(dict.fromkeys([*earlier[:4], *(line for _, _, line in sorted(ranked))]))[:MOST]

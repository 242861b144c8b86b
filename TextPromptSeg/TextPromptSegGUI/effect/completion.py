"""Completion of the last name on a prompt line: history, trained prompts, vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
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
    """

    def __init__(self, line: Any) -> None:
        """Attach to a QLineEdit."""
        self._line = line
        self._names: list[str] = []
        self._history: list[str] = []
        self._model = qt.QStringListModel(line)
        self._completer = qt.QCompleter(line)
        self._completer.setModel(self._model)
        self._completer.completionMode = qt.QCompleter.UnfilteredPopupCompletion
        self._completer.maxVisibleItems = MOST
        line.setCompleter(self._completer)
        self._links = Links()
        self._links.connect(line, "textEdited(QString)", self._edited)

    def set_names(self, trained: Iterable[str], known: Iterable[str]) -> None:
        """Choose the names to offer; those that the checkpoint was trained on come first."""
        self._names = list(dict.fromkeys([*trained, *known]))

    def set_history(self, history: Sequence[str]) -> None:
        """Choose the earlier prompts to offer."""
        self._history = list(history)

    def cleanup(self) -> None:
        """Disconnect."""
        self._links.clear()

    def _edited(self, text: str) -> None:
        self._model.setStringList(complete(text, self._names, self._history))


def complete(text: str, names: Sequence[str], history: Sequence[str] = ()) -> list[str]:
    """Return whole lines that complete ``text``, the best first.

    Names that begin with the last words come before names of which a word begins with them, and
    those before names that merely contain them; earlier prompts come first of all.
    """
    match = _SEPARATORS.match(text)
    head, tail = (match.group(1) or "", match.group(2)) if match else ("", text)
    wanted = tail.casefold().strip()
    earlier = [
        line for line in history if line.casefold().startswith(text.casefold()) and line != text
    ]
    if not wanted:
        return earlier[:MOST] if text.strip() or not history else list(history[:MOST])
    ranked: list[tuple[int, int, str]] = []
    for order, name in enumerate(names):
        low = name.casefold()
        if low == wanted or wanted not in low:
            continue
        rank = 0 if low.startswith(wanted) else 1 if f" {wanted}" in low else 2
        ranked.append((rank, order, head + name))
    return list(dict.fromkeys([*earlier[:4], *(line for _, _, line in sorted(ranked))]))[:MOST]

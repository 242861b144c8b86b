"""Changes of widgets that tell nobody: for what the program shows, not what the user chose."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any


@contextlib.contextmanager
def quiet(widget: Any) -> Iterator[None]:
    """Hold a widget's signals back while it is changed."""
    blocked = widget.blockSignals(True)
    try:
        yield
    finally:
        widget.blockSignals(blocked)


def fill(combo: Any, choices: Iterable[tuple[str, str]], wanted: str) -> None:
    """Offer other choices in a combo box.

    Args:
        combo: the box.
        choices: key and label of each.
        wanted: key of what stays chosen; the first one where it is not among them.
    """
    with quiet(combo):
        combo.clear()
        for key, label in choices:
            combo.addItem(label, key)
        combo.currentIndex = max(0, combo.findData(wanted))


def choose(combo: Any, key: str) -> bool:
    """Choose an item of a combo box by its key; False, and nothing changes, without it."""
    index = combo.findData(key)
    if index < 0:
        return False
    if index != combo.currentIndex:
        with quiet(combo):
            combo.currentIndex = index
    return True

"""The options below the prompt, folded away: one line says which of them are not as they come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import ctk
import qt
from slicer.i18n import tr as _

from ..boxes.run_bar import flat
from ..shared import settings
from ..shared.links import Links
from ..shared.quiet import quiet

_REMEMBERED = "OptionsOpen"


class OptionsFold:
    """A collapsible section with labelled rows; whether it is open is remembered."""

    def __init__(self, rows: Iterable[tuple[str, str, Any]]) -> None:
        """Build the section.

        Args:
            rows: key, label and widget of each row.
        """
        self.button = ctk.ctkCollapsibleButton()
        self.button.objectName = "TextPromptOptions"
        self.button.text = _("Options")
        form = qt.QFormLayout(self.button)
        form.setContentsMargins(4, 4, 4, 4)
        # Not in the section's title: that would widen the whole panel, at the cost of the views.
        self.differences = flat(qt.QLabel())
        self.differences.objectName = "TextPromptDifferences"
        self.differences.wordWrap = True
        self.differences.visible = False
        self._rows: dict[str, tuple[Any, Any]] = {}
        for key, text, widget in rows:
            label = qt.QLabel(text)
            form.addRow(label, widget)
            self._rows[key] = (label, widget)
        self._hidden: set[str] = set()
        self.button.collapsed = not settings.flag(_REMEMBERED)
        self._links = Links()
        self._links.connect(self.button, "contentsCollapsed(bool)", self._folded)

    def show_row(self, key: str, shown: bool) -> None:
        """Show a row, or hide one that the checkpoint has no use for."""
        (self._hidden.discard if shown else self._hidden.add)(key)
        for widget in self._rows[key]:
            widget.visible = shown and not self.button.collapsed

    def summarise(self, differences: Sequence[str]) -> None:
        """Say below the section what differs from how the options come."""
        self.differences.text = _("Changed: {list}").format(list=", ".join(differences))
        self.differences.visible = bool(differences)

    def set_open(self, opened: bool) -> None:
        """Open or fold it, without remembering that."""
        with quiet(self.button):
            self.button.collapsed = not opened
        self._arrange()

    def cleanup(self) -> None:
        """Disconnect."""
        self._links.clear()

    def _folded(self, collapsed: bool) -> None:
        settings.set_flag(_REMEMBERED, not collapsed)
        self._arrange()

    def _arrange(self) -> None:
        """Keep hidden what has no use: the section shows all its widgets when it opens."""
        for key in self._rows:
            self.show_row(key, key not in self._hidden)

"""Apply that turns into Cancel, progress with the time left, the line that says what came out."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from ..shared.links import Links
from ..shared.runs import Progress


class RunBar:
    """The button, the progress bar and the outcome line."""

    def __init__(
        self,
        on_apply: Callable[[], None],
        on_cancel: Callable[[], None],
        on_link: Callable[[str], None] | None = None,
        prefix: str = "TextPrompt",
    ) -> None:
        """Make the widgets.

        Args:
            on_apply: called when Apply is pressed.
            on_cancel: called when the same button says Cancel.
            on_link: called with the address of a link in the outcome line.
            prefix: of the object names.
        """
        self.button = qt.QPushButton(_("Apply"))
        self.button.objectName = f"{prefix}Apply"
        self.progress = qt.QProgressBar()
        self.progress.objectName = f"{prefix}Progress"
        self.progress.visible = False
        self.outcome = qt.QLabel()
        self.outcome.objectName = f"{prefix}Outcome"
        self.outcome.wordWrap = True
        flat(self.outcome)
        self.outcome.visible = False
        self.running = False
        self.said = ""
        self._on_apply, self._on_cancel, self._on_link = on_apply, on_cancel, on_link
        self._links = Links()
        self._links.connect(self.button, "clicked()", self._clicked)
        self._links.connect(self.outcome, "linkActivated(QString)", self._link)

    def start(self) -> None:
        """Turn Apply into Cancel."""
        self.running = True
        self.button.text = _("Cancel")
        self.progress.minimum = self.progress.maximum = 0
        self.progress.format = _("Starting...")
        self.progress.visible = True

    def show_progress(self, progress: Progress) -> None:
        """Show how far a run has come."""
        self.progress.maximum = max(0, progress.total)
        if progress.total > 0:
            self.progress.value = progress.done
        self.progress.format = progress.text

    def stop(self) -> None:
        """Turn Cancel into Apply."""
        self.running = False
        self.button.text = _("Apply")
        self.progress.visible = False

    def say(self, text: str, rich: bool = False) -> None:
        """Show a sentence; plain text unless it is said to be rich."""
        self.said = text
        self.outcome.text = text if rich else html.escape(text, quote=False).replace("\n", "<br>")
        self.outcome.visible = bool(text)

    def cleanup(self) -> None:
        """Disconnect."""
        self._links.clear()

    def _clicked(self) -> None:
        (self._on_cancel if self.running else self._on_apply)()

    def _link(self, address: str) -> None:
        if self._on_link is not None:
            self._on_link(address)


def flat(label: Any) -> Any:
    """Keep a wrapped label from taking more height than its text needs."""
    policy = qt.QSizePolicy()
    policy.setHorizontalPolicy(qt.QSizePolicy.Preferred)
    policy.setVerticalPolicy(qt.QSizePolicy.Maximum)
    policy.setHeightForWidth(True)
    label.sizePolicy = policy
    return label


def side_by_side(*widgets: Any) -> Any:
    """Return a layout with widgets side by side."""
    row = qt.QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget, 1)
    return row

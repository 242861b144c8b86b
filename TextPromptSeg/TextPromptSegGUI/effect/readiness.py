"""Getting ready when the effect opens: licence, worker and checkpoint before the first preview."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import qt
from slicer.i18n import tr as _

from ..boxes.model_box import ModelBox
from ..shared import settings
from ..shared.dependencies import missing_sentence
from ..shared.session import Session

if TYPE_CHECKING:
    from TextPromptSegLib.worker.client import Job

_TICK_MS = 500


class Readiness:
    """Asks for the licence once, loads the checkpoint, and says for how long it loads."""

    def __init__(
        self, session: Session, model: ModelBox, said: Callable[[], str], say: Callable[[str], None]
    ) -> None:
        """Prepare; nothing is asked or loaded.

        Args:
            session: the worker's session.
            model: the chosen checkpoint.
            said: returns what the outcome line says.
            say: shows a sentence there.
        """
        self._session, self._model, self._said, self._say = session, model, said, say
        self._declined: set[str] = set()
        self._job: Job | None = None
        self._since = 0.0
        self._shown = ""
        self._clock = qt.QTimer()
        self._clock.interval = _TICK_MS
        self._clock.connect("timeout()", self._tick)

    def begin(self) -> None:
        """Ask for the licence where that is needed, then load."""
        name = self._model.name
        if not name or name in self._declined or missing_sentence():
            return
        if self._model.confirm_licence():
            self.load()
        else:
            self._declined.add(name)  # asked again by Preview and Apply only

    def load(self) -> None:
        """Load the chosen checkpoint, unless it is loaded or its licence was not accepted."""
        from TextPromptSegLib.checkpoints import licence

        model = self._model.model
        if model is None or missing_sentence() or licence.needs_acknowledgement(model):
            return
        job = self._session.warm_up(model.name, settings.text("Device", "auto"))
        if job is not None:
            self._job, self._since = job, time.monotonic()
            self._clock.start()

    def stop(self) -> None:
        """Say no more; the loading goes on."""
        self._job = None
        self._clock.stop()
        self._show("")

    def cleanup(self) -> None:
        """End the clock."""
        self.stop()
        self._clock.disconnect("timeout()", self._tick)

    def _tick(self) -> None:
        if self._job is None or self._job.finished:
            self.stop()
            return
        seconds = round(time.monotonic() - self._since)
        self._show(_("Loading the checkpoint... {seconds} s").format(seconds=seconds))

    def _show(self, text: str) -> None:
        """Show a sentence where nothing else is said."""
        if self._said() in ("", self._shown) and text != self._said():
            self._say(text)
        self._shown = text

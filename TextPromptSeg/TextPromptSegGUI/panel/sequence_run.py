"""All frames of a sequence, one run after the other; written when the last one is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from TextPromptSegLib.outcome import TextPromptSegError

from ..shared.runs import Progress, Run, RunRequest
from ..shared.session import Session

if TYPE_CHECKING:
    from TextPromptSegLib.prompting.segmentation import Segmentation

_STEPS = 1000


class SequenceRun:
    """Looks like a `Run` to the panel.

    Attributes:
        state: "running", "done", "failed" or "cancelled".
        error: one sentence, once failed.
        results: answers of every frame.
        node: the proxy segmentation node, once done.
    """

    def __init__(
        self,
        session: Session,
        request: RunRequest,
        on_finished: Callable[[SequenceRun], None],
        on_progress: Callable[[Progress], None],
        change: Callable[[Sequence[Segmentation]], list[Segmentation]],
    ) -> None:
        """Prepare.

        Args:
            session: the worker's session.
            request: the run of one frame; its volume node is the sequence or its proxy.
            on_finished: called once at the end.
            on_progress: called as the run goes on.
            change: applied to the answers of each frame (the user's threshold).
        """
        self.session, self.request = session, request
        self.state, self.error = "running", ""
        self.results: dict[int, list[Segmentation]] = {}
        self.node: Any = None
        self._on_finished, self._on_progress, self._change = on_finished, on_progress, change
        self._frames: list[int] = []
        self._images: Any = None
        self._run: Run | None = None

    def start(self) -> SequenceRun:
        """Begin with the first frame; returns at once."""
        from TextPromptSegMRML.sequences import frame_numbers
        from TextPromptSegMRML.volumes import sequence_of

        try:
            self._frames = frame_numbers(self.request.volume_node, "all")
            # The proxy changes whenever the user scrolls through time; the sequence does not.
            self._images = sequence_of(self.request.volume_node)[0]
        except TextPromptSegError as error:
            self._end("failed", str(error))
            return self
        self._next()
        return self

    def cancel(self) -> None:
        """Give up; nothing is written."""
        if self._run is not None:
            self._run.cancel()

    def _next(self) -> None:
        frame = self._frames[len(self.results)]
        request = replace(
            self.request, volume_node=self._images, frame=frame, segmentation_node=None
        )
        self._run = Run(self.session, request, self._frame_finished, self._frame_progress)
        self._run.start()

    def _frame_progress(self, progress: Progress) -> None:
        done, count = len(self.results), len(self._frames)
        part = progress.done / progress.total if progress.total > 0 else 0.0
        text = _("Frame {number} of {count}: {progress}").format(
            number=done + 1, count=count, progress=progress.text
        )
        self._on_progress(Progress(int((done + part) * _STEPS), count * _STEPS, text))

    def _frame_finished(self, run: Run) -> None:
        if run.state != "done":
            self._end(run.state, run.error)
            return
        # The probabilities of all frames together would need too much memory.
        answers = [replace(a, probability=None) for a in self._change(run.results)]
        self.results[self._frames[len(self.results)]] = answers
        if len(self.results) < len(self._frames):
            self._next()
            return
        try:
            self._write()
        except TextPromptSegError as error:
            self._end("failed", str(error))
            return
        self._end("done")

    def _write(self) -> None:
        from TextPromptSegMRML.scene import RunGuard
        from TextPromptSegMRML.sequences import segment_sequence

        guard = RunGuard(self._images, self.request.segmentation_node)
        answers = list(self.results.values())
        self.node, _results = segment_sequence(
            self.request.volume_node,
            self._frames,
            lambda _volume, number, _count: answers[number],
            segmentation_node=self.request.segmentation_node,
            check=guard.nodes,
        )

    def _end(self, state: str, error: str = "") -> None:
        self.state, self.error, self._run = state, error, None
        self._on_finished(self)

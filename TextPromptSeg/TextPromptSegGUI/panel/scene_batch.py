"""The same prompts for every volume of the scene, one after the other, with a CSV at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import slicer
from slicer.i18n import tr as _

from TextPromptSegLib.jobs.batch_summary import BatchSummary, CaseResult
from TextPromptSegLib.outcome import TextPromptSegError

from ..shared.runs import Progress, Run, RunRequest
from ..shared.session import Session

if TYPE_CHECKING:
    from TextPromptSegLib.prompting.segmentation import Segmentation

_STEPS = 1000


class View(Protocol):
    """Where a batch is shown."""

    def add_case(self, case: dict[str, Any]) -> None:
        """Add the rows of one image."""

    def show_progress(self, progress: Progress) -> None:
        """Show how far the batch has come."""

    def finished(self, summary: dict[str, Any], csv: Path | None, error: str = "") -> None:
        """Say what became of the batch."""


class SceneBatch:
    """Runs over the volumes that are in the scene at the start; each gets its own segmentation."""

    def __init__(
        self,
        session: Session,
        request: RunRequest,
        folder: Path | None,
        change: Callable[[Any], list[Segmentation]],
        view: View,
    ) -> None:
        """Prepare.

        Args:
            session: the worker's session.
            request: prompts, checkpoint, device; its nodes are replaced.
            folder: gets summary.csv and summary.json; None leaves them out.
            change: applied to the answers (the user's threshold).
            view: where the batch is shown.
        """
        self._session, self._request, self._folder = session, request, folder
        self._change, self._view = change, view
        self._nodes = [(node.GetID(), node.GetName()) for node in volumes_of_scene()]
        self._cases: list[CaseResult] = []
        self._began = self._case_began = time.monotonic()
        self._run: Run | None = None

    def start(self) -> None:
        """Begin with the first volume; returns at once."""
        self._next()

    def cancel(self) -> None:
        """Give up; finished volumes keep their segmentations."""
        if self._run is not None:
            self._run.cancel()

    def _next(self) -> None:
        while len(self._cases) < len(self._nodes):
            node_id, name = self._nodes[len(self._cases)]
            node = slicer.mrmlScene.GetNodeByID(node_id)
            self._case_began = time.monotonic()
            if node is None:
                self._record(CaseResult(name, node_id, "failed", error=_("It was deleted.")))
                continue
            request = replace(
                self._request,
                volume_node=node,
                segmentation_node=None,
                slices=None,
                plane=None,
                # A box or a point belongs to one image.
                hints=replace(self._request.hints, box=None, points=None, outside=None),
                heat_map=False,
            )
            self._run = Run(self._session, request, self._finished, self._progress)
            self._run.start()
            return
        self._end()

    def _progress(self, progress: Progress) -> None:
        done, count = len(self._cases), len(self._nodes)
        part = progress.done / progress.total if progress.total > 0 else 0.0
        text = _("Image {number} of {count}: {progress}").format(
            number=done + 1, count=count, progress=progress.text
        )
        self._view.show_progress(Progress(int((done + part) * _STEPS), count * _STEPS, text))

    def _finished(self, run: Run) -> None:
        from TextPromptSegMRML.runs import write_run

        self._run = None
        node_id, name = self._nodes[len(self._cases)]
        if run.state == "cancelled":
            self._end(_("Cancelled."))
            return
        try:
            if run.state == "failed":
                raise TextPromptSegError(run.error)
            results = self._change(run.results)
            assert run.volume is not None
            node, written = write_run(run.volume_node, run.volume, results)
            if not written:
                slicer.mrmlScene.RemoveNode(node)
            self._record(
                CaseResult(
                    name,
                    node_id,
                    "done",
                    tuple(_entry(result) for result in results),
                    node.GetName() if written else "",
                    seconds=time.monotonic() - self._case_began,
                )
            )
        except TextPromptSegError as error:
            self._record(CaseResult(name, node_id, "failed", error=str(error)))
        self._next()

    def _record(self, case: CaseResult) -> None:
        self._cases.append(case)
        summary = self._summary().to_dict()
        self._view.add_case(summary["cases"][-1])

    def _summary(self) -> BatchSummary:
        return BatchSummary(
            tuple(self._cases),
            self._folder or Path(),
            self._request.model,
            len(self._nodes),
            time.monotonic() - self._began,
        )

    def _end(self, error: str = "") -> None:
        csv = None
        if self._folder is not None and self._cases:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._summary().write()
                csv = self._folder / "summary.csv"
            except (OSError, TextPromptSegError) as problem:
                error = f"{error} {problem}".strip()
        self._view.finished(self._summary().to_dict(), csv, error)


def volumes_of_scene() -> list[Any]:
    """Return the images of the scene: scalar and colour volumes, no label maps, nothing hidden."""
    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [
        node
        for node in nodes
        if not node.GetHideFromEditors()
        and not node.IsA("vtkMRMLLabelMapVolumeNode")
        and node.GetImageData() is not None
    ]


def _entry(result: Segmentation) -> dict[str, Any]:
    """Return one prompt's answer in the form of REPORT.json."""
    return {
        "prompt": result.prompt.text,
        "name": result.prompt.name,
        "outcome": result.outcome.value,
        "unusual": list(result.unusual),
        "voxels": result.voxels,
        "volume_ml": round(result.volume_ml, 4),
        "max_probability": round(result.max_probability, 4),
        "seconds": round(result.seconds, 3),
    }

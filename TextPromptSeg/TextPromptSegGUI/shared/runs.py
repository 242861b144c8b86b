"""One run of the worker over nodes of the scene, without waiting for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from TextPromptSegLib.outcome import TextPromptSegError
from TextPromptSegMRML.hints import HintNodes

from .session import Session

if TYPE_CHECKING:
    from TextPromptSegLib.image.volume import Volume
    from TextPromptSegLib.prompting.prompt import Prompt
    from TextPromptSegLib.prompting.segmentation import Segmentation
    from TextPromptSegLib.worker.client import Job

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunRequest:
    """What to segment, with what, and where.

    Attributes:
        volume_node: the image.
        prompts: parsed prompts.
        model: name of the checkpoint.
        device: "auto", "cpu", "cuda:N".
        roi: markups ROI node, or None.
        slices: first slice and one past the last along ``plane``, or None.
        plane: "axial", "coronal", "sagittal" or None.
        modality: "CT", "MR" or "CXR" where the user says so, or None.
        segmentation_node: where the result will go, or None; watched during the run.
        samples: number of samples of a generative system, or None.
        hints: box and points beside the text.
        heat_map: whether to bring back where the system looked.
        frame: number of the frame of a sequence, or None.
        want: arrays that are needed.
    """

    volume_node: Any
    prompts: Sequence[Prompt]
    model: str
    device: str = "auto"
    roi: Any = None
    slices: tuple[int, int] | None = None
    plane: str | None = None
    modality: str | None = None
    segmentation_node: Any = None
    samples: int | None = None
    hints: HintNodes = HintNodes()
    heat_map: bool = False
    frame: int | None = None
    want: tuple[str, ...] = ("mask", "probability", "uncertainty", "heat_map", "candidates")


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes:
        done, total: steps; total 0 means that nobody knows.
        text: what the progress bar says.
    """

    done: int
    total: int
    text: str


@dataclass(eq=False)
class Run:
    """A run under way or ended; ``on_finished`` is called once, whatever happened.

    Attributes:
        key: equal for runs that must give equal answers.
        state: "running", "done", "failed" or "cancelled".
        results: answers in the order of the prompts, once done.
        error: one sentence, once failed.
        volume: the image as it was sent.
        volume_node, segmentation_node: the nodes, found again at the end.
    """

    session: Session
    request: RunRequest
    on_finished: Callable[[Run], None]
    on_progress: Callable[[Progress], None] | None = None
    key: tuple[Any, ...] = ()
    state: str = "running"
    results: list[Segmentation] = field(default_factory=list)
    error: str = ""
    volume: Volume | None = None
    volume_node: Any = None
    segmentation_node: Any = None
    job: Job | None = None
    _guard: Any = None
    _region: Any = None

    def start(self) -> Run:
        """Check the nodes, send the image if needed, and return at once."""
        from TextPromptSegMRML.roi import region_of
        from TextPromptSegMRML.scene import RunGuard
        from TextPromptSegMRML.volumes import volume_from_node

        wanted = self.request
        try:
            self._guard = RunGuard(wanted.volume_node, wanted.segmentation_node)
            self._region = region_of(wanted.roi)
            hints = wanted.hints.options()
            self.volume = volume_from_node(wanted.volume_node, wanted.frame)
            self.key = run_key(wanted, self.volume)
        except TextPromptSegError as error:
            self._end("failed", error=str(error))
            return self
        self.job = self.session.client.segment(
            self.volume,
            list(wanted.prompts),
            model=wanted.model,
            device=wanted.device,
            volume_key=volume_key(wanted.volume_node, self.volume, wanted.frame),
            roi=None if self._region is None else self._region.box,
            slices=wanted.slices,
            plane=wanted.plane,
            modality=wanted.modality,
            samples=wanted.samples,
            heat_map=wanted.heat_map,
            want=wanted.want,
            **hints,
            on_finished=self._job_finished,
            on_progress=self._job_progress,
        )
        self.session.watch(self.job)
        return self

    def cancel(self) -> None:
        """Give up; ``on_finished`` is called before this returns."""
        if self.state == "running" and self.job is not None:
            self.session.cancel(self.job)

    def _job_progress(self, job: Job) -> None:
        if self.on_progress is not None:
            self.on_progress(progress_of(job))

    def _job_finished(self, job: Job) -> None:
        self.job = job
        if job.state == "cancelled":
            self._end("cancelled")
        elif job.state == "failed":
            self._end("failed", error=str(job.error))
        else:
            self._take(job.result)

    def _take(self, results: list[Segmentation]) -> None:
        try:
            self.volume_node, self.segmentation_node = self._guard.nodes()
            if self._region is not None:
                results = [self._region.trim(result, self.volume) for result in results]
        except TextPromptSegError as error:
            self._end("failed", error=str(error))
            return
        self.results = results
        _log.info("%s", how_it_ran(self))
        _log.debug("Seconds per stage: %s", self.job.info.get("seconds") if self.job else None)
        self._end("done")

    def _end(self, state: str, error: str = "") -> None:
        self.state, self.error = state, error
        self.on_finished(self)


def volume_key(node: Any, volume: Volume, frame: int | None = None) -> str:
    """Return a text that changes whenever the voxels or their place change."""
    image = node.GetImageData() if node.IsA("vtkMRMLVolumeNode") else None
    time = image.GetMTime() if image is not None else node.GetMTime()
    return f"{node.GetID()}|{time}|{frame}|{hash(volume.ijk_to_ras.tobytes())}|{volume.shape}"


def run_key(request: RunRequest, volume: Volume) -> tuple[Any, ...]:
    """Return what makes two runs give the same answers (the threshold does not matter)."""
    from TextPromptSegMRML.roi import region_of

    region = region_of(request.roi)
    return (
        volume_key(request.volume_node, volume, request.frame),
        request.model,
        tuple(prompt.phrase() for prompt in request.prompts),
        None if region is None else (region.box, region.to_world.tobytes(), region.size.tobytes()),
        request.slices,
        request.plane,
        request.modality,
        request.samples,
        repr(request.hints.read().to_dict()),
    )


def progress_of(job: Job) -> Progress:
    """Return what is done, how much there is, and how long it will still take."""
    if job.total <= 0:
        text = _("{step}...").format(step=job.message) if job.message else _("Starting...")
        return Progress(0, 0, text)
    text = _("{percent} %").format(percent=int(100 * job.done / job.total))
    left = job.eta_seconds
    if left is not None:
        text = _("{progress}, about {time} left").format(progress=text, time=duration(left))
    return Progress(job.done, job.total, text)


def how_it_ran(run: Run) -> str:
    """Return where a run was computed and how long it took, with what the image was taken for.

    What was done when memory ran out is told too.
    """
    info = run.job.info if run.job is not None else {}
    total = float((info.get("seconds") or {}).get("total") or 0.0)
    text = _("Computed on {device} in {time:.1f} s.").format(
        device=info.get("device") or run.request.device, time=total
    )
    taken = (str(result.provenance.get("taken_for") or "") for result in run.results)
    text = " ".join([text, *dict.fromkeys(sentence for sentence in taken if sentence)])
    steps = [s for result in run.results for s in result.provenance.get("memory_steps", ())]
    if steps:
        text += " " + _("Memory ran out, so it {steps}.").format(
            steps=", ".join(dict.fromkeys(str(step) for step in steps))
        )
    return text


def volume_lines(results: Sequence[Segmentation], notes: Sequence[Any] = ()) -> str:
    """Return one line per prompt about everything that was searched, then notes of writing."""
    lines = [f"{result.prompt.phrase()}: {result.message}" for result in results]
    return "\n".join([*lines, *dict.fromkeys(str(note) for note in notes if note)])


def duration(seconds: float) -> str:
    """Return a length of time in words: "8 s", "2 min 10 s"."""
    whole = max(1, round(seconds))
    if whole < 60:
        return _("{seconds} s").format(seconds=whole)
    return _("{minutes} min {seconds} s").format(minutes=whole // 60, seconds=whole % 60)

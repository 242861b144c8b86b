"""One image in, result files out: the job that `segment`, `batch` and `demo` share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..formats.writing import try_output
from ..image.modality import check_modality, with_modality
from ..image.volume import Volume
from ..inference.hints import Hints
from ..outcome import Cancelled, DeviceError, InputError, Outcome, Progress, PromptError
from ..prompting.boxed import Boxed
from ..prompting.prompts import parse_prompts
from ..prompting.segmentation import Segmentation
from .outputs import Outputs, write_results
from .reading_apart import shared_reader
from .report import build_report, plain

if TYPE_CHECKING:
    from ..prompting.prompt import Prompt


class Predictor(Protocol):
    """What a job needs of `SlicePredictor`; tests put in a small one."""

    config: Mapping[str, Any]
    seconds: Mapping[str, float]

    def set_volume(
        self,
        volume: Volume,
        roi: tuple[float, ...] | None = None,
        slices: slice | None = None,
        plane: str | None = None,
    ) -> Any:
        """Take the image that the next prompts are about."""

    def segment(
        self,
        prompts: Sequence[Any],
        threshold: float | None = None,
        samples: int | None = None,
        progress: Progress | None = None,
        **hints: Any,
    ) -> list[Segmentation]:
        """Answer every prompt; ``hints`` are those of `Hints.options`, none in the usual case."""


PredictorFactory = Callable[[str, str], Any]
"""``factory(model, device)`` -> a `Predictor`."""


@dataclass(frozen=True)
class RunOptions:
    """What can be asked besides the prompts.

    Attributes:
        threshold: probability from which a voxel belongs to the mask, in (0, 1); None takes the
            checkpoint's own.
        samples: number of samples of a generative system; None takes its default.
        roi: x0, x1, y0, y1, z0, z1 of the region that is searched, RAS mm.
        slices: first slice and the one after the last, along the plane's axis.
        plane: "axial", "coronal" or "sagittal"; None takes the checkpoint's own.
        box: x0, x1, y0, y1, z0, z1 around the structure, RAS mm, for systems that take boxes.
        points: (x, y, z, label) RAS mm, label 1 on the structure and 0 beside it.
        two_pass: find a box by the text first, then ask again with it.
        propagate: give each slice the box of what was found in the slice before.
        heat_map: also write where the system looked.
        start: file of a segmentation on the image's grid that the run starts from.
        modality: "CT", "MR" or "CXR" where the file does not say it, or says it wrongly.
        series: number or UID of the DICOM series, where a folder holds several.
        frame: which of several time points, echoes or channels, from 0.
    """

    threshold: float | None = None
    samples: int | None = None
    roi: tuple[float, float, float, float, float, float] | None = None
    slices: tuple[int, int] | None = None
    plane: str | None = None
    box: tuple[float, float, float, float, float, float] | None = None
    points: tuple[tuple[float, float, float, int], ...] = ()
    two_pass: bool = False
    propagate: bool = False
    heat_map: bool = False
    modality: str | None = None
    series: str | None = None
    frame: int | None = None
    start: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "modality", check_modality(self.modality))
        if self.threshold is not None and not 0.0 < self.threshold < 1.0:
            raise InputError(f"The threshold {self.threshold} must lie between 0 and 1.")
        if self.samples is not None and self.samples < 1:
            raise InputError("The number of samples must be 1 or more.")
        if self.plane not in (None, "axial", "coronal", "sagittal"):
            raise InputError(f"The plane {self.plane!r} must be axial, coronal or sagittal.")
        if self.roi is not None and not all(map(math.isfinite, self.roi)):
            raise InputError("The region needs six finite numbers x0,x1,y0,y1,z0,z1 (RAS, mm).")
        self.hints()

    def hints(self) -> Hints:
        """Return the geometric prompts, without the mask to start from.

        Raises:
            InputError: for numbers that cannot be used.
        """
        return Hints(self.box, self.points, self.two_pass, self.propagate)

    @property
    def leaves_more(self) -> bool:
        """Whether files of samples or heat maps will lie beside the segmentation."""
        return bool(self.samples) or self.heat_map

    def to_dict(self) -> dict[str, Any]:
        """Return the options that were set, JSON-ready."""
        values = asdict(self)
        if self.start is not None:
            values["start"] = self.start.name  # where it lies is nobody's business
        given = ((k, v) for k, v in values.items() if not (v is None or v is False or v == ()))
        return {key: plain(value) for key, value in given}  # a frame 0 was asked for


@dataclass(frozen=True)
class JobResult:
    """What a job gave: the answers, the report, the files written, and stale ones removed."""

    segmentations: list[Segmentation]
    report: dict[str, Any]
    files: list[Path]
    volume: Volume
    removed: list[Path] = field(default_factory=list)


def known_prompts(prompts: str | Iterable[str | Prompt], free_text: bool = False) -> list[Prompt]:
    """Parse prompts and refuse a list in which nothing is understood.

    Args:
        prompts: what was typed.
        free_text: what is not known may be asked in the words that were typed.

    Raises:
        PromptError: when they are empty, unreadable, or not one of them is in the vocabulary.
    """
    items: list[str | Prompt] = [prompts] if isinstance(prompts, str) else list(prompts)
    parsed: list[Prompt] = []
    for item in items:
        parsed.extend(parse_prompts(item, free_text=free_text) if isinstance(item, str) else [item])
    if not parsed:
        raise PromptError("There is no prompt; say what to segment, for example -p liver.")
    if not any(prompt.answerable for prompt in parsed):
        raise PromptError(unknown_sentence(parsed))
    return parsed


def unknown_sentence(prompts: Iterable[Prompt]) -> str:
    """Say which prompts are unknown and what may have been meant."""
    parts = []
    for prompt in prompts:
        if not prompt.known:
            close = ", ".join(repr(name) for name in prompt.suggestions)
            parts.append(
                f"{prompt.text!r} is no structure or finding that is known"
                + (f"; did you mean {close}?" if close else ".")
            )
    parts.append("To ask the network in your own words, put them in quotation marks.")
    return " ".join(parts)


def read_image(
    source: Path,
    outputs: Outputs,
    options: RunOptions | None = None,
    series: str | None = None,
    progress: Progress | None = None,
    apart: bool = False,
) -> Volume:
    """Read the image of a job.

    Args:
        source: a file, or a folder with a DICOM series.
        outputs: what will be written; a DICOM segmentation needs DICOM input.
        options: say which series and which frame, where there are several.
        series: which DICOM series, whatever the options say.
        progress: called while an image is read apart; False cancels.
        apart: read it in another process, so that a crash of native code is an error.

    Raises:
        InputError: when it cannot be read.
        OutputError: when the outputs do not go with such an image.
        Cancelled: when ``progress`` returned False.
    """
    options = options or RunOptions()
    asked = {"series": series or options.series, "frame": options.frame}
    how: dict[str, Any] = {key: value for key, value in asked.items() if value is not None}
    volume = shared_reader().read(source, progress, **how) if apart else Volume.read(source, **how)
    if outputs.segmentation is not None:
        notes = try_output(outputs.segmentation, volume)
        if notes:
            volume = replace(volume, meta={**volume.meta, "notes": (*volume.notes, *notes)})
    return volume


def answer(
    predictor: Any,
    volume: Volume,
    prompts: Sequence[Prompt],
    options: RunOptions | None = None,
    progress: Progress | None = None,
) -> list[Segmentation]:
    """Ask the predictor about one image.

    Args:
        predictor: a loaded `Predictor`.
        volume: the image.
        prompts: what to segment.
        options: threshold, region and the like.
        progress: ``progress(done, total, message) -> bool``; False cancels. A total of 0 means
            that nobody knows how long it takes.

    Raises:
        TextPromptSegError: with one sentence that says what to do.
        Cancelled: when ``progress`` returned False.
    """
    options = options or RunOptions()
    _go_on(progress, "preparing the image")
    try:
        slices = None if options.slices is None else slice(*options.slices)
        predictor.set_volume(volume, roi=options.roi, slices=slices, plane=options.plane)
        result: list[Segmentation] = predictor.segment(
            list(prompts),
            threshold=options.threshold,
            samples=options.samples,
            progress=progress,
            **_hints(options, volume).options(),
            **({"heat_map": True} if options.heat_map else {}),
        )
        return result
    except MemoryError as error:
        raise DeviceError(
            "There is too little memory for this image; choose a smaller region with --roi or "
            "--slices, or fewer prompts."
        ) from error


def _hints(options: RunOptions, volume: Volume) -> Hints:
    """Return the geometric prompts, with the mask to start from.

    Raises:
        InputError: when the mask cannot be read, is empty or lies on another grid.
    """
    hints = options.hints()
    if options.start is None:
        return hints
    mask = Volume.read(options.start)
    if mask.shape != volume.shape or not np.allclose(mask.ijk_to_ras, volume.ijk_to_ras, atol=1e-3):
        raise InputError(
            f"{options.start.name} lies on another grid than the image; resample it to the image."
        )
    return replace(hints, mask=Boxed.of(mask.array))


def answer_image(
    predictor: Any,
    source: Path,
    volume: Volume,
    prompts: Sequence[Prompt],
    options: RunOptions,
    progress: Progress | None = None,
    paths: bool = True,
) -> JobResult:
    """Answer prompts on an image that was read, and report; no file is written.

    Args:
        predictor: a loaded `Predictor`.
        source: the image's file or folder.
        volume: the image.
        prompts: what to segment.
        options: threshold, region and the like.
        progress: ``progress(done, total, message) -> bool``; False cancels.
        paths: whether the report holds the path of the image.

    Raises:
        TextPromptSegError: with one sentence that says what to do.
        Cancelled: when ``progress`` returned False.
    """
    volume = with_modality(volume, options.modality)
    segmentations = answer(predictor, volume, prompts, options, progress)
    told = source if paths else None
    report = build_report(predictor, told, volume, segmentations, options.to_dict())
    return JobResult(segmentations, report, [], volume)


def run_job(
    predictor: Any,
    source: Path,
    prompts: Sequence[Prompt],
    outputs: Outputs,
    options: RunOptions | None = None,
    *,
    volume: Volume | None = None,
    series: str | None = None,
    progress: Progress | None = None,
    paths: bool = True,
    earlier: Sequence[Path] | None = None,
) -> JobResult:
    """Segment one image and write its files; they appear together, complete, or not at all.

    Args:
        predictor: a loaded `Predictor`.
        source: the image: a file or a folder with a DICOM series.
        prompts: what to segment.
        outputs: what to write.
        options: threshold, region and the like.
        volume: the image, where it was read already.
        series: which DICOM series, where the folder holds several.
        progress: ``progress(done, total, message) -> bool``; False cancels.
        paths: whether the report holds the path of the image.
        earlier: files of an earlier run of this job, removed unless they are written anew.

    Raises:
        TextPromptSegError: with one sentence that says what to do.
        Cancelled: when ``progress`` returned False; no file was written or changed.
    """
    options = options or RunOptions()
    if volume is None:
        _go_on(progress, "reading the image")
        volume = read_image(source, outputs, options, series)
    made = answer_image(predictor, source, volume, prompts, options, progress, paths)
    _go_on(progress, "writing the results")
    done = write_results(outputs, made.volume, made.segmentations, made.report, progress, earlier)
    return replace(made, files=done.files, removed=done.removed)


def all_found(segmentations: Iterable[Segmentation]) -> bool:
    """Return whether every prompt was found."""
    return all(s.outcome is Outcome.FOUND for s in segmentations)


def _go_on(progress: Progress | None, message: str) -> None:
    """Tell the stage; a total of 0 means that nobody knows how long it takes."""
    if progress is not None and not progress(0, 0, message):
        raise Cancelled(message)

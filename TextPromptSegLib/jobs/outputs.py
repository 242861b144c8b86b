"""The files of one job: checked before the run, written together, nothing stale beside them."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files.checks import LONGEST_NAME, KnownFiles, check_outputs
from ..files.staged import StagedOutputs
from ..files.text import read_json, write_json
from ..formats.inputs import check_not_input
from ..formats.samples import sample_files, write_samples
from ..formats.side_files import LONGEST_SIDE, divided, side_names, stale_files
from ..formats.verify import verify_files
from ..formats.writing import check_output, write_segmentations
from ..outcome import Cancelled, OutputError, Progress
from ..pictures.overlay import render_overlay
from ..prompting.segmentation import Segmentation
from ..prompting.vocabulary import Vocabulary

if TYPE_CHECKING:
    from ..image.volume import Volume

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".pdf", ".svg")
_LARGEST_REPORT = 16 << 20  # bytes


@dataclass(frozen=True)
class Outputs:
    """The files that one job writes; None leaves one out."""

    segmentation: Path | None = None
    report: Path | None = None
    overlay: Path | None = None

    def check(self, inputs: KnownFiles | None = None, more: bool = False) -> None:
        """Make sure before the run that every file can be written and destroys no input.

        Args:
            inputs: all files of the image.
            more: whether samples or heat maps will lie beside the segmentation.

        Raises:
            OutputError: for the first one that cannot.
        """
        sides = {}
        if self.segmentation is not None:
            ending = check_output(self.segmentation)
            sides["-o"] = side_names(self.segmentation)
            longer = LONGEST_SIDE if more else 20 if ending.startswith(".nii") else 0
            base = len(os.fsencode(divided(self.segmentation.name)[0]))
            if base + longer > LONGEST_NAME:
                raise OutputError(
                    f"-o names a file with {base} bytes before its ending, too many for the files "
                    "that lie beside it; choose a shorter name."
                )
        picture = self.overlay
        if picture is not None and not picture.name.lower().endswith(PICTURE_SUFFIXES):
            raise OutputError(
                f"--overlay {picture.name} has none of the endings {', '.join(PICTURE_SUFFIXES)}; "
                "choose one."
            )
        targets = {"-o": self.segmentation, "--overlay": self.overlay, "--report": self.report}
        check_outputs(targets, inputs, sides)

    def paths(self) -> list[Path]:
        """Return the files that were asked for."""
        return [p for p in (self.segmentation, self.overlay, self.report) if p is not None]


@dataclass(frozen=True)
class Written:
    """What was written, and what of an earlier run had to go."""

    files: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)


def write_results(
    outputs: Outputs,
    volume: Volume,
    segmentations: Sequence[Segmentation],
    report: dict[str, Any],
    progress: Progress | None = None,
    earlier: Sequence[Path] | None = None,
) -> Written:
    """Write all files of one job; ``report`` gets their names and the seconds that it took.

    Beside a segmentation lie the candidates and uncertainty of samples and heat maps, see
    `formats.samples`. What an earlier run left under the same name and would be taken for part of
    this one (layers, maps, a report or picture of that segmentation) is removed.

    Args:
        outputs: what to write.
        volume: the image.
        segmentations: the answers.
        report: what the report will say.
        progress: ``progress(done, total, message) -> bool``; False cancels.
        earlier: further files of an earlier run of this job, removed unless written anew; None
            looks for reports that name them.

    Raises:
        OutputError: when the disk refuses; nothing is left behind.
        Cancelled: when ``progress`` returned False; nothing is left behind.
    """
    if not outputs.paths():
        return Written()
    start = time.perf_counter()
    place = outputs.segmentation
    more = [] if place is None else sample_files(place, segmentations)
    check_not_input(volume, [*outputs.paths(), *more])
    try:
        with StagedOutputs([*outputs.paths(), *more]) as staged:
            if place is not None:
                write_segmentations(
                    list(segmentations), volume, staged.path(place), Vocabulary.load()
                )
            if more:
                write_samples(segmentations, volume, [staged.path(path) for path in more])
            if outputs.overlay is not None:
                picture = staged.path(outputs.overlay)
                model = str(report.get("model", ""))
                title = None if report.get("input") else ""  # the volume's name is its file's
                render_overlay(volume, segmentations, picture, title=title, subtitle=model)
                verify_files([picture])
            names = list(staged.staged())
            report["outputs"] = [_relative(path, outputs.report) for path in sorted(names)]
            report["seconds"]["write"] = round(time.perf_counter() - start, 4)
            if outputs.report is not None:
                write_json(staged.path(outputs.report), report)
                names.append(outputs.report)
            check_not_input(volume, names)
            if progress is not None and not progress(0, 0, "writing the results"):
                raise Cancelled("writing the results")
            stale = [path for path in _stale(outputs, names, earlier) if path.exists()]
            return Written(staged.commit(last=outputs.report, stale=stale), stale)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"The results cannot be written ({reason}).") from error


def _stale(outputs: Outputs, names: Sequence[Path], earlier: Sequence[Path] | None) -> list[Path]:
    """Return the files of an earlier run that would be taken for part of this one."""
    place = outputs.segmentation
    found = [path for path in earlier or () if path not in names]
    if place is not None:
        found += stale_files(place, names)
    if place is not None and earlier is None:
        for report, told in _reports_of(place):
            pictures = [p for p in told if p.name.lower().endswith(PICTURE_SUFFIXES)]
            found += [path for path in (report, *pictures) if path not in names]
    return list(dict.fromkeys(found))


def _reports_of(segmentation: Path) -> list[tuple[Path, list[Path]]]:
    """Return the reports beside a segmentation that tell of it, and the files that each names."""
    found = []
    try:
        files = sorted(segmentation.parent.glob("*.json"))
    except OSError:
        return []
    for path in files:
        try:
            data = read_json(path) if path.stat().st_size < _LARGEST_REPORT else None
            if not (isinstance(data, Mapping) and {"prompts", "provenance"} <= set(data)):
                continue
            told = [path.parent / name for name in data["outputs"] if isinstance(name, str)]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if segmentation in told:
            found.append((path, told))
    return found


def _relative(path: Path, report: Path | None) -> str:
    """Name a written file as seen from the report."""
    try:
        return Path(os.path.relpath(path, (report or path).parent)).as_posix()
    except ValueError:  # another drive
        return path.name

"""The preview of the current slice: it follows prompt, slice and threshold while it is on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import qt
from slicer.i18n import tr as _

from TextPromptSegLib.inference.answers import rethreshold
from TextPromptSegLib.outcome import Outcome, TextPromptSegError

from ..boxes.candidates_box import pick
from ..boxes.region_box import SLICE, WHOLE
from ..shared import views
from ..shared.overlays import LiveOverlay
from ..shared.runs import Run
from ..shared.session import Session
from .overlay_box import NOTHING
from .preview import Preview, SliceLine
from .source import EffectInput

if TYPE_CHECKING:
    from TextPromptSegLib.image.volume import Volume
    from TextPromptSegLib.prompting.segmentation import Segmentation

TYPING_MS, SCROLLING_MS = 500, 150


class Choices(Protocol):
    """What the user chose about answers that are there; none of it needs a run."""

    def threshold(self) -> float | None:
        """Return the user's threshold, None for the checkpoint's own."""

    def candidate(self) -> int:
        """Return the number of the candidate that is shown, 0 for the mean."""

    def overlay(self) -> str:
        """Return the map over the image: "none", "probability", "uncertainty", "heat_map"."""

    def answered(self, results: Sequence[Segmentation]) -> None:
        """Take notice of the answers that are shown."""


class LivePreview:
    """Draws from stored answers when they hold; otherwise asks the worker for one slice."""

    def __init__(
        self,
        session: Session,
        source: EffectInput,
        choices: Choices,
        say: Callable[[str], None],
    ) -> None:
        """Prepare; nothing is shown before `on` is set.

        Args:
            session: the worker's session.
            source: what to segment.
            choices: threshold, candidate and map that the user chose.
            say: shows a sentence.
        """
        self.drawing = Preview()
        self.beside = {axis: Preview() for axis in range(3)}
        """Slices of the other views, where the whole image was searched."""
        self.line = SliceLine()
        self.overlay = LiveOverlay()
        self.on = False
        self.refused = ""
        """Why nothing could be shown, when that was said last."""
        self._session, self._source = session, source
        self._choices, self._say = choices, say
        self._whole: Run | None = None
        self._slice: Run | None = None
        self._run: Run | None = None
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.connect("timeout()", self.update)

    def switch(self, on: bool) -> None:
        """Start or end the preview."""
        self.on = on
        self._timer.stop()
        if on:
            self.update()
        else:
            self.stop_run()
            self._clear()

    def keep(self, run: Run | None) -> None:
        """Use the answers of a run over more than a slice, so that no new run is needed."""
        self._whole = run

    def forget(self) -> None:
        """Drop all stored answers and their memory."""
        self._whole = self._slice = None

    def schedule(self, milliseconds: int) -> None:
        """Update when nothing has changed for a while."""
        if self.on:
            self._timer.start(milliseconds)

    def update(self) -> None:
        """Show the current slice now, from stored answers or by a run."""
        if not self.on or self.redraw():
            return
        whole = self._source.needs_the_whole
        try:
            request = self._source.request(WHOLE if whole else SLICE)
            if self._run is not None and self._source.key(request) == self._run.key:
                return  # that very slice is on its way
            self.stop_run()
        except TextPromptSegError as error:
            self.stop_run()
            self._clear()
            self.refused = str(error)
            self._say(self.refused)
            return
        self._say(
            _("Preview: a third by height needs the whole image, which is searched once...")
            if whole
            else _("Preview...")
        )
        self._run = Run(self._session, request, self._finished)
        self._run.start()

    def redraw(self) -> bool:
        """Draw the slices that are shown from stored answers; False when none of them fits."""
        for run in (self._whole, self._slice):
            place = self._covered_slice(run) if self._source.holds(run) else None
            if place is None:
                continue
            assert run is not None and run.volume is not None
            self._choices.answered(run.results)
            number, plane = place
            axis, view = views.file_axis(run.volume, plane), self._source.view
            slabs = self._slabs(run, axis, number)
            fits = views.plane_of(view) == plane
            self.drawing.show(slabs, run.volume, axis, number, [view.GetID()] if fits else ())
            self._draw_beside(run, plane, axis, number)
            self._show_overlay(run)
            said = slice_lines(slabs, run.volume, axis)
            self._say(said if fits else f"{said}\n{_elsewhere(run.volume, plane, axis, number)}")
            return True
        return False

    def stop_run(self) -> None:
        """Give up a run of the preview."""
        run, self._run = self._run, None
        if run is not None:
            run.cancel()

    @property
    def whole(self) -> Run | None:
        """The run over more than a slice whose answers are kept, if any."""
        return self._whole

    @property
    def running(self) -> bool:
        """Whether the worker computes a preview."""
        return self._run is not None

    def cleanup(self) -> None:
        """End everything."""
        self.switch(False)
        self.forget()
        self._timer.disconnect("timeout()", self.update)

    def _show_overlay(self, run: Run) -> None:
        kind = self._choices.overlay()
        if kind == NOTHING:
            self.overlay.clear()
            return
        assert run.volume is not None
        block = None
        if run.request.slices is not None:
            plane = run.request.plane or self._source.plane
            parts = [slice(None)] * 3
            parts[views.file_axis(run.volume, plane)] = slice(*run.request.slices)
            block = tuple(parts)
        self.overlay.show(run.results, run.volume, kind, block)

    def _slabs(self, run: Run, axis: int, number: int) -> list[Segmentation]:
        """Return the answers of a run on one slice, as the user chose them."""
        candidate = self._choices.candidate()
        threshold = None if candidate else self._choices.threshold()
        answers = [pick(result, candidate) for result in run.results]
        return [one_slice(answer, axis, number, threshold) for answer in answers]

    def _draw_beside(self, run: Run, plane: str, axis: int, number: int) -> None:
        """Draw in the other views: their own slices where they are known, else a line."""
        assert run.volume is not None
        other, crossing = {}, []
        for view in views.visible_views():
            its_plane = views.plane_of(view)
            its_axis = views.file_axis(run.volume, its_plane)
            its_number = views.slice_number(view, run.volume)
            if its_plane == plane:
                continue
            if run.request.slices is None and its_number is not None:
                other.setdefault((its_axis, its_number), []).append(view.GetID())
            else:
                crossing.append(view.GetID())
        drawn = set()
        for (its_axis, its_number), names in other.items():
            if its_axis not in drawn:  # two views of one plane: the first
                slabs = self._slabs(run, its_axis, its_number)
                self.beside[its_axis].show(slabs, run.volume, its_axis, its_number, names)
                drawn.add(its_axis)
        for its_axis, drawing in self.beside.items():
            if its_axis not in drawn:
                drawing.clear()
        self.line.show(run.volume, axis, number, crossing)

    def _clear(self) -> None:
        for drawing in (self.drawing, *self.beside.values()):
            drawing.clear()
        self.line.clear()
        self.overlay.clear()

    def _covered_slice(self, run: Run | None) -> tuple[int, str] | None:
        """Return the slice that is shown and its plane, when a run has searched it."""
        if run is None or run.volume is None:
            return None
        try:
            number, plane = self._source.slice_in_view()
        except TextPromptSegError:
            return None
        wanted = run.request
        if wanted.slices is None:
            return number, plane
        same_plane = wanted.plane in (None, plane)
        inside = wanted.slices[0] <= number < wanted.slices[1]
        return (number, plane) if same_plane and inside else None

    def _finished(self, run: Run) -> None:
        if run is not self._run:
            return  # another preview has begun since
        self._run = None
        if run.state == "failed":
            self._clear()
            self._say(run.error)
        elif run.state == "done" and self.on:
            if run.request.slices is None:
                self._whole = run
            else:
                self._slice = run
            if not self.redraw():
                self.schedule(SCROLLING_MS)  # prompt or slice changed meanwhile


def _elsewhere(volume: Volume, plane: str, axis: int, number: int) -> str:
    """Return where the previewed slice lies, when no view shows it."""
    planes = {"axial": _("axial"), "coronal": _("coronal"), "sagittal": _("sagittal")}
    return _(
        "Previewed on the {plane} slice {number} of {count}, which no view shows: the line shows "
        "where it lies."
    ).format(plane=planes[plane], number=number + 1, count=volume.shape[axis])


def one_slice(
    result: Segmentation, axis: int, number: int, threshold: float | None
) -> Segmentation:
    """Return an answer cut down to one slice, at the user's threshold; costs milliseconds.

    Args:
        result: an answer over (K, J, I).
        axis: axis of the arrays (0 K, 1 J, 2 I).
        number: the slice.
        threshold: None keeps the mask as it is.
    """
    mask, probability = (result.slab(name, axis, number) for name in ("mask", "probability"))
    assert mask is not None
    if probability is None:
        return replace(result, mask=mask)
    voxels = int(np.count_nonzero(mask))
    cut = replace(
        result,
        mask=mask,
        probability=probability,
        max_probability=float(probability.max(initial=0)),
        voxels=voxels,
        outcome=Outcome.FOUND if voxels else Outcome.NOT_FOUND,
    )
    return cut if threshold is None else rethreshold(cut, threshold)


def slice_lines(slabs: Sequence[Segmentation], volume: Volume, axis: int) -> str:
    """Return one line per prompt about the slice that is shown."""
    spacing = [float(v) for v in volume.spacing]
    del spacing[2 - axis]
    pixel_cm2 = spacing[0] * spacing[1] / 100.0
    lines = []
    for slab in slabs:
        name = slab.prompt.phrase()
        candidate = slab.provenance.get("candidate")
        if candidate:
            name = _("{name}, candidate {number}").format(name=name, number=candidate)
        if slab.probability is None:
            lines.append(f"{name}: {slab.message}")
        elif slab.voxels and candidate:
            # The probability belongs to all candidates together.
            lines.append(
                _("{name}: {area:.1f} cm\N{SUPERSCRIPT TWO} on this slice").format(
                    name=name, area=slab.voxels * pixel_cm2
                )
            )
        elif slab.voxels:
            lines.append(
                _("{name}: {area:.1f} cm\N{SUPERSCRIPT TWO} on this slice, max p {p:.2f}").format(
                    name=name, area=slab.voxels * pixel_cm2, p=slab.max_probability
                )
            )
        else:
            lines.append(
                _("{name}: not on this slice, max p {p:.2f}").format(
                    name=name, p=slab.max_probability
                )
            )
    return "\n".join(lines)

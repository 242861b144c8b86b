"""Asking with boxes or points of a mask that is known: to measure, or to draw a mask anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..outcome import InputError
from ..prompting.segmentation import Segmentation
from .engines.hinted_engine import HintedEngine
from .engines.slice_hints import SliceHints, box_of, canvas_pixels
from .hints import INSIDE, Box, Hints
from .postprocess import signed_distance
from .run_request import RunRequest
from .targets import Target

if TYPE_CHECKING:
    from ..image.slice_stack import SliceStack
    from ..image.volume import Volume
    from ..text.features import TextFeatures
    from .engines.search import Search
    from .engines.slice_engine import SliceBatch
    from .predictor import SlicePredictor


SHOWN = ("box", "point")


class OutlineHints(Hints):
    """The box around a mask, or a point in its depth, slice by slice.

    Args:
        mask: (K, J, I) in the file's order.
        show: ``box`` or ``point``.
    """

    def __init__(self, mask: np.ndarray, show: str = "box") -> None:
        super().__init__()
        if show not in SHOWN:
            raise ValueError(f"'{show}' must be one of {', '.join(SHOWN)}")
        object.__setattr__(self, "outline", mask)
        object.__setattr__(self, "show", show)

    outline: np.ndarray
    show: str

    @property
    def geometric(self) -> bool:
        """Return True: boxes and points say that the structure is there."""
        return True

    @property
    def boxed(self) -> bool:
        """Return whether boxes are shown."""
        return self.show == "box"

    def needs(self) -> tuple[str, ...]:
        """Return what a system has to take for it."""
        return ("box",) if self.show == "box" else ("points",)

    def to_dict(self) -> dict[str, Any]:
        """Return what was asked for, JSON-ready."""
        key = "boxes" if self.show == "box" else "points"
        return {key: "of a mask, slice by slice"}

    def engine(self, stack: SliceStack, *arguments: Any) -> tuple[HintedEngine, range]:
        """Return the engine of a run and the slices that it searches."""
        hints = SliceHints(Hints(), stack)
        for number, plane in enumerate(stack.view(self.outline)):
            box = box_of(plane > 0, grow=0.0, least_part=0.0)
            if box is None:
                continue
            if self.show == "point":
                place = canvas_pixels(stack, *deepest(plane > 0))
                hints.points[number] = [(*place, INSIDE)]
            else:
                hints.add_box(number, box, stack)
        shown = hints.slices()
        if not shown:
            raise InputError("The mask is empty; there is nothing to show of it.")
        return OutlinedEngine(hints, *arguments), range(min(shown), max(shown) + 1)


def deepest(mask: np.ndarray) -> tuple[float, float]:
    """Return (row, column) of the place in a mask (H, W) that is farthest from its outline."""
    row, column = np.unravel_index(int(np.argmax(signed_distance(mask))), mask.shape)
    return float(row), float(column)


def box_around(mask: np.ndarray, volume: Volume) -> Box:
    """Return the box x0, x1, y0, y1, z0, z1 (RAS, mm) around a mask (K, J, I) in file order.

    Its sides lie a hair inside the outermost voxels' faces, so that it touches no other voxel.

    Raises:
        InputError: when the mask is empty.
    """
    places = [np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis}))) for axis in (2, 1, 0)]
    if not len(places[0]):
        raise InputError("The mask is empty; there is no box around it.")
    sides = [(float(p[0]) - 0.49, float(p[-1]) + 0.49) for p in places]
    corners = volume.index_to_ras(np.array(np.meshgrid(*sides)).reshape(3, -1).T)
    (x0, y0, z0), (x1, y1, z1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return x0, x1, y0, y1, z0, z1


class OutlinedEngine(HintedEngine):
    """Decodes the slices that have a box or a point, and no other."""

    def _wanted(
        self, search: Search, batch: SliceBatch, before: SliceBatch | None
    ) -> list[tuple[SliceBatch, list[tuple[int, int, int]]]]:
        rows = [n - batch.first for n in range(batch.first, batch.first + batch.count)]
        rows = [row for row in rows if batch.first + row in self.shown]
        return [(batch, [(p, row, row + 1) for p in range(len(search.text)) for row in rows])]


class SilentModel:
    """A network whose prompts lost their text: the geometry alone says what is meant."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def decode(self, features: Any, text: TextFeatures, *geometry: Any, **more: Any) -> Any:
        """Answer by the geometry."""
        return self._model.decode(features, text.without_words(), *geometry, **more)


def segment_outlined(
    predictor: SlicePredictor,
    prompt: str,
    mask: np.ndarray,
    *,
    with_text: bool = True,
    show: str = "box",
) -> Segmentation:
    """Segment one structure whose box or inner point is shown on every slice that holds it.

    Args:
        predictor: with a volume, of a system that takes boxes or points.
        prompt: names the structure; its thresholds and rules are used with and without text.
        mask: (K, J, I) in the file's order, not empty.
        with_text: give the network the text too.
        show: ``box`` or ``point``.

    Raises:
        CheckpointError: when the system does not take them.
        InputError: when the mask is empty.
    """
    plans = predictor.resolve(prompt)
    request = RunRequest(hints=OutlineHints(mask, show))
    model: Any = predictor._model
    targets = sum(isinstance(plan, Target) for plan in plans)
    request.check(model, str(predictor.config["system"]), targets)
    if not with_text:
        model = SilentModel(model)
    with torch.inference_mode():
        return predictor._segment(plans[:1], request, None, model)[0][0]

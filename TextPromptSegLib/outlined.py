"""Asking with the boxes of a mask that is known: to measure a system, or to draw a mask anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .hinted_engine import HintedEngine
from .hints import Hints
from .outcome import InputError, Segmentation
from .run_request import RunRequest
from .slice_hints import SliceHints, box_of, canvas_pixels
from .targets import Target

if TYPE_CHECKING:
    from .predictor import SlicePredictor
    from .slice_engine import SliceBatch
    from .slice_stack import SliceStack
    from .text.features import TextFeatures


class OutlineHints(Hints):
    """The box around a mask, slice by slice.

    Args:
        mask: (K, J, I) in the file's order.
    """

    def __init__(self, mask: np.ndarray) -> None:
        super().__init__()
        object.__setattr__(self, "mask", mask)

    mask: np.ndarray

    @property
    def geometric(self) -> bool:
        """Return True: the boxes say that the structure is there."""
        return True

    def needs(self) -> tuple[str, ...]:
        """Return what a system has to take for it."""
        return ("box",)

    def to_dict(self) -> dict[str, Any]:
        """Return what was asked for, JSON-ready."""
        return {"boxes": "of a mask, slice by slice"}

    def engine(self, stack: SliceStack, *arguments: Any) -> tuple[HintedEngine, range]:
        """Return the engine of a run and the slices that it searches."""
        hints = SliceHints(Hints(), stack)
        for number, plane in enumerate(stack.view(self.mask)):
            box = box_of(plane > 0, grow=0.0)
            if box is not None:
                x0, y0, x1, y1 = box
                low, high = canvas_pixels(stack, y0, x0), canvas_pixels(stack, y1, x1)
                hints.boxes[number] = (*low, *high)
        if not hints.boxes:
            raise InputError("The mask is empty; there is no box around it.")
        return OutlinedEngine(hints, *arguments), range(min(hints.boxes), max(hints.boxes) + 1)


class OutlinedEngine(HintedEngine):
    """Decodes the slices that have a box, and no other."""

    def _wanted(
        self, batch: SliceBatch, before: SliceBatch | None, slices: range, text: TextFeatures
    ) -> list[tuple[SliceBatch, list[tuple[int, int, int]]]]:
        rows = [n - batch.first for n in range(batch.first, batch.first + batch.count)]
        rows = [row for row in rows if batch.first + row in self.shown]
        return [(batch, [(p, row, row + 1) for p in range(len(text)) for row in rows])]


class SilentModel:
    """A network whose prompts lost their text: the box alone says what is meant."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def decode(self, features: Any, text: TextFeatures, *geometry: Any) -> Any:
        """Answer by the geometry."""
        return self._model.decode(features, text.without_words(), *geometry)


def segment_outlined(
    predictor: SlicePredictor, prompt: str, mask: np.ndarray, *, with_text: bool = True
) -> Segmentation:
    """Segment one structure whose box is shown on every slice that holds it.

    Args:
        predictor: with a volume, of a system that takes boxes.
        prompt: names the structure; its thresholds and rules are used with and without text.
        mask: (K, J, I) in the file's order, not empty.
        with_text: give the network the text too.

    Raises:
        CheckpointError: when the system takes no boxes.
        InputError: when the mask is empty.
    """
    plans = predictor.resolve(prompt)
    request = RunRequest(hints=OutlineHints(mask))
    model: Any = predictor._model
    targets = sum(isinstance(plan, Target) for plan in plans)
    request.check(model, str(predictor.config["system"]), targets)
    if not with_text:
        model = SilentModel(model)
    with torch.inference_mode():
        return predictor._segment(plans[:1], request, None, model)[0][0]

"""The slice engine for systems that take boxes, points and masks beside the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import torch

from ...image.slice_stack import SliceStack
from ...outcome import InputError
from ..hints import Hints
from .locating_engine import LocatingEngine
from .search import RunFacts, Search, Write
from .slice_engine import SliceEngine
from .slice_hints import PixelBox, SliceHints, box_tensor, boxes_of, march

if TYPE_CHECKING:
    from ...systems.base import Features
    from ...text.features import TextFeatures


@runtime_checkable
class EngineMaker(Protocol):
    """Hints that bring their own engine."""

    def engine(self, stack: SliceStack, *arguments: Any) -> tuple[SliceEngine, range]:
        """Return the engine of a run and the slices that it searches."""


class HintedEngine(SliceEngine):
    """Gives every slice its box and points; on request finds boxes by text and hands them on.

    Args:
        hints: the user's geometric prompts on this image's slices.
        arguments: of `SliceEngine`.
    """

    goes_on = False  # boxes and points ask too

    def __init__(self, hints: SliceHints, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.hints = hints
        self.shown = frozenset(hints.slices())
        self._boxes: dict[int, PixelBox] = {}  # of neighbouring slices, while marching
        self._found: dict[tuple[int, int], tuple[PixelBox | None, int]] | None = None

    def run(self, search: Search) -> RunFacts:
        """Answer every prompt on every slice, see `SliceEngine.run`.

        With ``propagate`` the text alone says on which slices the structure is; it is then drawn
        from the slice where it is largest (or where the user showed it) outwards, each slice with
        the box of what was drawn before, and what is not connected that way is left out.
        Outside a box of the user's nothing is written.
        """
        search = replace(search, writes=[self._bounded(put) for put in search.writes])
        if not self.hints.hints.propagate:
            return super().run(search)
        self._found = {}
        facts = super().run(replace(search, writes=[_nowhere]))
        with torch.inference_mode():
            self._decode_best(search)
            for prompt in range(len(search.text)):
                self._march(search, prompt)
        return facts

    def _bounded(self, write: Write) -> Write:
        """Return what writes only inside the user's boxes."""

        def put(prompt: int, first: int, probability: np.ndarray) -> None:
            write(prompt, first, self.hints.bound(first, probability))

        return put

    def _march(self, search: Search, prompt: int) -> None:
        """Draw one prompt from slice to slice."""
        assert self._found is not None
        flags = self._facts.decoded[prompt]
        allowed = {
            n
            for n in search.slices
            if flags[n - search.slices.start] and self._found.get((prompt, n), (None, 0))[1] > 0
        }
        seeds = sorted(allowed & self.shown)
        if not seeds and allowed:
            seeds = [max(sorted(allowed), key=lambda n: self._found[prompt, n][1])]  # type: ignore[index]
        done = 0

        def decode(number: int, box: PixelBox | None) -> PixelBox | None:
            nonlocal done
            search.tell("from slice to slice,", done, len(allowed))
            done += 1
            self._boxes = {} if box is None else {number: box}
            batch = self.features(search.stack, number, number + 1)
            self._decode(search, batch, [(prompt, 0, 1)])
            self._boxes = {}
            assert self._found is not None
            return self._found[prompt, number][0]

        march(seeds, allowed, decode)

    def _forward(
        self, features: Features, text: TextFeatures, prompts: list[int], numbers: list[int]
    ) -> torch.Tensor:
        """Run the decoder with what is known of each slice; twice for ``two_pass``."""
        device = self.ladder.device
        given: list[PixelBox | None] = [
            self.hints.boxes.get(n) or self._boxes.get(n) for n in numbers
        ]
        more = self.hints.tensors(numbers, device)[1], self.hints.mask_tensor(numbers, device)
        logits = self._ask_with(features, text, given, *more)
        if self.hints.hints.two_pass and None in given:
            second = [box or seen for box, seen in zip(given, boxes_of(logits), strict=True)]
            changed = [a is None and b is not None for a, b in zip(given, second, strict=True)]
            if any(changed):
                again = self._ask_with(features, text, second, *more)
                rows = torch.tensor(changed, device=logits.device)[:, None, None, None]
                logits = torch.where(rows, again, logits)
        if self._found is not None:
            areas = (logits.float() > 0).flatten(1).sum(1).tolist()
            for row, box in enumerate(boxes_of(logits)):
                self._found[prompts[row], numbers[row]] = (box, int(areas[row]))
        return logits

    def _ask_with(
        self,
        features: Features,
        text: TextFeatures,
        boxes: Sequence[PixelBox | None],
        points: torch.Tensor | None,
        masks: torch.Tensor | None,
    ) -> torch.Tensor:
        """Run the decoder with boxes, points and masks."""
        given = None
        if any(box is not None for box in boxes):
            given = box_tensor(boxes, self.ladder.device)
        more = {} if masks is None else {"masks": masks}
        return self._network(lambda: self.model.decode(features, text, given, points, **more)[0])


def _nowhere(prompt: int, first: int, probability: np.ndarray) -> None:
    """Write nothing."""


def with_region(hints: Hints, roi: Sequence[float] | None, model: Any) -> Hints:
    """Return the hints with the user's region as box, for systems that would look for one."""
    if roi is None or hints.box is not None or not getattr(model, "locates", False):
        return hints
    return Hints.from_dict({**hints.options(), "box": roi})


def make_engine(
    hints: Hints, stack: SliceStack, slices: range, *arguments: Any
) -> tuple[SliceEngine, range]:
    """Return the engine of a run and the slices that it searches: those of box or mask, if any.

    Raises:
        InputError: when the hints lie outside the image or the searched slices.
    """
    if not hints:
        locates = getattr(arguments[0], "locates", False)
        return (LocatingEngine if locates else SliceEngine)(*arguments), slices
    if isinstance(hints, EngineMaker):  # boxes of another kind, see `outlined`
        return hints.engine(stack, *arguments)
    shown = SliceHints(hints, stack, getattr(arguments[0], "takes_masks", False))
    if extent := shown.extent():
        low, high = max(slices.start, min(extent)), min(slices.stop, max(extent) + 1)
        if low >= high:
            what = "box" if shown.frames else "mask"
            raise InputError(f"The {what} and the searched slices have no slice in common.")
        slices = range(low, high)
    return HintedEngine(shown, *arguments), slices

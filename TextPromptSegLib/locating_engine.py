"""The slice engine for systems that first look where in the volume a structure is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from .outcome import Cancelled, Progress
from .slice_engine import RunFacts, SliceEngine, Writes, runs_of
from .slice_hints import PixelBox, box_tensor
from .slice_stack import SliceStack, voxel_size

if TYPE_CHECKING:
    from .systems.base import Features
    from .text.features import TextFeatures


class LocatingEngine(SliceEngine):
    """Compares every slice with the prompts, makes one region of the volume, decodes inside it.

    A slice holds the structure when both say so: the evidence of the region has passed its
    threshold, and the presence is what the decoder answers inside. Without a region nothing is
    decoded and nothing is found.
    """

    _boxes: dict[tuple[int, int], PixelBox]

    def run(
        self,
        stack: SliceStack,
        slices: range,
        text: TextFeatures,
        write: Writes,
        ceilings: Sequence[float],
        progress: Progress | None = None,
        label: str = "",
    ) -> RunFacts:
        """Answer every prompt on every slice, see `SliceEngine.run`."""
        count, shape = len(text), (len(text), len(slices))
        facts = RunFacts(np.zeros(shape), np.zeros(shape, bool), per_prompt=[0.0] * count)
        self._facts, self._boxes, self._origin = facts, {}, slices.start
        total = len(slices)

        def tell(done: int, what: str) -> None:
            message = f"{label}: {what} {done} of {total}"
            if progress is not None and not progress(done, total, message):
                raise Cancelled("the user cancelled")

        with torch.inference_mode():
            maps: list[torch.Tensor] = []
            position = slices.start
            while position < slices.stop:
                # looking is the first half of the way
                tell((position - slices.start) // 2, "looking at slice")
                batch = self.features(stack, position, slices.stop)
                maps.append(self._guarded(partial(self._compare, batch.features, text)))
                position += batch.count
            found = self._locate(stack, slices, torch.cat(maps))
            position = slices.start
            while position < slices.stop:
                tell((total + position - slices.start) // 2, "slice")
                batch = self.features(stack, position, slices.stop)
                runs = []
                for prompt in range(count):
                    here = found[prompt, batch.first - slices.start :][: batch.count]
                    runs += [(prompt, a, b) for a, b in runs_of(here)]
                if runs:
                    self._decode(stack, batch, runs, slices, text, write)
                position += batch.count
            tell(total, "slice")
        return facts

    def _compare(self, features: Features, text: TextFeatures) -> torch.Tensor:
        """Return (n, P, h, w) similarity logits."""
        device = self.ladder.device
        moved = tuple(part.to(device) for part in features)
        return self._network(lambda: self.model.similarity(moved, text)).float().cpu()

    def _locate(self, stack: SliceStack, slices: range, maps: torch.Tensor) -> np.ndarray:
        """Make the regions; returns which slices are in each, (P, n) bool."""
        distance = voxel_size(stack.volume, stack.plane)[0]
        regions = self.model.regions(maps, distance, stack.canvas)
        inside = np.zeros((len(regions), len(slices)), bool)
        for prompt, region in enumerate(regions):
            if region.box is None:
                continue
            low, high = region.slices
            inside[prompt, low:high] = True
            for number in range(low, high):
                self._boxes[prompt, slices.start + number] = region.box
        return inside

    def _forward(
        self, features: Features, text: TextFeatures, prompts: list[int], numbers: list[int]
    ) -> torch.Tensor:
        """Run the decoder inside the regions; its answer is the presence."""
        given = box_tensor(
            [self._boxes[key] for key in zip(prompts, numbers, strict=True)], self.ladder.device
        )
        logits, presence = self._network(lambda: self.model.decode(features, text, given))
        seen = torch.sigmoid(presence.float()).cpu().tolist()
        for prompt, number, value in zip(prompts, numbers, seen, strict=True):
            self._facts.presence[prompt, number - self._origin] = value
        return logits

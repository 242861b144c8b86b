"""The slice engine for systems that first look where in the volume a structure is."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from ...image.slice_stack import SliceStack, voxel_size
from .search import RunFacts, Search
from .slice_engine import SliceBatch, SliceEngine, runs_of
from .slice_hints import PixelBox, box_tensor

if TYPE_CHECKING:
    from ...systems.base import Features
    from ...text.features import TextFeatures


LOOK_MM = 6.0
"""Distance of the slices that are compared with the prompts, where the image's own is less."""


class LocatingEngine(SliceEngine):
    """Compares every slice with the prompts, makes one region of the volume, decodes inside it.

    A slice holds the structure when both say so: its presence is the smaller one of the region's
    evidence and what the decoder answers inside. Without a region nothing is decoded and nothing
    is found. Of thin slices only one every `LOOK_MM` is compared with the prompts.
    """

    _boxes: dict[tuple[int, int], PixelBox]
    _evidence: list[float]

    def run(self, search: Search) -> RunFacts:
        """Answer every prompt on every slice, see `SliceEngine.run`."""
        stack, slices, text, total = search.stack, search.slices, search.text, len(search.slices)
        self._facts, self._boxes, self._origin = search.facts(0.0), {}, slices.start
        step = max(1, round(LOOK_MM / voxel_size(stack.volume, stack.plane)[0]))
        with torch.inference_mode():
            maps: list[torch.Tensor] = []
            position = slices.start
            while position < slices.stop:
                # looking is the first half of the way
                search.tell("looking at slice", (position - slices.start) // 2, total)
                batch = self.features(stack, position, slices.stop if step == 1 else position + 1)
                maps.append(self._guarded(partial(self._compare, batch.features, text)))
                position += step * batch.count
            found = self._locate(stack, slices, torch.cat(maps), step)
            position = slices.start
            while position < slices.stop:
                search.tell("slice", (total + position - slices.start) // 2, total)
                stop = min(slices.stop, position + self.ladder.batch)
                here = found[:, position - slices.start : stop - slices.start]
                if not here.any():
                    position = stop
                    continue
                batch = self._inside(stack, position, stop, step)
                flags = enumerate(here[:, : batch.count])
                if runs := [(p, a, b) for p, row in flags for a, b in runs_of(row)]:
                    self._decode(search, batch, runs)
                position += batch.count
            search.tell("slice", total, total)
        return self._facts

    def _inside(self, stack: SliceStack, first: int, stop: int, step: int) -> SliceBatch:
        """Return the features of the next few slices; only a slice that was looked at has all."""
        if step == 1:
            return self.features(stack, first, stop)
        started = time.perf_counter()

        def keep() -> SliceBatch:
            last = min(stop, first + self.ladder.batch)
            images = stack.images(first, last).to(self.ladder.device)
            return SliceBatch(first, last - first, self._network(lambda: self.model.keep(images)))

        batch = self._guarded(keep)
        self._facts.image += time.perf_counter() - started
        return batch

    def _compare(self, features: Features, text: TextFeatures) -> torch.Tensor:
        """Return (n, P, h, w) similarity logits."""
        device = self.ladder.device
        moved = tuple(part.to(device) for part in features)
        return self._network(lambda: self.model.similarity(moved, text)).float().cpu()

    def _locate(
        self, stack: SliceStack, slices: range, maps: torch.Tensor, step: int
    ) -> np.ndarray:
        """Make the regions; returns which slices are in each, (P, n) bool."""
        distance = voxel_size(stack.volume, stack.plane)[0] * step
        regions = self.model.regions(maps, distance, stack.canvas)
        self._evidence = [region.score for region in regions]
        inside = np.zeros((len(regions), len(slices)), bool)
        for prompt, region in enumerate(regions):
            if region.box is None:
                continue
            # a slice that was looked at stands for as many before as after it
            low, high = (step * number - (step - 1) // 2 for number in region.slices)
            low, high = max(0, low), len(slices) if region.slices[1] >= len(maps) else high
            inside[prompt, low:high] = True
            for number in range(low, high):
                self._boxes[prompt, slices.start + number] = region.box
        return inside

    def _forward(
        self, features: Features, text: TextFeatures, prompts: list[int], numbers: list[int]
    ) -> torch.Tensor:
        """Run the decoder inside the regions."""
        given = box_tensor(
            [self._boxes[key] for key in zip(prompts, numbers, strict=True)], self.ladder.device
        )
        logits, presence = self._network(lambda: self.model.decode(features, text, given))
        seen = torch.sigmoid(presence.float()).cpu().tolist()
        for prompt, number, value in zip(prompts, numbers, seen, strict=True):
            both = min(value, self._evidence[prompt])
            self._facts.presence[prompt, number - self._origin] = both
        return logits

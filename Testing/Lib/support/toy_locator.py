"""A toy network that first says where a structure is, with an image and a predictor to try it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from toy_segmenter import HALF_WIDTH, ToySegmenter, phantom, toy_checkpoint

from TextPromptSegLib import SlicePredictor
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.systems.base import VolumeRegion
from TextPromptSegLib.systems.patch_unet_vae.localiser import regions
from TextPromptSegLib.text.features import TextFeatures

CELL = 8


class ToyLocator(ToySegmenter):
    """Finds cells of 8 px by their brightest pixels, then marks pixels inside the region only."""

    locates = shows_heat_map = takes_boxes = True

    def __init__(self) -> None:
        super().__init__()
        self.boxes: list[list[float]] = []

    def similarity(self, features: tuple[torch.Tensor, ...], text: TextFeatures) -> torch.Tensor:
        distance = (features[0] - text.pooled[None, :, 0, None, None]).abs()
        near = (distance < HALF_WIDTH).float()
        return torch.nn.functional.max_pool2d(near, CELL) * 8.0 - 4.0

    def regions(
        self, logits: torch.Tensor, slice_mm: float, canvas: tuple[int, int]
    ) -> list[VolumeRegion]:
        result = []
        for found in regions(logits, cell_mm=CELL, slice_mm=slice_mm, smooth_mm=0.01, keep=0.1):
            if found.box is None:
                result.append(VolumeRegion(found.score))
                continue
            z0, z1, y0, y1, x0, x1 = found.box
            box = (x0 - 0.5, y0 - 0.5, x1 - 0.5, y1 - 0.5)
            result.append(VolumeRegion(found.score, box, (int(z0 / slice_mm), int(z1 / slice_mm))))
        return result

    def heat_map(self, features: tuple[torch.Tensor, ...], text: TextFeatures) -> torch.Tensor:
        rows = torch.arange(len(text))
        return torch.sigmoid(self.similarity(features, text)[rows, rows])[:, None]

    def decode(
        self,
        features: tuple[torch.Tensor, ...],
        text: TextFeatures,
        boxes: torch.Tensor | None = None,
        points: Any = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        assert boxes is not None
        logits, _ = super().decode(features, text)
        y, x = torch.meshgrid(*(torch.arange(n) for n in logits.shape[2:]), indexing="ij")
        for row, (x0, y0, x1, y1) in enumerate(boxes.tolist()):
            self.boxes.append([x0, y0, x1, y1])
            inside = (x > x0) & (x < x1) & (y > y0) & (y < y1)
            logits[row, 0][~inside] = -20.0
        return logits, logits.flatten(1).amax(1)


PLACES = {"liver": 0.3, "spleen": 0.6}
LIVER = (slice(5, 11), slice(10, 20), slice(12, 24))


def predictor(places: Mapping[str, float] = PLACES) -> tuple[SlicePredictor, ToyLocator]:
    model = ToyLocator()
    made = SlicePredictor(toy_checkpoint(places, model=model), "cpu", "float32", batch=5)
    return made, model


def volume(extra: Mapping[float, Any] | None = None) -> Volume:
    return phantom({0.3: [LIVER], **(extra or {})}, spacing=(1.0, 1.0, 2.0))

"""A toy network that listens to boxes and points, with the parts of an image to point at."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from toy_segmenter import ToySegmenter, toy_predictor

from TextPromptSegLib.inference.predictor import SlicePredictor

LIVER = 0.3
PLACES = {"liver": LIVER, "spleen": 0.7}
NEAR = (slice(4, 14), slice(10, 20), slice(12, 24))
FAR = (slice(4, 14), slice(28, 38), slice(40, 52))
LATER = (slice(18, 22), slice(10, 20), slice(12, 24))


class BoxSegmenter(ToySegmenter):
    """Finds voxels by their intensity, inside the box, without the parts of points beside."""

    takes_boxes = takes_points = shows_heat_map = True

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[np.ndarray | None, np.ndarray | None]] = []
        self.deaf = False  # to boxes
        self.masks: list[np.ndarray] = []

    def decode(
        self, features: Any, text: Any, boxes: Any = None, points: Any = None, masks: Any = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        logits, presence = super().decode(features, text)
        self.seen.append(tuple(None if t is None else t.numpy() for t in (boxes, points)))  # type: ignore[arg-type]
        if masks is not None:
            self.masks.append(masks.numpy())
            logits = torch.where(masks.isnan(), logits, masks)
        y = torch.arange(logits.shape[2])[None, :, None]
        x = torch.arange(logits.shape[3])[None, None, :]
        if boxes is not None and not self.deaf:
            x0, y0, x1, y1 = (v[:, None, None] for v in boxes.unbind(1))
            inside = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1) | x0.isnan()
            logits = logits.masked_fill(~inside[:, None], -20.0)
        if points is not None:
            for row in range(len(logits)):
                for px, _, label in points[row].tolist():
                    if label == 0:  # half a picture away from a point beside the structure
                        logits[row, 0, :, :32] -= 40.0 * (px < 32)
                        logits[row, 0, :, 32:] -= 40.0 * (px >= 32)
        return logits, presence

    def heat_map(self, features: Any, text: Any) -> torch.Tensor:
        return (self._logits(features, text) > 0).float()[:, :, ::2, ::2]


def predictor(**options: Any) -> SlicePredictor:
    return toy_predictor(PLACES, model=BoxSegmenter(), **options)

"""Overlapping patches over a region of a slice, blended into one map (SPEC 1.2, last row).

Equal to ``monai.inferers.SlidingWindowInferer(mode="gaussian")`` over the region (tested); here
every row of a batch has a region of its own, and nothing outside of it is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Box = tuple[int, int, int, int]
"""Rows y0..y1 and columns x0..x1 of a slice: y0, x0, y1, x1, the ends not included."""

OUTSIDE = -20.0
"""Logit of pixels that no patch covers."""


def starts(low: int, high: int, size: int, step: int, length: int) -> list[int]:
    """Return where patches begin along one axis so that they cover low..high.

    A span shorter than a patch gets one patch around its middle, moved into 0..length.
    """
    if high - low <= size:
        middle = (low + high) // 2 - size // 2
        return [max(0, min(middle, length - size))]
    count = math.ceil((high - low - size) / step) + 1
    return [min(low + n * step, high - size) for n in range(count)]


def tiles(box: Box, size: int, overlap: float, canvas: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the upper left corners (row, column) of the patches that cover a box."""
    step = max(1, int(size * (1.0 - overlap)))
    rows = starts(box[0], box[2], size, step, canvas[0])
    columns = starts(box[1], box[3], size, step, canvas[1])
    return [(row, column) for row in rows for column in columns]


def importance(size: int, share: float = 0.125) -> Tensor:
    """Return MONAI's Gaussian weights (size, size) of a patch, sigma = ``share`` of its side."""
    away = torch.arange(size) - (size - 1) / 2
    bell = torch.exp(-(away**2) / (2 * (share * size) ** 2))
    return torch.outer(bell, bell).clamp_min(1e-3)


def scan(
    images: Tensor,
    boxes: Sequence[Box | None],
    size: int,
    overlap: float,
    answer: Callable[[Tensor, Tensor], Tensor],
    most: int = 64,
) -> Tensor:
    """Return logits (B, 1, H, W) of slices, `OUTSIDE` beyond their regions.

    Args:
        images: (B, C, H, W), sides at least ``size``.
        boxes: the region of each slice; None for a slice with nothing to look at.
        size: side of a patch, px.
        overlap: share that neighbouring patches have in common.
        answer: (patches (N, C, size, size), rows (N,)) -> logits (N, 1, size, size).
        most: patches of one pass.
    """
    height, width = images.shape[2:]
    places = [
        (row, top, left)
        for row, box in enumerate(boxes)
        if box is not None
        for top, left in tiles(box, size, overlap, (height, width))
    ]
    total = torch.zeros(len(images), 1, height, width, device=images.device)
    weight = torch.zeros_like(total)
    window = importance(size).to(images.device)
    for first in range(0, len(places), most):
        chunk = places[first : first + most]
        patches = torch.stack(
            [images[row, :, top : top + size, left : left + size] for row, top, left in chunk]
        )
        rows = torch.tensor([row for row, _, _ in chunk], device=images.device)
        logits = answer(patches, rows).float()
        for (row, top, left), made in zip(chunk, logits, strict=True):
            place = (row, slice(None), slice(top, top + size), slice(left, left + size))
            total[place] += made * window
            weight[place] += window
    return torch.where(weight > 0, total / weight.clamp_min(1e-6), torch.full_like(total, OUTSIDE))

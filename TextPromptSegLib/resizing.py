"""Resizing of slices: the numbers of `torch.nn.functional.interpolate`, in less time on a CPU."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

_BLOCK = 32  # rows of a matrix multiplied at once; fewer waste time in calls, more on zeros

Bands = tuple[tuple[slice, slice, Tensor], ...]


def resize_bicubic(planes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return planes (N, h, w) float32 at another size: bicubic, antialiased.

    Equal to ``interpolate(mode="bicubic", antialias=True, align_corners=False)``; as two products
    with banded matrices it takes less than half the time.

    Args:
        planes: (N, h, w) float32 on the CPU.
        size: (H, W), px.
    """
    count, height, width = planes.shape
    rows = planes.new_empty(count, size[0], width)
    for target, source, weights in _bands(height, size[0]):
        torch.matmul(weights, planes[:, source], out=rows[:, target])
    result = planes.new_empty(count, *size)
    for target, source, weights in _bands(width, size[1]):
        result[:, :, target] = rows[:, :, source] @ weights.T
    return result


@lru_cache(maxsize=16)
def _bands(before: int, after: int) -> Bands:
    """Return the blocks of rows of the (after, before) matrix, without the zeros around them."""
    unit = torch.eye(before)[None, None]
    with torch.inference_mode(False):
        matrix = F.interpolate(
            unit, (after, before), mode="bicubic", align_corners=False, antialias=True
        )[0, 0]
    bands = []
    for start in range(0, after, _BLOCK):
        target = slice(start, min(start + _BLOCK, after))
        used = torch.nonzero(matrix[target].abs().amax(0)).flatten()
        source = slice(int(used[0]), int(used[-1]) + 1)
        bands.append((target, source, matrix[target, source].contiguous()))
    return tuple(bands)

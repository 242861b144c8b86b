"""Windows cut out of a slice, each with its surroundings as further channels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def cut_windows(
    image: Tensor,
    centres: Tensor,
    size: int,
    views: Sequence[int] = (1,),
    matrices: Tensor | None = None,
) -> Tensor:
    """Return windows (N, V, size, size); channel v shows ``views[v]`` times the field.

    Outside of the slice is 0. All views of a window have its centre.

    Args:
        image: (H, W) slice.
        centres: (N, 2) row and column of the windows' centres, px (the first pixel spans 0..1).
        size: side of the windows, px of the slice at view 1.
        views: how many times the window each channel shows.
        matrices: (N, 2, 2) from offsets in the window (row, column) to offsets in the slice, for
            rotated, scaled or mirrored windows.
    """
    largest = max(views)
    height, width = image.shape
    padded = F.pad(image[None, None], (0, -width % largest, 0, -height % largest))
    levels = [F.avg_pool2d(padded, view) if view > 1 else padded for view in views]
    if matrices is None:
        # A pixel of a view is one of its level: windows are crops, moved by part of a pixel.
        pairs = zip(views, levels, strict=True)
        return torch.stack([_crops(level[0, 0], centres / view, size) for view, level in pairs], 1)
    extent = torch.tensor(padded.shape[-2:], dtype=padded.dtype, device=padded.device)
    steps = torch.arange(size, dtype=padded.dtype, device=padded.device) - (size - 1) / 2
    offsets = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), -1).view(1, -1, 2)
    offsets = offsets @ matrices.transpose(1, 2)
    channels = []
    for view, level in zip(views, levels, strict=True):
        place = (centres[:, None] + view * offsets) * 2 / extent - 1
        seen = F.grid_sample(level, place.flip(-1)[None], "bilinear", "zeros", False)
        channels.append(seen[0, 0].view(-1, size, size))
    return torch.stack(channels, 1)


def _crops(level: Tensor, centres: Tensor, size: int) -> Tensor:
    """Return crops (N, size, size) around centres (N, 2) of a map (H, W), bilinear; 0 outside."""
    around = F.pad(level, (size + 1,) * 4)
    first = centres - size / 2 + (size + 1)
    most = torch.tensor(around.shape, device=level.device) - (size + 1)
    whole = first.floor().long().clamp_min(0).minimum(most)
    share = (first - whole).clamp(0, 1)
    below, right = share[:, 0, None, None], share[:, 1, None, None]
    side = size + 1
    parts = around.unfold(0, side, 1).unfold(1, side, 1)[whole[:, 0], whole[:, 1]]
    rows = torch.lerp(parts[:, :-1], parts[:, 1:], below)
    return torch.lerp(rows[..., :-1], rows[..., 1:], right)

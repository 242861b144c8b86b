"""Boxes around what is in an array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Box = tuple[slice, slice, slice]
"""Slices along k, j, i."""


def bounding_box(mask: np.ndarray) -> Box | None:
    """Return the smallest box (k, j, i) around the non-zero voxels, None for an empty mask."""
    k = np.flatnonzero([bool(plane.any()) for plane in mask])
    if not len(k):
        return None
    part = mask[k[0] : k[-1] + 1]
    flat = part[0] != 0
    for plane in part[1:]:
        flat = flat | (plane != 0)
    j, i = np.flatnonzero(flat.any(1)), np.flatnonzero(flat.any(0))
    return (
        slice(int(k[0]), int(k[-1]) + 1),
        slice(int(j[0]), int(j[-1]) + 1),
        slice(int(i[0]), int(i[-1]) + 1),
    )


def unturned(box: Box, shape: Sequence[int], source: Sequence[int], flipped: Sequence[bool]) -> Box:
    """Return where a box of a turned array lies in the array that was turned.

    Args:
        box: in the new order.
        shape: (K, J, I) of the array that was turned.
        source, flipped: of the `AxisMap` that turned it.
    """
    parts = [slice(0)] * 3
    for part, axis, flip in zip(box, source, flipped, strict=True):
        parts[axis] = _mirrored(part, shape[axis]) if flip else part
    return parts[0], parts[1], parts[2]


def turned(box: Box, shape: Sequence[int], source: Sequence[int], flipped: Sequence[bool]) -> Box:
    """Return where a box of an array (K, J, I) of a shape lies when the array is turned.

    Args:
        box: in the old order.
        shape: of the array in the old order.
        source, flipped: of the `AxisMap` that turns it.
    """
    k, j, i = (
        _mirrored(box[axis], shape[axis]) if flip else box[axis]
        for axis, flip in zip(source, flipped, strict=True)
    )
    return k, j, i


def _mirrored(part: slice, size: int) -> slice:
    return slice(size - part.stop, size - part.start)

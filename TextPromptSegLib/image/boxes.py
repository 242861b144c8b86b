"""Boxes around what is in an array."""

from __future__ import annotations

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

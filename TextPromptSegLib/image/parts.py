"""Connected parts of a mask, found by runs of voxels: a tenth of the time of voxel by voxel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Side = Literal["left", "right"]
_BEFORE = ((0, -1), (-1, 0), (-1, -1), (-1, 1))
"""Rows (k, j) beside a row that a scan of the mask has met before it; two share a face with it."""


@dataclass(frozen=True)
class Parts:
    """The parts of a mask (K, J, I) in the order in which a scan meets them.

    Attributes:
        sizes: (n,) int64, voxels of each part.
        shape: (K, J, I).
        starts, stops: (r,) flat index of the first voxel of each run along i, and one after the
            last, in an array whose rows are one voxel longer.
        numbers: (r,) the part of each run.
    """

    sizes: np.ndarray
    shape: tuple[int, ...]
    starts: np.ndarray
    stops: np.ndarray
    numbers: np.ndarray

    def mask(self, keep: np.ndarray) -> np.ndarray:
        """Return the mask (K, J, I) uint8 of some parts, ``keep`` (n,) bool."""
        k, j, i = self.shape
        edges = np.zeros(k * j * (i + 1) + 1, np.int8)
        chosen = keep[self.numbers]
        edges[self.starts[chosen]] = 1
        edges[self.stops[chosen]] = -1
        filled = np.cumsum(edges, dtype=np.int8, out=edges)[:-1].view(np.uint8)
        return np.ascontiguousarray(filled.reshape(k, j, i + 1)[..., :i])


def parts_of(mask: np.ndarray, corners: bool = True) -> Parts:
    """Return the connected parts of a mask, those of `scipy.ndimage.label`.

    Args:
        mask: (K, J, I).
        corners: whether voxels that share an edge or a corner are neighbours (26), or only those
            that share a face (6).
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    k, j, i = mask.shape
    rows = np.zeros((k, j, i + 1), bool)  # a row ends before the next one begins
    np.not_equal(mask, 0, out=rows[..., :i])
    flat = rows.reshape(-1)
    change = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if flat.size and flat[0]:
        change = np.concatenate([[0], change])
    starts, stops = change[::2], change[1::2]
    count, length = len(starts), i + 1
    row = starts // length
    first, second = [], []
    sides: tuple[Side, Side] = ("left", "right") if corners else ("right", "left")
    for dk, dj in _BEFORE if corners else _BEFORE[:2]:
        there = (row // j + dk >= 0) & (row % j + dj >= 0) & (row % j + dj < j)
        which = np.flatnonzero(there)
        moved = (dk * j + dj) * length
        low = np.searchsorted(stops, starts[which] + moved, sides[0])
        high = np.searchsorted(starts, stops[which] + moved, sides[1])
        touched = np.maximum(high - low, 0)
        first.append(np.repeat(which, touched))
        within = np.arange(touched.sum()) - np.repeat(np.cumsum(touched) - touched, touched)
        second.append(np.repeat(low, touched) + within)
    pairs = np.concatenate(first), np.concatenate(second)
    graph = coo_matrix((np.ones(len(pairs[0]), bool), pairs), shape=(count, count))
    total, found = connected_components(graph, directed=False) if count else (0, starts)
    seen = np.full(total, count)
    np.minimum.at(seen, found, np.arange(count))
    order = np.empty(total, np.int64)
    order[np.argsort(seen)] = np.arange(total)
    numbers = order[found] if count else found
    sizes = np.bincount(numbers, weights=stops - starts, minlength=total).astype(np.int64)
    return Parts(sizes, mask.shape, starts, stops, numbers)

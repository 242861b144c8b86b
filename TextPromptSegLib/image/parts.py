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
        made, size = np.empty(self.shape, np.uint8), j * (i + 1)
        chosen = keep[self.numbers]
        starts, stops = self.starts[chosen], self.stops[chosen]
        bounds = np.searchsorted(starts, np.arange(k + 1) * size)
        edges = np.empty(size, np.int8)
        for number, plane in enumerate(made):  # a slice at a time stays in the processor's cache
            some, before = slice(*bounds[number : number + 2]), number * size
            edges[:] = 0
            edges[starts[some] - before] = 1
            edges[stops[some] - before] = -1
            filled = np.cumsum(edges, dtype=np.int8).view(np.uint8)
            plane[:] = filled.reshape(j, i + 1)[:, :i]
        return made


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
    rows = np.zeros((j, i + 1), bool)  # a row ends before the next one begins
    flat, found = rows.reshape(-1), [np.zeros(0, np.int64)]
    for number, plane in enumerate(mask):
        np.not_equal(plane, 0, out=rows[:, :i])
        found.append(np.flatnonzero(np.diff(flat, prepend=False)) + number * flat.size)
    change = np.concatenate(found)
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
    total, which_one = connected_components(graph, directed=False) if count else (0, starts)
    seen = np.full(total, count)
    np.minimum.at(seen, which_one, np.arange(count))
    order = np.empty(total, np.int64)
    order[np.argsort(seen)] = np.arange(total)
    numbers = order[which_one] if count else which_one
    sizes = np.bincount(numbers, weights=stops - starts, minlength=total).astype(np.int64)
    return Parts(sizes, mask.shape, starts, stops, numbers)

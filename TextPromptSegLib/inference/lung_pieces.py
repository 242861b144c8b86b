"""The air in a CT cut into pieces, slice by slice, where it is narrow; see `lung_air`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..image.cores import on_cores

AIR_HU = -400.0
"""Air, and lung tissue that holds air, lie below."""
GAS_HU = -930.0
"""The median of gas in bowel and trachea lies below, that of lung tissue above."""
NECK_MM = 8.0
"""Two pieces that hang together by less than twice as much are cut apart."""
LEAST_PIECE_MM2 = 100.0
LEAST_AIR_MM2 = 30.0
"""Smaller spots of air say nothing, they are left as the network has them."""


@dataclass(frozen=True)
class Pieces:
    """Pieces of air in the slices of a volume; entry 0 is all that is no air, or too little.

    Attributes:
        numbers: (K, J, I) int32, the piece of each voxel.
        sizes: of each piece, px.
        outside: whether a piece touches the edge of the picture.
        gas: whether a piece is as thin as gas.
        one, other, shared: pieces off the edge that lie over each other in neighbouring slices, and
            how many px they share.
    """

    numbers: np.ndarray
    sizes: np.ndarray
    outside: np.ndarray
    gas: np.ndarray
    one: np.ndarray
    other: np.ndarray
    shared: np.ndarray


def cut_air(grid: np.ndarray, pixel: tuple[float, float]) -> Pieces:
    """Return the pieces of air in each slice.

    Args:
        grid: (K, J, I) HU.
        pixel: height and width, mm.
    """
    numbers, outside = np.zeros(grid.shape, np.int32), [False]
    found = on_cores(lambda k: _pieces(grid[k], numbers[k], pixel), range(len(grid)))
    for plane, edges in zip(numbers, found, strict=True):
        np.add(plane, len(outside) - 1, out=plane, where=plane > 0)
        outside += edges
    count = len(outside)
    gas = np.zeros(count, bool)
    gas[1:] = thin(grid, numbers, np.arange(1, count))
    sizes, open_ones = counted(numbers, count), np.array(outside)
    inner = np.where(open_ones, 0, np.arange(count, dtype=np.int32))  # no lung is open to the edge
    return Pieces(numbers, sizes, open_ones, gas, *_neighbours(numbers, inner))


def counted(numbers: np.ndarray, count: int, where: np.ndarray | None = None) -> np.ndarray:
    """Return how often 0, 1, ... count - 1 are in ``numbers`` (K, J, I), slice by slice.

    Args:
        numbers: all below ``count``.
        count: how many numbers there are.
        where: (K, J, I) bool, what is counted; None for all of it.
    """
    result = np.zeros(count, np.int64)
    for k, plane in enumerate(numbers):
        here = plane.ravel() if where is None else plane[where[k]]
        result += np.bincount(here, minlength=count)
    return result


def _pieces(plane: np.ndarray, out: np.ndarray, pixel: tuple[float, float]) -> list[bool]:
    """Number the pieces of air of one slice in ``out``, from 1 on; return which touch the edge."""
    from scipy.ndimage import find_objects, label

    area = pixel[0] * pixel[1]
    outside: list[bool] = []
    spots, _ = label(plane < AIR_HU)
    edge = set(np.concatenate([spots[0], spots[-1], spots[:, 0], spots[:, -1]]).tolist())
    for number, box in enumerate(find_objects(spots), 1):
        spot = spots[box] == number
        if np.count_nonzero(spot) * area < LEAST_AIR_MM2:
            continue
        parts, count = (spot.astype(np.int32), 1) if number in edge else _cut(spot, pixel)
        out[box][spot] = parts[spot] + len(outside)
        outside += [number in edge] * count
    return outside


def thin(
    grid: np.ndarray, numbers: np.ndarray, which: np.ndarray, where: np.ndarray | None = None
) -> np.ndarray:
    """Return for each of some numbers whether the median HU of its voxels is that of gas.

    Args:
        grid: (K, J, I) HU.
        numbers: (K, J, I), the number of each voxel, 0 for none.
        which: the numbers that are asked for.
        where: (K, J, I) bool, voxels that count; None for all.
    """
    inside = numbers > 0
    if where is not None:
        inside &= where
    values, of = grid[inside], numbers[inside]
    most = int(which.max(initial=0)) + 1
    sizes = np.bincount(of, minlength=most)[which]
    below = np.bincount(of[values < GAS_HU], minlength=most)[which]
    thin = 2 * below > sizes
    for even in np.flatnonzero((2 * below == sizes) & (sizes > 0)):  # between two that differ
        thin[even] = np.median(values[of == which[even]]) < GAS_HU
    return thin


def _cut(spot: np.ndarray, pixel: tuple[float, float]) -> tuple[np.ndarray, int]:
    """Cut a spot (h, w) bool where it is narrow; returns its parts from 1 on and their number."""
    from scipy.ndimage import distance_transform_edt, label

    parts, count, area = np.zeros(spot.shape, np.int32), 0, pixel[0] * pixel[1]
    todo = [spot]
    while todo:
        part = todo.pop()
        cores = None
        if np.count_nonzero(part) * area >= 4 * LEAST_PIECE_MM2:
            depth = distance_transform_edt(np.pad(part, 1), sampling=pixel)[1:-1, 1:-1]
            for radius in np.arange(1.01 * min(pixel), NECK_MM, min(pixel)):
                left, _ = label(depth > radius)
                sizes = np.bincount(left.ravel())[1:] * area
                large = np.flatnonzero(sizes >= LEAST_PIECE_MM2) + 1
                if len(large) != 1:
                    cores = np.where(np.isin(left, large), left, 0) if len(large) else None
                    break
        if cores is None:
            count += 1
            parts[part] = count
            continue
        index = distance_transform_edt(
            cores == 0, sampling=pixel, return_distances=False, return_indices=True
        )
        nearest = cores[tuple(index)]
        todo += [part & (nearest == number) for number in np.unique(cores[cores > 0])]
    return parts, count


def _neighbours(
    numbers: np.ndarray, names: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of pieces over each other in neighbouring slices, and how many px they share.

    Args:
        numbers: (K, J, I), the piece of each voxel.
        names: (count,), each piece's own number, 0 for one that does not matter.
    """
    keys, sizes, count = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], len(names)
    low = names[numbers[0]] if len(numbers) else numbers
    for plane in numbers[1:]:
        high = names[plane]
        both = (low > 0) & (high > 0)
        key, size = np.unique(low[both].astype(np.int64) * count + high[both], return_counts=True)
        keys.append(key)
        sizes.append(size)
        low = high
    key = np.concatenate(keys)
    return key // count, key % count, np.concatenate(sizes)

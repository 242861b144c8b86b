"""Where in the patient a structure may lie: side, vertical third. Numpy and scipy only.

All arrays here are canonical LPS (K, J, I): i grows to the patient's left, k towards the head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .boxes import bounding_box
from .modality import without_padding

_COARSE = 96  # voxels along the longest side of the grid on which distances are compared


@dataclass(frozen=True)
class Region:
    """A part of a volume, asked for slice by slice so that it never costs a whole volume.

    Attributes:
        shape: (K, J, I) of the volume.
        grid: (k, j, i) bool, coarse; None where ``limits`` say it all.
        step: voxels per coarse voxel along (k, j, i).
        plane: (J, I) or (1, I) coordinate of the voxels of slice 0.
        rise: what the coordinate grows by from one slice to the next.
        limits: intervals [low, high) of the coordinate that belong to the region.
    """

    shape: tuple[int, int, int]
    grid: np.ndarray | None = None
    step: tuple[int, int, int] = (1, 1, 1)
    plane: np.ndarray | None = None
    rise: float = 0.0
    limits: tuple[tuple[float, float], ...] = ()

    def at(self, k: int) -> np.ndarray:
        """Return (J, I) bool (or something that broadcasts to it) of one slice."""
        if self.grid is not None:
            coarse = self.grid[k // self.step[0]]
            rows = np.arange(self.shape[1]) // self.step[1]
            columns = np.arange(self.shape[2]) // self.step[2]
            return coarse[rows[:, None], columns[None, :]]
        assert self.plane is not None
        coordinate = self.plane + self.rise * k
        inside = np.zeros(coordinate.shape, bool)
        for low, high in self.limits:
            inside |= (coordinate >= low) & (coordinate < high)
        return inside

    def cut(self, array: np.ndarray, start: Sequence[int] = (0, 0, 0)) -> None:
        """Set a part (k, j, i) of the volume to zero outside the region, in place.

        Args:
            array: the part.
            start: where in the volume (K, J, I) its first voxel lies.
        """
        first, top, left = start
        rows, columns = (slice(a, a + n) for a, n in zip((top, left), array.shape[1:], strict=True))
        for k, plane in enumerate(array, first):
            if plane.any():
                plane[~np.broadcast_to(self.at(k), self.shape[1:])[rows, columns]] = 0


def nearer_side(left: np.ndarray, right: np.ndarray, side: str) -> Region | None:
    """Return the part of the volume that is nearer to one of two containers.

    A finding is often missing from the container's own mask (a consolidated lung is no longer
    dark), so it goes to the side whose container is nearer instead of being cut out.

    Args:
        left: (K, J, I) mask of the left container.
        right: (K, J, I) mask of the right one.
        side: ``left`` or ``right``.

    Returns:
        The region; None when a container is empty.
    """
    from scipy.ndimage import distance_transform_edt

    shape = left.shape
    step = tuple(max(1, -(-size // _COARSE)) for size in shape)
    coarse = []
    for mask in (left, right):
        small = _any_in_blocks(mask, step)
        if not small.any():
            return None
        coarse.append(distance_transform_edt(~small, sampling=step))
    nearer = coarse[0] <= coarse[1] if side == "left" else coarse[1] < coarse[0]
    return Region(shape, grid=nearer, step=step)


def _any_in_blocks(mask: np.ndarray, step: tuple[int, ...]) -> np.ndarray:
    """Return which coarse voxels hold any voxel of the mask."""
    result = mask != 0
    for axis, size in enumerate(step):
        if size > 1:
            result = np.logical_or.reduceat(result, np.arange(0, mask.shape[axis], size), axis=axis)
    return result


def half(array: np.ndarray, modality: str | None, side: str) -> Region:
    """Return the patient's left or right half, split at the middle of the body.

    Args:
        array: (K, J, I) intensities.
        modality: ``CT`` counts everything above -300 HU as body, else what is above the
            background.
        side: ``left`` or ``right``.
    """
    middle = body_middle(array, modality)
    coordinate = np.arange(array.shape[2], dtype=np.float32)[None, :]
    limits = (middle, np.inf) if side == "left" else (-np.inf, middle)
    return Region(array.shape, plane=coordinate, limits=(limits,))


def body_middle(array: np.ndarray, modality: str | None) -> float:
    """Return the index i (voxel, may lie between two) of the body's middle."""
    step = [max(1, size // 128) for size in array.shape]
    sample = np.nan_to_num(array[:: step[0], :: step[1], :: step[2]].astype(np.float32))
    if modality == "CT" and sample.min() < -300:
        level = -300.0
    else:
        _, inside = without_padding(sample.ravel())
        low, high = np.percentile(inside, (1.0, 99.0))
        level = low + 0.05 * (high - low)
    middles = []
    for columns in (sample > level).mean(axis=1) > 0.02:
        body = np.flatnonzero(columns)
        if len(body):
            middles.append((body[0] + body[-1]) / 2)
    middle = float(np.median(middles)) if middles else (sample.shape[2] - 1) / 2
    return middle * step[2] + (step[2] - 1) / 2


def thirds(
    containers: list[np.ndarray],
    wanted: tuple[str, ...],
    ijk_to_ras: np.ndarray,
    picture: bool,
) -> Region | None:
    """Return the vertical thirds of one or several containers.

    Args:
        containers: (K, J, I) masks, taken together.
        wanted: ``upper``, ``middle``, ``lower``.
        ijk_to_ras: (4, 4) of the canonical volume, mm.
        picture: the image's top is up (X-ray, photograph); else the patient's head is.

    Returns:
        The region; None when all containers are empty.
    """
    shape = containers[0].shape
    ci, cj, ck = (0.0, -1.0, 0.0) if picture else ijk_to_ras[2, :3].tolist()
    heights = []
    for mask in containers:
        box = bounding_box(mask)
        if box is None:
            continue
        step = [max(1, (b.stop - b.start) // 128) for b in box]
        part = mask[tuple(slice(b.start, b.stop, s) for b, s in zip(box, step, strict=True))]
        k, j, i = (b.start + n * s for b, n, s in zip(box, np.nonzero(part), step, strict=True))
        heights.append(ck * k + cj * j + ci * i)
    if not heights or not sum(map(len, heights)):
        return None
    # A stray voxel must not move the thirds.
    low, high = np.percentile(np.concatenate(heights), (0.2, 99.8))
    third = (high - low) / 3
    bounds = {
        "lower": (-np.inf, low + third),
        "middle": (low + third, high - third),
        "upper": (high - third, np.inf),
    }
    plane = (
        cj * np.arange(shape[1], dtype=np.float64)[:, None]
        + ci * np.arange(shape[2], dtype=np.float64)[None, :]
    )
    limits = tuple(bounds[name] for name in wanted)
    return Region(shape, plane=plane, rise=ck, limits=limits)

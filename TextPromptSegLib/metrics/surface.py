"""Distances between the surfaces of two masks: HD, HD95, ASD, ASSD and NSD.

A surface is the set of voxels with a background voxel (or the end of the image) across one of their
faces, as in MONAI (`monai.metrics.utils.get_mask_edges`), whose results these equal. Unlike MONAI,
axes of length 1 are left out first: in a single slice every voxel would otherwise be surface.

Speed: both masks are cropped to the bounding box of their union, and nearest points are found with
a k-d tree of the surface voxels. With a liver-sized structure in 256 x 256 x 100 voxels that takes
0.1 s on one core; the two distance transforms of the same crop that MONAI would run took 0.5 s.
Only where a mask is speckle, so that surface fills the box, is the distance transform the faster
one (4 million surface voxels: 6 s instead of 20 s), and taken.

Hausdorff distance and NSD: https://doi.org/10.1186/s12880-015-0068-x , https://arxiv.org/abs/1809.04430
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .overlap import as_masks

DENSE = 1 / 12  # share of the box that is surface, above which a distance transform is faster


@dataclass(frozen=True)
class SurfaceDistances:
    """Distances between two surfaces, in the unit of the spacing (mm, or px without a spacing).

    Attributes:
        hd: Hausdorff distance, the largest distance of a surface voxel to the other surface.
        hd95: the larger of the two directed 95th percentiles.
        asd: mean distance from the prediction's surface to the reference's.
        assd: mean distance over the voxels of both surfaces.
        nsd: normalised surface Dice, the share of both surfaces within the tolerance, in [0, 1].
    """

    hd: float
    hd95: float
    asd: float
    assd: float
    nsd: float


def surface_distances(
    prediction: np.ndarray,
    reference: np.ndarray,
    spacing: Sequence[float] | None = None,
    tolerance: float = 2.0,
) -> SurfaceDistances:
    """Measure how far the surfaces of two masks lie apart.

    Both masks empty: distances 0 and NSD 1. One empty: every distance is the image diagonal, NSD 0.

    Args:
        prediction: (H, W) or (K, J, I); everything but 0 is inside.
        reference: the same shape.
        spacing: voxel size in mm **in the order of the array's axes** (K, J, I: slice distance
            first); None measures in px.
        tolerance: distance up to which a surface voxel counts as right in the NSD, same unit.

    Raises:
        ValueError: when the shapes differ or the spacing does not fit them.
    """
    p, r = as_masks(prediction, reference)
    size = _checked_spacing(p.shape, spacing)
    if not p.any() or not r.any():
        if p.any() or r.any():
            far = image_diagonal(p.shape, spacing)
            return SurfaceDistances(far, far, far, far, 0.0)
        return SurfaceDistances(0.0, 0.0, 0.0, 0.0, 1.0)
    thin = tuple(axis for axis, n in enumerate(p.shape) if n == 1)
    box, size = _union_box(p, r), np.delete(size, thin)
    surface_p, surface_r = _surface(p[box].squeeze(thin)), _surface(r[box].squeeze(thin))
    p_to_r, r_to_p = _nearest(surface_p, surface_r, size), _nearest(surface_r, surface_p, size)
    both = np.concatenate([p_to_r, r_to_p])
    return SurfaceDistances(
        hd=float(both.max()),
        hd95=float(max(np.percentile(p_to_r, 95), np.percentile(r_to_p, 95))),
        asd=float(p_to_r.mean()),
        assd=float(both.mean()),
        nsd=float(np.mean(both <= tolerance)),
    )


def image_diagonal(shape: Sequence[int], spacing: Sequence[float] | None = None) -> float:
    """Return the length of the image's diagonal, in mm, or px without a spacing.

    It runs over the whole extent (voxel count times size), so it is longer than any distance
    between two voxels: missing a structure is worse than any misplaced mask. Axes of length 1 do
    not count.

    Raises:
        ValueError: when the spacing does not fit the shape.
    """
    size = _checked_spacing(shape, spacing)
    extent = [n * s for n, s in zip(shape, size, strict=True) if n > 1]
    return float(np.sqrt(np.sum(np.square(extent))))


def _checked_spacing(shape: Sequence[int], spacing: Sequence[float] | None) -> np.ndarray:
    if spacing is None:
        return np.ones(len(shape))
    size = np.asarray(spacing, dtype=float)
    if size.shape != (len(shape),) or not np.isfinite(size).all() or (size <= 0).any():
        raise ValueError(f"spacing {tuple(spacing)} does not fit an array of shape {tuple(shape)}")
    return size


def _union_box(p: np.ndarray, r: np.ndarray) -> tuple[slice, ...]:
    union = p | r
    box = []
    for axis in range(union.ndim):
        others = tuple(a for a in range(union.ndim) if a != axis)
        hit = np.flatnonzero(union.any(axis=others))
        box.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return tuple(box)


def _surface(mask: np.ndarray) -> np.ndarray:
    if mask.ndim == 0:
        return mask  # an image of one voxel
    inner = mask.copy()
    for axis in range(mask.ndim):
        inside, source = np.moveaxis(inner, axis, 0), np.moveaxis(mask, axis, 0)
        inside[1:] &= source[:-1]
        inside[:-1] &= source[1:]
        inside[[0, -1]] = False
    return np.logical_and(mask, ~inner)


def _nearest(surface: np.ndarray, other: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the distance of every voxel of one surface to the nearest voxel of the other."""
    if surface.ndim == 0:
        return np.zeros(1)
    if np.count_nonzero(surface) > DENSE * surface.size:
        from scipy.ndimage import distance_transform_edt

        return np.asarray(distance_transform_edt(~other, sampling=size)[surface], dtype=float)
    from scipy.spatial import cKDTree

    # Surface voxels are spread evenly already; balancing the tree costs more than it saves.
    tree = cKDTree(np.argwhere(other) * size, balanced_tree=False, compact_nodes=False)
    return np.asarray(tree.query(np.argwhere(surface) * size)[0], dtype=float)

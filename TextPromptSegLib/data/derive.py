"""Labels that follow from the image or from other labels; the model card calls them automatic.

``lungs`` from CT in HU (air of lung density inside the body), and the sides of an unsided pair
of lungs. Left and right come from the geometry: everything here is in canonical LPS order, where
the patient's right has the smaller i.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import ndimage

LUNG_HU = (-950.0, -400.0)
"""Aerated lung after smoothing; outside air, trachea and bowel gas are darker than the lower
bound."""


def derived_masks(
    names: Sequence[str], volume: np.ndarray, masks: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return further masks (K, J, I) bool for a canonical volume.

    Args:
        names: ``ct_lungs`` (from the voxel values) or ``lung_sides`` (from the mask "lungs").
        volume: (K, J, I) voxel values, canonical LPS; HU for ``ct_lungs``.
        masks: what is labelled already; those win over derived ones.

    Raises:
        ValueError: for an unknown rule.
    """
    result: dict[str, np.ndarray] = {}
    for name in names:
        if name == "ct_lungs":
            lungs = ct_lungs(volume)
        elif name == "lung_sides":
            if "lungs" not in masks:
                continue
            lungs = masks["lungs"]
        else:
            raise ValueError(f"there is no rule '{name}' to derive labels")
        right, left = split_sides(lungs)
        for key, mask in (("right lung", right), ("left lung", left), ("lungs", lungs)):
            if mask.any() and key not in masks:
                result[key] = mask
    return result


def ct_lungs(volume: np.ndarray) -> np.ndarray:
    """Return aerated lung (K, J, I) bool of a CT in HU: the large parts of lung density."""
    smooth = ndimage.uniform_filter(volume.astype(np.float32), size=(1, 3, 3))
    lung = (smooth > LUNG_HU[0]) & (smooth < LUNG_HU[1])
    # vessels, and the thin shell of partial volume around the body
    lung = ndimage.binary_opening(lung, iterations=2)
    labels, count = ndimage.label(lung)
    if not count:
        return np.zeros(volume.shape, bool)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    lung = sizes[labels] >= max(0.1 * sizes.max(), 0.002 * volume.size)
    closing = np.ones((1, 7, 7), bool)
    lung = ndimage.binary_dilation(lung, iterations=2) & (smooth < -250)
    return ndimage.binary_closing(lung, closing) | lung


def split_sides(lungs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split a pair of lungs (K, J, I) into (right, left) by its parts' places.

    The two largest cores (after an erosion that cuts thin bridges) are the lungs; every voxel
    goes to the nearer core. A single core is one side's lung: right of the picture's middle.
    """
    nothing = np.zeros(lungs.shape, bool)
    if not lungs.any():
        return nothing, nothing
    flat = lungs.shape[0] == 1
    structure = np.ones((1, 3, 3), bool) if flat else None
    for rounds in (0, 2, 4, 6):
        core = ndimage.binary_erosion(lungs, structure, iterations=rounds) if rounds else lungs
        labels, count = ndimage.label(core)
        if not count:
            break
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        order = np.argsort(sizes)[::-1]
        if count >= 2 and sizes[order[1]] >= 0.15 * sizes[order[0]]:
            a, b = labels == order[0], labels == order[1]
            nearer_a = ndimage.distance_transform_edt(~a) <= ndimage.distance_transform_edt(~b)
            first, second = lungs & nearer_a, lungs & ~nearer_a
            if _centre(a) <= _centre(b):
                return first, second
            return second, first
    if _centre(lungs) < (lungs.shape[2] - 1) / 2:
        return lungs, nothing
    return nothing, lungs


def _centre(mask: np.ndarray) -> float:
    """Return the mean i of a mask; smaller is nearer to the patient's right."""
    return float(np.nonzero(mask)[2].mean())

"""Regions of interest: a markups ROI node or six numbers, in the world."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import vtk

from .geometry import to_numpy

if TYPE_CHECKING:
    from TextPromptSegLib.image.volume import Volume
    from TextPromptSegLib.prompting.segmentation import Segmentation

Box = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class Region:
    """A box in the world, possibly turned.

    Attributes:
        box: x0, x1, y0, y1, z0, z1 of the smallest upright box around it, RAS mm.
        to_world: (4, 4) from the box's own axes to the world, mm.
        size: edge lengths along its own axes, (3,), mm.
    """

    box: Box
    to_world: np.ndarray
    size: np.ndarray

    def trim(self, segmentation: Segmentation, volume: Volume) -> Segmentation:
        """Cut a result to the box itself where that is smaller than the block of voxels around it.

        The predictor works on whole blocks of voxels. With a turned box, or an oblique volume, the
        corners of the block lie outside the box.
        """
        if segmentation.probability is None or self._is_along(volume):
            return segmentation
        from TextPromptSegLib.inference.answers import rethreshold

        block = volume.box_to_slices(*self.box)
        probability = np.zeros_like(segmentation.probability)
        probability[block] = segmentation.probability[block] * self._inside(block, volume)
        # The threshold again, so that mask, outcome, numbers and sentence all fit the box.
        return rethreshold(replace(segmentation, probability=probability), segmentation.threshold)

    def _is_along(self, volume: Volume) -> bool:
        """Whether the box's edges run along the volume's voxel axes."""
        axes = np.linalg.inv(volume.ijk_to_ras[:3, :3]) @ self.to_world[:3, :3]
        axes /= np.abs(axes).max(axis=0)
        return bool((np.sort(np.abs(axes), axis=0)[:2] < 1e-3).all())

    def _inside(self, block: tuple[slice, ...], volume: Volume) -> np.ndarray:
        """Return (K, J, I) bool over a block: voxel centres inside the box."""
        to_box = np.linalg.inv(self.to_world) @ volume.ijk_to_ras
        k, j, i = np.ogrid[block]
        inside = np.ones(tuple(s.stop - s.start for s in block), bool)
        for axis in range(3):
            row = to_box[axis]
            position = row[0] * i + row[1] * j + row[2] * k + row[3]
            inside &= np.abs(position) <= self.size[axis] / 2
        return inside


def region_of(roi: Any) -> Region | None:
    """Return the region of a markups ROI node or of six numbers; None for None.

    Args:
        roi: vtkMRMLMarkupsROINode (turned and transformed ones too), a sequence
            (x0, x1, y0, y1, z0, z1) in RAS mm, or None.

    Raises:
        InputError: when it is neither, is empty, or is turned inside out.
    """
    from TextPromptSegLib.outcome import InputError

    if roi is None:
        return None
    if hasattr(roi, "IsA"):
        return _region_of_node(roi)
    try:
        numbers = np.array([float(value) for value in roi])
    except (TypeError, ValueError):
        numbers = np.zeros(0)
    if numbers.shape != (6,) or not np.isfinite(numbers).all():
        raise InputError(
            "A region is a markups ROI node or six numbers x0, x1, y0, y1, z0, z1 (RAS, mm)."
        )
    ranges = np.sort(numbers.reshape(3, 2), axis=1)
    to_world = np.eye(4)
    to_world[:3, 3] = ranges.mean(axis=1)
    return Region(_box(ranges), to_world, ranges[:, 1] - ranges[:, 0])


def box_of_roi(roi: Any) -> Box | None:
    """Return x0, x1, y0, y1, z0, z1 (RAS, mm) of the upright box around a region, or None."""
    region = region_of(roi)
    return None if region is None else region.box


def _region_of_node(node: Any) -> Region:
    from TextPromptSegLib.outcome import InputError

    name = node.GetName()
    if not node.IsA("vtkMRMLMarkupsROINode"):
        raise InputError(f"'{name}' is no region of interest; choose a markups ROI node.")
    if node.GetInsideOut():
        raise InputError(f"The region '{name}' is turned inside out; switch that off first.")
    size = np.array(node.GetSize(), dtype=float)
    if not (size > 0).all():
        raise InputError(f"The region '{name}' is empty; give it a size first.")
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(node.GetObjectToWorldMatrix())
    to_world = to_numpy(matrix)
    # Under a scaling transform the columns are longer than 1; size is then along scaled axes.
    scale = np.linalg.norm(to_world[:3, :3], axis=0)
    to_world[:3, :3] /= scale
    size = size * scale
    corners = np.array(np.meshgrid([-0.5, 0.5], [-0.5, 0.5], [-0.5, 0.5])).reshape(3, -1)
    points = to_world[:3, :3] @ (corners * size[:, None]) + to_world[:3, 3:]
    return Region(_box(np.stack([points.min(axis=1), points.max(axis=1)], axis=1)), to_world, size)


def _box(ranges: np.ndarray) -> Box:
    x0, x1, y0, y1, z0, z1 = (float(value) for value in ranges.ravel())
    return x0, x1, y0, y1, z0, z1

"""Which slice the user is looking at, from the slice view nodes of the scene; needs no layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import slicer

if TYPE_CHECKING:
    from TextPromptSegLib.image.volume import Volume

_PLANES = ("sagittal", "coronal", "axial")  # by the axis (R, A, S) that the view looks along
_AXES = {"axial": 0, "coronal": 1, "sagittal": 2}


def plane_of(slice_node: Any) -> str:
    """Return the plane that a slice view is nearest to."""
    matrix = slice_node.GetSliceToRAS()
    normal = [abs(matrix.GetElement(row, 2)) for row in range(3)]
    return _PLANES[int(np.argmax(normal))]


def slice_view(planes: tuple[str, ...], preferred_id: str | None = None) -> Any:
    """Return the slice view node to preview in.

    Args:
        planes: planes that the checkpoint can look at, the best first.
        preferred_id: the view that was used last; it is taken when its plane will do.

    Returns:
        A vtkMRMLSliceNode, or None when no view has one of the planes.
    """
    preferred = slicer.mrmlScene.GetNodeByID(preferred_id) if preferred_id else None
    if preferred is not None and plane_of(preferred) in planes:
        return preferred
    nodes = slicer.util.getNodesByClass("vtkMRMLSliceNode")
    for plane in planes:
        for node in nodes:
            if plane_of(node) == plane:
                return node
    return None


def slice_number(slice_node: Any, volume: Volume) -> int | None:
    """Return which slice of a volume a view shows, counted as in the file along the view's plane.

    Returns:
        The number from 0, or None when the view lies outside the volume.
    """
    matrix = slice_node.GetSliceToRAS()
    point = np.array([matrix.GetElement(row, 3) for row in range(3)])
    axis = file_axis(volume, plane_of(slice_node))
    index = float(volume.ras_to_index(point)[2 - axis])
    number = int(np.floor(index + 0.5))
    return number if 0 <= number < volume.shape[axis] else None


def file_axis(volume: Volume, plane: str) -> int:
    """Return the axis (0 K, 1 J, 2 I) of the file along which the slices of a plane lie."""
    return volume.orientation("LPS").source[_AXES[plane]]


def slice_count(volume: Volume, plane: str) -> int:
    """Return how many slices a volume has along a plane."""
    return volume.shape[file_axis(volume, plane)]


def jump_to(point: np.ndarray) -> None:
    """Show a point (RAS, mm) in all slice views."""
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        node.JumpSliceByCentering(*(float(value) for value in point))

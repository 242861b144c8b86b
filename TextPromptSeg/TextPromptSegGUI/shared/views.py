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


def visible_views() -> list[Any]:
    """Return the slice view nodes that the layout shows; without a layout all there are."""
    nodes = list(slicer.util.getNodesByClass("vtkMRMLSliceNode"))
    return [node for node in nodes if node.IsMappedInLayout()] or nodes


def looked_at(preferred_id: str | None = None) -> Any:
    """Return the slice view that was used last, or the first one that is shown; None without."""
    shown = visible_views()
    return next((node for node in shown if node.GetID() == preferred_id), next(iter(shown), None))


def slice_view(planes: tuple[str, ...], preferred_id: str | None = None) -> Any:
    """Return the slice view node to preview in.

    Args:
        planes: planes that the checkpoint can look at, the best first.
        preferred_id: the view that was used last; it is taken when its plane will do.

    Returns:
        A vtkMRMLSliceNode that is shown, or None when none of them has one of the planes.
    """
    shown = visible_views()
    fitting = [node for plane in planes for node in shown if plane_of(node) == plane]
    return next(
        (node for node in fitting if node.GetID() == preferred_id), next(iter(fitting), None)
    )


def slice_number(slice_node: Any, volume: Volume, plane: str | None = None) -> int | None:
    """Return which slice of a volume goes through the middle of a view, counted as in the file.

    Args:
        slice_node: the view.
        volume: the image.
        plane: of the slices; the view's own by default.

    Returns:
        The number from 0, or None when the view lies outside the volume.
    """
    matrix = slice_node.GetSliceToRAS()
    point = np.array([matrix.GetElement(row, 3) for row in range(3)])
    axis = file_axis(volume, plane or plane_of(slice_node))
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

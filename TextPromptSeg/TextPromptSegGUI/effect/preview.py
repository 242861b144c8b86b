"""A result shown over slices before it is applied, in nodes that the scene does not keep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from ..shared.overlays import remove_with_display

if TYPE_CHECKING:
    from TextPromptSegLib.image.volume import Volume
    from TextPromptSegLib.prompting.segmentation import Segmentation

_REPRESENTATION = "Binary labelmap"
_PALE = 0.15
_LINE_COLOR = (1.0, 0.65, 0.0)


class Preview:
    """A hidden segmentation node that shows masks of one slice in the slice views.

    It joins the scene hidden and complete, so that the subject hierarchy makes no items for it,
    which a saved scene would keep; after that only the voxels of its segments change. (Slicer's
    plugin for segmentations logs an error for a segment that comes, goes or changes without an
    item.) Another threshold replaces the voxels of one slice, which takes milliseconds.
    """

    def __init__(self) -> None:
        """Start without a node."""
        self._node_id = ""
        self._shown: tuple[Any, ...] = ()

    @property
    def node(self) -> Any:
        """The segmentation node, None while there is no preview."""
        return slicer.mrmlScene.GetNodeByID(self._node_id) if self._node_id else None

    @property
    def visible(self) -> bool:
        """Whether anything is shown."""
        node = self.node
        return node is not None and node.GetSegmentation().GetNumberOfSegments() > 0

    def show(
        self,
        results: Sequence[Segmentation],
        volume: Volume,
        axis: int,
        number: int,
        views: Iterable[str] = (),
    ) -> None:
        """Show the masks of one slice.

        Args:
            results: answers with masks of this slice only, (K, J, I) with one voxel along ``axis``.
            volume: the image, in world coordinates.
            axis: axis of the array (0 K, 1 J, 2 I) along which the slice lies.
            number: the slice.
            views: IDs of the slice views that show it; all of them by default.
        """
        from TextPromptSegMRML.geometry import oriented_image

        start = [0, 0, 0]  # i, j, k
        start[2 - axis] = number
        images = [oriented_image(result.mask, volume.ijk_to_ras, start) for result in results]
        names = tuple((r.prompt.phrase(), bool(r.unusual)) for r in results)
        shown, node = (names, tuple(views)), self.node
        if node is None or shown != self._shown:
            self.clear()
            self._make(results, images, shown[1])
            self._shown = shown
            return
        was_modified = node.StartModify()
        segmentation = node.GetSegmentation()
        for index, image in enumerate(images):
            segment = segmentation.GetSegment(_segment_id(index))
            segment.GetRepresentation(_REPRESENTATION).DeepCopy(image)
        node.Modified()
        # Any further event would make each view draw at once and again, inside the slider's own
        # event, instead of when the window is idle.
        node.EndModify(was_modified)

    def clear(self) -> None:
        """Remove the preview and its node."""
        node, self._node_id, self._shown = self.node, "", ()
        if node is not None:
            node.DisableModifiedEventOn()  # losing the display node is a change of its look
            remove_with_display(node)

    def _make(self, results: Sequence[Segmentation], images: list[Any], views: Any) -> None:
        from TextPromptSegMRML.terminology import describe_segment

        node = hidden_node("vtkMRMLSegmentationNode", _("Text prompt preview"))
        segmentation = node.GetSegmentation()
        segmentation.SetSourceRepresentationName(_REPRESENTATION)
        for index, (result, image) in enumerate(zip(results, images, strict=True)):
            segment = slicer.vtkSegment()
            segment.SetName(result.prompt.name)
            describe_segment(segment, result.prompt)
            segment.SetLabelValue(1)
            segment.AddRepresentation(_REPRESENTATION, image)
            segmentation.AddSegment(segment, _segment_id(index))
        # Slicer's plugin for segmentations also logs an error when the look of a node without an
        # item changes: the display node comes first, and both are silent then.
        display = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationDisplayNode")
        display.DisableModifiedEventOn()
        hide_display(display, views)
        display.SetVisibility3D(False)
        node.SetAndObserveDisplayNodeID(display.GetID())
        node.DisableModifiedEventOn()
        slicer.mrmlScene.AddNode(node)
        node.DisableModifiedEventOff()
        self._node_id = node.GetID()
        display.SetAllSegmentsOpacity2DFill(1.0)
        display.SetOpacity2DFill(0.35)
        display.SetOpacity2DOutline(1.0)
        for index, result in enumerate(results):
            if result.unusual:
                display.SetSegmentOpacity2DFill(_segment_id(index), _PALE)
                display.SetSegmentOpacity2DOutline(_segment_id(index), 0.5)
        node.Modified()


class SliceLine:
    """A line in the other slice views where the slice of the preview lies."""

    def __init__(self) -> None:
        """Start without a node."""
        self._node_id = ""

    @property
    def node(self) -> Any:
        """The model node, None while no line is shown."""
        return slicer.mrmlScene.GetNodeByID(self._node_id) if self._node_id else None

    def show(self, volume: Volume, axis: int, number: int, views: Sequence[str]) -> None:
        """Show where a slice lies.

        Args:
            volume: the image, in world coordinates.
            axis: axis of the array (0 K, 1 J, 2 I) along which the slice lies.
            number: the slice.
            views: IDs of the slice views that cross it; without any there is no line.
        """
        if not views:
            self.clear()
            return
        node = self.node
        if node is None:
            node = hidden_node("vtkMRMLModelNode", _("Text prompt slice"))
            slicer.mrmlScene.AddNode(node)
            self._node_id = node.GetID()
            node.CreateDefaultDisplayNodes()
        display = hidden_display(node, views)
        display.SetVisibility3D(False)
        display.SetVisibility2D(True)
        display.SetColor(*_LINE_COLOR)
        display.SetSliceIntersectionThickness(1)
        node.SetAndObservePolyData(_rectangle(slice_corners(volume, axis, number)))

    def clear(self) -> None:
        """Remove the line."""
        node, self._node_id = self.node, ""
        if node is not None:
            remove_with_display(node)


def slice_corners(volume: Volume, axis: int, number: int) -> np.ndarray:
    """Return the corners (4, 3) of the middle of a slice, RAS mm, one after the other."""
    size = volume.shape
    first, second = (other for other in range(3) if other != axis)
    corners = []
    for one, two in ((0, 0), (1, 0), (1, 1), (0, 1)):
        index = [0.0, 0.0, 0.0]  # k, j, i
        index[axis] = float(number)
        index[first], index[second] = one * size[first] - 0.5, two * size[second] - 0.5
        corners.append(index[::-1])
    return np.asarray(volume.index_to_ras(np.array(corners)))


def hidden_node(class_name: str, name: str) -> Any:
    """Return a node that is not in the scene yet, will not be saved, and appears nowhere."""
    node = slicer.mrmlScene.CreateNodeByClass(class_name)
    node.UnRegister(None)
    node.SetName(slicer.mrmlScene.GenerateUniqueName(name))
    node.SetSaveWithScene(False)
    node.SetHideFromEditors(True)
    return node


def hidden_display(node: Any, views: Iterable[str]) -> Any:
    """Return the display node, which is not saved either, shown in some views; () for all."""
    display = node.GetDisplayNode()
    hide_display(display, views)
    return display


def hide_display(display: Any, views: Iterable[str]) -> None:
    """Keep a display node out of lists and saved scenes, shown in some views; () for all."""
    display.SetHideFromEditors(True)
    display.SetSaveWithScene(False)
    display.RemoveAllViewNodeIDs()
    for view in views:
        display.AddViewNodeID(view)


def _segment_id(index: int) -> str:
    return f"preview_{index}"


def _rectangle(corners: np.ndarray) -> Any:
    points, cells = vtk.vtkPoints(), vtk.vtkCellArray()
    cells.InsertNextCell(len(corners))
    for corner in corners:
        cells.InsertCellPoint(points.InsertNextPoint(*(float(v) for v in corner)))
    data = vtk.vtkPolyData()
    data.SetPoints(points)
    data.SetPolys(cells)
    return data

"""A result shown over one slice before it is applied, in a segmentation of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from ..shared.overlays import remove_with_display

if TYPE_CHECKING:
    from TextPromptSegLib.image.volume import Volume
    from TextPromptSegLib.prompting.segmentation import Segmentation

_REPRESENTATION = "Binary labelmap"


class Preview:
    """A hidden segmentation node that shows masks in the slice views.

    It is not saved with the scene, does not appear in selectors, and is made when it is first
    needed. Changing the threshold only replaces the voxels of one slice, which takes milliseconds.
    """

    def __init__(self) -> None:
        """Start without a node."""
        self._node_id = ""

    @property
    def node(self) -> Any:
        """The segmentation node, None while there is no preview."""
        return slicer.mrmlScene.GetNodeByID(self._node_id) if self._node_id else None

    @property
    def visible(self) -> bool:
        """Whether anything is shown."""
        node = self.node
        return node is not None and node.GetSegmentation().GetNumberOfSegments() > 0

    def show(self, results: Sequence[Segmentation], volume: Volume, axis: int, number: int) -> None:
        """Show the masks of one slice.

        Args:
            results: answers with masks of this slice only, (K, J, I) with one voxel along ``axis``.
            volume: the image, in world coordinates.
            axis: axis of the array (0 K, 1 J, 2 I) along which the slice lies.
            number: the slice.
        """
        from TextPromptSegMRML.geometry import oriented_image
        from TextPromptSegMRML.terminology import describe_segment

        node = self._ready_node()
        segmentation = node.GetSegmentation()
        start = [0, 0, 0]  # i, j, k
        start[2 - axis] = number
        was_modified = node.StartModify()
        wanted = [f"preview_{index}" for index in range(len(results))]
        for name in list(segmentation.GetSegmentIDs()):
            if name not in wanted:
                segmentation.RemoveSegment(name)
        for name, result in zip(wanted, results, strict=True):
            segment = segmentation.GetSegment(name)
            if segment is None:
                segmentation.AddEmptySegment(name, result.prompt.name)
                segment = segmentation.GetSegment(name)
                describe_segment(segment, result.prompt)
            elif segment.GetName() != result.prompt.name:
                segment.SetName(result.prompt.name)
                describe_segment(segment, result.prompt)
            image = oriented_image(result.mask, volume.ijk_to_ras, start)
            segment.SetLabelValue(1)
            segment.AddRepresentation(_REPRESENTATION, image)
        # This passes the segments' events on, as one. Any further event would make each view draw
        # at once and again, inside the slider's own event, instead of when the window is idle.
        node.EndModify(was_modified)

    def clear(self) -> None:
        """Remove the preview and its node."""
        node = self.node
        self._node_id = ""
        if node is not None:
            remove_with_display(node)

    def _ready_node(self) -> Any:
        node = self.node
        if node is not None:
            return node
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentationNode")
        node.UnRegister(None)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(_("Text prompt preview")))
        node.SetAttribute("SubjectHierarchy.ExcludeFromTree", "1")
        node.SetSaveWithScene(False)
        slicer.mrmlScene.AddNode(node)
        # Only now: a node that joins the scene hidden gets no item in the subject hierarchy, whose
        # plugin for segmentations then logs an error for every change of the preview.
        node.SetHideFromEditors(True)
        node.GetSegmentation().SetSourceRepresentationName(_REPRESENTATION)
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetHideFromEditors(True)
        display.SetSaveWithScene(False)
        display.SetVisibility3D(False)
        display.SetAllSegmentsOpacity2DFill(1.0)
        display.SetOpacity2DFill(0.35)
        display.SetOpacity2DOutline(1.0)
        self._node_id = node.GetID()
        return node

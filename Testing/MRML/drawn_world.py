"""A volume and a segmentation with two drawn segments, to write results beside."""

from __future__ import annotations

import mrml_helpers as helpers
import numpy as np
import slicer

from TextPromptSegMRML.segments import write_segments

EVERYWHERE = slicer.vtkMRMLSegmentationNode.EditAllowedEverywhere
INSIDE_ALL = slicer.vtkMRMLSegmentationNode.EditAllowedInsideAllSegments
INSIDE_VISIBLE = slicer.vtkMRMLSegmentationNode.EditAllowedInsideVisibleSegments
OUTSIDE_ALL = slicer.vtkMRMLSegmentationNode.EditAllowedOutsideAllSegments
OUTSIDE_VISIBLE = slicer.vtkMRMLSegmentationNode.EditAllowedOutsideVisibleSegments
INSIDE_ONE = slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment
OVERWRITE_ALL = slicer.vtkMRMLSegmentEditorNode.OverwriteAllSegments
OVERWRITE_VISIBLE = slicer.vtkMRMLSegmentEditorNode.OverwriteVisibleSegments
OVERWRITE_NONE = slicer.vtkMRMLSegmentEditorNode.OverwriteNone

SHAPE = (10, 12, 14)


def box(k, j, i):
    mask = np.zeros(SHAPE, np.uint8)
    mask[slice(*k), slice(*j), slice(*i)] = 1
    return mask


LEFT = box((2, 7), (2, 9), (1, 6))
RIGHT = box((3, 8), (4, 11), (8, 13))
MIDDLE = box((4, 6), (5, 8), (4, 10))  # overlaps both


class World:
    """A volume, a segmentation with two drawn segments, and ways to look at them."""

    def __init__(self, masks=(LEFT, RIGHT)):
        matrix = helpers.placed(np.diag([-1.0, -1, 1]), SHAPE)
        ramp = np.broadcast_to(np.arange(SHAPE[2]), SHAPE).astype(np.int16) * 10
        self.volume = helpers.volume_node(ramp, matrix)
        self.node = helpers.segmentation_node(self.volume)
        self.left = helpers.add_segment(self.node, "my left", masks[0], self.volume)
        self.right = helpers.add_segment(self.node, "my right", masks[1], self.volume)

    def write(self, *results, **options):
        return write_segments(self.node, self.volume, list(results), **options)

    def voxels(self, segment_id):
        return helpers.voxels(self.node, segment_id, self.volume)

    def snapshot(self):
        return helpers.snapshot(self.node, self.volume)

    def names(self):
        segmentation = self.node.GetSegmentation()
        return [segmentation.GetSegment(s).GetName() for s in segmentation.GetSegmentIDs()]

    def editor(self, **settings):
        return helpers.editor_node(self.node, self.volume, **settings)

    def hide(self, segment_id):
        self.node.GetDisplayNode().SetSegmentVisibility(segment_id, False)

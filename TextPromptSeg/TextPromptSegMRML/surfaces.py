"""Segments as surfaces in the 3-D views."""

from __future__ import annotations

from typing import Any

_CLOSED_SURFACE = "Closed surface"


def shows_surfaces(segmentation_node: Any) -> bool:
    """Return whether a segmentation is drawn in the 3-D views."""
    display = segmentation_node.GetDisplayNode()
    has = segmentation_node.GetSegmentation().ContainsRepresentation(_CLOSED_SURFACE)
    return bool(has and display is not None and display.GetVisibility3D())


def toggle_surfaces(segmentation_node: Any) -> bool:
    """Show a segmentation in the 3-D views, or hide it there; returns whether it is shown now.

    As Segment Editor's own button does: the surfaces are made, kept up to date by edits while they
    are shown, and removed when they are not, because keeping them up to date costs time.
    """
    if shows_surfaces(segmentation_node):
        segmentation_node.RemoveClosedSurfaceRepresentation()
        return False
    if segmentation_node.GetDisplayNode() is None:
        segmentation_node.CreateDefaultDisplayNodes()
    segmentation_node.CreateClosedSurfaceRepresentation()
    segmentation_node.GetDisplayNode().SetVisibility3D(True)
    return True

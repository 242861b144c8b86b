"""What writing did to a segmentation, and what the user has to know of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .editing import Editor
from .geometry import image_array, is_empty_image

_log = logging.getLogger(__name__)
_BINARY_LABELMAP = "Binary labelmap"

PALE = 0.35
"""Opacity of a segment that is found, but unusual."""


@dataclass(frozen=True)
class WrittenSegment:
    """What one segment got.

    Attributes:
        segment_id: ID of the segment.
        name: its name now.
        voxels: number of its voxels after writing, in the segmentation's lattice.
        cut: share of the result, in [0, 1], that lies outside the segmentation's geometry.
        masked: share of the rest that masking kept out.
        note: one sentence for the user, empty when there is nothing to say.
    """

    segment_id: str
    name: str
    voxels: int
    cut: float = 0.0
    masked: float = 0.0
    note: str = ""


class Losses:
    """Counts what other segments lose to the one that is written."""

    def __init__(self, segmentation: Any, segment_ids: Iterable[str]) -> None:
        """Count the voxels of segments before the writing."""
        self._segmentation = segmentation
        self._before = {name: voxel_count(segmentation, name) for name in segment_ids}

    def told(self, written: list[WrittenSegment]) -> list[WrittenSegment]:
        """Return what was written, the first with a note on what was taken from others."""
        notes = []
        for name, before in self._before.items():
            segment = self._segmentation.GetSegment(name)
            lost = before - voxel_count(self._segmentation, name) if segment is not None else 0
            if lost > 0:
                notes.append(f"{lost:,} voxels were taken from '{segment.GetName()}'.")
        if not notes or not written:
            return written
        note = " ".join([written[0].note, *notes]).strip()
        return [replace(written[0], note=note), *written[1:]]


def voxel_count(segmentation: Any, segment_id: str) -> int:
    """Return how many voxels a segment has in its own lattice."""
    segment = segmentation.GetSegment(segment_id)
    image = segment.GetRepresentation(_BINARY_LABELMAP)
    if image is None or is_empty_image(image):
        return 0
    return int(np.count_nonzero(image_array(image) == segment.GetLabelValue()))


def show_doubt(segmentation_node: Any, segment_id: str, doubts: Sequence[str]) -> None:
    """Draw a segment paler that can hardly be its structure; another answer takes it back."""
    display = segmentation_node.GetDisplayNode()
    if display is None:
        return
    was_pale = display.GetSegmentOpacity2DFill(segment_id) == PALE
    if doubts or was_pale:
        display.SetSegmentOpacity2DFill(segment_id, PALE if doubts else 1.0)
        display.SetSegmentOpacity3D(segment_id, PALE if doubts else 1.0)


def masked_share(mask: np.ndarray, editable: np.ndarray | None) -> float:
    """Return the share of a mask that lies outside the editable area."""
    count = int(np.count_nonzero(mask))
    if editable is None or count == 0:
        return 0.0
    return 1.0 - int(np.count_nonzero(mask & editable)) / count


def report(editor: Editor, segment_id: str, cut: float, masked: float) -> WrittenSegment:
    """Return what a segment got, with sentences on what it did not."""
    name = editor.segmentation.GetSegment(segment_id).GetName()
    voxels = int(np.count_nonzero(editor.segment_array(segment_id)))
    notes = []
    if cut > 0.005:
        notes.append(f"{cut:.0%} of {name} lies outside the geometry of the segmentation.")
    if masked > 0.005:
        notes.append(f"Masking kept {masked:.0%} of {name} out.")
    for note in notes:
        _log.info(note)
    return WrittenSegment(segment_id, name, voxels, cut, masked, " ".join(notes))


def verify(entry: WrittenSegment, wanted: int) -> None:
    """The editor logic gives up without an error; a lost segment must not pass as written."""
    if entry.voxels != wanted:
        from TextPromptSegLib.outcome import OutputError

        raise OutputError(
            f"The segmentation took {entry.voxels} of {wanted} voxels of {entry.name}; "
            "write to a new segmentation."
        )

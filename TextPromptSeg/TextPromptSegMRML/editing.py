"""Segment Editor without its window: masks, modes and undo for one run of writing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import slicer

from .geometry import image_array, image_start, image_to_world, is_empty_image, oriented_image

_BINARY_LABELMAP = "Binary labelmap"


class SavedState:
    """Undo of whole runs, for doors that have no Segment Editor (console, panel, batch).

    One `save` before a run is one step; a Segment Editor effect passes its own
    ``saveStateForUndo`` to the writer instead.
    """

    def __init__(self, steps: int = 5) -> None:
        """Keep at most `steps` full copies of a segmentation."""
        self._history = slicer.vtkSegmentationHistory()
        self._history.SetMaximumNumberOfStates(steps)
        self._segmentation: Any = None

    def save(self, segmentation_node: Any) -> None:
        """Remember the segmentation as it is now; another segmentation starts a new history."""
        segmentation = segmentation_node.GetSegmentation()
        if segmentation is not self._segmentation:
            self._history.RemoveAllStates()
            self._history.SetSegmentation(segmentation)
            self._segmentation = segmentation
        self._history.SaveState()

    def undo(self) -> bool:
        """Take back the last run; False when there is nothing to take back."""
        return self._segmentation is not None and bool(self._history.RestorePreviousState())

    def redo(self) -> bool:
        """Bring back the last undone run; False when there is none."""
        return self._segmentation is not None and bool(self._history.RestoreNextState())

    def clear(self) -> None:
        """Forget all states and let go of the segmentation."""
        self._history.RemoveAllStates()
        self._history.SetSegmentation(None)
        self._segmentation = None


class Editor:
    """The real vtkSlicerSegmentEditorLogic over a private copy of the user's editor settings.

    The copy never joins the scene, so the user's own editor node (overwrite mode, selected
    segment, effect) is left exactly as it is, also when writing fails half-way.
    """

    def __init__(self, segmentation_node: Any, volume_node: Any, settings: Any = None) -> None:
        """Prepare writing into a segmentation.

        Args:
            segmentation_node: the vtkMRMLSegmentationNode.
            volume_node: the volume that gives a new segmentation its geometry.
            settings: a vtkMRMLSegmentEditorNode whose masking and overwrite mode hold, or None:
                write everywhere and overwrite nothing.

        Raises:
            InputError: when the segments are not binary label maps.
            DependencyError: when this Slicer is too old.
        """
        from TextPromptSegLib.outcome import DependencyError, InputError

        if not hasattr(slicer, "vtkSlicerSegmentEditorLogic"):
            raise DependencyError("Writing segments needs Slicer 5.10 or newer; update Slicer.")
        self.node = segmentation_node
        self.segmentation = segmentation_node.GetSegmentation()
        self.settings = settings
        if self.segmentation.GetNumberOfSegments() == 0:
            self.segmentation.SetSourceRepresentationName(_BINARY_LABELMAP)
        elif self.segmentation.GetSourceRepresentationName() != _BINARY_LABELMAP:
            raise InputError(
                f"The segmentation '{segmentation_node.GetName()}' is stored as "
                f"{self.segmentation.GetSourceRepresentationName().lower()}; make its binary "
                "labelmap the source representation first, or write to a new segmentation."
            )
        source = settings.GetSourceVolumeNode() if settings is not None else None
        self._node = slicer.vtkMRMLSegmentEditorNode()
        self._node.SetScene(segmentation_node.GetScene())
        self._node.SetAndObserveSegmentationNode(segmentation_node)
        if source is not None:
            self._node.SetAndObserveSourceVolumeNode(source)
        self._apply_settings(None)
        self._logic = slicer.vtkSlicerSegmentEditorLogic()
        self._logic.SetMRMLScene(segmentation_node.GetScene())
        self._logic.SetSegmentEditorNode(self._node)
        if not slicer.vtkSlicerSegmentEditorLogic.GetReferenceImageGeometryStringFromSegmentation(
            self.segmentation
        ):
            segmentation_node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
        if not self._logic.ResetModifierLabelmapToDefault():
            raise InputError(
                f"The segmentation '{segmentation_node.GetName()}' has no geometry; set its source "
                "volume first."
            )

    def close(self) -> None:
        """Let go of all nodes."""
        self._logic.SetSegmentEditorNode(None)
        self._node.SetAndObserveSourceVolumeNode(None)
        self._node.SetAndObserveSegmentationNode(None)
        self._logic.SetMRMLScene(None)

    @property
    def reference(self) -> Any:
        """The vtkOrientedImageData whose lattice and extent modifiers have."""
        return self._logic.GetModifierLabelmap()

    @property
    def is_inside_one_segment(self) -> bool:
        """Whether the user lets edits happen inside one segment only."""
        return self.settings is not None and bool(
            self.settings.GetMaskMode()
            == slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment
        )

    def editable(self, segment_id: str = "") -> np.ndarray | None:
        """Return where the user's settings allow writing, (K, J, I) bool over `reference`.

        Taken before anything is written: segments of this run must not mask each other, nor may
        the area shrink because an older segment was overwritten a moment ago.

        Args:
            segment_id: the segment that is edited; its own voxels do not mask it.

        Returns:
            The area, or None for everywhere.
        """
        if not self._is_masked():
            return None
        self._apply_settings(segment_id)
        mask = slicer.vtkOrientedImageData()
        source, limits = None, [0.0, 0.0]
        if self.settings.GetSourceVolumeIntensityMask():
            limits = list(self.settings.GetSourceVolumeIntensityMaskRange())
            source = self._aligned_source()
        done = self.node.GenerateEditMask(
            mask,
            self._node.GetMaskMode(),
            self.reference,
            segment_id,
            self._node.GetMaskSegmentID() or "",
            source,
            limits,
        )
        self._apply_settings(None)
        if not done:
            from TextPromptSegLib.outcome import InputError

            raise InputError("The editable area of Segment Editor cannot be computed; change it.")
        return image_array(mask) == 0

    def write_masked(self, segment_id: str, mask: np.ndarray, mode: str) -> None:
        """Modify one segment under the user's masking and overwrite mode.

        Args:
            segment_id: the segment.
            mask: (K, J, I) uint8 over `reference`.
            mode: "set", "add" or "remove".
        """
        if self.settings is not None and self.settings.GetSourceVolumeIntensityMask():
            self._require_source()
        self._apply_settings(segment_id)
        try:
            # The whole extent, not the box of the mask: the logic compares it with its own masks.
            self._modify(segment_id, oriented_like(mask, self.reference), mode)
        finally:
            self._apply_settings(None)

    def write_plain(self, segment_id: str, mask: np.ndarray, mode: str) -> None:
        """Modify one segment and nothing else; `mask` as in `write_masked`."""
        box = _box(mask)
        if box is not None:
            self._modify(segment_id, oriented_like(mask, self.reference, box), mode)

    def overwritten(self, candidates: Iterable[str]) -> list[str]:
        """Return which segments the user's overwrite mode gives free, of the candidates."""
        if self.settings is None:
            return []
        mode = self.settings.GetOverwriteMode()
        if mode == slicer.vtkMRMLSegmentEditorNode.OverwriteNone:
            return []
        if mode == slicer.vtkMRMLSegmentEditorNode.OverwriteVisibleSegments:
            display = self.node.GetDisplayNode()
            if display is None:
                return []
            return [name for name in candidates if display.GetSegmentVisibility(name)]
        return list(candidates)

    def align(self, segment_id: str) -> None:
        """Bring a segment that is about to be edited into the lattice of `reference`.

        The logic's mode "set" takes the segment's own lattice for the modifier's when it clears
        old voxels, so a segment imported from another image would keep or lose the wrong ones.
        """
        image = self.segmentation.GetSegment(segment_id).GetRepresentation(_BINARY_LABELMAP)
        if image is None or is_empty_image(image):
            return
        if slicer.vtkOrientedImageDataResample.DoGeometriesMatch(image, self.reference):
            return
        mask = self.segment_array(segment_id)
        self.segmentation.ClearSegment(segment_id)
        self.write_plain(segment_id, mask, "add")

    def segment_array(self, segment_id: str) -> np.ndarray:
        """Return a segment as (K, J, I) uint8 over `reference`; empty where it has no voxels."""
        from .geometry import resample_mask

        segment = self.segmentation.GetSegment(segment_id)
        image = segment.GetRepresentation(_BINARY_LABELMAP)
        if image is None or is_empty_image(image):
            return np.zeros(self.reference.GetDimensions()[::-1], np.uint8)
        mask = (image_array(image) == segment.GetLabelValue()).astype(np.uint8)
        matrix = image_to_world(image)
        matrix[:3, 3] += matrix[:3, :3] @ np.array(image_start(image))
        return resample_mask(mask, matrix, self.reference, None)

    def _modify(self, segment_id: str, labelmap: Any, mode: str) -> None:
        modes = {
            "set": self._logic.ModificationModeSet,
            "add": self._logic.ModificationModeAdd,
            "remove": self._logic.ModificationModeRemove,
        }
        self._logic.ModifySegmentByLabelmap(
            self.node, segment_id, labelmap, modes[mode], True, False
        )

    def _is_masked(self) -> bool:
        return self.settings is not None and bool(
            self.settings.GetMaskMode() != slicer.vtkMRMLSegmentationNode.EditAllowedEverywhere
            or self.settings.GetSourceVolumeIntensityMask()
        )

    def _apply_settings(self, segment_id: str | None) -> None:
        """Take over the user's settings for a segment, or switch all off (None)."""
        node, given = self._node, self.settings if segment_id is not None else None
        everywhere = slicer.vtkMRMLSegmentationNode.EditAllowedEverywhere
        node.SetSelectedSegmentID(segment_id or "")
        node.SetMaskMode(everywhere if given is None else given.GetMaskMode())
        node.SetMaskSegmentID("" if given is None else given.GetMaskSegmentID() or "")
        node.SetSourceVolumeIntensityMask(
            False if given is None else given.GetSourceVolumeIntensityMask()
        )
        if given is not None:
            node.SetSourceVolumeIntensityMaskRange(*given.GetSourceVolumeIntensityMaskRange())
        node.SetOverwriteMode(node.OverwriteNone if given is None else given.GetOverwriteMode())

    def _aligned_source(self) -> Any:
        self._require_source()
        self._logic.UpdateAlignedSourceVolume()
        return self._logic.GetAlignedSourceVolume()

    def _require_source(self) -> None:
        source = self._node.GetSourceVolumeNode()
        if source is None or source.GetImageData() is None:
            from TextPromptSegLib.outcome import InputError

            raise InputError(
                "The editable intensity range is on, but Segment Editor has no source volume; "
                "choose one or switch the range off."
            )


def oriented_like(mask: np.ndarray, reference: Any, box: tuple[slice, ...] | None = None) -> Any:
    """Return a mask over `reference` as vtkOrientedImageData, cut to a (k, j, i) box if given."""
    start = np.array(image_start(reference))
    if box is not None:
        mask = mask[box]
        start = start + np.array([s.start for s in box[::-1]])
    return oriented_image(mask.astype(np.uint8, copy=False), image_to_world(reference), start)


def _box(mask: np.ndarray) -> tuple[slice, ...] | None:
    """Return the (k, j, i) box of the nonzero voxels, None when there are none."""
    slices = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        hit = np.flatnonzero(mask.any(axis=others))
        if hit.size == 0:
            return None
        slices.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return tuple(slices)


@contextmanager
def quiet(segmentation_node: Any) -> Iterator[None]:
    """Hold back redraws and node events until all segments of a run are written."""
    application = getattr(slicer, "app", None)
    if application is not None:
        application.pauseRender()
    was_modified = segmentation_node.StartModify()
    try:
        yield
    finally:
        segmentation_node.EndModify(was_modified)
        if application is not None:
            application.resumeRender()

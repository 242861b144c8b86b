"""Results into segments: masking, overwrite modes, geometry, one undo step for a whole run."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer

from .editing import Editor, quiet
from .geometry import ijk_to_ras, image_to_world, resample_mask, transform_between
from .provenance import write_provenance
from .scene import check_in_scene
from .terminology import describe_segment, names_another, unique_name
from .written import Losses, WrittenSegment, masked_share, report, show_doubt, verify

if TYPE_CHECKING:
    from TextPromptSegLib.image.volume import Volume
    from TextPromptSegLib.prompting.segmentation import Segmentation
    from TextPromptSegLib.prompting.vocabulary import Vocabulary

OPERATIONS = ("set", "add", "remove", "intersect")

# The names that Segment Editor gives to a segment that nobody has named yet.
_PLACEHOLDER = re.compile(r"Segment(_\d+)?")


def write_segment(
    segmentation_node: Any, volume_node: Any, segmentation: Segmentation, **options: Any
) -> WrittenSegment | None:
    """Write one result; see `write_segments` for the options. None when nothing was written."""
    written = write_segments(segmentation_node, volume_node, [segmentation], **options)
    return written[0] if written else None


def write_segments(
    segmentation_node: Any,
    volume_node: Any,
    segmentations: Sequence[Segmentation],
    *,
    volume: Volume | None = None,
    segment_id: str | None = None,
    operation: str = "set",
    editor_node: Any = None,
    logic: Any = None,
    save_state: Callable[[], Any] | None = None,
    keep_empty: bool = False,
    new_ids: Sequence[str] = (),
    vocabulary: Vocabulary | None = None,
) -> list[WrittenSegment]:
    """Write the results of one run into a segmentation, as one undo step.

    Without ``segment_id`` each result with voxels becomes a new segment: unique name, terminology,
    recommended colour, provenance tags. With it, the results change that segment by the
    ``operation``: "set" with one result replaces it, the others unite several results first. An
    empty segment takes the first of several results of "set"; a filled one is then left alone,
    and each result becomes a new segment. So is, with "set", a segment that bears the name of
    another structure: what is called "left kidney" never comes to hold a pancreas. Existing
    segments change only where the user's overwrite mode says so; segments of one run never take
    voxels from each other.

    Args:
        segmentation_node: the vtkMRMLSegmentationNode; a new one gets the volume's geometry.
        volume_node: the volume that was segmented.
        segmentations: the results; masks (K, J, I) in the order of ``volume``.
        volume: what `volume_from_node` made of the node. Needed under a non-linear transform,
            where the masks are in its lattice and not in the node's.
        segment_id: the segment to change, or None.
        operation: "set", "add", "remove" or "intersect".
        editor_node: vtkMRMLSegmentEditorNode with the user's editable area, intensity range and
            overwrite mode; None writes everywhere and overwrites nothing. It is only read.
        logic: a vtkSlicerSegmentEditorLogic; stands for its editor node and its undo history.
        save_state: called once before the first change (``scriptedEffect.saveStateForUndo``).
        keep_empty: also make (empty) segments for results without voxels.
        new_ids: IDs for the new segments, in order (frames of a sequence share them).
        vocabulary: where names, codes and colours come from; the default vocabulary by default.

    Returns:
        One entry per segment written, in the order of the results; empty when there was nothing
        to write (then no undo step was taken either).

    Raises:
        InputError: when a node is gone, the segment does not exist, or a mask does not fit.
        OutputError: when the segmentation refused the voxels.
    """
    from TextPromptSegLib.outcome import InputError

    check_in_scene(segmentation_node, "segmentation")
    if operation not in OPERATIONS:
        raise InputError(f"'{operation}' is no operation; use one of {', '.join(OPERATIONS)}.")
    if logic is not None:
        editor_node = logic.GetSegmentEditorNode() if editor_node is None else editor_node
        save_state = logic.SaveStateForUndo if save_state is None else save_state
    target = _target(segmentation_node, segment_id, operation)
    results = [s for s in segmentations if keep_empty or s.voxels > 0]
    # "set" and "intersect" with nothing found would empty the user's segment: never silently.
    if not results:
        return []
    kept = ""
    if target is not None and operation == "set":
        segment = segmentation_node.GetSegmentation().GetSegment(target)
        if names_another(segment, results[0].prompt, vocabulary):
            target, kept = None, segment.GetName()
    editor = Editor(segmentation_node, volume_node, editor_node)
    others = [name for name in editor.segmentation.GetSegmentIDs() if name != target]
    losses = Losses(editor.segmentation, editor.overwritten(others))
    try:
        masks = [
            _aligned(s.mask, segmentation_node, volume_node, volume, editor.reference)
            for s in results
        ]
        if save_state is not None:
            save_state()
        if target is not None and (operation != "set" or _has_voxels(editor, target)):
            if operation != "set" or len(segmentations) == 1:
                with quiet(segmentation_node):
                    changed = _change(editor, target, operation, results, masks)
                if operation == "set":
                    show_doubt(segmentation_node, target, results[0].unusual)
                return losses.told([changed])
            target = None
        if target is not None:
            # Not quietly: Segment Editor's table gives a segment its old codes and colour back when
            # it hears of them together with a new name.
            _rename_placeholder(editor.segmentation, target, results[0], vocabulary)
        with quiet(segmentation_node):
            written = _create(editor, target, results, masks, new_ids, vocabulary)
    finally:
        editor.close()
    for entry, result in zip(written, results, strict=True):
        show_doubt(segmentation_node, entry.segment_id, result.unusual)
    written = losses.told(written)
    if kept:
        note = f"The segment '{kept}' was left alone; {written[0].name} is a new segment."
        written[0] = replace(written[0], note=f"{note} {written[0].note}".strip())
    return written


def _target(segmentation_node: Any, segment_id: str | None, operation: str) -> str | None:
    from TextPromptSegLib.outcome import InputError

    if segment_id:
        if segmentation_node.GetSegmentation().GetSegment(segment_id) is None:
            raise InputError("The selected segment does not exist any more; select another one.")
        return segment_id
    if operation in ("remove", "intersect"):
        raise InputError(f"Select the segment to {operation} from, then run it again.")
    return None


@dataclass(frozen=True)
class _Aligned:
    """A mask in the segmentation's lattice, and the share of it that fell outside."""

    array: np.ndarray
    cut: float


def _aligned(
    mask: np.ndarray,
    segmentation_node: Any,
    volume_node: Any,
    volume: Volume | None,
    reference: Any,
) -> _Aligned:
    from TextPromptSegLib.outcome import InputError

    if volume is not None:
        # A Volume is in the world: one transform leads from there into the segmentation.
        shape, matrix = volume.shape, np.asarray(volume.ijk_to_ras)
        transform = transform_between(None, segmentation_node)
    else:
        dimensions = volume_node.GetImageData().GetDimensions()
        shape, matrix = dimensions[::-1], ijk_to_ras(volume_node)
        transform = transform_between(volume_node, segmentation_node)
    if mask.shape != tuple(shape):
        raise InputError(
            f"The result has {mask.shape} voxels and the volume {tuple(shape)}; run it again."
        )
    array = resample_mask(np.asarray(mask, np.uint8), matrix, reference, transform)
    return _Aligned(array, _cut_share(mask, matrix, transform, reference))


def _cut_share(mask: np.ndarray, matrix: np.ndarray, transform: Any, reference: Any) -> float:
    """Return the share of the mask that the reference does not cover, from a sample of voxels."""
    hits = np.flatnonzero(mask)
    if hits.size == 0:
        return 0.0
    hits = hits[:: max(1, hits.size // 4000)]
    indices = np.stack(np.unravel_index(hits, mask.shape)[::-1], axis=1)
    points = indices @ matrix[:3, :3].T + matrix[:3, 3]
    moved = np.array([transform.TransformPoint(*point) for point in points])
    inverse = np.linalg.inv(image_to_world(reference))
    index = moved @ inverse[:3, :3].T + inverse[:3, 3]
    extent = np.array(reference.GetExtent()).reshape(3, 2)
    inside = np.all((index > extent[:, 0] - 0.51) & (index < extent[:, 1] + 0.51), axis=1)
    return float(1.0 - inside.mean())


def _has_voxels(editor: Editor, segment_id: str) -> bool:
    return bool(editor.segment_array(segment_id).any())


def _change(
    editor: Editor, segment_id: str, operation: str, results: Any, masks: list[_Aligned]
) -> WrittenSegment:
    """Change one existing segment by the union of the masks, as Segment Editor would."""
    editor.align(segment_id)
    union = _union(masks)
    old = editor.segment_array(segment_id) > 0
    editable = editor.editable(segment_id)
    if editable is not None and operation == "remove" and editor.is_inside_one_segment:
        # Slicer then lets the edited segment itself be removed from everywhere.
        editable = editable | old
    if operation == "intersect":
        editor.write_masked(segment_id, (union & old).astype(np.uint8), "set")
    else:
        editor.write_masked(segment_id, union.astype(np.uint8), operation)
    write_provenance(editor.segmentation.GetSegment(segment_id), results, operation)
    entry = report(editor, segment_id, max(m.cut for m in masks), masked_share(union, editable))
    verify(entry, int(np.count_nonzero(_expected(operation, old, union, editable))))
    return entry


def _expected(
    operation: str, old: np.ndarray, new: np.ndarray, editable: np.ndarray | None
) -> np.ndarray:
    """Return what an edit must leave in the segment, (K, J, I) bool."""
    allowed = new if editable is None else new & editable
    if operation == "add":
        return old | allowed
    if operation == "remove":
        return old & ~allowed
    wanted = allowed & old if operation == "intersect" else allowed
    # Slicer's "set" leaves alone what is outside the editable area.
    return wanted if editable is None else wanted | (old & ~editable)


def _union(masks: list[_Aligned]) -> np.ndarray:
    union = masks[0].array > 0
    for mask in masks[1:]:
        union |= mask.array > 0
    return union


def _create(
    editor: Editor,
    target: str | None,
    results: Sequence[Segmentation],
    masks: list[_Aligned],
    new_ids: Sequence[str],
    vocabulary: Vocabulary | None,
) -> list[WrittenSegment]:
    """Make one segment per result; the first may go into an empty existing one."""
    editable = editor.editable(target or "")
    older = [s for s in editor.segmentation.GetSegmentIDs() if s != target]
    freed = editor.overwritten(older)
    added: list[str] = []
    written: list[WrittenSegment] = []
    try:
        for number, (result, mask) in enumerate(zip(results, masks, strict=True)):
            is_target = number == 0 and target is not None
            wanted = new_ids[number] if number < len(new_ids) else ""
            if is_target:
                segment_id = str(target)
            else:
                segment_id = _add(editor.segmentation, result, wanted, vocabulary)
                added.append(segment_id)
            allowed = mask.array if editable is None else mask.array * editable
            share = 0.0 if editable is None else masked_share(mask.array > 0, editable)
            editor.write_plain(segment_id, allowed, "add")
            write_provenance(editor.segmentation.GetSegment(segment_id), [result])
            entry = report(editor, segment_id, mask.cut, share)
            verify(entry, int(np.count_nonzero(allowed)))
            written.append(entry)
    except Exception:
        for segment_id in added:
            editor.segmentation.RemoveSegment(segment_id)
        if target is not None:
            editor.segmentation.ClearSegment(target)
        raise
    if freed:
        taken = _union(masks) if editable is None else _union(masks) & editable
        for segment_id in freed:
            editor.write_plain(segment_id, taken.astype(np.uint8), "remove")
    return written


def _add(
    segmentation: Any, result: Segmentation, wanted_id: str, vocabulary: Vocabulary | None
) -> str:
    name = _unique_name(result, _names(segmentation))
    segment_id = segmentation.AddEmptySegment(wanted_id, name)
    segment = segmentation.GetSegment(segment_id)
    describe_segment(segment, result.prompt, vocabulary)
    _set_status(segment)
    return segment_id


def _rename_placeholder(
    segmentation: Any, segment_id: str, result: Segmentation, vocabulary: Vocabulary | None
) -> None:
    """Name an empty segment after its structure, unless the user has named it already."""
    segment = segmentation.GetSegment(segment_id)
    if not _PLACEHOLDER.fullmatch(segment.GetName() or ""):
        return
    others = [n for n in _names(segmentation) if n != segment.GetName()]
    describe_segment(segment, result.prompt, vocabulary)
    segment.SetName(_unique_name(result, others))
    _set_status(segment)


def _unique_name(result: Segmentation, taken: list[str]) -> str:
    from TextPromptSegLib.formats.segments import segment_name

    return unique_name(segment_name(result.prompt), taken)


def _names(segmentation: Any) -> list[str]:
    return [segmentation.GetSegment(s).GetName() for s in segmentation.GetSegmentIDs()]


def _set_status(segment: Any) -> None:
    """Mark a segment as in progress: complete is what a person has checked."""
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetSegmentStatus(segment, logic.InProgress)

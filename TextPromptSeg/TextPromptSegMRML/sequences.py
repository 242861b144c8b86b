"""Sequences (4-D images) frame by frame: a sequence of segmentations beside the images."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import slicer

from .scene import require_scene
from .segments import write_segments
from .volumes import frame_node, sequence_of, volume_from_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from TextPromptSegLib.image.volume import Volume
    from TextPromptSegLib.prompting.segmentation import Segmentation
    from TextPromptSegLib.prompting.vocabulary import Vocabulary

    Predict = Callable[[Volume, int, int], list[Segmentation]]


def frame_numbers(node: Any, frames: int | str | Iterable[int] | None) -> list[int]:
    """Return the frames to work on, each of them checked.

    Args:
        node: a sequence node or the proxy volume of one.
        frames: a number, numbers, "all" or None (all).

    Raises:
        InputError: when there is no sequence, or no such frame.
    """
    from TextPromptSegLib.outcome import InputError

    sequence, _ = sequence_of(node)
    if sequence is None:
        raise InputError(f"'{node.GetName()}' is one volume, not a sequence; leave out the frames.")
    if frames is None or (isinstance(frames, str) and frames == "all"):
        numbers = list(range(sequence.GetNumberOfDataNodes()))
    elif isinstance(frames, str):
        raise InputError('Frames are numbers from 0, or "all".')
    elif isinstance(frames, Iterable):
        numbers = sorted({int(frame) for frame in frames})
    else:
        numbers = [int(frames)]
    if not numbers:
        raise InputError(f"The sequence '{sequence.GetName()}' has no frames to segment.")
    for number in numbers:
        frame_node(node, number)
    return numbers


def segment_sequence(
    node: Any,
    frames: Sequence[int],
    predict: Predict,
    *,
    segmentation_node: Any = None,
    vocabulary: Vocabulary | None = None,
    check: Callable[[], Any] = lambda: None,
) -> tuple[Any, dict[int, list[Segmentation]]]:
    """Segment frames of a sequence into a sequence of segmentations of the same index.

    The segments of one prompt have the same ID and name in all frames, empty where nothing was
    found, so that colours and visibility stay when the user scrolls through time. Nothing is added
    to the scene, and nothing existing changes, before the last frame is done.

    Args:
        node: the sequence node, or the proxy volume that shows it.
        frames: frame numbers, from 0 (see `frame_numbers`).
        predict: (volume of a frame, number of frames done, number of frames) -> results.
        segmentation_node: the proxy of a sequence of segmentations in the same browser, whose
            segments are kept, or None for a new one.
        vocabulary: as in `write_segments`.
        check: called after each frame is predicted; raises when the nodes are gone or changed.

    Returns:
        The proxy segmentation node that shows the current frame, and the results per frame.

    Raises:
        InputError: when there is no sequence, or the segmentation does not belong to it.
    """
    from TextPromptSegLib.outcome import Outcome

    scene = require_scene()
    images, browser = sequence_of(node)
    kept = _segmentation_sequence(segmentation_node, browser)
    owner = node if browser is None or not node.IsA("vtkMRMLSequenceNode") else None
    if owner is None:
        owner = browser.GetProxyNode(node)
    run = uuid.uuid4().hex[:8]
    done: dict[str, Any] = {}
    results: dict[int, list[Segmentation]] = {}
    for number, frame in enumerate(frames):
        volume = volume_from_node(node, frame)
        results[frame] = predict(volume, number, len(frames))
        check()
        data = images.GetNthDataNode(frame)
        index = images.GetNthIndexValue(frame)
        with _work_node(scene, data, kept, index, owner) as work:
            known = [r for r in results[frame] if r.outcome is not Outcome.UNKNOWN_PROMPT]
            # IDs are made of the prompt, not of what was found, so frames agree on them.
            ids = [f"{_slug(r.prompt.name)}_{run}_{n}" for n, r in enumerate(known)]
            write_segments(
                work,
                data,
                known,
                volume=volume,
                keep_empty=True,
                new_ids=ids,
                vocabulary=vocabulary,
            )
            done[index] = _detached(work)
    return _publish(scene, images, browser, kept, done, owner), results


def _segmentation_sequence(segmentation_node: Any, browser: Any) -> Any:
    from TextPromptSegLib.outcome import InputError

    if segmentation_node is None:
        return None
    sequence = None if browser is None else browser.GetSequenceNode(segmentation_node)
    if sequence is None:
        raise InputError(
            f"The segmentation '{segmentation_node.GetName()}' is no sequence of this image; leave "
            "the segmentation out and a new sequence of segmentations is made."
        )
    return sequence


@contextmanager
def _work_node(scene: Any, data: Any, kept: Any, index: str, owner: Any) -> Iterator[Any]:
    """Yield a segmentation node for one frame, with the frame's older segments; removed after."""
    work = slicer.vtkMRMLSegmentationNode()
    work.SetHideFromEditors(True)
    work.SetSaveWithScene(False)
    work.SetName("segmentation")
    scene.AddNode(work)
    try:
        older = None if kept is None else kept.GetDataNodeAtValue(index)
        if older is not None:
            work.GetSegmentation().DeepCopy(older.GetSegmentation())
        else:
            work.SetReferenceImageGeometryParameterFromVolumeNode(data)
        if owner is not None and hasattr(owner, "GetTransformNodeID"):
            work.SetAndObserveTransformNodeID(owner.GetTransformNodeID())
        yield work
    finally:
        scene.RemoveNode(work)


def _detached(work: Any) -> Any:
    """Return a copy of a frame's segmentation that belongs to no scene."""
    copy = slicer.vtkMRMLSegmentationNode()
    copy.SetName("segmentation")
    copy.GetSegmentation().DeepCopy(work.GetSegmentation())
    return copy


def _publish(
    scene: Any, images: Any, browser: Any, kept: Any, done: dict[str, Any], owner: Any
) -> Any:
    """Put the frames into the sequence and the sequence into the browser; return the proxy."""
    logic = slicer.modules.sequences.logic()
    sequence = kept
    if sequence is None:
        sequence = slicer.vtkMRMLSequenceNode()
        sequence.SetName(scene.GenerateUniqueName(f"{images.GetName()} segmentation"))
        sequence.SetIndexName(images.GetIndexName())
        sequence.SetIndexUnit(images.GetIndexUnit())
        sequence.SetIndexType(images.GetIndexType())
    for index, frame in done.items():
        sequence.SetDataNodeAtValue(frame, index)
    if kept is None:
        sequence = scene.AddNode(sequence)
    if browser is None:
        browser = scene.AddNewNodeByClass(
            "vtkMRMLSequenceBrowserNode", scene.GenerateUniqueName(f"{images.GetName()} browser")
        )
        browser.AddSynchronizedSequenceNode(images)
    if not browser.IsSynchronizedSequenceNode(sequence, True):
        browser.AddSynchronizedSequenceNode(sequence)
    logic.UpdateProxyNodesFromSequences(browser)
    proxy = browser.GetProxyNode(sequence)
    if proxy.GetDisplayNode() is None:
        proxy.CreateDefaultDisplayNodes()
    if kept is None and owner is not None and hasattr(owner, "GetTransformNodeID"):
        proxy.SetAndObserveTransformNodeID(owner.GetTransformNodeID())
    return proxy


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)

"""One run of the console API: nodes in, predictor, segments out; and the loaded predictors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import slicer

from .editing import SavedState
from .hints import HintNodes
from .roi import region_of
from .scene import RunGuard
from .segments import write_segments
from .sequences import frame_numbers, segment_sequence
from .volumes import sequence_of, volume_from_node
from .written import WrittenSegment

if TYPE_CHECKING:
    from TextPromptSegLib.image.volume import Volume
    from TextPromptSegLib.outcome import Progress
    from TextPromptSegLib.prompting.prompt import Prompt
    from TextPromptSegLib.prompting.segmentation import Segmentation

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """What to segment and where, besides the nodes; the meanings are those of the console API."""

    prompts: list[Prompt]
    threshold: float | None = None
    roi: Any = None
    slices: tuple[int, int] | None = None
    plane: str | None = None
    frames: int | str | Iterable[int] | None = None
    progress: Progress | None = None
    samples: int | None = None
    hints: HintNodes = HintNodes()
    modality: str | None = None


@dataclass(frozen=True)
class Run:
    """What a run left behind.

    Attributes:
        node: the segmentation node.
        results: the answers to the prompts, or a dict from frame number to them.
        written: what each segment got; empty for sequences.
    """

    node: Any
    results: Any
    written: list[WrittenSegment] = field(default_factory=list)


class Predictors:
    """Loaded predictors, one at a time: a GPU rarely has room for two."""

    def __init__(self, factory: Callable[..., Any] | None = None) -> None:
        """Use ``factory(model, device=...)``, or ``SlicePredictor.from_pretrained`` for None."""
        self._factory = factory
        self._loaded: dict[tuple[str, str], Any] = {}

    def get(self, model: str, device: str) -> Any:
        """Return the predictor of a checkpoint on a device, loaded if it is not yet.

        Raises:
            DependencyError: when a Python package is missing.
            CheckpointError: when there is no such checkpoint.
        """
        key = (str(model), str(device))
        if key not in self._loaded:
            loaded = (self._factory or _pretrained())(model, device=device)
            if getattr(loaded, "replaces_the_last", False):
                self._loaded.clear()
            else:
                self.unload()
            self._loaded[key] = loaded
        return self._loaded[key]

    def unload(self) -> None:
        """Let go of what is loaded and of its memory."""
        while self._loaded:
            _key, predictor = self._loaded.popitem()
            if hasattr(predictor, "unload"):
                predictor.unload()


def _pretrained() -> Callable[..., Any]:
    from .scene import in_application

    if in_application():
        # In Slicer the network runs in the worker that effect and panel use: torch stays out of
        # the application, and a crash of it is a sentence.
        from TextPromptSegLib.worker.remote import RemotePredictor

        return RemotePredictor.from_pretrained
    try:
        from TextPromptSegLib.inference.predictor import SlicePredictor
    except ImportError as error:
        from TextPromptSegLib.outcome import DependencyError

        raise DependencyError(
            f"The Python package '{error.name}' is missing; press Install in the module "
            "Text Prompt Segmentation (outside Slicer: pip install textpromptseg)."
        ) from error
    return SlicePredictor.from_pretrained


def segment_node(
    volume_node: Any,
    request: Request,
    get_predictor: Callable[[], Any],
    segmentation_node: Any = None,
    saved_state: SavedState | None = None,
) -> Run:
    """Segment a volume node, or frames of a sequence, and write the segments.

    Args:
        volume_node: volume node, sequence node or proxy of a sequence.
        request: prompts and options.
        get_predictor: called once the input has been found good, so that a wrong region does not
            cost the loading of a checkpoint.
        segmentation_node: where to add segments, or None for a new node.
        saved_state: remembers an existing segmentation before it is written to.

    Raises:
        TextPromptSegError: with a sentence that says what to do.
        Cancelled: when progress returned False; nothing was written.
    """
    from TextPromptSegLib.image.modality import check_modality, with_modality

    region, hints = region_of(request.roi), request.hints.options()
    check_modality(request.modality)
    over_time = request.frames is not None or (
        volume_node is not None and volume_node.IsA("vtkMRMLSequenceNode")
    )
    # A proxy shows another frame whenever the user scrolls; only the sequence must not change.
    watched = sequence_of(volume_node)[0] if over_time and volume_node is not None else volume_node
    guard = RunGuard(volume_node if watched is None else watched, segmentation_node)
    frames = frame_numbers(volume_node, request.frames) if over_time else []
    volume = None if over_time else volume_from_node(volume_node)
    predictor = get_predictor()

    def predict(image: Volume, progress: Progress | None) -> list[Segmentation]:
        box = None if region is None else region.box
        where = {"roi": box, "slices": request.slices, "plane": request.plane}
        predictor.set_volume(with_modality(image, request.modality), **where)
        found = predictor.segment(
            request.prompts,
            threshold=request.threshold,
            samples=request.samples,
            progress=progress,
            **hints,
        )
        return found if region is None else [region.trim(s, image) for s in found]

    if volume is None:
        node, results = segment_sequence(
            volume_node,
            frames,
            partial(_one_frame, predict, request.progress),
            segmentation_node=segmentation_node,
            check=guard.nodes,
        )
        return Run(node, results)
    found = predict(volume, request.progress)
    volume_node, segmentation_node = guard.nodes()
    node, written = write_run(volume_node, volume, found, segmentation_node, saved_state)
    return Run(node, found, written)


def write_run(
    volume_node: Any,
    volume: Volume,
    results: list[Segmentation],
    segmentation_node: Any = None,
    saved_state: SavedState | None = None,
) -> tuple[Any, list[WrittenSegment]]:
    """Write results into a segmentation node, a new one for None; older segments stay untouched.

    Returns:
        The segmentation node and what was written.
    """
    created = segmentation_node is None
    node = new_segmentation(volume_node) if created else segmentation_node
    save = None if created or saved_state is None else partial(saved_state.save, node)
    try:
        written = write_segments(node, volume_node, results, volume=volume, save_state=save)
    except Exception:
        if created:
            slicer.mrmlScene.RemoveNode(node)
        raise
    for result in results:
        _log.info("%s", result.message or f"{result.prompt.name}: {result.outcome.value}")
    return node, written


def new_segmentation(volume_node: Any) -> Any:
    """Add a segmentation node with the geometry of a volume, under the volume's transform."""
    scene = volume_node.GetScene()
    name = scene.GenerateUniqueName(f"{volume_node.GetName()} segmentation")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    # Under the same transform, so that the two stay together when it is changed later; before the
    # geometry is taken over, which Slicer would else bring into the world.
    node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    _place_beside(node, volume_node)
    return node


def _place_beside(node: Any, volume_node: Any) -> None:
    """Put a node into the folder, study or patient of a volume in the subject hierarchy."""
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(volume_node.GetScene())
    if tree is None:
        return
    beside = tree.GetItemByDataNode(volume_node)
    if not beside:
        return
    folder, item = tree.GetItemParent(beside), tree.GetItemByDataNode(node)
    if item:
        tree.SetItemParent(item, folder)
    else:  # without the application nobody has made an item for the new node
        tree.CreateItem(folder, node)


def _one_frame(
    predict: Callable[..., list[Segmentation]],
    progress: Progress | None,
    volume: Volume,
    number: int,
    count: int,
) -> list[Segmentation]:
    if progress is None:
        return predict(volume, None)

    def report(done: int, total: int, message: str) -> bool:
        text = f"frame {number + 1} of {count}: {message}"
        return progress(number * total + done, count * total, text)

    return predict(volume, report)

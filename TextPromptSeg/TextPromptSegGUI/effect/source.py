"""What the effect's options and the scene ask for: image, slice, range, one run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from slicer.i18n import tr as _

from TextPromptSegLib.outcome import CheckpointError, DependencyError, InputError, PromptError

from ..boxes.region_box import ROI, SLICE, SLICES
from ..shared import settings, views
from ..shared.dependencies import missing_sentence
from ..shared.runs import Run, RunRequest, run_key
from .options import EffectOptions

if TYPE_CHECKING:
    from TextPromptSegLib.image.volume import Volume
    from TextPromptSegLib.prompting.prompt import Prompt


class EffectInput:
    """Reads nodes and options; every refusal is one sentence."""

    def __init__(self, scripted_effect: Any, options: EffectOptions) -> None:
        """Remember who to ask."""
        self._effect, self._options = scripted_effect, options
        self._cached: tuple[tuple[Any, ...], Volume] | None = None
        self.view_id: str | None = None

    @property
    def volume_node(self) -> Any:
        """The editor's source volume node, or None."""
        editor = self._effect.parameterSetNode()
        return None if editor is None else editor.GetSourceVolumeNode()

    @property
    def segmentation_node(self) -> Any:
        """The editor's segmentation node, or None."""
        editor = self._effect.parameterSetNode()
        return None if editor is None else editor.GetSegmentationNode()

    @property
    def selected_segment_id(self) -> str | None:
        """ID of the editor's selected segment, None without one.

        The editor keeps the ID when another segmentation without segments is chosen.
        """
        editor, node = self._effect.parameterSetNode(), self.segmentation_node
        name = editor.GetSelectedSegmentID() if node is not None else None
        return name if name and node.GetSegmentation().GetSegment(name) is not None else None

    @property
    def selected_segment(self) -> Any:
        """The editor's selected vtkSegment, or None."""
        name = self.selected_segment_id
        return self.segmentation_node.GetSegmentation().GetSegment(name) if name else None

    def mask_of_selected(self) -> Any:
        """Return the selected segment on the image's voxels; None for an empty one.

        Raises:
            InputError: when there is no usable volume.
        """
        import slicer.util

        from TextPromptSegLib.prompting.boxed import Boxed

        volume, name = self.volume(), self.selected_segment_id
        mask = slicer.util.arrayFromSegmentBinaryLabelmap(
            self.segmentation_node, name, self.volume_node
        )
        if mask is None or mask.shape != volume.shape or not mask.any():
            return None
        return Boxed.of(mask.astype(np.uint8))

    def volume(self) -> Volume:
        """Return the source volume; made again only when its voxels or its place changed.

        Raises:
            InputError: when there is none or it is no image.
        """
        from TextPromptSegMRML.volumes import volume_from_node

        node = self.volume_node
        state = _state(node)
        if self._cached is None or self._cached[0] != state:
            self._cached = (state, volume_from_node(node))
        return self._cached[1]

    @property
    def plane(self) -> str:
        """The plane along which the checkpoint looks at a volume."""
        return self._options.model.planes[0]

    @property
    def view(self) -> Any:
        """The slice view node to preview in: one of the right plane, else the one looked at."""
        fitting = views.slice_view(self._options.model.planes, self.view_id)
        return fitting if fitting is not None else views.looked_at(self.view_id)

    @property
    def needs_the_whole(self) -> bool:
        """Whether one slice alone cannot tell the answer: nobody knows a third from a slice."""
        return any(map(_divided, self._options.parse.prompts))

    def slice_in_view(self) -> tuple[int, str]:
        """Return the number of the slice that is shown and its plane.

        Where no view has a plane that the checkpoint can look at, it is the slice through the
        middle of the view that the user looks at.

        Raises:
            InputError: when no view shows a usable slice of the volume.
        """
        view, planes = self.view, self._options.model.planes
        if view is None:
            raise InputError(_("No slice view is shown; choose a layout with one."))
        plane = views.plane_of(view)
        plane = plane if plane in planes else planes[0]
        number = views.slice_number(view, self.volume(), plane)
        if number is None:
            raise InputError(_("The slice view is outside the volume; scroll to the volume."))
        return number, plane

    def request(self, choice: str) -> RunRequest:
        """Return the run that the options describe for a kind of range.

        Raises:
            TextPromptSegError: with what is missing; `DependencyError` texts hold a link.
        """
        problem = missing_sentence()
        if problem:
            raise DependencyError(problem)
        options = self._options
        if not options.parse.prompts:
            raise PromptError(options.parse.error or _("Type what to segment, for example: liver"))
        if not options.model.name:
            raise CheckpointError(
                _("No checkpoint is installed; import one in the module Text Prompt Segmentation.")
            )
        if not options.model.confirm_licence():
            raise CheckpointError(_("The licence of the checkpoint was not accepted."))
        if choice == ROI and options.region.roi.currentNode() is None:
            raise InputError(_("Select a region of interest, or another range."))
        return self._described(choice)

    def key(self, request: RunRequest) -> tuple[Any, ...]:
        """Return what makes two runs give the same answers."""
        return run_key(request, self.volume())

    def present_key(self, run: Run) -> tuple[Any, ...] | None:
        """Return the key that the present prompt and image have over the range of a run."""
        if not self._options.parse.prompts or self.volume_node is None:
            return None
        try:
            request = replace(
                run.request,
                volume_node=self.volume_node,
                prompts=tuple(self._options.parse.prompts),
                model=self._options.model.name,
                modality=self._options.modality.modality,
                samples=self._options.candidates.count,
                hints=self._options.hints.nodes(self.volume_node.GetID()),
            )
            return run_key(request, self.volume())
        except InputError:
            return None

    def holds(self, run: Run | None) -> bool:
        """Whether the answers of a run are those that the present prompt and image would get."""
        return run is not None and run.state == "done" and self.present_key(run) == run.key

    def holds_for(self, run: Run | None, request: RunRequest) -> bool:
        """Whether a run has already answered a request."""
        return run is not None and run.state == "done" and self.key(request) == run.key

    def _described(self, choice: str) -> RunRequest:
        options, region = self._options, self._options.region
        slices, plane = None, None
        if choice == SLICE:
            number, plane = self.slice_in_view()
            slices = (number, number + 1)
        elif choice == SLICES:
            slices, plane = region.slices, self.plane
        return RunRequest(
            volume_node=self.volume_node,
            prompts=tuple(options.parse.prompts),
            model=options.model.name,
            device=settings.text("Device", "auto"),
            roi=region.roi.currentNode() if choice == ROI else None,
            slices=slices,
            plane=plane,
            modality=options.modality.modality,
            segmentation_node=self.segmentation_node,
            samples=options.candidates.count,
            hints=options.hints.nodes(self.volume_node.GetID() if self.volume_node else ""),
            heat_map="heat_map" in options.model.takes,
        )


def _divided(prompt: Prompt) -> bool:
    return bool(prompt.thirds) or any(map(_divided, prompt.minus))


def _state(node: Any) -> tuple[Any, ...]:
    """Return what a `Volume` of a node depends on."""
    if node is None or node.GetImageData() is None:
        return (None,)
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    parent = node.GetParentTransformNode()
    return (
        node.GetID(),
        node.GetName(),
        node.GetImageData().GetMTime(),
        tuple(matrix.GetElement(r, c) for r in range(4) for c in range(4)),
        None if parent is None else (parent.GetID(), parent.GetTransformToWorldMTime()),
    )

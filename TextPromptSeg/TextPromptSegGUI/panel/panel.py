"""The module's panel: sections, the parameter node, and the runs that Apply starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from TextPromptSegLib.inference.answers import rethreshold
from TextPromptSegLib.outcome import (
    CheckpointError,
    DependencyError,
    InputError,
    PromptError,
    TextPromptSegError,
)

from ..boxes.candidates_box import pick
from ..boxes.region_box import ROI, SLICES
from ..shared import settings
from ..shared.dependencies import missing_sentence
from ..shared.links import Links
from ..shared.runs import Run, RunRequest, how_it_ran, volume_lines
from ..shared.session import session
from .batch_section import BatchSection
from .models_section import ModelsSection
from .parameters import PanelParameters
from .results_section import ResultsSection
from .script import as_python
from .segment_section import SegmentSection
from .sequence_run import SequenceRun
from .setup_section import SetupSection

if TYPE_CHECKING:
    from TextPromptSegLib.prompting.segmentation import Segmentation


class TextPromptSegPanel:
    """Builds the panel into a layout; starts nothing by itself.

    Args:
        layout: the module widget's vertical layout.
        logic: the module's logic, which owns the parameter node.
    """

    def __init__(self, layout: Any, logic: Any) -> None:
        """Build the sections."""
        from TextPromptSegMRML.editing import SavedState

        self.session = session()
        self.logic = logic
        self.segment = SegmentSection(self.session, self)
        self.results = ResultsSection()
        self.batch = BatchSection(self.session, self)
        self.models = ModelsSection(self.session)
        self.setup = SetupSection(self.session)
        # From top to bottom; another section is one more entry.
        self.sections = (self.setup, self.segment, self.results, self.batch, self.models)
        for section in self.sections:
            layout.addWidget(section.button)
        layout.addStretch(1)
        self.batch.button.collapsed = self.models.button.collapsed = True
        self._run: Run | SequenceRun | None = None
        self._saved = SavedState()
        self._links = Links()
        self._links.connect(self.results.copy, "clicked()", self.copy_script)
        self._links.connect(self.results.undo, "clicked()", self.undo)
        self._links.connect(self.results.candidates, "clicked()", self.add_candidates)
        scene = slicer.mrmlScene
        self._links.observe(scene, scene.StartCloseEvent, self._scene_closing)
        self._links.observe(scene, scene.EndCloseEvent, self._scene_closed)
        self.session.listen(self._session_changed)
        self.bind()

    # -- called by the module widget -------------------------------------------------------------

    def enter(self) -> None:
        """The module is shown."""
        self.bind()
        self.setup.refresh()
        self.segment.model.refresh()
        self.segment.refresh()

    def exit(self) -> None:
        """Another module is shown; a run goes on."""

    def cleanup(self) -> None:
        """Disconnect everything; a run is given up."""
        self.cancel()
        self.segment.bind(None)
        self.session.forget(self._session_changed)
        self._links.clear()
        self._saved.clear()
        for section in self.sections:
            section.cleanup()

    def bind(self) -> None:
        """Keep the widgets the same as the scene's parameter node."""
        self.segment.bind(PanelParameters(self.logic.getParameterNode()))

    # -- actions -----------------------------------------------------------------------------------

    def apply(self) -> None:
        """Start a run with what the panel says."""
        try:
            request = self.request()
        except TextPromptSegError as error:
            self.segment.bar.say(str(error), rich=isinstance(error, DependencyError))
            return
        self.segment.bar.say("")
        self.segment.bar.start()
        self.segment.set_running(True)
        settings.remember_prompt(", ".join(prompt.phrase() for prompt in request.prompts))
        progress = self.segment.bar.show_progress
        if self.segment.over_frames:
            self._run = SequenceRun(
                self.session, request, self._finished, progress, self._at_threshold
            )
        else:
            self._run = Run(self.session, request, self._finished, progress)
        self._run.start()

    def cancel(self) -> None:
        """Give up the run under way."""
        if self._run is not None:
            self._run.cancel()

    def follow_link(self, address: str) -> None:
        """Open the section that installs packages."""
        if address == "install":
            self.setup.button.collapsed = False

    def copy_script(self) -> None:
        """Put the console call that does the same on the clipboard."""
        try:
            request = self.request(frame=0 if self.segment.over_frames else None)
        except TextPromptSegError as error:
            self.segment.bar.say(str(error), rich=isinstance(error, DependencyError))
            return
        phrases = [prompt.phrase() for prompt in request.prompts]
        script = as_python(request, phrases, self.segment.threshold.value)
        slicer.app.clipboard().setText(script)
        self.segment.bar.say(_("The console call is on the clipboard."))

    def undo(self) -> None:
        """Take back the last run."""
        done = self._saved.undo()
        self.segment.bar.say(_("Undone.") if done else _("There is nothing to undo."))

    def add_candidates(self) -> None:
        """Add every candidate of the selected row as a segment, to choose from."""
        from TextPromptSegMRML.segments import write_segments

        found, volume, node = self.results.selected, self.results.volume, self.results.node
        if found is None or volume is None or node is None:
            return
        masks = [pick(found, number + 1) for number in range(len(found.candidates))]
        volume_node = self.segment.volume_node
        try:
            written = write_segments(
                node,
                volume_node,
                masks,
                volume=volume,
                save_state=lambda: self._saved.save(node),
            )
        except TextPromptSegError as error:
            self.segment.bar.say(str(error))
            return
        self.segment.bar.say(
            _("{count} candidates were added as segments.").format(count=len(written))
        )

    def request(self, frame: int | None = None) -> RunRequest:
        """Return the run that the panel describes.

        Raises:
            TextPromptSegError: with what is missing.
        """
        section = self.segment
        problem = missing_sentence()
        if problem:
            raise DependencyError(problem)
        if section.volume_node is None:
            raise InputError(_("No volume is selected; load or choose one first."))
        prompts = section.parse.show(section.text, section.model.trained)
        if not prompts:
            raise PromptError(section.parse.error or _("Type what to segment, for example: liver"))
        if not section.model.name:
            raise CheckpointError(_("No checkpoint is installed; import one under Checkpoints."))
        if not section.model.confirm_licence():
            raise CheckpointError(_("The licence of the checkpoint was not accepted."))
        choice, region = section.region.choice, section.region
        roi = region.roi.currentNode() if choice == ROI else None
        if choice == ROI and roi is None:
            raise InputError(_("Select a region of interest, or another range."))
        return RunRequest(
            volume_node=section.volume_node,
            prompts=tuple(prompts),
            model=section.model.name,
            device=section.device.name,
            roi=roi,
            slices=region.slices if choice == SLICES else None,
            plane=section.model.planes[0] if choice == SLICES else None,
            modality=section.modality.modality,
            segmentation_node=section.output.currentNode(),
            samples=section.sample_count,
            hints=section.hints.nodes(),
            heat_map="heat_map" in section.model.takes,
            frame=frame,
        )

    # -- the end of a run ------------------------------------------------------------------------

    def _finished(self, run: Run | SequenceRun) -> None:
        self._run = None
        bar = self.segment.bar
        bar.stop()
        self.segment.set_running(False)
        if run.state == "cancelled":
            bar.say(_("Cancelled; nothing was changed."))
        elif run.state == "failed":
            bar.say(run.error)
        elif isinstance(run, SequenceRun):
            first = next(iter(run.results.values()))
            self.results.show(first, None, run.node)
            bar.say(_("{count} frames were segmented.").format(count=len(run.results)))
        else:
            self._write(run)

    def _write(self, run: Run) -> None:
        from TextPromptSegMRML.runs import write_run

        results = self._at_threshold(run.results)
        assert run.volume is not None
        try:
            node, written = write_run(
                run.volume_node, run.volume, results, run.segmentation_node, self._saved
            )
        except TextPromptSegError as error:
            self.segment.bar.say(str(error))
            return
        if not written and run.segmentation_node is None:
            # Nothing was found: an empty node would only be in the way.
            slicer.mrmlScene.RemoveNode(node)
            node = None
        self.results.show(results, run.volume, node)
        notes = [*(entry.note for entry in written), how_it_ran(run)]
        self.segment.bar.say(volume_lines(results, notes))
        if node is not None:
            self.segment.output.setCurrentNode(node)
        if not self.session.devices:
            self.session.find_devices()

    def _at_threshold(self, results: Sequence[Segmentation]) -> list[Segmentation]:
        threshold = self.segment.threshold.value
        if threshold is None:
            return list(results)
        return [
            replace(
                rethreshold(result, threshold),
                uncertainty=result.uncertainty,
                candidates=result.candidates,
                heat_map=result.heat_map,
            )
            for result in results
        ]

    # -- changes around the panel ------------------------------------------------------------------

    def _session_changed(self) -> None:
        if self._run is None:
            self.segment.model.refresh()
        self.models.refresh()

    def _scene_closing(self, _caller: Any, _event: Any) -> None:
        self.cancel()
        self.segment.bind(None)
        self.results.show([], None)
        self._saved.clear()

    def _scene_closed(self, _caller: Any, _event: Any) -> None:
        # The logic makes a new parameter node; later, because others still take theirs away.
        qt.QTimer.singleShot(0, self._bind_again)

    def _bind_again(self) -> None:
        if self._links.active:
            self.bind()

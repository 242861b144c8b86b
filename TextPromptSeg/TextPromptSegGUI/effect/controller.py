"""What the effect "Text prompt" does: preview, run, threshold, write; the window never waits."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from TextPromptSegLib.inference.answers import rethreshold
from TextPromptSegLib.outcome import DependencyError, Outcome, TextPromptSegError

from ..boxes.candidates_box import pick
from ..shared import settings, views
from ..shared.dependencies import missing_sentence
from ..shared.quiet import quiet
from ..shared.runs import Run, how_it_ran, volume_lines
from ..shared.session import session
from .live_preview import SCROLLING_MS, TYPING_MS, LivePreview
from .options import EffectOptions
from .overlay_box import NOTHING
from .source import EffectInput

if TYPE_CHECKING:
    from TextPromptSegLib.prompting.segmentation import Segmentation

_log = logging.getLogger(__name__)
_NOWHERE = 0.15
"""A largest probability below this in the whole image: the structure is probably not in it."""


class EffectController:
    """One clone of the effect: its options, its preview, at most one run under way."""

    def __init__(self, scripted_effect: Any) -> None:
        """Build the options; nothing is started."""
        self.effect = scripted_effect
        self.session = session()
        self.options = EffectOptions(scripted_effect, self)
        self.source = EffectInput(scripted_effect, self.options)
        self.preview = LivePreview(self.session, self.source, self, self._say)
        self._run: Run | None = None
        self._applied: Run | None = None
        self._target: str | None = None  # the segment that was selected when Apply was pressed
        self._active = self._closed = False
        self.session.listen(self._session_changed)

    # -- called by the effect ------------------------------------------------------------------

    def activate(self) -> None:
        """The effect was selected."""
        self._active = True
        self.options.model.refresh()
        self.options.refresh_names()
        self.options.show_parse()
        self.volume_changed()
        self._say(missing_sentence(), rich=True)

    def deactivate(self) -> None:
        """Another effect was selected: nothing goes on in the background, nothing stays shown."""
        self._active = False
        self.options.hints.end_drawing()
        self.cancel()
        self._set_preview_button(False)
        self.preview.switch(False)
        self.preview.forget()
        self._applied = None

    def volume_changed(self) -> None:
        """Another source volume: other slices, and earlier answers hold no more."""
        self._applied = None
        self.preview.forget()
        if not self._active or self.source.volume_node is None:
            return
        try:
            count = views.slice_count(self.source.volume(), self.source.plane)
        except TextPromptSegError as error:
            self._say(str(error))
            return
        self.options.region.set_count(count)
        self.preview.schedule(SCROLLING_MS)

    def view_changed(self, view_node: Any) -> None:
        """A slice view was scrolled; the preview follows it."""
        if view_node is not None and view_node.IsA("vtkMRMLSliceNode"):
            self.source.view_id = view_node.GetID()
            if self.preview.on and not self.preview.redraw():
                self.preview.schedule(SCROLLING_MS)

    def cleanup(self) -> None:
        """Let go of everything."""
        self._closed = True
        self.deactivate()
        self.preview.cleanup()
        self.session.forget(self._session_changed)
        self.options.cleanup()

    # -- actions of the options ------------------------------------------------------------------

    def prompt_changed(self) -> None:
        """Earlier answers may not hold; the preview follows when the user pauses."""
        if self._active and self.options.parse.prompts:
            self._warm_up()
            self.preview.schedule(TYPING_MS)

    def threshold_changed(self) -> None:
        """Show the stored answers at another threshold or another candidate, without a run."""
        if self.preview.on:
            self.preview.redraw()
        elif self.source.holds(self._applied):
            self._set_preview_button(True)
            self.preview.switch(True)

    def overlay_changed(self) -> None:
        """Show another map over the image; that switches the preview on."""
        if self.preview.on:
            self.preview.redraw()
        elif self._run is None and self.overlay() != NOTHING:
            self._set_preview_button(True)
            self.preview.switch(True)

    def again(self) -> None:
        """Take prompt, checkpoint and threshold from the selected segment."""
        from TextPromptSegMRML.provenance import read_provenance

        chosen = self.source.selected_segment
        facts = read_provenance(chosen) if chosen is not None else {}
        if not facts.get("Prompt"):
            self._say(_("Select a segment that was made by a text prompt, then press Again."))
            return
        prompt = facts["Prompt"].replace(";", ",")
        self.options.use(prompt, facts.get("Model", ""), float(facts["Threshold"]))
        self._say(_("Prompt, checkpoint and threshold are those of the selected segment."))

    # -- choices that the preview asks for --------------------------------------------------------

    def threshold(self) -> float | None:
        """Return the user's threshold, None for the checkpoint's own."""
        return self.options.threshold.value

    def candidate(self) -> int:
        """Return the number of the candidate that is shown, 0 for the mean."""
        return self.options.candidates.number

    def overlay(self) -> str:
        """Return the map that is shown over the image."""
        return self.options.overlay.kind

    def answered(self, results: Sequence[Segmentation]) -> None:
        """Offer the candidates of the answers that are shown."""
        self.options.candidates.set_known(results)

    def preview_toggled(self, on: bool) -> None:
        """Preview was switched by the user."""
        if self._run is None:
            self.preview.switch(on)

    def apply(self) -> None:
        """Segment the chosen range, or write at once what an equal run has already found."""
        self.preview.stop_run()
        if not self.effect.confirmCurrentSegmentVisible():
            return  # the selected segment is hidden, and the user does not want to change it
        try:
            request = self.source.request(self.options.region.choice)
            known = (self._applied, self.preview.whole)
            answered = next((r for r in known if self.source.holds_for(r, request)), None)
        except TextPromptSegError as error:
            self._refuse(error)
            return
        self._target = self.source.selected_segment_id
        if answered is not None:
            self._applied = answered
            self._write(answered)
            return
        settings.remember_prompt(self.options.text)
        self.options.completion.set_history(settings.history())
        self._say("")
        self.options.bar.start()
        self.options.set_running(True)
        self._run = Run(self.session, request, self._finished, self.options.bar.show_progress)
        self._run.start()

    def cancel(self) -> None:
        """Give up the run under way."""
        if self._run is not None:
            self._run.cancel()

    def follow_link(self, address: str) -> None:
        """Open the module when the outcome line says that something has to be installed."""
        if address == "install":
            slicer.util.selectModule("TextPromptSeg")

    # -- the end of a run ------------------------------------------------------------------------

    def _finished(self, run: Run) -> None:
        self._run = None
        self.options.bar.stop()
        self.options.set_running(False)
        if run.state == "cancelled":
            self._say(_("Cancelled; nothing was changed."))
            if not self._active:
                # Segment Editor switches the effect off just before its segmentation goes.
                qt.QTimer.singleShot(0, partial(self._explain_cancelled, run))
        elif run.state == "failed":
            self._say(run.error)
        else:
            self._applied = run
            self.preview.keep(run)
            self.answered(run.results)
            self._write(run)

    def _explain_cancelled(self, run: Run) -> None:
        node = run.request.segmentation_node
        if node is not None and node.GetScene() is None and not self._closed:
            self._say(_("The segmentation was deleted during the run; nothing was changed."))

    def _write(self, run: Run) -> None:
        from TextPromptSegMRML.segments import write_segments

        editor = self.effect.parameterSetNode()
        segmentation_node, volume_node = self.source.segmentation_node, self.source.volume_node
        if segmentation_node is None or volume_node is not run.volume_node:
            self._say(
                _("Another segmentation or volume was selected meanwhile; nothing was written.")
            )
            return
        results = self._at_threshold(run.results)
        chosen = self._target
        try:
            written = write_segments(
                segmentation_node,
                volume_node,
                results,
                volume=run.volume,
                segment_id=chosen,
                operation=self.options.chosen_operation,
                editor_node=editor,
                save_state=self.effect.saveStateForUndo,
            )
        except TextPromptSegError as error:
            self._say(str(error))
            return
        # What was applied is now to be seen in the segment itself.
        self._set_preview_button(False)
        self.preview.switch(False)
        if written and written[0].segment_id != chosen:
            editor.SetSelectedSegmentID(written[0].segment_id)
        explained = [self._explained(result, run) for result in results]
        self._say(volume_lines(explained, [*(w.note for w in written), how_it_ran(run)]))

    def _at_threshold(self, results: Sequence[Segmentation]) -> list[Segmentation]:
        if self.candidate():
            return [pick(result, self.candidate()) for result in results]
        threshold = self.threshold()
        if threshold is None:
            return list(results)
        return [rethreshold(result, threshold) for result in results]

    @staticmethod
    def _explained(result: Segmentation, run: Run) -> Segmentation:
        """Add what is likely when a known structure is nowhere in the whole image."""
        everywhere = run.request.roi is None and run.request.slices is None
        nowhere = result.outcome is Outcome.NOT_FOUND and result.max_probability < _NOWHERE
        if not (everywhere and nowhere):
            return result
        hint = _("probably {name} is outside this field of view").format(name=result.prompt.name)
        return replace(result, message=f"{result.message}; {hint}")

    # -- small things ----------------------------------------------------------------------------

    def _say(self, text: str, rich: bool = False) -> None:
        self.options.bar.say(text, rich)

    def _refuse(self, error: TextPromptSegError) -> None:
        self._say(str(error), rich=isinstance(error, DependencyError))

    def _set_preview_button(self, on: bool) -> None:
        button = self.options.preview
        with quiet(button):
            button.checked = on

    def _warm_up(self) -> None:
        from TextPromptSegLib.checkpoints import licence

        model = self.options.model.model
        if model is None or self._run is not None or missing_sentence():
            return
        if not licence.needs_acknowledgement(model):
            self.session.warm_up(model.name, settings.text("Device", "auto"))

    def _session_changed(self) -> None:
        if self._run is None:
            self.options.model.refresh()

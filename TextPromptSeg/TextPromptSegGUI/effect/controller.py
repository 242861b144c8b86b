"""What the effect "Text prompt" does: preview, run, threshold, write; the window never waits."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from TextPromptSegLib.inference.answers import rethreshold
from TextPromptSegLib.outcome import DependencyError, Outcome, TextPromptSegError

from ..boxes.candidates_box import pick
from ..shared import settings, views
from ..shared.dependencies import missing_sentence
from ..shared.links import Links
from ..shared.quiet import quiet
from ..shared.runs import Run, how_it_ran, volume_lines
from ..shared.session import session
from .hand_keys import HandKeys
from .live_preview import SCROLLING_MS, TYPING_MS, LivePreview
from .options import EffectOptions
from .overlay_box import NOTHING
from .readiness import Readiness
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
        self._active = self._closed = self._ended_away = False
        self._selected: str | None = None  # the segment that was selected last
        self._refused = ""  # what was said when nothing could be run
        self._links = Links()
        # Segment Editor switches the effect off before the scene is closed.
        self._scene_links = Links()
        closed = slicer.mrmlScene.EndCloseEvent
        self._scene_links.observe(slicer.mrmlScene, closed, self._scene_closed)
        self.readiness = Readiness(
            self.session, self.options.model, lambda: self.options.bar.said, self._say
        )
        self.hand_keys = HandKeys(scripted_effect, self.options, self)
        self.session.listen(self._session_changed)

    # -- called by the effect ------------------------------------------------------------------

    def activate(self) -> None:
        """The effect was selected."""
        self._active = True
        self._watch_segments()
        self.options.model.refresh()
        self.options.refresh_names()
        self.options.show_parse()
        self.volume_changed()
        problem = missing_sentence()
        if problem or not self._ended_away:  # what a run said that ended meanwhile is still to read
            self._say(problem, rich=True)
        self._ended_away = False
        self.hand_keys.switch_on()
        qt.QTimer.singleShot(0, self._opened)

    def deactivate(self) -> None:
        """Another effect was selected: nothing stays shown; a run that was asked for goes on."""
        self._active = False
        self._links.clear()
        self.hand_keys.switch_off()
        self.readiness.stop()
        self.options.hints.end_drawing()
        self.options.region.end_drawing()
        self._set_preview_button(False)
        self.preview.switch(False)
        self.preview.forget()
        self._applied = None
        if self._run is not None:
            # Segment Editor switches the effect off just before its segmentation goes.
            qt.QTimer.singleShot(0, self._end_without_a_place)

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
        self._scene_links.clear()
        self.cancel()
        self.deactivate()
        self.preview.cleanup()
        self.hand_keys.cleanup()
        self.readiness.cleanup()
        self.session.forget(self._session_changed)
        self.options.cleanup()

    # -- actions of the options ------------------------------------------------------------------

    def prompt_changed(self) -> None:
        """Earlier answers may not hold; the preview follows when the user pauses."""
        if self.options.bar.said in (self._refused, self.preview.refused):
            self._say("")  # what was missing may be there now
        if self._active and self.options.parse.prompts:
            if self._run is None:
                self.readiness.load()
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

    def show_in_3d(self) -> None:
        """Show the segments as surfaces in the 3-D views, or hide them there."""
        from TextPromptSegMRML.surfaces import toggle_surfaces

        node = self.source.segmentation_node
        if node is None or not node.GetSegmentation().GetNumberOfSegments():
            self._say(_("There is no segment yet; press Apply first."))
            return
        toggle_surfaces(node)

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
        said = _("Prompt, checkpoint and threshold are those of the selected segment.")
        mask = self.source.mask_of_selected()
        if mask is not None:
            self.options.hints.start_from(self.source.volume_node.GetID(), mask)
        if self.options.hints.starts:
            said += " " + _("The next run starts from it: place points, or draw a box.")
        self._say(said)

    def escape(self) -> bool:
        """End the run under way, else the preview; False when there is neither.

        In the prompt line Escape never closes the effect: it is also the key that puts away the
        list of names, which may have gone already.
        """
        if self._run is not None:
            self.cancel()
        elif self.preview.on:
            self._set_preview_button(False)
            self.preview.switch(False)
        else:
            return bool(self.options.line.focus)
        return True

    def say(self, text: str) -> None:
        """Show a sentence in the outcome line."""
        self._say(text)

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
        self._target = self._selected = self.source.selected_segment_id
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
        elif run.state == "failed":
            self._refused = run.error
            self._say(run.error)
        else:
            if self._active:
                self._applied = run
                self.preview.keep(run)
                self.answered(run.results)
            self._write(run)
        if not self._active and not self._closed and run.state != "cancelled":
            # The user is somewhere else: the status bar is what is seen from there.
            self._ended_away = True
            slicer.util.showStatusMessage(f"{self.effect.title}: {self.options.bar.said}", 8000)

    def _opened(self) -> None:
        """The options are on screen: the keyboard goes to the prompt, the worker starts."""
        if self._active and not self._closed:
            self.options.focus()
            self.readiness.begin()

    def _end_without_a_place(self) -> None:
        """Give up a run whose segmentation is gone, or whose scene was closed."""
        node = self._run.request.segmentation_node if self._run is not None else None
        if node is not None and node.GetScene() is None and not self._closed:
            self.cancel()
            self._say(_("The segmentation was deleted during the run; nothing was changed."))

    def _watch_segments(self) -> None:
        """Hear of segments that go, for example by Undo."""
        self._links.clear()
        node = self.source.segmentation_node
        if node is not None:
            self._selected = self.source.selected_segment_id
            self._links.observe(node, slicer.vtkSegmentation.SegmentRemoved, self._segment_left)

    def _scene_closed(self, _caller: Any, _event: Any) -> None:
        self.options.reset()
        if self._active:
            self.options.write_parameters()

    def _segment_left(self, _caller: Any, _event: Any) -> None:
        qt.QTimer.singleShot(0, self._select_another)

    def _select_another(self) -> None:
        """Select the segment that was selected before, when the selected one is gone."""
        node = self.source.segmentation_node
        if not self._active or node is None or self.source.selected_segment_id is not None:
            return
        names = list(node.GetSegmentation().GetSegmentIDs())
        if names:
            chosen = self._selected if self._selected in names else names[-1]
            self.effect.parameterSetNode().SetSelectedSegmentID(chosen)

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
        if self._active and written and written[0].segment_id != chosen:
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
        self._refused = str(error)
        self._say(str(error), rich=isinstance(error, DependencyError))

    def _set_preview_button(self, on: bool) -> None:
        button = self.options.preview
        with quiet(button):
            button.checked = on

    def _session_changed(self) -> None:
        if self._run is None:
            self.options.model.refresh()

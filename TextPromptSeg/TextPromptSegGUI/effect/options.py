"""The options of the effect "Text prompt": widgets, and their values in the editor's parameters."""

from __future__ import annotations

from typing import Any

import qt
from slicer.i18n import tr as _

from ..boxes.candidates_box import CandidatesBox
from ..boxes.hints_box import NONE, HintsBox
from ..boxes.modality_box import AUTO, ModalityBox
from ..boxes.model_box import ModelBox
from ..boxes.parse_view import ParseView
from ..boxes.region_box import WHOLE, RegionBox
from ..boxes.run_bar import RunBar, side_by_side
from ..boxes.threshold_box import ThresholdBox
from ..shared import settings
from ..shared.links import Links
from ..shared.quiet import choose, quiet
from .actions import Actions
from .completion import Completion
from .fold import OptionsFold
from .names_menu import NamesMenu
from .overlay_box import NOTHING, OverlayBox

PAUSE_MS = 600
"""After so long without a key a person has stopped typing."""
OPERATIONS = ("set", "add", "remove", "intersect")
_HINT_NODES = ("Box", "Points", "Outside")


class EffectOptions:
    """Builds the widgets into the options frame and keeps parameters and widgets the same."""

    def __init__(self, scripted_effect: Any, actions: Actions) -> None:
        """Build the widgets.

        Args:
            scripted_effect: the qSlicerSegmentEditorScriptedEffect.
            actions: who does the work.
        """
        self._effect, self._actions = scripted_effect, actions
        self.line = qt.QLineEdit()
        self.line.objectName = "TextPromptLine"
        self.line.placeholderText = _('What to segment, for example "left kidney, spleen"')
        self.line.clearButtonEnabled = True
        self.line.toolTip = _(
            "Names, synonyms, sides, thirds and lists are understood: 'upper left lung', 'liver "
            "without tumor'. Press Enter to preview. The prompt is saved with the scene."
        )
        self.again = qt.QToolButton()
        self.again.objectName = "TextPromptAgain"
        self.again.text = _("Again")
        self.again.toolTip = _(
            "Take prompt, checkpoint and threshold from the selected segment, to run them again; "
            "with a box or points the next run starts from its mask."
        )
        self.names = NamesMenu(lambda: self.text, self._parse_edited)
        self.completion = Completion(self.line, actions.apply)
        self.parse = ParseView(self._parse_edited)
        self.modality = ModalityBox(self._edited, "TextPromptModality")
        self.model = ModelBox(self._model_changed)
        self.hints = HintsBox(self._edited)
        self.candidates = CandidatesBox(
            self._edited, actions.threshold_changed, self._candidate_changed
        )
        self.region = RegionBox(self._edited)
        self.operation = qt.QComboBox()
        self.operation.objectName = "TextPromptOperation"
        self.operation.toolTip = _(
            "What happens to the selected segment. With 'Set', several structures become several "
            "segments; the other operations use them together."
        )
        labels = (_("Set"), _("Add"), _("Remove"), _("Intersect"))
        for key, label in zip(OPERATIONS, labels, strict=True):
            self.operation.addItem(label, key)
        self.threshold = ThresholdBox(self._threshold_edited)
        self.overlay = OverlayBox(self._overlay_edited)
        self.preview = qt.QPushButton(_("Preview"))
        self.preview.objectName = "TextPromptPreview"
        self.preview.checkable = True
        self.preview.toolTip = _(
            "Show the result on the current slice (Enter in the prompt line). It follows the "
            "slice, the prompt and the threshold until it is switched off (Escape)."
        )
        self.bar = RunBar(actions.apply, actions.cancel, actions.follow_link)
        self.bar.button.toolTip = _(
            "Segment the chosen range and change the selected segment, as one undo step "
            "(Ctrl+Enter; Escape cancels)."
        )
        self.fold = OptionsFold(self._rows())
        self.in_3d = qt.QPushButton(_("3-D"))
        self.in_3d.objectName = "TextPrompt3D"
        self.in_3d.toolTip = _(
            "Show the segments as surfaces in the 3-D views, or hide them there."
        )
        self._lay_out()
        self._pause = qt.QTimer()
        self._pause.setSingleShot(True)
        self._links = Links()
        self._links.connect(self._pause, "timeout()", self._paused)
        # Qt tells of what a person typed first, then of any change.
        self._links.connect(self.line, "textEdited(QString)", self._line_typed)
        self._links.connect(self.line, "textChanged(QString)", self._line_edited)
        self._links.connect(self.line, "returnPressed()", self._enter)
        self._links.connect(self.again, "clicked()", actions.again)
        self._links.connect(self.in_3d, "clicked()", actions.show_in_3d)
        self._links.connect(self.operation, "currentIndexChanged(int)", self._operation_edited)
        self._links.connect(self.preview, "toggled(bool)", actions.preview_toggled)
        self.refresh_names()
        self.show_takes()

    def _lay_out(self) -> None:
        """Prompt, what was understood, Preview and Apply come first; the rest folds away."""
        row = qt.QHBoxLayout()
        row.addWidget(self.line, 1)
        row.addWidget(self.names.button)
        row.addWidget(self.again)
        self._effect.addLabeledOptionsWidget(_("Prompt:"), row)
        # Widgets that are added by themselves are made to grow in height; layouts are not.
        add = self._effect.addOptionsWidget
        add(side_by_side(self.parse.label))
        add(side_by_side(self.preview, self.bar.button, self.in_3d))
        add(side_by_side(self.bar.progress))
        add(side_by_side(self.bar.outcome))
        add(side_by_side(self.fold.button))
        add(side_by_side(self.fold.differences))

    def _rows(self) -> list[tuple[str, str, Any]]:
        return [
            ("modality", _("Image is:"), self.modality.combo),
            ("model", _("Checkpoint:"), self.model.combo),
            ("hints", _("Hints:"), self.hints.widget),
            ("candidates", _("Candidates:"), self.candidates.widget),
            ("region", _("Range:"), self.region.widget),
            ("operation", _("Operation:"), self.operation),
            ("threshold", _("Threshold:"), self.threshold.widget),
            ("overlay", _("Overlay:"), self.overlay.combo),
        ]

    def differences(self) -> list[str]:
        """Return in words which options are not as they come."""
        from TextPromptSegLib.checkpoints.model_info import DEFAULT_MODEL

        threshold = self.threshold.value
        found = [
            self.modality.combo.currentText if self.modality.choice != AUTO else "",
            self._short_name() if self.model.name not in ("", DEFAULT_MODEL) else "",
            self.hints.combo.currentText if self.hints.choice != NONE else "",
            self.candidates.samples.text if self.candidates.count else "",
            self.region.combo.currentText if self.region.choice != WHOLE else "",
            self.operation.currentText if self.chosen_operation != OPERATIONS[0] else "",
            "" if threshold is None else _("threshold {value:.2f}").format(value=threshold),
            self.overlay.combo.currentText if self.overlay.kind != NOTHING else "",
        ]
        return [str(text) for text in found if text]

    def _short_name(self) -> str:
        """Return the checkpoint's name without what it is good for."""
        return str(self.model.combo.currentText).partition(": ")[0]

    def focus(self) -> None:
        """Put the keyboard into the prompt line, and scroll to it and to Preview and Apply."""
        self.line.setFocus()
        self.line.selectAll()
        area = self.line.parentWidget()
        while area is not None and not hasattr(area, "ensureWidgetVisible"):
            area = area.parentWidget()
        if area is not None:
            area.ensureWidgetVisible(self.bar.button)
            area.ensureWidgetVisible(self.line)

    def choose_hints(self, choice: str) -> None:
        """Choose hints as if the user had, and show them."""
        self.fold.set_open(True)
        combo = self.hints.combo
        combo.currentIndex = max(0, combo.findData(choice))

    # -- values ----------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """What is typed."""
        return str(self.line.text)

    @property
    def chosen_operation(self) -> str:
        """The chosen operation: "set", "add", "remove" or "intersect"."""
        return str(self.operation.itemData(self.operation.currentIndex))

    def use(self, prompt: str, model: str, threshold: float | None) -> None:
        """Take over a prompt, with its checkpoint where that is installed, and its threshold."""
        if self.model.select(model):
            self.refresh_names()
            self.show_takes()
        self.line.text = prompt
        self.show_parse()
        self.threshold.set_value(threshold)
        self._edited()

    def refresh_names(self) -> None:
        """Offer the names of the chosen checkpoint, the vocabulary and earlier prompts."""
        from TextPromptSegLib.prompting.vocabulary import Vocabulary

        known = self.model.model
        names = () if known is None else known.prompts
        self.completion.set_names(names, Vocabulary.load().names())
        self.names.set_trained(self.model.trained)
        self.completion.set_history(settings.history())

    def show_takes(self) -> None:
        """Offer what the chosen checkpoint takes and gives beside text."""
        takes = self.model.takes
        self.hints.set_takes(takes)
        self.candidates.set_offered("samples" in takes)
        self.overlay.set_takes(takes)
        self.fold.show_row("hints", "box" in takes or "points" in takes)
        self.fold.show_row("candidates", "samples" in takes)
        self._summarise()

    def show_parse(self, typing: bool = False) -> None:
        """Show how the prompt is understood, and the threshold that belongs to it."""
        trained = self.model.trained
        prompts = self.parse.show(self.text, trained, typing)
        defaults = [
            float(trained[p.name].get("threshold", 0.5))
            for p in prompts
            if trained and p.name in trained
        ]
        self.threshold.set_default(min(defaults) if defaults else 0.5)

    # -- parameters --------------------------------------------------------------------------------

    @staticmethod
    def set_defaults(effect: Any) -> None:
        """Define the parameters that the editor node lacks."""
        # An empty text cannot be stored, so there is none for the prompt.
        effect.setParameterDefault("Range", WHOLE)
        effect.setParameterDefault("Modality", AUTO)
        effect.setParameterDefault("Operation", OPERATIONS[0])
        effect.setParameterDefault("Threshold", 0.0)
        effect.setParameterDefault("FirstSlice", 0)
        effect.setParameterDefault("LastSlice", 0)
        effect.setParameterDefault("Hints", NONE)
        effect.setParameterDefault("TwoPass", 0)
        effect.setParameterDefault("Propagate", 0)
        effect.setParameterDefault("Samples", 1)

    def read_parameters(self) -> None:
        """Bring the widgets in line with the editor node."""
        effect = self._effect
        text = effect.parameter("Prompt") if effect.parameterDefined("Prompt") else ""
        if text != self.text:
            with quiet(self.line):
                self.line.text = text
            self.show_parse()
        if effect.parameterDefined("Model"):
            self.model.select(effect.parameter("Model"))
            self.show_takes()
        self.modality.set_choice(effect.parameter("Modality"))
        self.hints.set_state(
            effect.parameter("Hints"),
            [effect.nodeReference(name) for name in _HINT_NODES],
            bool(effect.integerParameter("TwoPass")),
            bool(effect.integerParameter("Propagate")),
        )
        self.candidates.set_count(effect.integerParameter("Samples"))
        self.region.set_choice(effect.parameter("Range"))
        first, last = effect.integerParameter("FirstSlice"), effect.integerParameter("LastSlice")
        if last > first:
            self.region.set_slices(first, last)
        self.region.set_roi(effect.nodeReference("ROI"))
        choose(self.operation, effect.parameter("Operation"))
        threshold = effect.doubleParameter("Threshold")
        self.threshold.set_value(threshold if threshold > 0 else None)
        self._summarise()

    def write_parameters(self) -> None:
        """Bring the editor node in line with the widgets."""
        self._summarise()
        effect = self._effect
        node = effect.parameterSetNode()
        if node is None:
            return
        was_modified = node.StartModify()
        effect.setParameter("Prompt", self.text)
        effect.setParameter("Model", self.model.name)
        effect.setParameter("Modality", self.modality.choice)
        effect.setParameter("Range", self.region.choice)
        first, last = self.region.slices
        effect.setParameter("FirstSlice", int(first))
        effect.setParameter("LastSlice", int(last))
        effect.setNodeReference("ROI", self.region.roi.currentNode())
        effect.setParameter("Hints", self.hints.choice)
        for name, box in zip(_HINT_NODES, self.hints.boxes, strict=True):
            effect.setNodeReference(name, box.node)
        effect.setParameter("TwoPass", int(self.hints.two_pass.checked))
        effect.setParameter("Propagate", int(self.hints.propagate.checked))
        effect.setParameter("Samples", self.candidates.wanted)
        effect.setParameter("Operation", self.chosen_operation)
        effect.setParameter("Threshold", float(self.threshold.value or 0.0))
        node.EndModify(was_modified)

    def reset(self) -> None:
        """Forget what belonged to a scene that is gone: threshold and map over the image."""
        self.threshold.set_value(None)
        choose(self.overlay.combo, NOTHING)
        self._summarise()

    # -- state -------------------------------------------------------------------------------------

    def set_running(self, running: bool) -> None:
        """Allow or forbid what may not change during a run."""
        self.completion.close()
        self.line.readOnly = running  # a line that is switched off would lose the keyboard
        for widget in (self.model.combo, self.operation, self.again, self.preview):
            widget.enabled = not running
        self.parse.label.enabled = self.modality.combo.enabled = not running
        for part in (self.region, self.hints, self.candidates):
            part.set_enabled(not running)

    def cleanup(self) -> None:
        """Disconnect everything."""
        self._pause.stop()
        self._links.clear()
        for part in (
            self.fold,
            self.names,
            self.completion,
            self.parse,
            self.modality,
            self.model,
            self.hints,
            self.candidates,
            self.region,
            self.threshold,
            self.overlay,
            self.bar,
        ):
            part.cleanup()

    # -- what the user does ------------------------------------------------------------------------

    def _line_typed(self, _text: str) -> None:
        self._pause.start(PAUSE_MS)

    def _line_edited(self, _text: str) -> None:
        self.show_parse(typing=bool(self._pause.active))
        self._edited()

    def _paused(self) -> None:
        if self.completion.offering:
            self._pause.start(PAUSE_MS)  # half a word is not warned about
        else:
            self.show_parse()

    def _parse_edited(self, text: str) -> None:
        self.line.text = text

    def _model_changed(self) -> None:
        self.refresh_names()
        self.show_takes()
        self.show_parse()
        self._edited()

    def _edited(self) -> None:
        self.write_parameters()
        self._actions.prompt_changed()

    def _operation_edited(self, _index: int) -> None:
        self.write_parameters()

    def _candidate_changed(self, number: int) -> None:
        self.threshold.set_enabled(number == 0)

    def _overlay_edited(self) -> None:
        self._summarise()
        self._actions.overlay_changed()

    def _summarise(self) -> None:
        self.fold.summarise(self.differences())

    def _threshold_edited(self) -> None:
        self.write_parameters()
        self._actions.threshold_changed()

    def _enter(self) -> None:
        if self.bar.running:
            return
        if self.preview.checked:
            self._actions.prompt_changed()
        else:
            self.preview.checked = True

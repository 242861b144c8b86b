"""The panel's inputs: image, prompts, checkpoint, range, device, output, Apply."""

from __future__ import annotations

from typing import Any, Protocol

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from TextPromptSegLib.outcome import TextPromptSegError

from ..boxes.candidates_box import MOST
from ..boxes.hints_box import HintsBox
from ..boxes.modality_box import ModalityBox
from ..boxes.model_box import ModelBox
from ..boxes.parse_view import ParseView
from ..boxes.region_box import RegionBox
from ..boxes.run_bar import RunBar
from ..boxes.threshold_box import ThresholdBox
from ..shared import views
from ..shared.links import Links
from ..shared.session import Session
from .device_box import DeviceBox
from .parameters import PanelParameters


class Actions(Protocol):
    """What the section asks the panel to do."""

    def apply(self) -> None:
        """Apply was pressed."""

    def cancel(self) -> None:
        """Cancel was pressed."""

    def follow_link(self, address: str) -> None:
        """A link of the outcome line was clicked."""


class SegmentSection:
    """The widgets and the parameter node that they are kept the same as."""

    def __init__(self, session: Session, actions: Actions) -> None:
        """Build the section."""
        self.button = ctk.ctkCollapsibleButton()
        self.button.text = _("Segment")
        self.volume = _selector(
            "TextPromptSegVolume",
            ["vtkMRMLScalarVolumeNode", "vtkMRMLSequenceNode"],
            _("The image; a sequence is segmented frame by frame."),
        )
        self.frames = qt.QCheckBox(_("All frames of the sequence"))
        self.frames.objectName = "TextPromptSegFrames"
        self.modality = ModalityBox(self._edited, "TextPromptSegModality")
        self.prompts = qt.QPlainTextEdit()
        self.prompts.objectName = "TextPromptSegPrompts"
        self.prompts.placeholderText = _("One structure per line, or several with commas")
        self.prompts.tabChangesFocus = True
        self.prompts.maximumHeight = 90
        self.parse = ParseView(self._parse_edited)
        self.parse.label.objectName = "TextPromptSegParse"
        self.model = ModelBox(self._model_changed, "TextPromptSegModel")
        self.hints = HintsBox(self._edited, "TextPromptSeg")
        self.region = RegionBox(self._edited, with_slice=False)
        self.region.combo.objectName = "TextPromptSegRange"
        self.threshold = ThresholdBox(self._edited)
        self.threshold.slider.objectName = "TextPromptSegThreshold"
        self.samples = qt.QSpinBox()
        self.samples.objectName = "TextPromptSegSamples"
        self.samples.minimum, self.samples.maximum = 1, MOST
        self.samples.specialValueText = _("One answer")
        self.samples.toolTip = _(
            "How many plausible answers to draw; the result is their mean, with its uncertainty."
        )
        self._samples_label = qt.QLabel(_("Candidates:"))
        self.device = DeviceBox(session)
        self.output = _selector(
            "TextPromptSegOutput",
            ["vtkMRMLSegmentationNode"],
            _("Segments are added to it; its own segments stay as they are."),
        )
        self.output.noneEnabled = True
        self.output.noneDisplay = _("Create new segmentation")
        self.bar = RunBar(actions.apply, actions.cancel, actions.follow_link, "TextPromptSeg")
        self.bar.button.toolTip = _("Segment the image; the window stays free meanwhile.")
        self._parameters: PanelParameters | None = None
        self._reading = False
        self._lay_out()
        self._volume_links = Links()
        self._links = Links()
        for selector in (self.volume, self.output):
            selector.setMRMLScene(slicer.mrmlScene)
        self._links.connect(self.volume, "currentNodeChanged(vtkMRMLNode*)", self._volume_changed)
        self._links.connect(self.output, "currentNodeChanged(vtkMRMLNode*)", self._edited)
        self._links.connect(self.frames, "toggled(bool)", self._edited)
        self._links.connect(self.samples, "valueChanged(int)", self._edited)
        self._links.connect(self.prompts, "textChanged()", self._prompts_edited)
        self._volume_changed(self.volume_node)

    def _lay_out(self) -> None:
        form = qt.QFormLayout(self.button)
        form.addRow(_("Input volume:"), self.volume)
        form.addRow("", self.frames)
        form.addRow(_("Image is:"), self.modality.combo)
        form.addRow(_("Prompts:"), self.prompts)
        form.addRow("", self.parse.label)
        form.addRow(_("Checkpoint:"), self.model.combo)
        form.addRow(_("Hints:"), self.hints.widget)
        form.addRow(_("Range:"), self.region.widget)
        form.addRow(_("Threshold:"), self.threshold.widget)
        form.addRow(self._samples_label, self.samples)
        form.addRow(_("Device:"), self.device.widget)
        form.addRow(_("Output:"), self.output)
        form.addRow(self.bar.button)
        form.addRow(self.bar.progress)
        form.addRow(self.bar.outcome)

    # -- values ----------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """What is typed."""
        return str(self.prompts.plainText)

    @property
    def volume_node(self) -> Any:
        """The selected image node, or None."""
        return self.volume.currentNode()

    @property
    def sample_count(self) -> int | None:
        """How many candidates are asked for, None for one answer."""
        wanted = int(self.samples.value) if self.model.draws_samples else 0
        return wanted if wanted > 1 else None

    @property
    def over_frames(self) -> bool:
        """Whether all frames of a sequence are asked for."""
        node = self.volume_node
        return node is not None and (
            node.IsA("vtkMRMLSequenceNode") or (self._in_sequence() and self.frames.checked)
        )

    def bind(self, parameters: PanelParameters | None) -> None:
        """Keep the widgets the same as another parameter node; None lets go of it."""
        self._parameters = parameters
        if parameters is not None:
            self._read(parameters)

    def set_running(self, running: bool) -> None:
        """Allow or forbid what may not change during a run."""
        for widget in (
            self.volume,
            self.frames,
            self.modality.combo,
            self.prompts,
            self.parse.label,
            self.model.combo,
            self.hints.widget,
            self.region.widget,
            self.output,
        ):
            widget.enabled = not running

    def refresh(self) -> None:
        """Show what depends on image and checkpoint."""
        self.parse.show(self.text, self.model.trained)
        self.frames.visible = self._in_sequence()
        self.samples.visible = self._samples_label.visible = self.model.draws_samples
        self.hints.set_takes(self.model.takes)
        self._show_image()

    def cleanup(self) -> None:
        """Disconnect and let go of the scene."""
        self._volume_links.clear()
        self._links.clear()
        for part in (
            self.parse,
            self.modality,
            self.model,
            self.hints,
            self.region,
            self.threshold,
            self.device,
            self.bar,
        ):
            part.cleanup()
        for selector in (self.volume, self.output):
            selector.setMRMLScene(None)

    # -- parameters --------------------------------------------------------------------------------

    def _read(self, parameters: PanelParameters) -> None:
        self._reading = True
        try:
            if parameters.volume is not None:
                self.volume.setCurrentNode(parameters.volume)
            self.output.setCurrentNode(parameters.segmentation)
            self.region.set_roi(parameters.roi)
            if parameters.prompts != self.text:
                self.prompts.plainText = parameters.prompts
            if parameters.model:
                self.model.select(parameters.model)
            self.modality.set_choice(parameters.modality)
            self.region.set_choice(parameters.searched)
            self.hints.set_takes(self.model.takes)
            nodes = (parameters.box, parameters.points, parameters.outside)
            self.hints.set_state(parameters.hints, nodes, parameters.twoPass, parameters.propagate)
            if parameters.samples > 0:
                self.samples.value = parameters.samples
            self.frames.checked = parameters.allFrames
            self.threshold.set_value(parameters.threshold or None)
            self.refresh()
            if parameters.lastSlice > parameters.firstSlice:
                self.region.set_slices(parameters.firstSlice, parameters.lastSlice)
        finally:
            self._reading = False
        self._write()

    def _write(self) -> None:
        parameters = self._parameters
        if parameters is None or self._reading or slicer.mrmlScene.IsClosing():
            return
        with slicer.util.NodeModify(parameters):
            parameters.volume = self.volume_node
            parameters.segmentation = self.output.currentNode()
            parameters.roi = self.region.roi.currentNode()
            parameters.prompts = self.text
            parameters.model = self.model.name
            parameters.modality = self.modality.choice
            parameters.searched = self.region.choice
            parameters.firstSlice, parameters.lastSlice = (int(n) for n in self.region.slices)
            parameters.threshold = float(self.threshold.value or 0.0)
            parameters.allFrames = bool(self.frames.checked)
            parameters.hints = self.hints.choice
            parameters.box, parameters.points, parameters.outside = (
                box.node for box in self.hints.boxes
            )
            parameters.twoPass = bool(self.hints.two_pass.checked)
            parameters.propagate = bool(self.hints.propagate.checked)
            parameters.samples = int(self.samples.value)

    # -- what the user does ------------------------------------------------------------------------

    def _edited(self, _value: Any = None) -> None:
        self._write()

    def _prompts_edited(self) -> None:
        self.parse.show(self.text, self.model.trained)
        self._write()

    def _parse_edited(self, text: str) -> None:
        self.prompts.plainText = text

    def _model_changed(self) -> None:
        self.refresh()
        self._write()

    def _volume_changed(self, node: Any) -> None:
        # Loading adds the node first and its voxels afterwards.
        self._volume_links.clear()
        if node is not None and node.IsA("vtkMRMLVolumeNode"):
            event = slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent
            self._volume_links.observe(node, event, self._image_changed)
        self.refresh()
        self._write()

    def _image_changed(self, _caller: Any, _event: Any) -> None:
        self._show_image()

    def _in_sequence(self) -> bool:
        from TextPromptSegMRML.volumes import sequence_of

        node = self.volume_node
        return (
            node is not None
            and not node.IsA("vtkMRMLSequenceNode")
            and sequence_of(node)[0] is not None
        )

    def _show_image(self) -> None:
        node, model = self.volume_node, self.model.model
        image = node.GetImageData() if node is not None and hasattr(node, "GetImageData") else None
        if image is None:
            self.device.set_needed(0, 0)
            return
        self.device.set_needed(
            model.memory_bytes if model is not None else 0, image.GetNumberOfPoints()
        )
        try:
            from TextPromptSegMRML.volumes import volume_from_node

            volume = volume_from_node(node)
        except TextPromptSegError:
            return
        self.region.set_count(views.slice_count(volume, self.model.planes[0]))


def _selector(object_name: str, node_types: list[str], tip: str) -> Any:
    selector = slicer.qMRMLNodeComboBox()
    selector.objectName = object_name
    selector.nodeTypes = node_types
    selector.addEnabled = selector.removeEnabled = False
    selector.noneEnabled = False
    selector.toolTip = tip
    return selector

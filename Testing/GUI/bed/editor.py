"""``slicer.qMRMLSegmentEditorWidget`` over the real editor logic, node, masking and undo.

Follows Slicer/Slicer ``Modules/Loadable/Segmentations/Widgets/qMRMLSegmentEditorWidget.cxx``:
updateEffectList, initializeParameterSetNode, updateEffectsSectionFromMRML, processEvents, undo,
onInteractionNodeModified, onSegmentSelectionChanged, installKeyboardShortcuts.
"""

from __future__ import annotations

import shiboken6
import slicer
import vtk
from PySide6 import QtGui, QtWidgets

from . import pythonqt
from .effects import qSlicerSegmentEditorEffectFactory
from .pythonqt import stand_in
from .widgets import qMRMLWidget

pythonqt.properties_in(__name__)


@stand_in
class qMRMLSegmentEditorWidget(qMRMLWidget):
    """The editor: effects, their options, selection, undo."""

    def __init__(self, *args) -> None:
        super().__init__(*args)
        box = QtWidgets.QGroupBox()
        box.setLayout(QtWidgets.QVBoxLayout())
        help_label = QtWidgets.QLabel()
        help_label.wordWrap = True
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(help_label)
        layout.addWidget(box)
        layout.addStretch(1)
        self.__dict__.update(
            _bed_box=box,
            _bed_help=help_label,
            _bed_effects=[],
            _bed_active_effect=None,
            _bed_node=None,
            _bed_tags=[],
            _bed_source=None,
            _bed_logic=slicer.vtkSlicerSegmentEditorLogic(),
        )
        qSlicerSegmentEditorEffectFactory.instance().listeners.append(self._registered)

    # -- set up ----------------------------------------------------------------------------------

    def setMRMLScene(self, scene) -> None:
        super().setMRMLScene(scene)
        logic = self._part("logic")
        logic.SetMRMLApplicationLogic(slicer.app.applicationLogic())
        logic.SetMRMLScene(scene)
        logic.SetVerbose(True)
        self._observe(scene, scene.EndCloseEvent, self._scene_closed)
        self._observe(scene, scene.NodeAboutToBeRemovedEvent, self._node_leaves)
        mode = scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
        if mode is not None:
            self._observe(mode, vtk.vtkCommand.ModifiedEvent, self._mode_changed)

    def setMRMLSegmentEditorNode(self, node) -> None:
        self.__dict__["_bed_node"] = node
        self._part("logic").SetSegmentEditorNode(node)
        self._observe(node, vtk.vtkCommand.ModifiedEvent, self.updateWidgetFromMRML)
        self._observe(node, node.EffectParameterModified, self._parameters_changed)
        self.updateEffectList()
        self._initialize_parameters()
        self.updateWidgetFromMRML()

    def mrmlSegmentEditorNode(self):
        return self._part("node")

    def updateEffectList(self) -> None:
        known = {e.name for e in self._part("effects")}
        for registered in qSlicerSegmentEditorEffectFactory.instance().effects:
            if registered.name in known:
                continue
            effect = registered.self().clone()
            effect.__dict__["_bed_logic"] = self._part("logic")
            effect.__dict__["_bed_select"] = self.setActiveEffectByName
            if self._part("node") is not None:
                effect.setParameterSetNode(self._part("node"))
                effect.bed_call("setMRMLDefaults")
            self._part("effects").append(effect)
            effect.bed_call("setupOptionsFrame")
            effect.optionsFrame().visible = False
            self._part("box").layout().addWidget(effect.optionsFrame())

    def _registered(self, _name: str) -> None:
        self.updateEffectList()

    def _initialize_parameters(self) -> None:
        node = self._part("node")
        was = node.StartModify()
        for effect in self._part("effects"):
            effect.setParameterSetNode(node)
            effect.bed_call("setMRMLDefaults")
        node.EndModify(was)

    def _scene_closed(self, *_args) -> None:
        if self._part("node") is not None:
            self._initialize_parameters()
            self.updateWidgetFromMRML()

    # -- selection -------------------------------------------------------------------------------

    def setSegmentationNode(self, node) -> None:
        if node is self._part("logic").GetSegmentationNode():
            return
        self._part("logic").SetSegmentationNode(node)
        self.setActiveEffectByName("")
        if node is not None:
            self._observe(node, slicer.vtkSegmentation.SegmentRemoved, self._segment_left)

    def _segment_left(self, segmentation_node, *_args) -> None:
        """The table loses the selected row; an effect per segment is then switched off."""
        selected = self.currentSegmentID()
        if segmentation_node is not self._part("logic").GetSegmentationNode() or not selected:
            return
        if segmentation_node.GetSegmentation().GetSegment(selected) is None:
            self._part("node").SetSelectedSegmentID(None)
            effect = self._part("active_effect")
            if effect is not None and effect.perSegment:
                self.setActiveEffectByName("")

    def _node_leaves(self, _scene, _event, node) -> None:
        # The selector lets go of a node while that is still in the scene.
        if node is self._part("logic").GetSegmentationNode() and not self.mrmlScene().IsClosing():
            self.setSegmentationNode(None)

    def setSourceVolumeNode(self, node) -> None:
        self._part("logic").SetSourceVolumeNode(node)
        self.updateWidgetFromMRML()

    def _mode_changed(self, mode, *_args) -> None:
        if self._part("active_effect") is not None:
            self._part("active_effect").interactionNodeModified(mode)

    def installKeyboardShortcuts(self, parent=None) -> None:
        """Only Escape, of all keys: it switches the active effect off."""
        self.uninstallKeyboardShortcuts()
        escape = QtGui.QShortcut(QtGui.QKeySequence("Esc"), parent or self.window())
        escape.activated.connect(lambda: self.setActiveEffectByName(""))
        self.__dict__["_bed_shortcuts"] = [escape]

    def uninstallKeyboardShortcuts(self) -> None:
        for shortcut in self.__dict__.pop("_bed_shortcuts", []):
            shortcut.setParent(None)
            shortcut.deleteLater()

    def setCurrentSegmentID(self, segment_id: str) -> None:
        self._part("node").SetSelectedSegmentID(segment_id)
        self.updateWidgetFromMRML()

    def currentSegmentID(self) -> str:
        return self._part("node").GetSelectedSegmentID() or ""

    # -- effects ---------------------------------------------------------------------------------

    def effectByName(self, name: str):
        return next((e for e in self._part("effects") if e.name == name), None)

    def activeEffect(self):
        return self._part("active_effect")

    def setActiveEffectByName(self, name: str) -> None:
        effect = self.effectByName(name)
        self._part("node").SetActiveEffectName(effect.name if effect is not None else "")
        self.updateWidgetFromMRML()

    def updateWidgetFromMRML(self, *_args) -> None:
        scene, node = self.mrmlScene(), self._part("node")
        if scene is None or node is None or scene.IsClosing() or scene.IsBatchProcessing():
            return
        was = node.StartModify()
        source = self._part("logic").GetSourceVolumeNode()
        if source is not self._part("source"):
            self.__dict__["_bed_source"] = source
            for effect in self._part("effects"):
                effect.bed_call("sourceVolumeNodeChanged")
        enabled = node.GetSourceVolumeNode() is not None
        self._part("box").enabled = enabled
        wanted = self.effectByName(node.GetActiveEffectName() or "")
        before = self._part("active_effect")
        if wanted is not before:
            if before is not None:
                before.optionsFrame().visible = False
                before.__dict__["_bed_active"] = False
                before.bed_call("deactivate")
            if wanted is not None:
                self._part("logic").SetSourceRepresentationToBinaryLabelMap()
                mode = scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
                if mode is not None:
                    mode.SetCurrentInteractionMode(mode.ViewTransform)
                wanted.optionsFrame().visible = True
                wanted.__dict__["_bed_active"] = True
                wanted.bed_call("updateGUIFromMRML")
                wanted.bed_call("activate")
                self._part("box").title = wanted.title
                self._part("help").text = wanted.self().helpText()
            self.__dict__["_bed_active_effect"] = wanted
        node.EndModify(was)

    def _parameters_changed(self, *_args) -> None:
        for effect in self._part("effects"):
            if effect.active():
                effect.bed_call("updateGUIFromMRML")

    # -- what the views report ---------------------------------------------------------------------

    def bed_view_changed(self, view_node) -> None:
        """Tell the active effect that a slice view was scrolled, as processEvents does."""
        effect = self._part("active_effect")
        if effect is not None and not self.mrmlScene().IsClosing():
            effect.bed_call("processViewNodeEvents", view_node, vtk.vtkCommand.ModifiedEvent, None)

    # -- undo ------------------------------------------------------------------------------------

    def undo(self) -> None:
        self._part("logic").Undo()

    def redo(self) -> None:
        self._part("logic").Redo()

    # -- end -------------------------------------------------------------------------------------

    def bed_close(self) -> None:
        """What happens when the application ends."""
        listeners = qSlicerSegmentEditorEffectFactory.instance().listeners
        listeners.remove(self._registered)
        for observed, tag in self._part("tags"):
            observed.RemoveObserver(tag)
        for effect in self._part("effects"):
            if effect.active():
                effect.__dict__["_bed_active"] = False
                effect.bed_call("deactivate")
            effect.bed_call("cleanup")
        self._part("logic").SetSegmentEditorNode(None)
        self._part("logic").SetMRMLScene(None)

    def _observe(self, observed, event, method) -> None:
        @vtk.calldata_type(vtk.VTK_OBJECT)
        def pass_on(*arguments) -> None:
            if shiboken6.isValid(self):  # qvtkConnect ends with the widget
                method(*arguments)

        self._part("tags").append((observed, observed.AddObserver(event, pass_on)))

    def _part(self, name: str):
        return self.__dict__[f"_bed_{name}"]

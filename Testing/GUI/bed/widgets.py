"""MRML widgets: follow Slicer ``Libs/MRML/Widgets/qMRMLNodeComboBox.h`` and ``qMRMLWidget.h``."""

from __future__ import annotations

import shiboken6
import slicer
from PySide6 import QtWidgets

from . import pythonqt
from .pythonqt import _Slot, stand_in, wrap

pythonqt.properties_in(__name__)

_Widget = wrap(QtWidgets.QWidget)
_Row = wrap(QtWidgets.QHBoxLayout)


@stand_in
class qMRMLWidget(_Widget):
    """A widget that knows the scene."""

    def setMRMLScene(self, scene) -> None:
        self.__dict__["_bed_scene"] = scene

    def mrmlScene(self):
        return self.__dict__.get("_bed_scene")


# Signals with C++ types that PySide6 cannot spell.
_NODE_SIGNALS = {
    "currentNodeChanged(vtkMRMLNode*)": "node",
    "currentNodeChanged(bool)": "valid",
    "currentNodeIDChanged(QString)": "id",
    "nodeAddedByUser(vtkMRMLNode*)": "added",
}


@stand_in
class qMRMLNodeComboBox(_Widget):
    """Choose a node of some classes; the list follows the scene."""

    def __init__(self, *args) -> None:
        super().__init__(*args)
        combo = QtWidgets.QComboBox()
        row = _Row(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(combo)
        self.__dict__.update(
            _bed_combo=combo,
            _bed_scene=None,
            _bed_tags=[],
            _bed_listeners={},
            _bed_current=None,
            _bed_options={
                "nodeTypes": ["vtkMRMLNode"],
                "noneEnabled": False,
                "noneDisplay": "None",
                "addEnabled": True,
                "removeEnabled": True,
                "renameEnabled": False,
                "editEnabled": False,
                "showHidden": False,
                "showChildNodeTypes": True,
                "selectNodeUponCreation": True,
                "baseName": "",
            },
        )
        combo.currentIndexChanged.connect(lambda index: self._picked(index))

    def connect(self, signature: str, target) -> bool:
        if signature not in _NODE_SIGNALS:
            raise AttributeError(f"qMRMLNodeComboBox has no signal {signature}")
        listeners = self.__dict__["_bed_listeners"].setdefault(_NODE_SIGNALS[signature], [])
        listeners.append((target, _Slot(target)))
        return True

    def disconnect(self, signature: str, target=None) -> bool:
        listeners = self.__dict__["_bed_listeners"].get(_NODE_SIGNALS[signature], [])
        kept = [entry for entry in listeners if target is not None and entry[0] != target]
        self.__dict__["_bed_listeners"][_NODE_SIGNALS[signature]] = kept
        return len(kept) != len(listeners)

    def _emit(self, kind: str, value) -> None:
        if not self.signalsBlocked():
            for _target, slot in list(self.__dict__["_bed_listeners"].get(kind, [])):
                slot.receive(value)

    def setMRMLScene(self, scene) -> None:
        for observed, tag in self.__dict__["_bed_tags"]:
            observed.RemoveObserver(tag)
        self.__dict__["_bed_scene"] = scene
        self.__dict__["_bed_tags"] = (
            [
                (scene, scene.AddObserver(event, lambda *_: self._refresh()))
                for event in (
                    scene.NodeAddedEvent,
                    scene.NodeRemovedEvent,
                    scene.EndCloseEvent,
                    scene.EndBatchProcessEvent,
                )
                if scene is not None
            ]
            if scene is not None
            else []
        )
        self._refresh()

    def mrmlScene(self):
        return self.__dict__["_bed_scene"]

    def _nodes(self) -> list:
        scene, options = self.__dict__["_bed_scene"], self.__dict__["_bed_options"]
        if scene is None:
            return []
        found = []
        for index in range(scene.GetNumberOfNodes()):
            node = scene.GetNthNode(index)
            right = any(
                node.IsA(t) if options["showChildNodeTypes"] else node.GetClassName() == t
                for t in options["nodeTypes"]
            )
            if right and (options["showHidden"] or not node.GetHideFromEditors()):
                found.append(node)
        return found

    def _refresh(self) -> None:
        if not shiboken6.isValid(self.__dict__["_bed_combo"]):  # as qvtkConnect ends with an object
            for observed, tag in self.__dict__["_bed_tags"]:
                observed.RemoveObserver(tag)
            self.__dict__["_bed_tags"] = []
            return
        combo, options = self.__dict__["_bed_combo"], self.__dict__["_bed_options"]
        nodes = self._nodes()
        ids = [n.GetID() for n in nodes]
        before = self.__dict__["_bed_current"]
        wanted = before if before in ids else None
        if wanted is None and not options["noneEnabled"] and ids:
            wanted = ids[0]
        combo.blockSignals(True)
        combo.clear()
        if options["noneEnabled"]:
            combo.addItem(options["noneDisplay"], None)
        for node in nodes:
            combo.addItem(node.GetName(), node.GetID())
        combo.currentIndex = (
            ids.index(wanted) + int(options["noneEnabled"])
            if wanted in ids
            else (0 if options["noneEnabled"] else -1)
        )
        combo.blockSignals(False)
        self._choose(wanted)

    def _picked(self, index: int) -> None:
        self._choose(self.__dict__["_bed_combo"].itemData(index))

    def _choose(self, node_id) -> None:
        if node_id == self.__dict__["_bed_current"]:
            return
        self.__dict__["_bed_current"] = node_id
        node = self.currentNode()
        self._emit("node", node)
        self._emit("valid", node is not None)
        self._emit("id", node_id or "")

    def currentNode(self):
        scene, node_id = self.__dict__["_bed_scene"], self.__dict__["_bed_current"]
        return None if scene is None or not node_id else scene.GetNodeByID(node_id)

    def setCurrentNode(self, node) -> None:
        node_id = node if isinstance(node, str) or node is None else node.GetID()
        self.__dict__["_bed_current"] = self.__dict__["_bed_current"]
        combo = self.__dict__["_bed_combo"]
        index = (
            combo.findData(node_id)
            if node_id
            else (0 if self.__dict__["_bed_options"]["noneEnabled"] else -1)
        )
        combo.blockSignals(True)
        combo.currentIndex = index
        combo.blockSignals(False)
        self._choose(node_id if index >= 0 and node_id else None)

    def nodeCount(self) -> int:
        return len(self._nodes())

    def addNode(self):
        options = self.__dict__["_bed_options"]
        name = options["baseName"] or slicer.mrmlScene.GetTagByClassName(options["nodeTypes"][0])
        node = self.__dict__["_bed_scene"].AddNewNodeByClass(
            options["nodeTypes"][0], slicer.mrmlScene.GenerateUniqueName(name)
        )
        self.setCurrentNode(node)
        self._emit("added", node)
        return node

    @property
    def currentNodeID(self) -> str:
        return self.__dict__["_bed_current"] or ""

    @currentNodeID.setter
    def currentNodeID(self, node_id: str) -> None:
        self.setCurrentNode(node_id)


def _option(name: str) -> property:
    def read(self):
        return self.__dict__["_bed_options"][name]

    def write(self, value) -> None:
        self.__dict__["_bed_options"][name] = value
        self._refresh()

    return property(read, write)


for _name in (
    "nodeTypes noneEnabled noneDisplay addEnabled removeEnabled renameEnabled editEnabled "
    "showHidden showChildNodeTypes selectNodeUponCreation baseName"
).split():
    setattr(qMRMLNodeComboBox, _name, _option(_name))

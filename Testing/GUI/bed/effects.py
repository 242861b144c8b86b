"""Segment Editor effects: adaptor, factory, and the package ``SegmentEditorEffects``.

Follow Slicer/Slicer ``Modules/Loadable/Segmentations/EditorEffects/``:
``qSlicerSegmentEditorAbstractEffect.cxx``, ``qSlicerSegmentEditorScriptedEffect.cxx``,
``qSlicerSegmentEditorEffectFactory.cxx`` and
``Python/SegmentEditorEffects/AbstractScriptedSegmentEditorEffect.py``.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
import types
from pathlib import Path

import slicer
from PySide6 import QtCore, QtWidgets

from . import pythonqt
from .pythonqt import stand_in, wrap

pythonqt.properties_in(__name__)

_Object = wrap(QtCore.QObject)
_Frame = wrap(QtWidgets.QFrame)
_FormLayout = wrap(QtWidgets.QFormLayout)
_log = logging.getLogger(__name__)

effect_errors: list[str] = []
"""What the C++ class reports with qCritical."""


class qSlicerSegmentEditorAbstractEffect:
    """Carries the enumeration that effects use."""

    ModificationModeSet, ModificationModeAdd, ModificationModeRemove = 0, 1, 2
    ModificationModeRemoveAll = 3
    NotConfirmed, ConfirmedWithoutDialog, ConfirmedWithDialog = 0, 1, 2


@stand_in
class qSlicerSegmentEditorScriptedEffect(_Object):
    """The adaptor that a scripted effect calls as ``self.scriptedEffect``."""

    def __init__(self, parent=None) -> None:
        super().__init__()
        frame = _Frame()
        layout = _FormLayout(frame)
        layout.setContentsMargins(4, 4, 4, 4)
        self.__dict__.update(
            _bed_values={
                "name": "UnnamedScriptedEffect",
                "title": "",
                "perSegment": True,
                "requireSegments": True,
                "showEffectCursorInSliceView": True,
                "showEffectCursorInThreeDView": False,
            },
            _bed_frame=frame,
            _bed_layout=layout,
            _bed_node=None,
            _bed_logic=None,
            _bed_self=None,
            _bed_source="",
            _bed_active=False,
            _bed_select=lambda name: None,
        )

    # -- loading ---------------------------------------------------------------------------------

    def setPythonSource(self, path: str) -> bool:
        file = Path(path)
        module_name, class_name = file.parent.name, file.stem
        module = sys.modules.get(module_name)
        if module is None or not hasattr(module, class_name):
            spec = importlib.util.spec_from_file_location(module_name, path)
            module = importlib.util.module_from_spec(spec)
            sys.modules[module_name] = module
            pythonqt.properties_in(module_name)
            spec.loader.exec_module(module)
        instance = getattr(module, class_name)(self)
        self.__dict__.update(_bed_self=instance, _bed_source=path)
        setattr(slicer, module_name, instance)
        return True

    def self(self):
        return self.__dict__["_bed_self"]

    # -- parameters ------------------------------------------------------------------------------

    def parameterSetNode(self):
        return self.__dict__["_bed_node"]

    def setParameterSetNode(self, node) -> None:
        self.__dict__["_bed_node"] = node

    def scene(self):
        node = self.parameterSetNode()
        return None if node is None else node.GetScene()

    def parameter(self, name: str) -> str:
        node = self.parameterSetNode()
        if node is None:
            return ""
        value = node.GetAttribute(f"{self.name}.{name}")
        value = node.GetAttribute(name) if value is None else value
        if value is None:
            effect_errors.append(f"Parameter named {name} cannot be found for effect {self.name}")
            return ""
        return value

    def integerParameter(self, name: str) -> int:
        text = self.parameter(name)
        try:
            return int(text)
        except ValueError:
            effect_errors.append(f"Parameter named {name} cannot be converted to integer!")
            return 0

    def doubleParameter(self, name: str) -> float:
        text = self.parameter(name)
        try:
            return float(text)
        except ValueError:
            effect_errors.append(f"Parameter named {name} cannot be converted to a number!")
            return 0.0

    def parameterDefined(self, name: str) -> bool:
        return self.commonParameterDefined(f"{self.name}.{name}")

    def commonParameterDefined(self, name: str) -> bool:
        node = self.parameterSetNode()
        return node is not None and bool(node.GetAttribute(name))

    def setParameter(self, name: str, value) -> None:
        self.setCommonParameter(f"{self.name}.{name}", value)

    def setParameterDefault(self, name: str, value) -> None:
        if not self.parameterDefined(name):
            self.setParameter(name, value)

    def setCommonParameter(self, name: str, value) -> None:
        if type(value) not in (str, int, float):
            raise TypeError(f"Could not find a setParameter for {type(value).__name__}")
        node = self.parameterSetNode()
        if node is None:
            effect_errors.append("Invalid segment editor parameter set node")
            return
        text = (
            value
            if isinstance(value, str)
            else f"{value:g}"
            if isinstance(value, float)
            else str(value)
        )
        old = node.GetAttribute(name)
        if (old is None and not text) or old == text:
            return
        disabled = node.GetDisableModifiedEvent()
        node.SetDisableModifiedEvent(1)
        node.SetAttribute(name, text)
        node.SetDisableModifiedEvent(disabled)
        node.InvokeCustomModifiedEvent(slicer.vtkMRMLSegmentEditorNode.EffectParameterModified)

    def nodeReference(self, name: str):
        node = self.parameterSetNode()
        return None if node is None else node.GetNodeReference(f"{self.name}.{name}")

    def setNodeReference(self, name: str, node) -> None:
        owner, role = self.parameterSetNode(), f"{self.name}.{name}"
        if owner.GetNodeReference(role) is not node:
            owner.SetNodeReferenceID(role, node.GetID() if node is not None else None)
            owner.InvokeCustomModifiedEvent(slicer.vtkMRMLSegmentEditorNode.EffectParameterModified)

    # -- options ---------------------------------------------------------------------------------

    def optionsFrame(self):
        return self.__dict__["_bed_frame"]

    def optionsLayout(self):
        return self.__dict__["_bed_layout"]

    def addOptionsWidget(self, widget) -> None:
        _set_policy(widget)
        self.optionsLayout().addRow(widget)

    def addLabeledOptionsWidget(self, label: str, widget):
        _set_policy(widget)
        text = QtWidgets.QLabel(label)
        self.optionsLayout().addRow(text, widget)
        return text

    # -- editing ---------------------------------------------------------------------------------

    def active(self) -> bool:
        return self.__dict__["_bed_active"]

    def selectEffect(self, name: str) -> None:
        self.__dict__["_bed_select"](name)

    def saveStateForUndo(self) -> None:
        self.__dict__["_bed_logic"].SaveStateForUndo()

    def defaultModifierLabelmap(self):
        logic = self.__dict__["_bed_logic"]
        return logic.GetModifierLabelmap() if logic.ResetModifierLabelmapToDefault() else None

    def modifySelectedSegmentByLabelmap(self, labelmap, mode, *rest) -> None:
        node = self.parameterSetNode()
        self.modifySegmentByLabelmap(
            node.GetSegmentationNode(), node.GetSelectedSegmentID() or "", labelmap, mode, *rest
        )

    def modifySegmentByLabelmap(self, segmentation, segment_id, labelmap, mode, *rest) -> None:
        bypass = bool(rest[-1]) if rest and isinstance(rest[-1], bool) else False
        extent = [r for r in rest if isinstance(r, list | tuple)]
        logic = self.__dict__["_bed_logic"]
        logic.ModifySegmentByLabelmap(
            segmentation, segment_id, labelmap, mode, *extent, self.perSegment, bypass
        )

    def interactionNodeModified(self, node) -> None:
        """Switch off in a mouse mode, unless the Python effect has a method of that name."""
        if hasattr(self.self(), "interactionNodeModified"):
            self.bed_call("interactionNodeModified", node)
        elif node.GetCurrentInteractionMode() != node.ViewTransform:
            self.selectEffect("")

    def confirmCurrentSegmentVisible(self) -> int:
        return qSlicerSegmentEditorAbstractEffect.ConfirmedWithoutDialog

    # -- what the editor widget calls; not visible to Python in Slicer -----------------------------

    def bed_call(self, name: str, *arguments):
        """Call a method of the Python effect as PythonCppAPI does: an error is reported."""
        method = getattr(self.self(), name, None)
        return None if method is None else pythonqt._Slot(method).receive(*arguments)


def _set_policy(widget) -> None:
    if isinstance(widget, QtWidgets.QWidget):
        policy = QtWidgets.QSizePolicy.Policy
        widget.sizePolicy = QtWidgets.QSizePolicy(policy.Preferred, policy.MinimumExpanding)


def _value(name: str) -> property:
    def write(self, value) -> None:
        self.__dict__["_bed_values"][name] = value

    return property(lambda self: self.__dict__["_bed_values"][name], write)


for _name in (
    "name title perSegment requireSegments showEffectCursorInSliceView showEffectCursorInThreeDView"
).split():
    setattr(qSlicerSegmentEditorScriptedEffect, _name, _value(_name))


class qSlicerSegmentEditorEffectFactory:
    """Keeps one of each effect; editors clone them."""

    _instance = None

    def __init__(self) -> None:
        self.effects: list = []
        self.listeners: list = []

    @classmethod
    def instance(cls):
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    def registerEffect(self, effect) -> bool:
        if not effect.name or any(e.name == effect.name for e in self.effects):
            return False
        self.effects.append(effect)
        for listener in self.listeners:
            listener(effect.name)
        return True


class AbstractScriptedSegmentEditorEffect:
    """Base class of scripted effects."""

    def __init__(self, scriptedEffect) -> None:
        self.scriptedEffect = scriptedEffect

    def register(self) -> None:
        qSlicerSegmentEditorEffectFactory.instance().registerEffect(self.scriptedEffect)

    def cleanup(self) -> None:
        pass


def install_effects() -> None:
    """Put the modules in place under the names that effects import."""
    package = types.ModuleType("SegmentEditorEffects")
    package.AbstractScriptedSegmentEditorEffect = AbstractScriptedSegmentEditorEffect
    package.__all__ = ["AbstractScriptedSegmentEditorEffect"]
    package.__path__ = []
    inner = types.ModuleType("SegmentEditorEffects.AbstractScriptedSegmentEditorEffect")
    inner.AbstractScriptedSegmentEditorEffect = AbstractScriptedSegmentEditorEffect
    binding = types.ModuleType("qSlicerSegmentationsEditorEffectsPythonQt")
    binding.qSlicerSegmentEditorScriptedEffect = qSlicerSegmentEditorScriptedEffect
    for module in (package, inner, binding):
        sys.modules[module.__name__] = module
    for cls in (
        qSlicerSegmentEditorAbstractEffect,
        qSlicerSegmentEditorScriptedEffect,
        qSlicerSegmentEditorEffectFactory,
    ):
        setattr(slicer, cls.__name__, cls)

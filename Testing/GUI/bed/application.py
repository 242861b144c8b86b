"""``slicer.app``, ``slicer.modules``, the scene and its logics.

Follows Slicer/Slicer ``Base/QTCore/qSlicerCoreApplication.h``, ``Base/QTGUI/qSlicerApplication.h``,
``Base/QTCore/qSlicerModuleManager.h``. The scene, its nodes and the logics are the real ones.
"""

from __future__ import annotations

import os
import types
from pathlib import Path

import slicer
from PySide6 import QtCore, QtWidgets

from . import pythonqt
from .pythonqt import stand_in, wrap

pythonqt.properties_in(__name__)

_Application = wrap(QtWidgets.QApplication)
_Object = wrap(QtCore.QObject)

_LOGICS = {
    "volumes": "vtkSlicerVolumesLogic",
    "segmentations": "vtkSlicerSegmentationsModuleLogic",
    "sequences": "vtkSlicerSequencesLogic",
    "markups": "vtkSlicerMarkupsLogic",
    "transforms": "vtkSlicerTransformLogic",
}


@stand_in
class qSlicerModuleManager(_Object):
    moduleAboutToBeUnloaded = QtCore.Signal(str)
    moduleLoaded = QtCore.Signal(str)


class _Environment:
    """QProcessEnvironment as `slicer.util.startupEnvironment` reads it."""

    def keys(self):
        return list(os.environ)

    def value(self, name: str) -> str:
        return os.environ[name]


@stand_in
class qSlicerApplication(_Application):
    """The application object; a plain QApplication plus what the product asks Slicer for."""

    startupCompleted = QtCore.Signal()

    def start(self, home: Path) -> None:
        """Set up what Slicer has before a module is loaded; not part of the real class."""
        self.applicationName, self.organizationName = "Slicer", "NA-MIC"
        QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
        QtCore.QSettings.setPath(
            QtCore.QSettings.Format.IniFormat, QtCore.QSettings.Scope.UserScope, str(home)
        )
        scene = slicer.vtkMRMLScene()
        logic = slicer.vtkSlicerApplicationLogic()
        logic.SetMRMLScene(scene)
        colors = logic.GetColorLogic()
        colors.SetMRMLScene(scene)
        colors.AddDefaultColorNodes()
        slicer.mrmlScene = scene
        modules = {}
        for name, class_name in _LOGICS.items():
            module_logic = getattr(slicer, class_name)()
            module_logic.SetMRMLApplicationLogic(logic)
            module_logic.SetMRMLScene(scene)
            modules[name] = types.SimpleNamespace(logic=lambda found=module_logic: found)
        slicer.modules = types.SimpleNamespace(**modules)
        self.__dict__.update(
            _bed_home=home,
            _bed_logic=logic,
            _bed_testing=False,
            _bed_manager=qSlicerModuleManager(),
            _bed_paused=0,
        )

    # -- qSlicerCoreApplication ------------------------------------------------------------------

    def mrmlScene(self):
        return slicer.mrmlScene

    def applicationLogic(self):
        return self.__dict__["_bed_logic"]

    def moduleManager(self):
        return self.__dict__["_bed_manager"]

    def startupEnvironment(self):
        return _Environment()

    def testingEnabled(self) -> bool:
        return self.__dict__["_bed_testing"]

    def settings(self):
        return QtCore.QSettings()

    userSettings = settings

    def translate(self, context: str, text: str) -> str:
        if "_bed_translator" in self.__dict__:
            return self.__dict__["_bed_translator"](text)
        return QtCore.QCoreApplication.translate(context, text)

    @property
    def applicationLocaleName(self) -> str:
        return str(QtCore.QSettings().value("language") or "en_US")

    def loadTranslations(self, folder: str) -> None:
        """Load the compiled files whose names end in the locale, else in its language."""
        locale = self.applicationLocaleName
        for ending in (locale, locale.replace("_", "-"), locale.split("_")[0]):
            found = sorted(Path(folder).glob(f"*{ending}.qm"))
            for path in found:
                translator = QtCore.QTranslator(self)
                assert translator.load(str(path))
                self.installTranslator(translator)
                self.__dict__.setdefault("_bed_translators", []).append(translator)
            if found:
                return

    def forgetTranslations(self) -> None:
        """Speak English again."""
        for translator in self.__dict__.pop("_bed_translators", []):
            self.removeTranslator(translator)

    @property
    def cachePath(self) -> str:
        return str(self.__dict__["_bed_home"] / "cache")

    @property
    def temporaryPath(self) -> str:
        return str(self.__dict__["_bed_home"] / "tmp")

    @property
    def slicerUserSettingsFilePath(self) -> str:
        return str(self.__dict__["_bed_home"] / "Slicer.ini")

    majorVersion = property(lambda self: 5)
    minorVersion = property(lambda self: 13)

    # -- qSlicerApplication ----------------------------------------------------------------------

    def pauseRender(self) -> None:
        self.__dict__["_bed_paused"] += 1

    def resumeRender(self) -> None:
        self.__dict__["_bed_paused"] -= 1

    def layoutManager(self):
        return None  # as with --no-main-window; the product finds slice views in the scene

    def clipboard(self):
        return QtWidgets.QApplication.clipboard()


def add_slice_nodes() -> None:
    """Add the three slice views of the conventional layout, and the nodes of mouse modes."""
    for name in ("vtkMRMLSelectionNode", "vtkMRMLInteractionNode"):
        if slicer.mrmlScene.GetNodeByID(f"{name}Singleton") is None:
            node = slicer.mrmlScene.CreateNodeByClass(name)
            node.UnRegister(None)
            node.SetSingletonTag("Singleton")
            slicer.mrmlScene.AddNode(node)
    for name in ("Red", "Green", "Yellow"):
        if slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLSliceCompositeNode") is None:
            node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSliceCompositeNode")
            node.UnRegister(None)
            node.SetSingletonTag(name)
            node.SetLayoutName(name)
            slicer.mrmlScene.AddNode(node)
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(slicer.mrmlScene)
    for name, orientation in (("Red", "Axial"), ("Green", "Coronal"), ("Yellow", "Sagittal")):
        # Created by the scene, so that it gets the presets of the default node.
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSliceNode")
        node.UnRegister(None)
        node.SetSingletonTag(name)
        node.SetName(name)
        node.SetLayoutName(name)
        node.SetAttribute("bed", "1")
        slicer.mrmlScene.AddNode(node)
        node.SetOrientation(orientation)
        node.SetMappedInLayout(1)

"""``slicer.ScriptedLoadableModule``, ``parameterNodeWrapper``, ``i18n`` and ``packaging``.

Follow Slicer/Slicer ``Base/Python/slicer/ScriptedLoadableModule.py``, ``parameterNodeWrapper/``,
``i18n.py`` and ``packaging.py``. Packages are never installed: what was asked for is recorded.
"""

from __future__ import annotations

import importlib
import os
import sys
import types
import typing
import unittest
from pathlib import Path

import slicer

installed: list[dict] = []
"""What the product asked `slicer.packaging` to install."""

install_error: list[Exception] = []
"""What the next installations raise."""


def make_scripted() -> types.ModuleType:
    """Return ``slicer.ScriptedLoadableModule``."""
    import qt

    class ScriptedLoadableModule:
        def __init__(self, parent):
            self.parent = parent
            self.moduleName = type(self).__name__
            parent.title, parent.categories, parent.dependencies = "", [], []
            parent.contributors, parent.helpText, parent.acknowledgementText = [], "", ""
            for extension in (".svg", ".png"):
                icon = os.path.join(
                    os.path.dirname(parent.path), "Resources/Icons", self.moduleName + extension
                )
                if os.path.isfile(icon):
                    parent.icon = qt.QIcon(icon)
                    break
            slicer.selfTests = getattr(slicer, "selfTests", {})
            slicer.selfTests[self.moduleName] = self.runTest

        def resourcePath(self, filename):
            return os.path.join(os.path.dirname(self.parent.path), "Resources", filename)

        def runTest(self, msec=100, **kwargs):
            module = importlib.import_module(type(self).__module__)
            case = getattr(module, self.moduleName + "Test")()
            case.messageDelay = msec
            case.runTest(**kwargs)

    class ScriptedLoadableModuleWidget:
        def __init__(self, parent=None):
            self.moduleName = type(self).__name__.removesuffix("Widget")
            self.developerMode = False
            self.parent = parent
            self.layout = parent.layout()
            slicer.app.moduleManager().connect(
                "moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded
            )

        def resourcePath(self, filename):
            return os.path.join(
                os.path.dirname(slicer.util.modulePath(self.moduleName)), "Resources", filename
            )

        def setup(self):
            pass

        def cleanup(self):
            pass

        def _onModuleAboutToBeUnloaded(self, moduleName):
            if moduleName == self.moduleName:
                self.cleanup()
                slicer.app.moduleManager().disconnect(
                    "moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded
                )

    class ScriptedLoadableModuleLogic:
        def __init__(self, parent=None):
            self.moduleName = type(self).__name__.removesuffix("Logic")
            self.isSingletonParameterNode = True

        def getParameterNode(self):
            node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
            if node is None:
                node = self.createParameterNode()
                slicer.mrmlScene.AddNode(node)
            if node.GetAttribute("ModuleName") != self.moduleName:
                node.SetAttribute("ModuleName", self.moduleName)
            return node

        def createParameterNode(self):
            node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
            node.UnRegister(None)
            node.SetSingletonTag(self.moduleName)
            node.SetModuleName(self.moduleName)
            node.SetAttribute("ModuleName", self.moduleName)
            node.SetName(self.moduleName)
            return node

    class ScriptedLoadableModuleTest(unittest.TestCase):
        def runTest(self):
            pass

        def delayDisplay(self, message, requestedDelay=None, msec=None):
            pass

    module = types.ModuleType("slicer.ScriptedLoadableModule")
    for cls in (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    ):
        setattr(module, cls.__name__, cls)
    module.__all__ = [name for name in vars(module) if name.startswith("Scripted")]
    return module


def make_parameter_wrapper() -> types.ModuleType:
    """Return ``slicer.parameterNodeWrapper`` for str, int, float, bool and node parameters.

    Values are strings in the node's parameters and nodes are references, as in
    ``serializers.py``; any other type is an error here.
    """
    readers = {str: str, int: int, float: float, bool: lambda text: text == "True"}

    def wrap(cls):
        hints = typing.get_type_hints(cls)

        def make(name, kind):
            is_node = kind not in readers
            if is_node and not any(
                c.__name__.startswith("vtkMRML")
                for c in (typing.get_args(kind) or (kind,))
                if c is not type(None)
            ):
                raise ValueError(f"No serializer for {name}: {kind}")
            default = getattr(cls, name, None if is_node else kind())

            def read(self):
                if is_node:
                    return self.parameterNode.GetNodeReference(name)
                text = self.parameterNode.GetParameter(name)
                return default if text == "" and kind is not str else readers[kind](text)

            def write(self, value):
                if is_node:
                    node_id = value.GetID() if value is not None else None
                    self.parameterNode.SetNodeReferenceID(name, node_id)
                elif not isinstance(value, kind):
                    raise TypeError(f"{name} is {kind.__name__}, not {type(value).__name__}")
                else:
                    self.parameterNode.SetParameter(name, str(value))

            return default, property(read, write), is_node

        members = {name: make(name, kind) for name, kind in hints.items()}

        def init(self, parameterNode):
            object.__setattr__(self, "parameterNode", parameterNode)
            for name, (default, _property, is_node) in members.items():
                if not is_node and name not in parameterNode.GetParameterNames():
                    setattr(self, name, default)

        for name, (_default, member, _is_node) in members.items():
            setattr(cls, name, member)
        cls.__init__ = init
        cls.AddObserver = lambda self, event, f, p=0.0: self.parameterNode.AddObserver(event, f, p)
        cls.RemoveObserver = lambda self, tag: self.parameterNode.RemoveObserver(tag)
        cls.StartModify = lambda self: self.parameterNode.StartModify()
        cls.EndModify = lambda self, was: self.parameterNode.EndModify(was)
        return cls

    module = types.ModuleType("slicer.parameterNodeWrapper")
    module.parameterNodeWrapper = lambda cls=None: wrap if cls is None else wrap(cls)
    return module


def make_i18n() -> types.ModuleType:
    """Return ``slicer.i18n``."""
    module = types.ModuleType("slicer.i18n")

    def translate(context: str, text: str) -> str:
        return slicer.app.translate(context, text)

    def tr(text: str) -> str:
        """Translate in the context that Slicer makes of the calling file's package and name."""
        file = Path(sys._getframe(1).f_code.co_filename)
        inside = (file.parent / "__init__.py").is_file()
        return translate(f"{file.parent.name}.{file.stem}" if inside else file.stem, text)

    module.translate, module.tr = translate, tr
    return module


def make_packaging() -> types.ModuleType:
    """Return ``slicer.packaging``; nothing is ever installed."""

    def load_requirements(path):
        from packaging.requirements import Requirement

        lines = [line.strip() for line in Path(path).read_text().splitlines()]
        return [Requirement(line) for line in lines if line and line[0] not in "#-"]

    def pip_check(req, _seen=None):
        from importlib.metadata import PackageNotFoundError, version

        from packaging.requirements import Requirement

        requirements = req if isinstance(req, list) else str(req).split()
        for item in requirements:
            wanted = Requirement(str(item))
            try:
                if version(wanted.name) not in wanted.specifier:
                    return False
            except PackageNotFoundError:
                return False
        return True

    def record(kind, requirements, options):
        installed.append({"call": kind, "requirements": requirements, **options})
        if install_error:
            raise install_error.pop(0)

    def pip_ensure(
        requirements,
        constraints=None,
        skip_packages=None,
        prompt_install=True,
        prompt_restart=True,
        requester=None,
        skip_in_testing=True,
        show_progress=True,
    ):
        options = {k: v for k, v in locals().items() if k != "requirements"}
        record("pip_ensure", [str(r) for r in requirements], options)

    def pip_install(
        requirements,
        constraints=None,
        no_deps_requirements=None,
        skip_packages=None,
        blocking=True,
        show_progress=True,
        requester=None,
        logCallback=None,
        completedCallback=None,
    ):
        options = {k: v for k, v in locals().items() if k != "requirements"}
        record("pip_install", requirements, options)
        if not blocking:
            logCallback(f"Successfully installed {requirements}")
            completedCallback(0)

    module = types.ModuleType("slicer.packaging")
    module.load_requirements = load_requirements
    module.pip_check, module.pip_ensure, module.pip_install = pip_check, pip_ensure, pip_install
    module.isPipInstallInProgress = lambda: False
    return module

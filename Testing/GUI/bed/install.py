"""Put the stand-ins in place, load the module as the application does."""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# The flat folder of an installation, to run that in place of the source tree.
_INSTALLED = os.environ.get("TEXTPROMPTSEG_INSTALLED")
PRODUCT = Path(_INSTALLED) if _INSTALLED else ROOT / "TextPromptSeg"
LIBRARY = Path(_INSTALLED) if _INSTALLED else ROOT


def install(home: Path):
    """Make ``qt``, ``ctk`` and what lacks in ``slicer``; return the application."""
    import slicer
    import slicer.util

    from . import application, ctk_module, effects, pythonqt, qt_module, sample_data, scripted

    for folder in (LIBRARY, PRODUCT):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    pythonqt.properties_in("slicer.util", *_product_modules())
    sys.modules["qt"] = qt_module.make_qt()
    sys.modules["ctk"] = ctk_module.make_ctk()
    app = application.qSlicerApplication(["Slicer"])
    slicer.app = app
    app.start(home)
    from . import editor, widgets

    slicer.qMRMLWidget, slicer.qMRMLNodeComboBox = widgets.qMRMLWidget, widgets.qMRMLNodeComboBox
    slicer.qMRMLSegmentEditorWidget = editor.qMRMLSegmentEditorWidget
    for name, made in (
        ("ScriptedLoadableModule", scripted.make_scripted()),
        ("parameterNodeWrapper", scripted.make_parameter_wrapper()),
        ("i18n", scripted.make_i18n()),
        ("packaging", scripted.make_packaging()),
    ):
        sys.modules[f"slicer.{name}"] = made
        setattr(slicer, name, made)
    effects.install_effects()
    sample_data.install_sample_data()
    return app


def _product_modules() -> list[str]:
    names = ["TextPromptSeg", "TextPromptSegEffect"]
    for folder in (PRODUCT, ROOT / "Testing" / "Slicer"):
        for file in folder.rglob("*.py"):
            parts = file.relative_to(folder).with_suffix("").parts
            names.append(".".join(p for p in parts if p != "__init__"))
    return names


class _ModuleParent:
    """What qSlicerScriptedLoadableModule gives to the module class."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.title = self.helpText = self.acknowledgementText = ""
        self.categories: list = []
        self.dependencies: list = []
        self.contributors: list = []
        self.hidden = False
        self.icon = None


def load_module():
    """Load TextPromptSeg.py and construct the module, then report that start-up has completed."""
    import slicer

    if "TextPromptSeg" not in sys.modules:
        path = PRODUCT / "TextPromptSeg.py"
        spec = importlib.util.spec_from_file_location("TextPromptSeg", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["TextPromptSeg"] = module
        spec.loader.exec_module(module)
        instance = module.TextPromptSeg(_ModuleParent(path))
        slicer.modules.textpromptseg = types.SimpleNamespace(path=str(path), instance=instance)
        slicer.modules.TextPromptSegInstance = instance
        slicer.app.startupCompleted.emit()
    return sys.modules["TextPromptSeg"]

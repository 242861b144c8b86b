"""Fixtures of the test bed: one application per session, a clean scene per test."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Lib" / "support")]

pytest.importorskip("PySide6", reason="the test bed needs PySide6-Essentials")
pytest.importorskip("slicer", reason="the test bed needs slicer-core")

from bed import ctk_module, effects, pythonqt, qt_module, scripted  # noqa: E402
from bed.install import install, load_module  # noqa: E402

pythonqt.properties_in(__name__, "helpers")


def pytest_collection_modifyitems(items) -> None:
    """Show Qt properties as attributes to the tests too."""
    pythonqt.properties_in(*{item.module.__name__ for item in items if hasattr(item, "module")})


@pytest.fixture(scope="session")
def output() -> Path:
    """Folder for screenshots."""
    folder = Path(os.environ.get("TEXTPROMPTSEG_SCREENSHOTS") or HERE / "output")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def application(tmp_path_factory):
    """The stand-in of slicer.app, with the module loaded and the effect registered."""
    app = install(tmp_path_factory.mktemp("slicer"))
    load_module()
    return app


@pytest.fixture
def slicer(application):
    """Module slicer with a clean scene; a hidden error in a slot fails the test."""
    import slicer as module
    from bed.application import add_slice_nodes

    module.mrmlScene.Clear(1)
    sys.modules["qt"].QSettings().clear()
    for node in list(module.util.getNodesByClass("vtkMRMLSliceNode")):
        module.mrmlScene.RemoveNode(node)
    add_slice_nodes()
    for record in (
        pythonqt.slot_errors,
        effects.effect_errors,
        ctk_module.messages,
        ctk_module.message_answers,
        qt_module.answers,
        qt_module.opened,
        scripted.installed,
        scripted.install_error,
    ):
        record.clear()
    yield module
    pump(0.0)
    assert not pythonqt.slot_errors, "\n".join(pythonqt.slot_errors)
    assert not effects.effect_errors, effects.effect_errors


def pump(seconds: float = 0.05, until=None) -> bool:
    """Run the event loop for a while, or until a condition holds."""
    from PySide6 import QtCore, QtWidgets

    end = time.monotonic() + seconds
    while True:
        QtWidgets.QApplication.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents, 20)
        QtWidgets.QApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
        if until is not None and until():
            return True
        if time.monotonic() >= end:
            return until is None
        time.sleep(0.002)


@pytest.fixture(scope="session")
def worker(application):
    """One worker process with the fake predictor for all tests."""
    from worker_bench import fake_client

    client = fake_client()
    yield client
    client.stop()


@pytest.fixture
def session(slicer, worker):
    """The session of the widgets, over the fake worker; idle again after the test."""
    from helpers import install_checkpoint

    from TextPromptSegGUI.shared import session as module
    from TextPromptSegGUI.shared import settings

    install_checkpoint()
    settings.set_text("Model", "fake")
    made = module.Session(worker)
    # Known devices are not asked for again; asking would import torch into the fake worker.
    made.devices = [{"id": "cpu", "name": "CPU", "free_bytes": None}]
    before = list(module._sessions)
    module._sessions[:] = [made]
    yield made
    module._sessions[:] = before
    pump(5.0, until=lambda: not made.busy)
    made._timer.stop()
    slicer.app.disconnect("aboutToQuit()", made.close)


@pytest.fixture
def bench(slicer, session):
    """A segment editor with the effect active."""
    from helpers import EditorBench

    made = EditorBench(slicer)
    yield made
    made.close()
    pump(0.0)


@pytest.fixture
def shown(bench):
    """A bench in a window of its own that has the keyboard."""
    bench.editor.show()
    bench.editor.activateWindow()
    pump(0.0)
    return bench


@pytest.fixture
def panel(slicer, session):
    """The module's panel in a window, as the application builds it."""
    from helpers import PanelBench

    made = PanelBench(slicer)
    yield made
    made.close()
    pump(0.0)

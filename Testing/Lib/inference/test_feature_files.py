"""Image features on disk: encoded once for good, never mixed up, never in the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from toy_segmenter import ToySegmenter, phantom, toy_checkpoint

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.engines.feature_files import FOLDER_VARIABLE, DiskFeatureCache
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.outcome import OutputError

PLACES = {"liver": 0.3}
BOX = (slice(4, 14), slice(10, 30), slice(12, 30))


def encoded(folder: Path | None, volume: Volume, **changes: object) -> tuple[int, np.ndarray]:
    """Segment with a new predictor; return the slices that it encoded and the probability."""
    model = ToySegmenter()
    checkpoint = toy_checkpoint(PLACES, model=model, **changes)
    predictor = SlicePredictor(
        checkpoint, "cpu", "float32", batch=5, cache_bytes=0, feature_folder=folder
    )
    predictor.set_volume(volume)
    found = predictor.segment("liver")[0]
    assert found.probability is not None
    return model.encoded_slices, found.probability


def test_a_volume_is_encoded_once_for_all_later_runs(tmp_path: Path) -> None:
    volume = phantom({0.3: [BOX]})
    first, expected = encoded(tmp_path, volume)
    again, found = encoded(tmp_path, volume)
    assert (first, again) == (24, 0)
    assert np.array_equal(expected, found)
    assert encoded(None, volume)[0] == 24
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(files) == 24 and {p.suffix for p in files} == {".safetensors"}


def test_other_voxels_geometry_or_weights_are_another_image(tmp_path: Path) -> None:
    volume = phantom({0.3: [BOX]})
    encoded(tmp_path, volume)
    other = phantom({0.3: [BOX]})
    other.array[5, 12, 14] += 1
    assert encoded(tmp_path, other)[0] == 24
    assert encoded(tmp_path, phantom({0.3: [BOX]}, spacing=(2.0, 1.0, 2.0)))[0] == 24
    assert encoded(tmp_path, volume, weights_sha256="1" * 64)[0] == 24
    assert encoded(tmp_path, volume)[0] == 0


def test_a_damaged_or_missing_file_is_computed_again(tmp_path: Path) -> None:
    volume = phantom({0.3: [BOX]})
    _, expected = encoded(tmp_path, volume)
    files = sorted(tmp_path.rglob("*.safetensors"))
    files[3].write_bytes(files[3].read_bytes()[:50])
    files[9].unlink()
    count, found = encoded(tmp_path, volume)
    assert 2 <= count <= 10 and np.array_equal(expected, found)
    assert encoded(tmp_path, volume)[0] == 0


def test_the_images_used_longest_ago_make_room(tmp_path: Path) -> None:
    cache = DiskFeatureCache(tmp_path, "w", disk_limit=1500)
    for image in ("a", "b", "c", "d"):
        cache.use(image)
        cache.put(0, (torch.zeros(1, 100),))
    cache.use("e")
    kept = sum(1 for p in tmp_path.iterdir() if p.is_dir())
    assert kept == 3
    cache.use("d")
    assert cache.get(0, 1) is not None
    cache.use("a")
    assert cache.get(0, 1) is None


def test_the_environment_names_the_folder_and_a_bad_one_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "features"))
    encoded(None, phantom({0.3: [BOX]}))
    assert any((tmp_path / "features").iterdir())
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="choose another"):
        DiskFeatureCache(tmp_path / "file" / "below", "w")

"""Weights as int8: near enough, half the size, read everywhere, never half understood."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_checkpoint import tiny_config
from toy_segmenter import ToyEncoder

from TextPromptSegLib.checkpoints import catalogue, layout, weights
from TextPromptSegLib.checkpoints.stored_weights import INT8, SCALE, pack, unpack
from TextPromptSegLib.inference import loaded_checkpoint
from TextPromptSegLib.outcome import CheckpointError
from TextPromptSegLib.systems.registry import create

ENCODER = ToyEncoder({"liver": 0.3})
SIZES = {"in_channels": 1, "channels": [32, 64], "text_dim": 1, "se_ratio": 4, "presence": True}
Tensors = dict[str, torch.Tensor]


def network() -> Any:
    torch.manual_seed(0)
    return create("film-unet", SIZES).eval()


def saved(folder: Path, dtype: str) -> Path:
    return weights.save(folder, network(), tiny_config(config=SIZES), dtype)


def test_each_row_is_off_by_half_a_step_at_most(tmp_path: Path) -> None:
    model = network()
    with torch.no_grad():  # rows of very different size, as after training
        wide = [p for p in model.parameters() if p.ndim > 1 and p.numel() >= 2048]
        wide[0][0] *= 1e4
        wide[0][1] *= 1e-6
        wide[0][2] = 0
    folder = weights.save(tmp_path / "a", model, tiny_config(config=SIZES), INT8)
    raw = load_file(folder / layout.WEIGHTS)
    again = loaded_checkpoint.load(folder, "cpu", ENCODER).model.state_dict()
    small = {k for k, v in raw.items() if v.dtype == torch.int8}
    assert len(small) == len(wide)
    for key, value in model.state_dict().items():
        off = (again[key] - value).abs()
        if key in small:
            step = value.flatten(1).abs().amax(1) / 127
            assert (off.flatten(1).amax(1) <= 0.501 * step).all(), key
        elif value.ndim > 1:
            assert raw[key].dtype == torch.float16 and torch.allclose(again[key], value, rtol=1e-3)
        else:
            assert torch.equal(again[key], value)


def test_only_what_was_learned_becomes_int8(tmp_path: Path) -> None:
    fixed, learned = torch.randn(64, 64), torch.randn(64, 64)
    content = pack({"fixed": fixed, "learned": learned}, INT8, {"learned"})
    (tmp_path / "w").write_bytes(content)
    raw = load_file(tmp_path / "w")
    assert {k: v.dtype for k, v in raw.items()} == {
        "fixed": torch.float16, "learned": torch.int8, "learned" + SCALE: torch.float32,
    }  # fmt: skip
    assert set(unpack(tmp_path / "w", "w")) == {"fixed", "learned"}


def test_the_file_shrinks_and_the_memory_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTPROMPTSEG_HOME", str(tmp_path))
    rows = {}
    for dtype in ("float32", "float16", INT8):
        saved(tmp_path / "checkpoints" / dtype, dtype)
        rows[dtype] = catalogue.show(dtype)
        assert not rows[dtype].problem and catalogue.verify(dtype)[0].ok
    assert rows[INT8].bytes < 0.65 * rows["float16"].bytes < 0.4 * rows["float32"].bytes
    for dtype in ("float16", INT8):
        assert abs(rows[dtype].memory_bytes - rows["float32"].memory_bytes) < 200_000


def test_converting_keeps_all_but_the_bytes(tmp_path: Path) -> None:
    source = weights.save(tmp_path / "a", network(), tiny_config(config=SIZES), card="# Card\n")
    folder = loaded_checkpoint.convert(source, tmp_path / "b")
    before, after = layout.read_config(source), layout.read_config(folder)
    for config in (before, after):
        for key in ("format", "weights_sha256", "weights_dtype"):
            del config[key]
    assert before == after
    assert (folder / layout.CARD).read_text() == "# Card\n"
    loaded_checkpoint.convert(folder, folder, "float16")  # in place
    assert layout.read_config(folder)["format"] == 1
    loaded_checkpoint.load(folder, "cpu", ENCODER)


def test_versions_that_know_no_int8_are_told_to_update(tmp_path: Path) -> None:
    assert layout.read_config(saved(tmp_path / "a", "float16"))["format"] == 1
    assert layout.read_config(saved(tmp_path / "b", INT8))["format"] == 2


def drop_scale(tensors: Tensors, key: str) -> None:
    del tensors[key + SCALE]


def drop_numbers(tensors: Tensors, key: str) -> None:
    del tensors[key]


def shorten_scale(tensors: Tensors, key: str) -> None:
    tensors[key + SCALE] = tensors[key + SCALE][:-1].clone()


def turn_scale(tensors: Tensors, key: str) -> None:
    tensors[key + SCALE] = tensors[key + SCALE][:, None]


def scale_of_floats(tensors: Tensors, key: str) -> None:
    tensors[key] = tensors[key].float()


def whole_scale(tensors: Tensors, key: str) -> None:
    tensors[key + SCALE] = tensors[key + SCALE].to(torch.int32)


def infinite_scale(tensors: Tensors, key: str) -> None:
    tensors[key + SCALE][0] = float("inf")


@pytest.mark.parametrize(
    "damage",
    [drop_scale, drop_numbers, shorten_scale, turn_scale, scale_of_floats, whole_scale]
    + [infinite_scale],
)
def test_numbers_and_scales_that_do_not_fit_are_refused(
    tmp_path: Path, damage: Callable[[Tensors, str], None]
) -> None:
    path = saved(tmp_path / "a", INT8) / layout.WEIGHTS
    tensors = load_file(path)
    damage(tensors, next(k for k, v in tensors.items() if v.dtype == torch.int8))
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match="do not fit"):
        weights.load_weights(network(), path, "a")

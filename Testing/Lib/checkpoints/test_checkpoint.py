"""Checkpoint folders: strict, checksummed, written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from tiny_checkpoint import save_tiny, tiny_config, tiny_model
from toy_segmenter import ToyEncoder

from TextPromptSegLib.checkpoints import layout, weights
from TextPromptSegLib.inference import loaded_checkpoint
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.outcome import CheckpointError, DeviceError, OutputError

ENCODER = ToyEncoder({"liver": 0.3})


def edit(folder: Path, **changes: object) -> None:
    path = folder / layout.CONFIG
    config = json.loads(path.read_text())
    for key, value in changes.items():
        if value is None:
            config.pop(key)
        else:
            config[key] = value
    path.write_text(json.dumps(config))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_what_is_saved_is_loaded(tmp_path: Path, dtype: str) -> None:
    model = tiny_model()
    folder = weights.save(tmp_path / "tiny", model, tiny_config(), dtype, card="# Card\n")
    loaded = loaded_checkpoint.load(folder, "cpu", ENCODER)
    assert loaded.name == "tiny" and loaded.text_encoder is ENCODER
    assert not loaded.model.training
    assert not any(p.requires_grad for p in loaded.model.parameters())
    tolerance = {"float32": 0.0, "float16": 1e-3, "bfloat16": 8e-3}[dtype]
    for key, value in model.state_dict().items():
        stored = loaded.model.state_dict()[key]
        assert stored.dtype == value.dtype
        if value.ndim <= 1:  # normalisation statistics keep every bit
            assert torch.equal(stored, value), key
        else:
            torch.testing.assert_close(stored, value, rtol=tolerance, atol=tolerance)
    assert (folder / layout.CARD).read_text() == "# Card\n"
    assert sorted(os.listdir(folder)) == ["README.md", "config.json", "model.safetensors"]


def test_half_precision_halves_the_file(tmp_path: Path) -> None:
    sizes = {}
    for dtype in ("float32", "float16"):
        folder = weights.save(tmp_path / dtype, tiny_model(), tiny_config(), dtype)
        sizes[dtype] = (folder / layout.WEIGHTS).stat().st_size
    assert sizes["float16"] < 0.75 * sizes["float32"]


def test_numbers_too_large_for_half_precision_survive(tmp_path: Path) -> None:
    model = tiny_model()
    with torch.no_grad():
        model.head.weight.fill_(1e6)
    folder = weights.save(tmp_path / "large", model, tiny_config())
    again = loaded_checkpoint.load(folder, "cpu", ENCODER).model
    assert torch.equal(again.head.weight, model.head.weight)


def test_saving_again_replaces_and_keeps_other_files(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "tiny")
    (folder / "notes.txt").write_text("mine")
    weights.save(folder, tiny_model(seed=1), tiny_config(title="Second"))
    assert loaded_checkpoint.load(folder, "cpu", ENCODER).config["title"] == "Second"
    assert (folder / "notes.txt").read_text() == "mine" and (folder / "README.md").is_file()


@pytest.mark.parametrize("broken_at", [1, 2, 3])
def test_a_save_that_is_cut_off_leaves_one_whole_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken_at: int
) -> None:
    folder = save_tiny(tmp_path / "tiny", title="First")
    replace, calls = os.replace, []

    def cut(*args: str) -> None:
        calls.append(args)
        if len(calls) == broken_at:
            raise KeyboardInterrupt
        replace(*args)

    monkeypatch.setattr(os, "replace", cut)
    with pytest.raises(KeyboardInterrupt):
        weights.save(folder, tiny_model(seed=1), tiny_config(title="Second"))
    monkeypatch.setattr(os, "replace", replace)
    loaded = loaded_checkpoint.load(folder, "cpu", ENCODER)
    # up to the exchange of the weights it is the old one, from then on the new one
    assert loaded.config["title"] == ("First" if broken_at < 3 else "Second")
    expected = tiny_model(seed=0 if broken_at < 3 else 1).head.bias
    assert torch.equal(loaded.model.head.bias, expected)
    assert not [name for name in os.listdir(folder) if name.endswith(".tmp")]


def test_nothing_unusable_is_saved(tmp_path: Path) -> None:
    model = tiny_model()
    with torch.no_grad():
        model.head.bias.fill_(float("nan"))
    with pytest.raises(CheckpointError, match="NaN"):
        weights.save(tmp_path / "a", model, tiny_config())
    with pytest.raises(CheckpointError, match="lacks licence"):
        config = tiny_config()
        del config["licence"]
        weights.save(tmp_path / "a", tiny_model(), config)
    with pytest.raises(CheckpointError, match="not JSON"):
        weights.save(tmp_path / "a", tiny_model(), tiny_config(metrics={"dice": object()}))
    with pytest.raises(CheckpointError, match="float8"):
        weights.save(tmp_path / "a", tiny_model(), tiny_config(), dtype="float8")
    assert not (tmp_path / "a").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        weights.save(tmp_path / "file", tiny_model(), tiny_config())


BAD_CONFIGS = [
    ({"format": 3}, "format 3; this version reads formats 1 and 2"),
    ({"licence": None}, "lacks licence"),
    ({"trained_prompts": []}, "'trained_prompts' is not a table"),
    ({"weights_sha256": None}, "names no sha256"),
    ({"weights_sha256": "0" * 64}, "sha256 differs"),
    ({"system": "transformer-9000"}, "no system 'transformer-9000'"),
    ({"config": {"channels": [8, 16], "colour": 1}}, "unknown keys: colour"),
    ({"config": {"channels": [8]}}, "cannot be used"),
    ({"config": {"channels": [8, 16, 32], "text_dim": 1, "presence": True}}, "do not fit"),
    ({"config": {"channels": [8, 32], "text_dim": 1, "se_ratio": 4, "presence": True}}, "size"),
]


@pytest.mark.parametrize(("changes", "sentence"), BAD_CONFIGS)
def test_wrong_configurations(tmp_path: Path, changes: dict, sentence: str) -> None:
    folder = save_tiny(tmp_path / "tiny")
    edit(folder, **changes)
    with pytest.raises(CheckpointError, match=sentence) as caught:
        loaded_checkpoint.load(folder, "cpu", ENCODER)
    assert "\n" not in str(caught.value)


def test_damaged_files(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "tiny")
    weights = folder / layout.WEIGHTS
    content = weights.read_bytes()
    weights.write_bytes(content[:-7])
    with pytest.raises(CheckpointError, match="sha256 differs"):
        loaded_checkpoint.load(folder, "cpu", ENCODER)
    edit(folder, weights_sha256=layout.sha256_of(weights))  # right checksum, broken file
    with pytest.raises(CheckpointError, match="damaged"):
        loaded_checkpoint.load(folder, "cpu", ENCODER)
    weights.unlink()
    with pytest.raises(CheckpointError, match="lacks model.safetensors"):
        loaded_checkpoint.load(folder, "cpu", ENCODER)
    (folder / layout.CONFIG).write_text('{"format": 1,')
    with pytest.raises(CheckpointError, match="damaged"):
        loaded_checkpoint.load(folder, "cpu", ENCODER)


def test_weights_are_not_read_before_their_checksum_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_tiny(tmp_path / "tiny")
    edit(folder, weights_sha256="1" * 64)
    monkeypatch.setattr("safetensors.torch.load_file", lambda *a: pytest.fail("was read"))
    with pytest.raises(CheckpointError, match="sha256"):
        loaded_checkpoint.load(folder, "cpu", ENCODER)


def test_places_that_are_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.zip").write_text("x")
    for source, sentence in [
        (tmp_path / "empty", "has no config.json"),
        (tmp_path / "file.zip", "is a file"),
        ("no-such-checkpoint", "There is no checkpoint 'no-such-checkpoint'; installed are"),
        ("../../nowhere/net", "no checkpoint"),
        ("someone/their-net", "textpromptseg models download someone/their-net"),
    ]:
        with pytest.raises(CheckpointError, match=sentence):
            loaded_checkpoint.load(source, "cpu", ENCODER)


def test_frozen_encoders_are_not_stored(tmp_path: Path) -> None:
    class WithFrozenPart(torch.nn.Module):
        frozen_prefixes = ("backbone.",)

        def __init__(self) -> None:
            super().__init__()
            self.backbone, self.head = torch.nn.Linear(3, 3), torch.nn.Linear(3, 1)

    model = WithFrozenPart()
    folder = weights.save(tmp_path / "f", model, tiny_config(), "float32")  # type: ignore[arg-type]
    other = WithFrozenPart()
    kept = other.backbone.weight.clone()
    weights.load_weights(other, folder / layout.WEIGHTS, "f")
    assert torch.equal(other.head.weight, model.head.weight)
    assert torch.equal(other.backbone.weight, kept)


def test_from_pretrained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "TextPromptSegLib.inference.loaded_checkpoint.load_text_encoder"
    monkeypatch.setattr(name, lambda spec: ENCODER)
    folder = save_tiny(tmp_path / "tiny")
    predictor = SlicePredictor.from_pretrained(folder, device="cpu")
    assert predictor.trained_prompts == ("liver",) and predictor.seconds["load"] > 0
    with pytest.raises(DeviceError):
        SlicePredictor.from_pretrained(folder, device="cuda:99")
    edit(folder, input={"size": 33, "multiple": 8})
    with pytest.raises(CheckpointError, match="input description"):
        SlicePredictor.from_pretrained(folder, device="cpu")


@pytest.mark.parametrize(
    "sizes",
    [{"channels": [8, 4_000_000]}, {"channels": [300_000, 300_000]}, {"in_channels": 10**9}],
    ids=str,
)
def test_sizes_that_the_weights_cannot_fill_take_no_memory(tmp_path: Path, sizes: dict) -> None:
    resource = pytest.importorskip("resource")
    folder = save_tiny(tmp_path / "tiny")
    config = json.loads((folder / "config.json").read_text())
    config["config"].update(sizes)
    (folder / "config.json").write_text(json.dumps(config))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CheckpointError, match="cannot (fill|be made|be used)"):
        loaded_checkpoint.load(folder, text_encoder=object())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB

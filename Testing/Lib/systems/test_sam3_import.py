"""Published weights of SAM 3's form become checkpoints: every layout, every tensor, no guessing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_sam3 import original, tiny_sam3, write_hub_folder

from TextPromptSegLib.checkpoints import catalogue, licence, transfer
from TextPromptSegLib.checkpoints.layout import sha256_of
from TextPromptSegLib.cli import main
from TextPromptSegLib.inference.loaded_checkpoint import load
from TextPromptSegLib.outcome import CheckpointError
from TextPromptSegLib.systems import foreign_weights
from TextPromptSegLib.systems.foreign_weights import import_path
from TextPromptSegLib.systems.registry import outline
from TextPromptSegLib.systems.sam3.config import SAM3Config
from TextPromptSegLib.systems.sam3.convert import sizes_of
from TextPromptSegLib.systems.sam3.key_map import layout_of, to_transformers, without_prefix

MEDICAL, POINTS = "medical-sam3", "geometry_encoder.points_pool_project"


@pytest.fixture(scope="module")
def net() -> Any:
    return tiny_sam3()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEXTPROMPTSEG_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def pt(path: Path, net: Any, prefix: str = "", table: str = "") -> Path:
    """Write the original layout."""
    named = {prefix + key: value for key, value in original(net).items()}
    torch.save({table: named, "epoch": 5} if table else named, path)
    return path


# -- names -----------------------------------------------------------------------------------------


def test_names_of_both_layouts_are_one_map_in_both_directions(net: Any) -> None:
    """`original` is written from the list of the original code's tensors, without the map."""
    named, left = without_prefix(original(net))
    made, state = to_transformers(named), net.sam.state_dict()
    assert set(made) == set(state)
    assert all(torch.equal(made[key], state[key]) for key in state)
    assert set(left.values()) == {
        "of the tracker of videos", "of points as prompts", "computed, not trained"
    }  # fmt: skip
    assert layout_of(original(net)) == "original" and layout_of(state) == "transformers"
    assert layout_of(["vision_encoder.layers.0.attn.qkv.weight"]) is None


def test_the_published_sizes_are_read_from_the_tensors() -> None:
    whole: Any = outline("sam3", {})
    stored = original(whole)
    assert sizes_of(stored) == SAM3Config()
    assert stored["backbone.vision_backbone.trunk.blocks.7.attn.freqs_cis"].shape == (5184, 32)
    without = {key: value for key, value in stored.items() if "freqs_cis" not in key}
    assert sizes_of(without) == SAM3Config()
    assert sum(p.numel() for p in whole.parameters()) == 840_376_374
    with pytest.raises(CheckpointError, match="not SAM 3's"):
        sizes_of({"a": torch.zeros(1)})


# -- every layout ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form", ["hub", "hub of the video model", "original", "original video model", "safetensors"]
)
def test_every_layout_becomes_the_same_network(net: Any, tmp_path: Path, form: str) -> None:
    from safetensors.torch import save_file

    source = tmp_path / "weights.pt"
    if form.startswith("hub"):
        source = write_hub_folder(tmp_path / "hub", net, video="video" in form)
    elif form == "original":
        pt(source, net)
    elif form == "original video model":
        pt(source, net, "detector.", "model")
    else:
        source = source.with_suffix(".safetensors")
        named = {f"detector.{key}": value for key, value in original(net).items()}
        save_file(
            {k: (v.real if v.is_complex() else v).contiguous() for k, v in named.items()}, source
        )
    row = import_path(source, kind=MEDICAL)
    assert row.name == MEDICAL and row.open_vocabulary and row.prompts == ()
    assert row.licence == "MIT" and licence.needs_acknowledgement(row)
    assert row.takes == ("box", "samples")
    made = load(MEDICAL)
    assert made.model.config == net.config  # type: ignore[attr-defined]
    state = net.state_dict()
    assert all(torch.equal(v, state[key]) for key, v in made.model.state_dict().items())
    if form != "hub":
        return
    file, card = source / "model.safetensors", catalogue.model_card(MEDICAL)
    assert sha256_of(file) in card and "Not verified here" in card
    with torch.inference_mode():
        image = torch.rand(1, 3, 56, 56)
        text = made.text_encoder.encode(["hepatic gland"])
        ids = made.text_encoder.tokenizer(["hepatic gland"])[:, : text.mask.shape[1]]
        kept: Any = made.model
        kept.config = SAM3Config(**{**vars(kept.config), "geometry_token": False})
        expected = net.sam(pixel_values=2 * image - 1, input_ids=ids)
        seen = kept._look(kept.encode_image(image)[0], text, None)
        assert torch.allclose(seen[0], expected.presence_logits[:, 0], atol=1e-3)
        semantic = kept._masks(kept.encode_image(image)[0], seen)[1]
        assert torch.allclose(semantic, expected.semantic_seg, atol=1e-3)


def test_a_lora_is_added_to_sam3(net: Any, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(2)
    modules = {
        "backbone.vision_backbone.trunk.blocks.0.attn.qkv": (16, 48),
        "backbone.language_backbone.encoder.transformer.resblocks.0.attn.q_proj": (16, 16),
        "transformer.decoder.layers.1.ca_text.out_proj": (16, 16),
        "transformer.encoder.layers.0.linear1": (16, 24),
        POINTS: (16, 16),
    }
    lora: dict[str, torch.Tensor] = {}
    for module, (inside, outside) in modules.items():
        lora[f"{module}.lora.lora_A"] = torch.randn(inside, 2, generator=generator)
        lora[f"{module}.lora.lora_B"] = torch.randn(2, outside, generator=generator)
    torch.save(lora, tmp_path / "best_lora_weights.pt")
    with pytest.raises(CheckpointError, match="addition to SAM 3, which is not on this machine"):
        import_path(tmp_path / "best_lora_weights.pt")
    import_path(write_hub_folder(tmp_path / "hub", net), kind="sam3")
    with pytest.raises(CheckpointError, match="--as medsam3"):
        import_path(tmp_path / "best_lora_weights.pt", kind="sam3")
    assert import_path(tmp_path / "best_lora_weights.pt").name == "medsam3"  # it says so itself
    before, after = (load(name).model.state_dict() for name in ("sam3", "medsam3"))
    changes = {}
    for module in modules:
        changes[module] = 2.0 * (lora[f"{module}.lora.lora_A"] @ lora[f"{module}.lora.lora_B"]).T
    image = "sam.vision_encoder.backbone.layers.0.attention."
    text = "sam.text_encoder.text_model.encoder.layers.0.self_attn.q_proj.weight"
    qkv, words, out, wide, _ = changes.values()
    wanted = {
        **{f"{image}{n}_proj.weight": part for n, part in zip("qkv", qkv.chunk(3), strict=True)},
        text: words,
        "sam.detr_decoder.layers.1.text_cross_attn.o_proj.weight": out,
        "sam.detr_encoder.layers.0.mlp.fc1.weight": wide,
    }
    for key, value in after.items():
        assert torch.allclose(value, before[key] + wanted.get(key, 0.0), atol=1e-5), key
    assert "2 of points as prompts" in catalogue.model_card("medsam3")
    del lora["transformer.encoder.layers.0.linear1.lora.lora_B"]
    torch.save(lora, tmp_path / "half.pt")
    with pytest.raises(CheckpointError, match="two parts of transformer"):
        import_path(tmp_path / "half.pt", overwrite=True)


# -- what is refused -------------------------------------------------------------------------------


def test_nothing_is_guessed_from_a_path(net: Any, tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "medsam_project" / "medical-sam3"
    folder.mkdir(parents=True)
    path = pt(folder / "medical_sam3.pt", net)
    for kind, said in (
        (None, "say whose they are: --as sam3 or --as medical-sam3"),
        ("medsam3", "holds a whole network, and MedSAM3 is a LoRA"),
        ("medsam", "does not hold SAM's weights"),
        ("sam4", "Nothing is known as 'sam4'; --as takes"),
    ):
        with pytest.raises(CheckpointError, match=said):
            import_path(path, kind=kind)
    assert not [row for row in catalogue.list_models() if row.state == "user"]
    assert main(["models", "import", str(path), "--as", "medical-sam3"]) == 0
    assert "medical-sam3 is installed" in capsys.readouterr().out
    with pytest.raises(CheckpointError, match="leave --as out"):
        import_path(catalogue.find(MEDICAL), kind="sam3")


def test_damaged_and_foreign_files_are_refused_in_one_sentence(net: Any, tmp_path: Path) -> None:
    whole = pt(tmp_path / "a.pt", net).read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: len(whole) // 2])
    torch.save({"model": original(net), "when": np.datetime64("2026-01-01")}, tmp_path / "more.pt")
    named = original(net)
    del named["transformer.decoder.norm.bias"]
    torch.save(named, tmp_path / "lacks.pt")
    torch.save({**original(net), "text_head.weight": torch.zeros(1)}, tmp_path / "extra.pt")
    torch.save(
        {**original(net), "transformer.decoder.norm.bias": torch.zeros(3)}, tmp_path / "b.pt"
    )
    torch.save({"conv.weight": torch.zeros(2, 2)}, tmp_path / "unet.pt")
    (tmp_path / "empty").mkdir()
    for name, said in (
        ("cut.pt", "damaged; get them again"),
        ("more.pt", "was not opened, because it could run code"),
        ("lacks.pt", "1 tensors are missing, the first is detr_decoder.output_layer_norm.bias"),
        ("extra.pt", "1 tensors are unknown, the first is text_head.weight"),
        ("b.pt", "1 tensors are of another size"),
        ("unet.pt", "does not hold SAM 3's weights"),
        ("empty", "is no file of weights"),
    ):
        with pytest.raises(CheckpointError, match=said) as caught:
            import_path(tmp_path / name, kind=MEDICAL)
        assert str(caught.value).count(". ") == 0, "one sentence"
    with pytest.raises(CheckpointError, match="several files of weights"):
        import_path(tmp_path, kind=MEDICAL)
    folder = write_hub_folder(tmp_path / "hub", net)
    (folder / "config.json").write_text('{"model_type": "sam2"}')
    with pytest.raises(CheckpointError, match="is not SAM 3's: its model_type is 'sam2'"):
        import_path(folder, kind=MEDICAL)


# -- the catalogue ---------------------------------------------------------------------------------


def test_the_catalogue_tells_licence_size_memory_and_open_vocabulary(capsys: Any) -> None:
    assert catalogue.import_kinds() == foreign_weights.kinds()
    rows = {row.name: row for row in catalogue.list_models()}
    for name in ("sam3", MEDICAL, "medsam3"):
        row = rows[name]
        assert row.state == "downloadable" and row.open_vocabulary and not row.permissive
        assert row.memory_bytes > 4e9 and row.modalities == ("CT", "MR", "CXR")
        assert "SAM License" in f"{row.licence} {row.licence_line}"
    assert rows[MEDICAL].licence == "MIT" and rows["sam3"].bytes > 3e9
    assert main(["models", "show", MEDICAL]) == 0
    shown = capsys.readouterr().out
    assert "open vocabulary" in shown and "--as medical-sam3" in shown and "gpu.md" in shown


def test_download_makes_a_checkpoint_and_explains_what_is_gated(
    net: Any, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    hub = pytest.importorskip("huggingface_hub")
    asked: dict[str, Any] = {}

    def snapshot_download(**options: Any) -> None:
        asked.update(options)
        folder = Path(options["local_dir"])
        folder.mkdir(parents=True, exist_ok=True)
        pt(folder / "checkpoint.pt", net, table="model")

    monkeypatch.setattr(hub, "snapshot_download", snapshot_download)
    monkeypatch.setattr(transfer, "sizes_on_hub", lambda repo, revision: {"checkpoint.pt": 9})
    assert main(["models", "download", MEDICAL]) == 0
    assert asked["repo_id"] == "ChongCong/Medical-SAM3" and "*.pt" in asked["allow_patterns"]
    assert load(MEDICAL).config["training"]["start"]["file"] == "checkpoint.pt"
    assert not (home / "downloads" / MEDICAL).exists()

    class GatedRepoError(Exception):
        pass

    def refuses(**options: Any) -> None:
        raise GatedRepoError("401 Client Error")

    monkeypatch.setattr(hub, "snapshot_download", refuses)
    capsys.readouterr()
    assert main(["models", "download", "sam3"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "accept the terms on the page of facebook/sam3" in said and "HF_TOKEN" in said


# -- the doors -------------------------------------------------------------------------------------


def test_words_of_any_kind_run_from_the_command_line(net: Any, tmp_path: Path, capsys: Any) -> None:
    import json

    import SimpleITK as sitk

    import_path(pt(tmp_path / "a.pt", net), kind=MEDICAL)
    array = np.random.default_rng(0).integers(-100, 200, (2, 40, 40)).astype(np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / "ct.nrrd"))
    report = tmp_path / "report.json"
    prompts = 'left kidney, "odd bright spot", Leber'
    command = ["segment", str(tmp_path / "ct.nrrd"), "-p", prompts]
    options = ["-m", MEDICAL, "--report", str(report), "--device", "cpu", "--modality", "CT"]
    assert main([*command, *options]) in (0, 3)
    told = json.loads(report.read_text())
    found = told["prompts"]
    asked = [answer["provenance"]["free_text"]["words"] for answer in found]
    assert asked == ["kidney", "odd bright spot", "liver"]
    assert any("left side was cut" in note for note in found[0]["provenance"]["notes"])
    assert told["provenance"]["text_encoder"] == "sam3"
    assert main(["parse", "left kidney", "-m", MEDICAL]) == 0
    assert main(["models", "list"]) == 0
    assert "any" in capsys.readouterr().out

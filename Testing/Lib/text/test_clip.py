"""CLIP encoders: open_clip's layouts strictly, padding without influence, shapes."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import tiny_bert
import tiny_clip
import torch
from safetensors.torch import load_file, save_file

from TextPromptSegLib.outcome import CheckpointError, InputError
from TextPromptSegLib.text import BIOMED_CLIP, load_text_encoder
from TextPromptSegLib.text.clip import ClipEncoder
from TextPromptSegLib.text.clip_layout import bert_config, build_model, fill_model, read_weights
from TextPromptSegLib.text.sources import weights_sha256
from TextPromptSegLib.training.recipe import Recipe

SPEC = {"kind": "open_clip", "id": "tiny-clip", "max_length": 24}
BIOMED_BERT = {
    "model_type": "bert",
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
}
BIOMED_CFG: dict[str, Any] = {
    "embed_dim": 512,
    "vision_cfg": {
        "timm_model_name": "vit_base_patch16_224",
        "timm_model_pretrained": False,
        "timm_pool": "",
        "timm_proj": "linear",
        "image_size": 224,
    },
    "text_cfg": {
        "hf_model_name": "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract",
        "hf_tokenizer_name": "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract",
        "hf_proj_type": "mlp",
        "hf_pooler_type": "cls_last_hidden_state_pooler",
        "context_length": 256,
    },
}
"""``model_cfg`` of BiomedCLIP's ``open_clip_config.json``."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip.write_tiny_clip(tmp_path_factory.mktemp("tiny-clip"))


@pytest.fixture
def clip(folder: Path) -> Any:
    return load_text_encoder(SPEC, folder=folder)


def with_config(source: Path, target: Path, change: dict[str, Any]) -> Path:
    """Copy a folder and change its ``open_clip_config.json``."""
    shutil.copytree(source, target)
    path = target / "open_clip_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    return target


# ---- text ----


def test_text_has_token_states_and_unit_vectors_of_the_shared_space(clip: Any) -> None:
    assert isinstance(clip, ClipEncoder)
    found = clip.encode(["left kidney", "segment the liver"])
    assert found.tokens.shape == (2, 5, clip.token_dim) and clip.token_dim == tiny_clip.TOKEN_DIM
    assert found.pooled.shape == (2, clip.dim) and clip.dim == tiny_clip.DIM
    assert torch.allclose(found.pooled.norm(dim=1), torch.ones(2))
    assert found.mask.sum(1).tolist() == [4, 5]
    ids, _ = clip.tokenizer(["left kidney", "segment the liver"], 24)
    theirs = clip.model.encode_text(ids, normalize=True)
    assert torch.allclose(found.pooled, theirs, atol=1e-6)


def test_padding_and_batch_have_no_influence(clip: Any) -> None:
    alone = clip.encode(["left kidney"])
    clip._cache.clear()
    both = clip.encode(["segment the left lung of the liver and all", "left kidney"])
    assert torch.allclose(alone.pooled[0], both.pooled[1], atol=1e-6)
    assert torch.allclose(alone.tokens[0], both.tokens[1, :4], atol=1e-6)
    assert not both.tokens[1, 4:].any()


def test_each_prompt_is_encoded_once(clip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    tower, forward = clip.model.text.transformer, clip.model.text.transformer.forward

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(len(kwargs["input_ids"]))
        return forward(*args, **kwargs)

    monkeypatch.setattr(tower, "forward", counted)
    clip.encode(["Left  Kidney.", "left kidney", "liver"])
    clip.encode(["liver", "LEFT KIDNEY"])
    assert calls == [2]


def test_long_prompts_are_cut_and_it_is_said(folder: Path) -> None:
    short = load_text_encoder({**SPEC, "max_length": 6}, folder=folder)
    long = "segment the left lower lung area"
    assert short.truncated(long) and not short.truncated("left kidney")
    assert short.encode([long]).tokens.shape[1] == 6
    with pytest.raises(ValueError, match="further depths"):
        short.return_depths([1, 2])


# ---- pictures ----


def test_pictures_give_patch_tokens_and_unit_vectors(clip: Any) -> None:
    pictures = torch.rand(3, 1, 50, 40)
    seen = clip.visual(pictures)
    assert seen.patch_tokens.shape == (3, tiny_clip.PATCHES, clip.patch_dim)
    assert clip.patch_dim == tiny_clip.PATCH_DIM and clip.image_size == (32, 32)
    assert torch.allclose(seen.pooled.norm(dim=1), torch.ones(3), atol=1e-6)
    theirs = clip.model.encode_image(clip.visual.prepare(pictures), normalize=True)
    assert torch.allclose(seen.pooled, theirs, atol=1e-6)
    colour = clip.visual(pictures.expand(-1, 3, -1, -1))
    assert torch.allclose(colour.pooled, seen.pooled, atol=1e-6)
    alone = clip.visual(pictures[1:2])
    assert torch.allclose(alone.patch_tokens[0], seen.patch_tokens[1], atol=1e-5)
    with pytest.raises(ValueError, match="1 or 3"):
        clip.visual(torch.rand(1, 2, 32, 32))


def test_a_token_belongs_to_its_place(clip: Any) -> None:
    # the last block mixes all tokens: compare the change of each
    picture = torch.zeros(1, 1, 32, 32)
    spot = picture.clone()
    spot[..., 8:16, 24:32] = 1  # second row, fourth patch
    change = (clip.visual(spot).patch_tokens - clip.visual(picture).patch_tokens).norm(dim=-1)
    assert int(change.argmax()) == 1 * 4 + 3


CONV: dict[str, Any] = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 64}
POOLED: dict[str, Any] = {**BIOMED_CFG["vision_cfg"], "timm_model_name": "test_vit"}
TOWERS = [
    ["open_clip's ResNet", CONV, (64, 64), 16],
    ["timm ViT", {**POOLED, "image_size": 160}, (160, 160), 100],
]


@pytest.mark.parametrize(("_title", "vision", "size", "tokens"), TOWERS)
def test_other_towers(
    _title: str, vision: dict[str, Any], size: tuple[int, int], tokens: int, tmp_path: Path
) -> None:
    config = copy.deepcopy(tiny_clip.CONFIG)
    config["model_cfg"]["vision_cfg"] = vision
    tiny_clip.write_tiny_clip(tmp_path / "clip", config=config)
    clip: Any = load_text_encoder(SPEC, folder=tmp_path / "clip")
    pictures = torch.rand(2, 1, *size)
    seen = clip.visual(pictures)
    assert clip.image_size == size and seen.patch_tokens.shape == (2, tokens, clip.patch_dim)
    theirs = clip.model.encode_image(clip.visual.prepare(pictures), normalize=True)
    assert torch.allclose(seen.pooled, theirs, atol=1e-5)


def test_the_image_tower_stays_frozen_inside_a_training_system(clip: Any) -> None:
    system = torch.nn.ModuleDict({"visual": clip.visual})
    system.train()
    assert not any(m.training for m in clip.visual.modules())
    assert not any(p.requires_grad for p in clip.visual.parameters())


# ---- layouts ----


def test_biomed_clip_is_built_with_exactly_its_own_tensors() -> None:
    """783 705 670 bytes of float32 on the hub: 195 902 721 parameters and the file's frame."""
    with torch.device("meta"):
        model = build_model(BIOMED_CFG, BIOMED_BERT)
    state = model.state_dict()
    assert sum(value.numel() for value in state.values()) == 195_902_721
    assert 0 <= 783_705_670 - 4 * 195_902_721 < 400 * len(state)
    for key, shape in {
        "logit_scale": (),
        "visual.trunk.cls_token": (1, 1, 768),
        "visual.trunk.blocks.11.attn.qkv.weight": (2304, 768),
        "visual.head.proj.weight": (512, 768),
        "text.transformer.encoder.layer.11.output.dense.weight": (768, 3072),
        "text.proj.0.weight": (640, 768),
        "text.proj.2.weight": (512, 640),
    }.items():
        assert tuple(state[key].shape) == shape
    assert not any("pooler" in key for key in state)
    derived = bert_config(state)
    assert {key: derived[key] for key in BIOMED_BERT} == BIOMED_BERT


@pytest.fixture(scope="module")
def biomed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """BiomedCLIP's layout, small: timm ViT, BERT, .bin with position ids, no BERT config.json."""
    config = copy.deepcopy(tiny_clip.CONFIG)
    config["model_cfg"]["vision_cfg"] = {**POOLED, "image_size": 160}
    folder = tmp_path_factory.mktemp("biomed")
    tiny_clip.write_tiny_clip(folder, config=config, binary=True)
    path = folder / "open_clip_pytorch_model.bin"
    state = torch.load(path, weights_only=True)
    state["text.transformer.embeddings.position_ids"] = torch.arange(512)[None]
    torch.save(state, path)
    (folder / "config.json").unlink()
    return folder


def test_the_layout_of_biomed_clip_loads_strictly(biomed: Path) -> None:
    path = biomed / "open_clip_pytorch_model.bin"
    spec = {**BIOMED_CLIP, "sha256": weights_sha256(path)}
    clip: Any = load_text_encoder(spec, folder=biomed)
    stored = torch.load(path, weights_only=True)
    state = clip.model.state_dict()
    assert stored.keys() - state.keys() == {"text.transformer.embeddings.position_ids"}
    assert state.keys() <= stored.keys()
    assert all(torch.equal(state[key], stored[key]) for key in state)
    assert clip.revision == BIOMED_CLIP["revision"] and clip.max_length == 24
    assert clip.encode(["left lung"]).pooled.shape == (1, tiny_clip.DIM)


def test_every_tensor_is_accounted_for(biomed: Path) -> None:
    config = json.loads((biomed / "open_clip_config.json").read_text())
    stored = read_weights(biomed / "open_clip_pytorch_model.bin")
    model = build_model(config["model_cfg"], bert_config(stored))
    fill_model(model, stored, "x")
    position = "text.transformer.embeddings.position_ids"
    key = "visual.head.proj.weight"
    for changed, message in (
        ({k: v for k, v in stored.items() if k != key}, "1 tensors are missing.*head.proj"),
        ({**stored, "visual.more": torch.zeros(1)}, "1 tensors are unknown.*visual.more"),
        ({**stored, key: stored[key].T.clone()}, "1 tensors are of another size"),
        ({**stored, position: torch.zeros(1, 512, dtype=torch.long)}, "unknown.*position_ids"),
    ):
        with pytest.raises(CheckpointError, match=message):
            fill_model(model, changed, "x")


def test_a_file_with_code_or_another_checksum_is_refused(biomed: Path, tmp_path: Path) -> None:
    other = tmp_path / "clip"
    shutil.copytree(biomed, other)
    with pytest.raises(CheckpointError, match="sha256"):
        load_text_encoder(BIOMED_CLIP, folder=other)
    torch.save({"weight": Path("x")}, other / "open_clip_pytorch_model.bin")
    with pytest.raises(CheckpointError, match="more than tensors"):
        load_text_encoder(SPEC, folder=other)
    (other / "open_clip_pytorch_model.bin").unlink()
    with pytest.raises(CheckpointError, match=r"open_clip_model.safetensors or open_clip_py"):
        load_text_encoder(SPEC, folder=other)


def test_an_encoder_without_pinned_checksum_records_its_own(clip: Any, folder: Path) -> None:
    assert clip.sha256 == weights_sha256(folder / "open_clip_model.safetensors")


def test_a_named_text_tower_is_not_copied(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_bert.write_tiny_bert(tmp_path / "tiny-bert")
    tower = weights_sha256(tmp_path / "tiny-bert" / "model.safetensors")
    named = {"id": "tiny-bert", "sha256": tower}
    other = with_config(folder, tmp_path / "clip", {"text_tower": named})
    (other / "tokenizer.json").unlink()
    whole = load_file(str(folder / "open_clip_model.safetensors"))
    part = {k: v for k, v in whole.items() if not k.startswith("text.transformer.")}
    save_file(part, str(other / "open_clip_model.safetensors"))
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path))
    clip: Any = load_text_encoder(SPEC, folder=other)
    bert: Any = load_text_encoder({**named, "max_length": 24})
    prompt = ["segment the left lung"]
    assert torch.allclose(clip.encode(prompt).tokens, bert.encode(prompt).tokens, atol=1e-5)
    save_file(whole, str(other / "open_clip_model.safetensors"))
    with pytest.raises(CheckpointError, match="tensors are unknown, the first is text.transf"):
        load_text_encoder(SPEC, folder=other)


def test_open_clips_own_text_tower(tmp_path: Path) -> None:
    config = copy.deepcopy(tiny_clip.CONFIG)
    text = {"context_length": 12, "width": 32, "heads": 2, "layers": 2}
    config["model_cfg"]["text_cfg"] = text
    torch.manual_seed(0)
    model = build_model(config["model_cfg"])
    save_file(
        {k: v.contiguous() for k, v in model.state_dict().items()},
        str(tmp_path / "open_clip_model.safetensors"),
    )
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    clip: Any = load_text_encoder({**SPEC, "max_length": 77}, folder=tmp_path)
    found = clip.encode(["left kidney", "segment the left kidney"])
    assert clip.max_length == 12 and clip.token_dim == 32
    assert found.mask.sum(1).tolist() == [4, 6]
    theirs = model.eval().encode_text(
        clip.tokenizer(["left kidney", "segment the left kidney"]), normalize=True
    )
    assert torch.allclose(found.pooled, theirs, atol=1e-6)
    assert clip.truncated("left kidney " * 10) and not clip.truncated("left kidney")


def test_an_architecture_of_open_clip_by_name(folder: Path, tmp_path: Path) -> None:
    from TextPromptSegLib.text.clip_layout import read_config

    found = read_config(tmp_path, {"model": "ViT-B-16"})["model_cfg"]
    with torch.device("meta"):
        model = build_model(found)
    assert sum(p.numel() for p in model.parameters()) == 149_620_737
    with pytest.raises(CheckpointError, match="name the architecture"):
        read_config(tmp_path, {"model": "no such thing"})


def test_recipes_know_the_clips_by_name() -> None:
    values: dict[str, Any] = {"name": "x", "system": "y", "config": {}, "input": {}, "data": []}
    recipe = Recipe.from_dict({**values, "text_encoder": "biomed-clip"})
    assert recipe.text_spec() == BIOMED_CLIP
    assert Recipe.from_dict({**values, "text_encoder": "clip-compact"}).text_spec()["kind"]
    with pytest.raises(InputError, match="biomed-clip"):
        Recipe.from_dict({**values, "text_encoder": "no"}).text_spec()

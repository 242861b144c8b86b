"""CLIP models in open_clip's folder layout, built without the network and filled strictly.

Layout: ``open_clip_config.json`` (``model_cfg``, ``preprocess_cfg``) and
``open_clip_model.safetensors`` or ``open_clip_pytorch_model.bin``, with the tokenizer's files
beside them where the text tower is a BERT. BiomedCLIP comes so
(https://huggingface.co/microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224). One key of our
own, ``text_tower``, names a frozen BERT (a spec of `TextPromptSegLib.text.specs`) whose weights
the file does not hold.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..files.text import read_json
from ..outcome import CheckpointError
from ..torchvision_operators import declare_torchvision_operators
from .tensor_files import read_weights

CONFIG = "open_clip_config.json"
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
FROZEN_TEXT = "text.transformer."
"""Prefix of the tensors of a named text tower."""

_POSITION_IDS = "text.transformer.embeddings.position_ids"
_WORDS = "text.transformer.embeddings.word_embeddings.weight"


def read_config(folder: Path, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``open_clip_config.json``, or open_clip's own configuration of ``spec["model"]``.

    Raises:
        CheckpointError: when there is neither.
    """
    path = folder / CONFIG
    if path.is_file():
        try:
            config = read_json(path)
            if isinstance(config["model_cfg"], dict):
                return config
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"'{path}' is damaged; install the encoder again.") from error
        raise CheckpointError(f"'{path}' is damaged; install the encoder again.")
    declare_torchvision_operators()
    import open_clip

    found = open_clip.get_model_config(spec["model"]) if spec.get("model") else None
    if found is None:
        raise CheckpointError(
            f"'{folder}' holds no {CONFIG}; put it there, or name the architecture with 'model'."
        )
    return {"model_cfg": found}


def bert_config(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the transformers configuration that fits a BERT's tensors (``text.transformer.*``).

    Everything but the number of heads follows from the shapes; BERTs have heads of 64.

    Raises:
        CheckpointError: when the tensors are not those of a BERT.
    """
    try:
        vocabulary, width = tensors[_WORDS].shape
        positions = tensors[_WORDS.replace("word", "position")].shape[0]
        types = tensors[_WORDS.replace("word", "token_type")].shape[0]
        layer = "text.transformer.encoder.layer."
        inner = tensors[f"{layer}0.intermediate.dense.weight"].shape[0]
    except KeyError as error:
        raise CheckpointError(
            "The text tower is no BERT; put its transformers config.json beside the weights."
        ) from error
    layers = 1 + max(int(k[len(layer) :].split(".")[0]) for k in tensors if k.startswith(layer))
    return {
        "model_type": "bert",
        "vocab_size": vocabulary,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": max(1, width // 64),
        "intermediate_size": inner,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "pad_token_id": 0,
    }


def build_model(model_cfg: Mapping[str, Any], bert: Mapping[str, Any] | None = None) -> Any:
    """Return open_clip's module with random weights; nothing is downloaded.

    Args:
        model_cfg: ``embed_dim``, ``vision_cfg``, ``text_cfg`` and further arguments of
            open_clip's CLIP.
        bert: transformers configuration of the text tower, where it is a BERT.
    """
    declare_torchvision_operators()
    from open_clip.model import CLIP, CustomTextCLIP

    values = copy.deepcopy(dict(model_cfg))
    custom = values.pop("custom_text", False)
    values["vision_cfg"] = {**values["vision_cfg"], "timm_model_pretrained": False}
    if not values["text_cfg"].get("hf_model_name"):
        return (CustomTextCLIP if custom else CLIP)(**values)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(dict(bert or {})), encoding="utf-8")
        values["text_cfg"] |= {"hf_model_name": folder, "hf_model_pretrained": False}
        return CustomTextCLIP(**values)


def fill_model(
    model: nn.Module, stored: Mapping[str, Tensor], name: str, *, named_text: bool = False
) -> None:
    """Copy tensors into a model; every tensor is accounted for.

    Args:
        model: of `build_model`.
        stored: tensors of the file.
        name: of the encoder, for messages.
        named_text: the file holds no tensors of the text transformer.

    Raises:
        CheckpointError: when tensors are missing, left over or of another size.
    """
    tensors = dict(stored)
    wanted = dict(model.state_dict())
    if "positional_embedding" in tensors and "positional_embedding" not in wanted:
        from open_clip.model import convert_to_custom_text_state_dict

        tensors = convert_to_custom_text_state_dict(tensors)
    ids = None if _POSITION_IDS in wanted else tensors.get(_POSITION_IDS)
    # a buffer that older versions of transformers stored: 0, 1, 2, ... and nothing else
    if ids is not None and torch.equal(ids.flatten(), torch.arange(ids.numel(), dtype=ids.dtype)):
        del tensors[_POSITION_IDS]
    for key in ("logit_scale", "logit_bias"):
        if key in tensors and key in wanted and tensors[key].numel() == 1:
            tensors[key] = tensors[key].reshape(wanted[key].shape)
    if named_text:
        wanted = {k: v for k, v in wanted.items() if not k.startswith(FROZEN_TEXT)}
    missing, extra = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    wrong = sorted(k for k in wanted.keys() & tensors.keys() if wanted[k].shape != tensors[k].shape)
    for what, keys in (("missing", missing), ("unknown", extra), ("of another size", wrong)):
        if keys:
            raise CheckpointError(
                f"The weights of '{name}' do not fit its {CONFIG}: {len(keys)} tensors are {what}, "
                f"the first is {keys[0]}."
            )
    model.load_state_dict(tensors, strict=not named_text)


def fill_text_tower(model: nn.Module, path: Path, name: str) -> None:
    """Copy a named BERT's weights into the text tower, strictly.

    Raises:
        CheckpointError: when the tensors do not fit.
    """
    stored = {key.removeprefix("bert."): value for key, value in read_weights(path).items()}
    transformer: Any = model.get_submodule("text.transformer")
    wanted = transformer.state_dict()
    unused = {key for key in stored.keys() - wanted.keys() if key.startswith(("pooler.", "cls."))}
    unused |= {"embeddings.position_ids"} & stored.keys() - wanted.keys()
    kept = {key: value for key, value in stored.items() if key not in unused}
    if kept.keys() != wanted.keys():
        raise CheckpointError(f"The text tower of '{name}' is another model than the named one.")
    transformer.load_state_dict(kept)

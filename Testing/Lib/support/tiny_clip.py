"""A CLIP with random weights in open_clip's folder layout; for tests only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tiny_bert
import torch

from TextPromptSegLib.text import load_text_encoder
from TextPromptSegLib.text.clip_layout import build_model
from TextPromptSegLib.torchvision_operators import declare_torchvision_operators

DIM, TOKEN_DIM, PATCH_DIM, IMAGE, PATCHES = 16, 24, 32, 32, 16
CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": DIM,
        "vision_cfg": {
            "image_size": IMAGE,
            "patch_size": 8,
            "layers": 2,
            "width": PATCH_DIM,
            "head_width": 16,
        },
        "text_cfg": {
            "hf_model_name": "tiny",
            "hf_tokenizer_name": "tiny",
            "hf_proj_type": "mlp",
            "hf_pooler_type": "cls_last_hidden_state_pooler",
            "context_length": 24,
        },
    },
    "preprocess_cfg": {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.27, 0.26, 0.28]},
}
"""A ViT of 16 patches beside a BERT of 6 layers, as BiomedCLIP is put together."""


def write_tiny_clip(
    folder: Path, *, config: dict[str, Any] | None = None, binary: bool = False
) -> Path:
    """Write it: configuration, tokenizer, weights (BiomedCLIP's .bin when ``binary``)."""
    from safetensors.torch import save_file

    declare_torchvision_operators()
    config = config or CONFIG
    tiny_bert.write_tiny_bert(folder)
    bert = json.loads((folder / "config.json").read_text())
    (folder / "model.safetensors").unlink()
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    torch.manual_seed(1)
    state = build_model(config["model_cfg"], bert).state_dict()
    state = {key: value.clone().contiguous() for key, value in state.items()}
    if binary:
        torch.save(state, folder / "open_clip_pytorch_model.bin")
    else:
        save_file(state, str(folder / "open_clip_model.safetensors"))
    return folder


def tiny_clip(folder: Path, max_length: int = 24) -> Any:
    """Write a tiny CLIP into the folder and load it as a `ClipEncoder`."""
    write_tiny_clip(folder)
    spec = {"kind": "open_clip", "id": "tiny-clip", "max_length": max_length}
    return load_text_encoder(spec, folder=folder)

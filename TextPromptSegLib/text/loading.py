"""The one door to the frozen text encoders: a specification in, an encoder out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .clip import load_clip_encoder
from .encoder import TextEncoder, load_bert
from .specs import MINILM


def load_text_encoder(
    spec: Mapping[str, Any] | None = None,
    *,
    folder: str | Path | None = None,
    cache_size: int = 2048,
) -> TextEncoder:
    """Load a frozen BERT-like encoder: explicit folder, installed package, hub at a revision.

    A spec of the kind ``open_clip`` gives a `TextPromptSegLib.text.clip.ClipEncoder`.

    Args:
        spec: ``id``, ``revision``, ``sha256``, ``package``, ``max_length``; default `MINILM`.
        folder: a folder with config.json, tokenizer and model.safetensors or pytorch_model.bin.
        cache_size: prompts remembered.

    Raises:
        CheckpointError: when it cannot be found, or its weights have another sha256.
        DependencyError: when transformers is not installed.
    """
    spec = dict(spec or MINILM)
    if spec.get("kind") == "open_clip":
        return load_clip_encoder(spec, folder=folder, cache_size=cache_size)
    return load_bert(spec, folder=folder, cache_size=cache_size)

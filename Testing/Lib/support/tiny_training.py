"""A recipe that trains in a second, with a small random BERT in place of MiniLM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from TextPromptSegLib.training.recipe import Recipe

RECIPE: dict[str, Any] = {
    "name": "tiny-net",
    "system": "film-unet",
    "config": {
        "patch": 2,
        "channels": [8, 16, 16],
        "decoder_channels": [16, 8],
        "decoder_cbn": "all",
        "presence": True,
        "text_whitening": True,
        "dropout": 0.0,
        "loss": "dice_bce",
    },
    "input": {"size": 64, "multiple": 8},
    "data": [{"name": "tiny"}],
    "steps": 40,
    "batch": {"slices": 4, "pairs": 8, "questions": 2},
    "lr": 0.01,
    "warmup": 5,
    "precision": "32-true",
    "augment": None,
    "plain_prompts": 1.0,
    "validate_every": 20,
    "seed": 3,
}
WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] left right kidney liver spleen pair segment the".split()


def recipe(encoder: Any, **changes: Any) -> Recipe:
    """Return the recipe with changes."""
    return Recipe.from_dict({**RECIPE, "text_encoder": encoder, **changes})


def make_encoder(root: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Write a small random BERT below ``root`` and return its spec."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = root / "tiny-text"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    BertModel(config).save_pretrained(folder)
    patch.setenv("TEXTPROMPTSEG_ENCODERS", str(root))
    return {"id": "test/tiny-text", "sha256": None}

"""A BERT with random weights, 24 wide, 6 layers, and a small vocabulary; for tests only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from TextPromptSegLib.text import load_text_encoder

WORDS = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] , bilateral unilateral pulmonary infection one two infected "
    "areas area upper middle lower left right lung kidney liver spleen segment the of and all"
).split()
SIZES = {"text_dim": 24, "text_ffn": 40, "text_layers": 6}


def write_tiny_bert(folder: Path) -> Path:
    """Write it in the usual layout of the hub."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=SIZES["text_dim"],
        num_hidden_layers=SIZES["text_layers"],
        num_attention_heads=2,
        intermediate_size=SIZES["text_ffn"],
        initializer_range=0.2,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def tiny_encoder(folder: Path, max_length: int = 24) -> Any:
    """Load what `write_tiny_bert` wrote."""
    return load_text_encoder({"id": "tiny", "max_length": max_length}, folder=folder)

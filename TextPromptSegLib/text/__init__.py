"""Frozen text encoders and their cache."""

from __future__ import annotations

from .encoder import BERT_BASE, MINILM, TextEncoder, load_text_encoder, normalise_prompt
from .features import TextFeatures, masked_mean

__all__ = [
    "BERT_BASE",
    "MINILM",
    "TextEncoder",
    "TextFeatures",
    "load_text_encoder",
    "masked_mean",
    "normalise_prompt",
]

"""Frozen text encoders, CLIP's image tower, and the cache of what they encoded."""

from __future__ import annotations

from .encoder import TextEncoder, normalise_prompt
from .features import TextFeatures, masked_mean
from .loading import load_text_encoder
from .specs import BERT_BASE, BIOMED_CLIP, CLIP_COMPACT, MINILM

__all__ = [
    "BERT_BASE",
    "BIOMED_CLIP",
    "CLIP_COMPACT",
    "MINILM",
    "TextEncoder",
    "TextFeatures",
    "load_text_encoder",
    "masked_mean",
    "normalise_prompt",
]

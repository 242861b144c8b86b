"""Building blocks of networks, named by the papers' words."""

from __future__ import annotations

from .attention import ChannelAttention, ChannelSELayer, SpatialAttention
from .conditioning import ConditionalBatchNorm2d, FiLM, L2Normalise, Whitening
from .cross_attention import MorphologyTextFusion, PooledTextFusion, TextGuide, TextGuidedUp
from .lora import LoRALinear, LowRankUpdate
from .resampling import halve, repeat_rows
from .residual import AttentiveResidualBlock
from .symmetry import CrossBilateralSymmetry, MorphologyAware, SpatialSemanticGrounding

__all__ = [
    "AttentiveResidualBlock",
    "ChannelAttention",
    "ChannelSELayer",
    "ConditionalBatchNorm2d",
    "CrossBilateralSymmetry",
    "FiLM",
    "L2Normalise",
    "LoRALinear",
    "LowRankUpdate",
    "MorphologyAware",
    "MorphologyTextFusion",
    "PooledTextFusion",
    "SpatialAttention",
    "SpatialSemanticGrounding",
    "TextGuide",
    "TextGuidedUp",
    "Whitening",
    "halve",
    "repeat_rows",
]

"""Building blocks named by the papers' words."""

from __future__ import annotations

from .attention import ChannelAttention, SpatialAttention
from .conditioning import ConditionalBatchNorm2d, FiLM, L2Normalise, Whitening
from .residual import AttentiveResidualBlock

__all__ = [
    "AttentiveResidualBlock",
    "ChannelAttention",
    "ConditionalBatchNorm2d",
    "FiLM",
    "L2Normalise",
    "SpatialAttention",
    "Whitening",
]

"""The FiLM U-Net: text modulates an attentive U-Net by FiLM and conditional batch norm."""

from __future__ import annotations

from ..registry import register
from .config import FiLMUNetConfig
from .network import FiLMUNet

register("film-unet", FiLMUNetConfig, FiLMUNet)

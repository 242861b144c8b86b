"""Prompt-guided patch UNet-VAE: text to region to patch, with reconstruction and a critic."""

from __future__ import annotations

from ..registry import register
from .config import PatchUNetVAEConfig
from .system import PatchUNetVAE

register("patch-unet-vae", PatchUNetVAEConfig, PatchUNetVAE)

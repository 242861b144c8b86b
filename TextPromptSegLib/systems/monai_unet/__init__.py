"""The baseline of the papers' tables: MONAI's U-Net, one channel a structure, no text."""

from __future__ import annotations

from ..registry import register
from .config import MonaiUNetConfig
from .network import MonaiUNet

register("monai-unet", MonaiUNetConfig, MonaiUNet)

"""SVP-CVAE: symmetry-perceiving text-guided segmentation with a distribution over masks."""

from __future__ import annotations

from ..registry import register
from .config import SVPCVAEConfig
from .network import SVPCVAE

register("svp-cvae", SVPCVAEConfig, SVPCVAE)

"""OMT-SAM: organ-aware multi-scale SAM guided by text, boxes and points."""

from __future__ import annotations

from ..registry import register
from .config import OMTSAMConfig
from .network import OMTSAM

register("omt-sam", OMTSAMConfig, OMTSAM)

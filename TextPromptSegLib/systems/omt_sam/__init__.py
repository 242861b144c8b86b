"""OMT-SAM: organ-aware multi-scale SAM guided by text, boxes and points."""

from __future__ import annotations

from ..registry import ForeignWeights, register
from .config import OMTSAMConfig
from .convert import HOW_TO_GET, KINDS, convert_sam, is_sam
from .network import OMTSAM

register(
    "omt-sam",
    OMTSAMConfig,
    OMTSAM,
    ForeignWeights("SAM and MedSAM", KINDS, is_sam, convert_sam, HOW_TO_GET),
)

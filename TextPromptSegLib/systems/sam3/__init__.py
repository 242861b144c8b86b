"""SAM 3: words in, every instance of them out, on single pictures; and its medical fine-tunes."""

from __future__ import annotations

from ..registry import ForeignWeights, register
from .config import SAM3Config
from .convert import HOW_TO_GET, KINDS, convert_sam3, is_sam3
from .network import SAM3

register(
    "sam3",
    SAM3Config,
    SAM3,
    ForeignWeights("SAM 3", KINDS, is_sam3, convert_sam3, HOW_TO_GET),
)

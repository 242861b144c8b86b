"""An OMT-SAM of a few thousand weights, and a batch with two organs to tell apart."""

from __future__ import annotations

from typing import Any

import tiny_clip
import torch
from tiny_sam import SIZES

from TextPromptSegLib.systems.omt_sam import OMTSAM, OMTSAMConfig

TINY: dict[str, Any] = {
    **SIZES,
    "in_channels": 1,
    "rel_pos": False,
    "multimask": 0,
    "text_dim": tiny_clip.TOKEN_DIM,
    "clip_dim": tiny_clip.PATCH_DIM,
    "fusion_heads": 4,
    "prompt_tokens": 2,
    "freeze_prompts": False,
}


def tiny(clip: Any, **changes: Any) -> OMTSAM:
    """A network whose parts all have a say: random weights that add nothing would hide mistakes."""
    torch.manual_seed(0)
    net = OMTSAM(OMTSAMConfig(**{**TINY, **changes}))
    net.attach_text_encoder(clip)
    with torch.no_grad():
        for value in net.image_text.parameters() if net.image_text is not None else ():
            if value.ndim > 1:
                value.normal_(std=0.5)
        if net.image_encoder.fusion.conv is not None:
            net.image_encoder.fusion.conv.weight.add_(
                0.1 * torch.randn_like(net.image_encoder.fusion.conv.weight)
            )
    return net

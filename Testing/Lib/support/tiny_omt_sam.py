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


def batch_of(clip: Any, size: int = 64) -> dict[str, Any]:
    """Two images with a left and a right square; the text says which one is meant."""
    generator = torch.Generator().manual_seed(1)
    image = 0.2 * torch.rand(2, 1, size, size, generator=generator) + 0.1
    image[..., 16:48, 4:24] += 0.5
    image[..., 16:48, 40:60] += 0.5
    mask = torch.zeros(4, 1, size, size)
    mask[::2, :, 16:48, 4:24] = 1
    mask[1::2, :, 16:48, 40:60] = 1
    return {
        "image": image,
        "index": torch.arange(4) // 2,
        "text": clip.encode(["right lung", "left lung"] * 2),
        "mask": mask,
        "present": mask.flatten(1).any(1).float(),
        "valid": torch.ones(2, 1, size, size),
    }

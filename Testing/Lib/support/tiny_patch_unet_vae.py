"""A patch UNet-VAE of a few thousand weights, and a batch of bright squares for it."""

from __future__ import annotations

from typing import Any

import torch

from TextPromptSegLib.systems.patch_unet_vae import PatchUNetVAE, PatchUNetVAEConfig
from TextPromptSegLib.text.features import TextFeatures

TINY: dict[str, Any] = {
    "patch": 16,
    "channels": (4, 8, 8),
    "latent_channels": 2,
    "text": "film",
    "text_dim": 6,
    "critic_channels": 4,
    "critic_layers": 1,
    "perceptual": "none",
}


def text_of(vectors: torch.Tensor) -> TextFeatures:
    return TextFeatures(vectors[:, None], torch.ones(len(vectors), 1, dtype=torch.bool), vectors)


def tiny(**changes: Any) -> PatchUNetVAE:
    torch.manual_seed(0)
    return PatchUNetVAE(PatchUNetVAEConfig(**{**TINY, **changes}))


def batch_of(net: PatchUNetVAE, count: int = 6, size: int = 16) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(1)
    mask = torch.zeros(count, 1, size, size)
    mask[::2, :, 4:10, 4:10] = 1
    image = torch.rand(count, 1, size, size, generator=generator) * 0.3 + 0.6 * mask
    return {
        "image": image,
        "index": torch.arange(count),
        "text": text_of(torch.randn(count, net.config.text_dim, generator=generator)),
        "mask": mask,
        "present": mask.flatten(1).any(1).float(),
    }

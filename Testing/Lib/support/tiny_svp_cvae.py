"""An SVP-CVAE of a few thousand weights, and a batch with two organs to tell apart."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_bert import SIZES, tiny_encoder, write_tiny_bert

from TextPromptSegLib.systems.svp_cvae import SVPCVAE, SVPCVAEConfig

TINY: dict[str, Any] = {
    **SIZES,
    "in_channels": 1,
    "hidden_sizes": (8, 8, 16, 16),
    "depths": (1, 1, 1, 1),
    "text_depths": (2, 4, 6),
    "lora_layers": 2,
    "lora_rank": 2,
    "heads": 2,
    "z_dim": 4,
    "latent_hidden": 16,
    "mask_grid": 4,
    "head_channels": 8,
}
TEXTS = [
    "unilateral pulmonary infection, one infected area, upper left lung",
    "left kidney",
    "bilateral pulmonary infection, two infected areas, upper left lung and lower right lung",
    "spleen",
]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny_encoder(write_tiny_bert(tmp_path_factory.mktemp("bert")))


def tiny(encoder: Any, **changes: Any) -> SVPCVAE:
    torch.manual_seed(0)
    net = SVPCVAE(SVPCVAEConfig(**{**TINY, **changes}))
    net.attach_text_encoder(encoder)
    # random updates: LoRA that adds nothing would hide mistakes
    for update in net.cate.lora.values():
        torch.nn.init.normal_(update.b, std=0.3)
    return net


def batch_of(encoder: Any, size: int = 64, texts: tuple[str, ...] = ()) -> dict[str, Any]:
    """Two images with a left and a right square; the text says which one is meant."""
    generator = torch.Generator().manual_seed(1)
    image = 0.2 * torch.rand(2, 1, size, size, generator=generator) + 0.1
    image[..., 16:48, 4:24] += 0.5
    image[..., 16:48, 40:60] += 0.5
    mask = torch.zeros(4, 1, size, size)
    mask[::2, :, 16:48, 4:24] = 1
    mask[1::2, :, 16:48, 40:60] = 1
    words = texts or ("right lung", "left lung") * 2
    return {
        "image": image,
        "index": torch.arange(4) // 2,
        "text": encoder.encode(words),
        "mask": mask,
        "present": mask.flatten(1).any(1).float(),
        "valid": torch.ones(2, 1, size, size),
    }

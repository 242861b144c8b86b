"""An SVP-CVAE of a few thousand weights, and a batch with two organs to tell apart."""

from __future__ import annotations

from typing import Any

import torch
from tiny_bert import SIZES

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


def tiny(encoder: Any, **changes: Any) -> SVPCVAE:
    torch.manual_seed(0)
    net = SVPCVAE(SVPCVAEConfig(**{**TINY, **changes}))
    net.attach_text_encoder(encoder)
    # random updates: LoRA that adds nothing would hide mistakes
    for update in net.cate.lora.values():
        torch.nn.init.normal_(update.b, std=0.3)
    return net

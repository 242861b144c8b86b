"""A SAM of a few thousand weights, built by segment_anything itself; for tests only."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn

from TextPromptSegLib.systems.omt_sam import OMTSAM, OMTSAMConfig

SIZES: dict[str, Any] = {
    "image_size": 64,
    "patch": 8,
    "embed_dim": 32,
    "depth": 5,
    "heads": 2,
    "window": 3,
    "global_blocks": (1, 4),
    "width": 32,
    "mask_channels": 16,
    "decoder_mlp": 64,
    "score_hidden": 32,
}
"""SAM's form in small: windows, blocks that see the whole image, relative positions."""


def tiny_sam(**changes: Any) -> Any:
    """Return segment_anything's `Sam` of `SIZES` with lively random weights, no normalisation."""
    from segment_anything.modeling import (
        ImageEncoderViT,
        MaskDecoder,
        PromptEncoder,
        Sam,
        TwoWayTransformer,
    )

    size = {**SIZES, **changes}
    torch.manual_seed(3)
    grid = size["image_size"] // size["patch"]
    sam = Sam(
        ImageEncoderViT(
            img_size=size["image_size"],
            patch_size=size["patch"],
            embed_dim=size["embed_dim"],
            depth=size["depth"],
            num_heads=size["heads"],
            out_chans=size["width"],
            norm_layer=partial(nn.LayerNorm, eps=1e-6),
            use_rel_pos=True,
            window_size=size["window"],
            global_attn_indexes=size["global_blocks"],
        ),
        PromptEncoder(
            size["width"], (grid, grid), (size["image_size"],) * 2, size["mask_channels"]
        ),
        MaskDecoder(
            transformer_dim=size["width"],
            transformer=TwoWayTransformer(2, size["width"], 8, size["decoder_mlp"]),
            iou_head_hidden_dim=size["score_hidden"],
        ),
        pixel_mean=[0.0, 0.0, 0.0],
        pixel_std=[255.0, 255.0, 255.0],
    ).eval()
    with torch.no_grad():
        for name, value in sam.named_parameters():
            if value.ndim > 1 and "embed" not in name:
                value.normal_(std=1.5 / value[0].numel() ** 0.5)
            elif "pos_embed" in name or "rel_pos" in name:
                value.normal_(std=0.3)
    return sam


def tiny_omt(**changes: Any) -> OMTSAM:
    """Return a network of `SIZES` without text."""
    torch.manual_seed(0)
    return OMTSAM(OMTSAMConfig(**{**SIZES, "image_text": False, **changes}))


def transformers_sam(**changes: Any) -> Any:
    """transformers' `SamModel` of the same sizes; the numbers are those of `tiny_sam`."""
    from transformers import SamConfig, SamModel

    size = {**SIZES, **changes}
    torch.manual_seed(3)
    model = SamModel(
        SamConfig(
            vision_config={
                "hidden_size": size["embed_dim"],
                "num_hidden_layers": size["depth"],
                "num_attention_heads": size["heads"],
                "image_size": size["image_size"],
                "patch_size": size["patch"],
                "output_channels": size["width"],
                "mlp_dim": 4 * size["embed_dim"],
                "global_attn_indexes": list(size["global_blocks"]),
                "window_size": size["window"],
                "num_pos_feats": size["width"] // 2,
            },
            prompt_encoder_config={
                "hidden_size": size["width"],
                "image_size": size["image_size"],
                "patch_size": size["patch"],
                "mask_input_channels": size["mask_channels"],
            },
            mask_decoder_config={
                "hidden_size": size["width"],
                "mlp_dim": size["decoder_mlp"],
                "iou_head_hidden_dim": size["score_hidden"],
            },
        )
    ).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.ndim > 1 and "embed" not in name:
                value.normal_(std=1.5 / value[0].numel() ** 0.5)
    return model

"""SAM's mask decoder for pairs of image and prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .config import OMTSAMConfig
from .two_way import two_way

if TYPE_CHECKING:
    from segment_anything.modeling import MaskDecoder


def make_mask_decoder(config: OMTSAMConfig) -> MaskDecoder:
    """Return segment_anything's decoder of the configured sizes (its keys, its weights)."""
    from segment_anything.modeling import MaskDecoder, TwoWayTransformer

    return MaskDecoder(
        transformer_dim=config.width,
        transformer=TwoWayTransformer(
            depth=config.decoder_depth,
            embedding_dim=config.width,
            mlp_dim=config.decoder_mlp,
            num_heads=config.decoder_heads,
        ),
        num_multimask_outputs=config.multimask,
        iou_head_depth=config.score_depth,
        iou_head_hidden_dim=config.score_hidden,
    )


def attend(
    decoder: Any, embedding: Tensor, positions: Tensor, sparse: Tensor, dense: Tensor
) -> tuple[Tensor, Tensor]:
    """Run the two-way transformer on pairs.

    segment_anything's own ``forward`` asks many prompts of one image; here row b of image and
    prompt belong together, and the tokens and masks that nobody reads are not computed.

    Args:
        decoder: of `make_mask_decoder`.
        embedding: image embeddings (B, C, h, w).
        positions: the position encoding of their places (1, h w, C).
        sparse: prompt tokens (B, T, C).
        dense: (B, C, h, w) or (1, C, 1, 1), added to the embedding.

    Returns:
        The IoU token and that of the single mask (B, 2, C), and the image's tokens (B, h w, C).
    """
    own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([own.to(sparse.dtype).expand(len(sparse), -1, -1), sparse], dim=1)
    places = (embedding + dense.to(embedding.dtype)).flatten(2).transpose(1, 2)
    return two_way(decoder.transformer, places, positions, tokens, read=2)


def single_mask(decoder: Any, states: Tensor, image: Tensor, grid: int) -> Tensor:
    """Return the low-resolution logits (B, 1, 4 grid, 4 grid) of SAM's single mask."""
    places = image.transpose(1, 2).reshape(len(image), -1, grid, grid)
    upscaled = decoder.output_upscaling(places)
    weights = decoder.output_hypernetworks_mlps[0](states[:, 1])
    mask = weights[:, None] @ upscaled.flatten(2).to(weights.dtype)
    return mask.reshape(len(image), 1, *upscaled.shape[2:])


def presence_score(decoder: Any, states: Tensor) -> Tensor:
    """Return the IoU head's answer (B,) for the single mask, read as a presence logit."""
    return decoder.iou_prediction_head(states[:, 0])[:, 0]

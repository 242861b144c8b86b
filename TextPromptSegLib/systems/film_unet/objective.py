"""The losses that the FiLM paper compares (section 3.6, table 4), plus the presence term."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from .config import FiLMUNetConfig

SMOOTH = 1.0  # px: keeps the overlap terms' gradient alive for structures of a few pixels


def region_loss(name: str, probability: Tensor, mask: Tensor) -> Tensor:
    """Return the overlap term (N,) of each pair for probabilities (N, 1, H, W).

    Args:
        name: ``jaccard``, ``tversky`` (alpha = 0.7 on false positives, beta = 0.3), ``hausdorff``
            (Karimi and Salcudean's by distance transforms, https://arxiv.org/abs/1904.10030),
            anything else is Dice.
    """
    from monai.losses import DiceLoss, HausdorffDTLoss, TverskyLoss  # training only: it is heavy

    options = {"reduction": "none", "smooth_nr": SMOOTH, "smooth_dr": SMOOTH}
    if name == "tversky":
        return TverskyLoss(alpha=0.7, beta=0.3, **options)(probability, mask).flatten()
    if name == "hausdorff":
        return HausdorffDTLoss(include_background=True, reduction="none")(
            probability, mask
        ).flatten()
    return DiceLoss(jaccard=name == "jaccard", **options)(probability, mask).flatten()


def film_unet_objective(
    logits: Tensor,
    mask: Tensor,
    valid: Tensor,
    presence: Tensor,
    present: Tensor,
    config: FiLMUNetConfig,
) -> dict[str, Tensor]:
    """Return the terms of the objective; ``loss`` is their weighted sum.

    The overlap term is taken over pairs whose structure is in the picture; an absent structure
    has no overlap to speak of and is taught by cross entropy (SPEC 2.3, absent prompts).

    Args:
        logits: (N, 1, H, W).
        mask: (N, 1, H, W) in {0, 1}.
        valid: (N, 1, H, W), 0 on the padding of the canvas.
        presence: (M,) logits.
        present: (N,) in {0, 1}; further rows of presence and present (M >= N in all) are pairs
            that only train the presence head.
        config: ``loss`` and ``presence_weight``.
    """
    logits, presence, asked = logits.float(), presence.float(), present.float()
    mask, present = mask.float() * valid, asked[: logits.shape[0]]
    probability = torch.sigmoid(logits) * valid
    count = present.sum().clamp_min(1.0)
    overlap = (region_loss(config.loss, probability, mask) * present).sum() / count
    bce_map = F.binary_cross_entropy_with_logits(logits, mask, reduction="none") * valid
    bce = bce_map.sum((1, 2, 3)) / valid.sum((1, 2, 3)).clamp_min(1.0)
    absent = 1.0 - present
    terms = {"overlap": overlap, "absent": (bce * absent).sum() / absent.sum().clamp_min(1.0)}
    total = overlap + terms["absent"]
    if config.loss == "dice_bce":
        terms["bce"] = (bce * present).sum() / count
        total = total + terms["bce"]
    elif config.loss == "dice_focal":
        from monai.losses import FocalLoss

        focal = FocalLoss(gamma=2.0, reduction="none")(logits, mask) * valid
        terms["focal"] = (focal.flatten(1).mean(1) * present).sum() / count
        total = total + terms["focal"]
    elif config.loss == "dice_hausdorff":  # its logarithm: squared px would drown the overlap
        from monai.losses import LogHausdorffDTLoss

        far = LogHausdorffDTLoss(include_background=True, reduction="none")
        terms["hausdorff"] = (far(probability, mask).flatten() * present).sum() / count
        total = total + terms["hausdorff"]
    if config.presence:
        terms["presence"] = F.binary_cross_entropy_with_logits(presence, asked)
        total = total + config.presence_weight * terms["presence"]
    terms["loss"] = total
    return terms

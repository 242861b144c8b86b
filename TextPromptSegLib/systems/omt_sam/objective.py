"""The paper's equation 1, lambda_1 Dice + lambda_2 BCE, and the presence term."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .config import OMTSAMConfig

SMOOTH = 1.0  # px: keeps the gradient alive for structures of a few pixels


def omt_sam_objective(
    logits: Tensor,
    mask: Tensor,
    valid: Tensor,
    presence: Tensor,
    present: Tensor,
    config: OMTSAMConfig,
) -> dict[str, Tensor]:
    """Return the terms of the objective; ``loss`` is their weighted sum.

    The Dice term has squared sums in its denominator, as MedSAM's, and is taken over the pairs
    whose structure is in the picture; an absent structure is taught by cross entropy.

    Args:
        logits: (N, 1, H, W).
        mask: (N, 1, H, W) in {0, 1}.
        valid: (N, 1, H, W), 0 on the padding of the canvas.
        presence: (M,) logits.
        present: (M,) in {0, 1}, M >= N; further rows only train the presence.
        config: the weights.
    """
    logits, presence = logits.float(), presence.float()
    present = present.float()
    mask, there = mask.float() * valid, present[: len(logits)]
    probability = torch.sigmoid(logits) * valid
    from monai.losses import DiceLoss  # training only: it is heavy

    dice_of = DiceLoss(squared_pred=True, reduction="none", smooth_nr=SMOOTH, smooth_dr=SMOOTH)
    dice = (dice_of(probability, mask).flatten() * there).sum() / there.sum().clamp_min(1.0)
    pixels = F.binary_cross_entropy_with_logits(logits, mask, reduction="none") * valid
    bce = pixels.sum() / valid.sum().clamp_min(1.0)
    seen = F.binary_cross_entropy_with_logits(presence, present)
    total = config.dice_weight * dice + config.bce_weight * bce + config.presence_weight * seen
    return {"loss": total, "dice": dice, "bce": bce, "presence": seen}

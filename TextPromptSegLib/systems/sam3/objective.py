"""What a fine-tuning minimises: overlap and cross entropy of the answer, and presence.

Ours: SAM 3's own objective pairs queries with single instances, which masks of structures do not
tell apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from .config import SAM3Config

SMOOTH = 1.0


def sam3_objective(
    logits: Tensor,
    mask: Tensor,
    valid: Tensor,
    presence: Tensor,
    present: Tensor,
    config: SAM3Config,
) -> dict[str, Tensor]:
    """Return the terms of the objective; ``loss`` is their weighted sum.

    Args:
        logits: (N, 1, H, W).
        mask: (N, 1, H, W) in {0, 1}.
        valid: (N, 1, H, W), 0 on the padding.
        presence: (N,) logits.
        present: (N,) in {0, 1}; only pairs whose structure is there have an overlap.
        config: the weights of the terms.
    """
    from monai.losses import DiceLoss

    there, mask = present.float(), mask.float() * valid
    count = there.sum().clamp_min(1.0)
    dice = DiceLoss(reduction="none", smooth_nr=SMOOTH, smooth_dr=SMOOTH)
    overlap = (dice(logits.sigmoid() * valid, mask).flatten() * there).sum() / count
    pixels = F.binary_cross_entropy_with_logits(logits, mask, reduction="none") * valid
    pixel = (pixels.flatten(1).mean(1) * there).sum() / count
    here = F.binary_cross_entropy_with_logits(presence, there)
    total = config.overlap_weight * overlap + config.pixel_weight * pixel
    total = total + config.presence_weight * here
    return {"loss": total, "overlap": overlap, "pixel": pixel, "presence": here}

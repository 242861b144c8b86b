"""The objective: segmentation + beta(t) KL + lambda SAL (SVP-CVAE, section 3.4)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

SMOOTH = 1.0  # px: keeps the overlap term's gradient alive for structures of a few pixels


def beta(epoch: float, start: float = 15.0, end: float = 45.0, largest: float = 0.01) -> float:
    """Return the weight of the KL term: 0 until ``start``, linear until ``end``, then constant."""
    return largest * min(1.0, max(0.0, (epoch - start) / (end - start)))


def segmentation_loss(
    logits: Tensor, mask: Tensor, valid: Tensor, present: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the means of Dice over pairs with the structure and of cross entropy over all.

    An absent structure has no overlap to speak of and is taught by cross entropy alone.

    Args:
        logits: (N, 1, H, W).
        mask: (N, 1, H, W) in {0, 1}.
        valid: (N, 1, H, W), 0 on the padding of the canvas.
        present: (N,) in {0, 1}.
    """
    from monai.losses import DiceLoss  # training only: it is heavy

    logits, mask = logits.float(), mask.float() * valid
    dice = DiceLoss(reduction="none", smooth_nr=SMOOTH, smooth_dr=SMOOTH)(
        torch.sigmoid(logits) * valid, mask
    ).flatten()
    bce = F.binary_cross_entropy_with_logits(logits, mask, reduction="none") * valid
    bce = bce.sum((1, 2, 3)) / valid.sum((1, 2, 3)).clamp_min(1.0)
    return (dice * present).sum() / present.sum().clamp_min(1.0), bce.mean()


def semantic_alignment_loss(
    image: Tensor, text: Tensor, same: Tensor, temperature: float = 1.0
) -> Tensor:
    """Return SAL: which text of the batch belongs to each image, by cosine similarity.

    Texts that are word for word the same count together as the right answer; otherwise equal
    pairs would be pushed apart. Only from image to text, as the paper has it.

    Args:
        image: mean image tokens (N, C).
        text: mean text tokens (N, C).
        same: (N, N) bool, whether two texts are the same; True on the diagonal.
        temperature: tau.
    """
    if len(image) < 2:
        return image.sum() * 0.0
    image, text = F.normalize(image.float(), dim=1), F.normalize(text.float(), dim=1)
    score = image @ text.T / temperature
    right = score.masked_fill(~same, float("-inf"))
    return (score.logsumexp(1) - right.logsumexp(1)).mean()


def same_texts(pooled: Tensor) -> Tensor:
    """Return (N, N) bool of equal rows of the frozen sentence vectors (N, C)."""
    return (pooled[:, None] - pooled[None]).abs().amax(2) < 1e-6

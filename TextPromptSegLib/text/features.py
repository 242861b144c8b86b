"""Encoded prompts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class TextFeatures:
    """Encoded prompts.

    Attributes:
        tokens: (P, L, C) token states.
        mask: (P, L) bool, True on real tokens.
        pooled: (P, C) mean over the real tokens.
    """

    tokens: Tensor
    mask: Tensor
    pooled: Tensor

    def __len__(self) -> int:
        """Return P."""
        return self.pooled.shape[0]

    def index(self, index: Tensor) -> TextFeatures:
        """Select or repeat rows."""
        return TextFeatures(self.tokens[index], self.mask[index], self.pooled[index])

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> TextFeatures:
        """Move to a device (and dtype; the mask stays bool)."""
        return TextFeatures(
            self.tokens.to(device, dtype), self.mask.to(device), self.pooled.to(device, dtype)
        )


def masked_mean(tokens: Tensor, mask: Tensor) -> Tensor:
    """Return the mean (P, C) over the real tokens of (P, L, C); padding has no influence."""
    weight = mask.to(tokens.dtype).unsqueeze(-1)
    return (tokens * weight).sum(1) / weight.sum(1).clamp_min(1.0)

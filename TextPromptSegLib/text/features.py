"""Encoded prompts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class TextFeatures:
    """Encoded prompts.

    Attributes:
        tokens: (P, L, C) token states.
        mask: (P, L) bool, True on real tokens.
        pooled: (P, C) mean over the real tokens.
        states: (P, D, L, C) hidden states of the depths that were asked for, or None.
    """

    tokens: Tensor
    mask: Tensor
    pooled: Tensor
    states: Tensor | None = None

    def __len__(self) -> int:
        """Return P."""
        return self.pooled.shape[0]

    def index(self, index: Tensor) -> TextFeatures:
        """Select or repeat rows."""
        return replace(
            self,
            tokens=self.tokens[index],
            mask=self.mask[index],
            pooled=self.pooled[index],
            states=None if self.states is None else self.states[index],
        )

    def without_words(self, rows: Tensor | None = None) -> TextFeatures:
        """Return prompts without their text: what is meant is then said by boxes and points.

        Args:
            rows: (P,) bool, which ones; None = all.
        """
        kept = torch.zeros_like(self.mask) if rows is None else self.mask & ~rows[:, None]
        return replace(self, mask=kept)

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> TextFeatures:
        """Move to a device (and dtype; the mask stays bool)."""
        return replace(
            self,
            tokens=self.tokens.to(device, dtype),
            mask=self.mask.to(device),
            pooled=self.pooled.to(device, dtype),
            states=None if self.states is None else self.states.to(device, dtype),
        )


def masked_mean(tokens: Tensor, mask: Tensor) -> Tensor:
    """Return the mean (P, C) over the real tokens of (P, L, C); padding has no influence."""
    weight = mask.to(tokens.dtype).unsqueeze(-1)
    return (tokens * weight).sum(1) / weight.sum(1).clamp_min(1.0)

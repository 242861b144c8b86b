"""A toy that draws samples: sure of the core of a structure, in doubt about its rim."""

from __future__ import annotations

from typing import Any

import torch
from toy_segmenter import HALF_WIDTH, ToySegmenter, phantom

from TextPromptSegLib.text.features import TextFeatures

LIVER = 0.3
CORE = (slice(4, 14), slice(10, 30), slice(12, 30))
RIM = (slice(4, 14), slice(30, 34), slice(12, 30))


class Doubtful(ToySegmenter):
    """Is sure of the core, and of the rim in some samples only."""

    draws_samples = True
    latent_size = 1

    def decode_sample(
        self, features: tuple[torch.Tensor, ...], text: TextFeatures, noise: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        logits, presence = self.decode(features, text)
        return logits + self.sharpness * 0.01 * noise, presence


def organ() -> Any:
    place = LIVER + HALF_WIDTH  # on the edge: found where the noise is positive
    return phantom({LIVER: [CORE], place: [RIM]})

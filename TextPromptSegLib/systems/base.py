"""The one shape of every system."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from ..text.features import TextFeatures

Features = tuple[Tensor, ...]
"""Image features, every tensor with the batch first."""


class PromptedSegmenter(nn.Module, ABC):
    """Image in, text in, mask out; the image is encoded once for any number of prompts."""

    stride: int = 1
    """Image sides must be multiples of this, px."""

    @abstractmethod
    def encode_image(self, images: Tensor) -> Features:
        """Encode ``images`` (B, C, H, W) in [0, 1] once."""

    @abstractmethod
    def decode(
        self, features: Features, text: TextFeatures, boxes: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Answer pairs of image and prompt (row b of both belong together).

        Args:
            features: what `encode_image` returned, B rows.
            text: encoded prompts, B rows.
            boxes: optional boxes (B, 4) x0, y0, x1, y1 in px of the encoded image.

        Returns:
            Logits (B, 1, H, W) of the encoded image's size, presence logits (B,).
        """

    @abstractmethod
    def presence(self, features: Features, text: TextFeatures) -> Tensor:
        """Return the logits (B,) of "the structure is in this slice" without the decoder."""

    @abstractmethod
    def loss(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the objective's terms; ``loss`` is the sum to minimise.

        Args:
            batch: ``image`` (B, C, H, W), ``index`` (N,) row of the image of each pair,
                ``text`` TextFeatures of N rows, ``mask`` (N, 1, H, W) in {0, 1},
                ``present`` (N,) in {0, 1}, ``valid`` (B, 1, H, W) 0 on the padding.
        """

    @staticmethod
    def index_features(features: Features, index: Tensor) -> Features:
        """Select or repeat rows of the features."""
        return tuple(f.index_select(0, index) for f in features)

"""CLIP's image tower with its own preprocessing: pictures in [0, 1] in, tokens and a vector out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class ClipImage:
    """Encoded pictures.

    Attributes:
        patch_tokens: (B, N, Cv) tokens of the picture, row by row.
        pooled: (B, D) unit vectors in the space that is shared with the text.
    """

    patch_tokens: Tensor
    pooled: Tensor


class ClipVisual(nn.Module):
    """A frozen image tower of open_clip (its ViT, its ResNet or a timm model).

    Args:
        tower: ``model.visual`` of open_clip.
        image_size: (height, width) of its input, px.
        mean: of the three channels, in [0, 1].
        std: of the three channels.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        tower: nn.Module,
        image_size: tuple[int, int],
        mean: tuple[float, ...],
        std: tuple[float, ...],
    ) -> None:
        super().__init__()
        self.tower = tower.eval().requires_grad_(False)
        self.image_size = image_size
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    @property
    def is_transformer(self) -> bool:
        """Return whether the tower cuts the picture into patches (else it is convolutional)."""
        trunk: Any = getattr(self.tower, "trunk", self.tower)
        return hasattr(trunk, "patch_embed") or hasattr(trunk, "transformer")

    def train(self, mode: bool = True) -> ClipVisual:
        """Stay in evaluation mode: the tower is frozen, its batch statistics too."""
        return super().train(False)

    def prepare(self, images: Tensor) -> Tensor:
        """Return (B, 3, H, W), ready for the tower, of pictures (B, 1 or 3, h, w) in [0, 1].

        Raises:
            ValueError: for another number of channels.
        """
        if images.shape[1] not in (1, 3):
            raise ValueError(f"CLIP sees 1 or 3 channels, not {images.shape[1]}")
        if images.shape[-2:] != self.image_size:
            images = F.interpolate(
                images, self.image_size, mode="bilinear", align_corners=False, antialias=True
            )
        return torch.addcmul(-self.mean / self.std, images, 1.0 / self.std)

    def forward(self, images: Tensor) -> ClipImage:
        """Encode pictures (B, 1 or 3, h, w) in [0, 1]; one channel is shown as grey.

        A transformer's tokens are those of its last block, normalised; a convolutional tower's
        are its last map but one (stride 16), which is finer than the last.
        """
        tower: Any = self.tower
        found = tower.forward_intermediates(
            self.prepare(images),
            indices=1 if self.is_transformer else 2,
            normalize_intermediates=self.is_transformer,
            output_fmt="NCHW",
        )
        tokens = found["image_intermediates"][0].flatten(2).transpose(1, 2)
        return ClipImage(tokens, F.normalize(found["image_features"], dim=-1))

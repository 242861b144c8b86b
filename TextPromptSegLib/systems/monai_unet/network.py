"""MONAI's U-Net as a `PromptedSegmenter`: every structure at once, the prompt picks its channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..base import Features, PromptedSegmenter
from .config import MonaiUNetConfig

if TYPE_CHECKING:
    from ...text.features import TextFeatures

SMOOTH = 1.0  # px


class MonaiUNet(PromptedSegmenter):
    """A U-Net that knows nothing of text; its features are the logits of all structures.

    Args:
        config: sizes.
    """

    names: Tensor

    def __init__(self, config: MonaiUNetConfig) -> None:
        from monai.networks.nets import UNet

        super().__init__()
        self.config = config
        self.stride = config.stride
        self.net = UNet(
            spatial_dims=2,
            in_channels=config.in_channels,
            out_channels=len(config.names),
            channels=config.channels,
            strides=(2,) * (len(config.channels) - 1),
            num_res_units=config.res_units,
            dropout=config.dropout,
        )
        known = torch.zeros(len(config.names), config.text_dim)
        self.register_buffer("names", known, persistent=False)

    def attach_text_encoder(self, encoder: Any) -> None:
        """Encode the names of the channels, to recognise prompts by."""
        vectors = encoder.encode(list(self.config.names)).pooled.float()
        self.names = F.normalize(vectors, dim=1).to(self.names.device)

    def encode_image(self, images: Tensor) -> Features:
        """Return the logits (B, K, H, W) of every structure.

        Raises:
            ValueError: when a side is no multiple of `stride`.
        """
        self.check_sides(images)
        return (self.net(images),)

    def channels_of(self, text: TextFeatures) -> Tensor:
        """Return the channel (B,) that each prompt means."""
        vectors = F.normalize(text.pooled.float(), dim=1).to(self.names.device)
        return (vectors @ self.names.T).argmax(1)

    def decode(
        self,
        features: Features,
        text: TextFeatures,
        boxes: Tensor | None = None,
        points: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, 1, H, W) and presence (B,) for pairs; this system has no boxes."""
        rows = torch.arange(len(text), device=features[0].device)
        logits = features[0][rows, self.channels_of(text).to(rows.device)][:, None]
        return logits, self.strongest(logits)

    def loss(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return Dice of present structures and cross entropy of all pairs."""
        from monai.losses import DiceLoss

        features = self.index_features(self.encode_image(batch["image"]), batch["index"])
        logits, _ = self.decode(features, batch["text"])
        logits, present = logits.float(), batch["present"].float()
        valid = batch["valid"].index_select(0, batch["index"])
        mask = batch["mask"].float() * valid
        overlap = DiceLoss(reduction="none", smooth_nr=SMOOTH, smooth_dr=SMOOTH)
        dice = overlap(torch.sigmoid(logits) * valid, mask).flatten()
        dice = (dice * present).sum() / present.sum().clamp_min(1.0)
        bce = F.binary_cross_entropy_with_logits(logits, mask, reduction="none") * valid
        bce = bce.sum() / valid.sum().clamp_min(1.0)
        return {"overlap": dice, "bce": bce, "loss": dice + bce, "logits": logits.detach()}

"""BERT + FiLM + conditional batch norm U-Net with SE and CBAM (the FiLM paper, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...nn import (
    AttentiveResidualBlock,
    ChannelSELayer,
    ConditionalBatchNorm2d,
    FiLM,
    L2Normalise,
    Whitening,
    halve,
)
from ..base import Features, PromptedSegmenter
from .config import FiLMUNetConfig
from .objective import film_unet_objective

if TYPE_CHECKING:
    from ...text.features import TextFeatures


class TextFusion(nn.Module):
    """Bottleneck fusion: FiLM, SE, CBN, residual, L2 norm, in this order (section 3.4)."""

    def __init__(self, config: FiLMUNetConfig) -> None:
        super().__init__()
        c, t = config.channels[-1], config.text_dim
        self.film = FiLM(t, c) if config.fusion == "film" else None
        self.mix = nn.Conv2d(c + t, c, 1) if config.fusion == "concat" else None
        self.se = ChannelSELayer(c, min(config.se_ratio, c)) if config.se else nn.Identity()
        self.cbn = ConditionalBatchNorm2d(t, c, config.norm) if config.cbn else None
        self.l2 = L2Normalise(c) if config.l2_norm else nn.Identity()

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        """Fuse the map ``x`` (B, C, h, w) with the sentence vectors ``text`` (B, T)."""
        if self.mix is not None:
            spread = text[:, :, None, None].expand(-1, -1, *x.shape[2:]).to(x.dtype)
            y = self.mix(torch.cat([x, spread], dim=1))
        else:
            assert self.film is not None
            y = self.film(x, text)
        y = self.se(y)
        if self.cbn is not None:
            y = self.cbn(y, text)
        return self.l2(y + x)


class DecoderStage(nn.Module):
    """Transposed convolution, skip, (conditional batch norm), attentive residual block."""

    def __init__(
        self, below: int, skip: int, out: int, config: FiLMUNetConfig, conditional: bool
    ) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(below, out, 2, stride=2)
        self.cbn = (
            ConditionalBatchNorm2d(config.text_dim, out + skip, config.norm)
            if conditional
            else None
        )
        self.block = AttentiveResidualBlock(out + skip, out, **block_options(config))

    def forward(self, x: Tensor, skip: Tensor, text: Tensor) -> Tensor:
        """Double the resolution of ``x`` and join it with ``skip``."""
        y = torch.cat([self.up(x), skip], dim=1)
        if self.cbn is not None:
            y = self.cbn.added(y, text)
        return self.block(y)


def block_options(config: FiLMUNetConfig) -> dict[str, Any]:
    """Return the options that every block of one network shares."""
    return {
        "se": config.se,
        "cbam": config.cbam,
        "channel_attention": config.cbam_channel,
        "se_ratio": config.se_ratio,
        "kernel_size": config.cbam_kernel,
        "dropout": config.dropout,
        "negative_slope": config.negative_slope,
        "norm": config.norm,
    }


def presence_head(config: FiLMUNetConfig) -> nn.Module:
    """Return the layers from mean and maximum (N, 2 C) of a bottleneck to a logit (N, 1)."""
    features, hidden = 2 * config.channels[-1], config.presence_hidden
    if not hidden:
        return nn.Linear(features, 1)
    return nn.Sequential(
        nn.Linear(features, hidden),
        nn.LeakyReLU(config.negative_slope),
        nn.Linear(hidden, 1),
    )


class FiLMUNet(PromptedSegmenter):
    """The FiLM paper's network: 9 907 495 parameters in its size, + 1 for the L2 gain.

    The image encoder knows nothing of the text: its features are computed once and serve every
    prompt. Receives sentence vectors; the frozen text encoder is not part of it.

    Args:
        config: sizes and switches.
    """

    reports_agreement = True
    rounds_all_weights = True

    def __init__(self, config: FiLMUNetConfig) -> None:
        super().__init__()
        self.config = config
        self.stride = config.stride
        widths, ups = config.channels, config.up_channels
        stages = []
        for index, width in enumerate(widths):
            before = config.in_channels * config.patch**2 if index == 0 else widths[index - 1]
            stages.append(AttentiveResidualBlock(before, width, **block_options(config)))
        self.encoder = nn.ModuleList(stages)
        self.fusion = TextFusion(config)
        decoder = []
        for index, width in enumerate(ups):
            below = widths[-1] if index == 0 else ups[index - 1]
            last = index == len(ups) - 1
            conditional = config.cbn and (last or config.decoder_cbn == "all")
            decoder.append(DecoderStage(below, widths[-2 - index], width, config, conditional))
        self.decoder = nn.ModuleList(decoder)
        self.head = nn.Conv2d(ups[-1], config.patch**2, 1)
        self.whiten = Whitening(config.text_dim) if config.text_whitening else nn.Identity()
        self.presence_head = presence_head(config) if config.presence else None

    def encode_image(self, images: Tensor) -> Features:
        """Encode ``images`` (B, C, H, W); returns the skips, finest first, and the bottleneck.

        Raises:
            ValueError: when a side is no multiple of `stride`.
        """
        self.check_sides(images)
        features = []
        x = F.pixel_unshuffle(images, self.config.patch) if self.config.patch > 1 else images
        for index, stage in enumerate(self.encoder):
            x = stage(x if index == 0 else halve(x))
            features.append(x)
        return tuple(features)

    def decode(
        self,
        features: Features,
        text: TextFeatures,
        boxes: Tensor | None = None,
        points: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, 1, H, W) and presence (B,) for pairs; this system has no boxes."""
        sentence = self.whiten(text.pooled)
        fused = self.fusion(features[-1], sentence)
        x = fused
        for index, stage in enumerate(self.decoder):
            x = stage(x, features[-2 - index], sentence)
        logits = self.head(x)
        if self.config.patch > 1:
            logits = F.pixel_shuffle(logits, self.config.patch)
        if self.presence_head is None:
            return logits, self.strongest(logits)
        return logits, self._presence(fused)

    def presence(self, features: Features, text: TextFeatures) -> Tensor:
        """Return presence logits (B,); a net without the head needs the decoder for them."""
        if self.presence_head is None:
            return super().presence(features, text)
        return self._presence(self.fusion(features[-1], self.whiten(text.pooled)))

    def _presence(self, fused: Tensor) -> Tensor:
        """Mean and maximum of the modulated bottleneck through the presence head."""
        assert self.presence_head is not None
        pooled = torch.cat([fused.mean((2, 3)), fused.amax((2, 3))], dim=1)
        return self.presence_head(pooled).squeeze(1)

    def loss(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Encode every image once, decode every pair, return the objective's terms.

        Further pairs in ``asked_index``, ``asked_text`` and ``asked_present`` only train the
        presence head; they cost next to nothing because they end at the bottleneck.
        """
        encoded = self.encode_image(batch["image"])
        features = self.index_features(encoded, batch["index"])
        logits, presence = self.decode(features, batch["text"])
        present = batch["present"]
        valid = batch["valid"].index_select(0, batch["index"])
        if self.presence_head is not None and "asked_index" in batch:
            bottleneck = self.index_features(encoded[-1:], batch["asked_index"])
            presence = torch.cat([presence, self.presence(bottleneck, batch["asked_text"])])
            present = torch.cat([present, batch["asked_present"]])
        terms = film_unet_objective(logits, batch["mask"], valid, presence, present, self.config)
        terms["logits"] = logits.detach()
        return terms

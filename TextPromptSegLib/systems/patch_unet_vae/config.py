"""Sizes and switches of the patch UNet-VAE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..settings import check_choices, make_tuples

CHOICES = {
    "text": ("film", "none"),
    "skips": ("keep", "dropout"),
    "perceptual": ("vgg16", "none"),
}


@dataclass(frozen=True)
class PatchUNetVAEConfig:
    """Everything that shapes the network and its objective; the defaults are the paper's.

    Lengths in px are px of the slice as it enters the network (0.8 mm by the recipes' input).

    Attributes:
        in_channels: channels of the image.
        patch: side of a patch, px.
        channels: channels of the encoder's levels; the last one is the bottleneck.
        latent_channels: channels of the spatial latent code.
        negative_slope: slope of LeakyReLU below zero.
        text: ``film`` (the sentence modulates bottleneck and decoder, so one checkpoint knows
            several organs; ours) or ``none`` (the paper: one organ, the text only localises).
        text_dim: size of a token state of the text encoder.
        skips: ``keep``, or ``dropout`` (in training each skip of a patch is sometimes left out
            as a whole, which makes samples of the prior decodable).
        skip_dropout: how often, with ``dropout``.
        mse_weight: of the pixels' mean squared error.
        perceptual: ``vgg16`` (frozen torchvision weights, see `perceptual`) or ``none``.
        perceptual_weight: of the VGG features' mean squared error.
        kl_weight: of the Kullback-Leibler divergence, mean over the code's elements.
        adversarial_weight: of the critic's opinion, after its warm-up.
        segmentation_weight: of the focal Tversky loss.
        tversky_fp: alpha, weight of false positives.
        tversky_fn: beta, weight of false negatives.
        tversky_gamma: exponent of (1 - Tversky index).
        absent_weight: of cross entropy on patches without the organ, where an overlap has no
            meaning (ours; 0 = the focal Tversky loss on them, too).
        critic_channels: of the PatchGAN's first layer.
        critic_layers: strided layers of the PatchGAN; 2 see 34 px of the 64, 3 more than all.
        overlap: share that neighbouring patches of a slice have in common.
        localiser: values of `localiser.LocaliserSpec`.
        evidence: smallest evidence in [0, 1] for which the localiser makes a region (0.2: chosen on
            the validation volumes of BTCV).
        extent: a window belongs to the region from this share of the best one's probability on.
        region_margin: the region is so much larger on each side within the slice, px.
        region_slack: and so much along the slices, mm.
    """

    in_channels: int = 1
    patch: int = 64
    channels: tuple[int, ...] = (32, 64, 128, 256)
    latent_channels: int = 16
    negative_slope: float = 0.2
    text: str = "none"
    text_dim: int = 768
    skips: str = "keep"
    skip_dropout: float = 0.5
    mse_weight: float = 1.0
    perceptual: str = "vgg16"
    perceptual_weight: float = 0.1
    kl_weight: float = 1e-4
    adversarial_weight: float = 0.01
    segmentation_weight: float = 1.0
    tversky_fp: float = 0.3
    tversky_fn: float = 0.7
    tversky_gamma: float = 0.75
    absent_weight: float = 1.0
    critic_channels: int = 64
    critic_layers: int = 2
    overlap: float = 0.5
    localiser: Mapping[str, Any] = field(default_factory=dict)
    evidence: float = 0.2
    extent: float = 0.3
    region_margin: int = 16
    region_slack: float = 5.0

    def __post_init__(self) -> None:
        """Make tuples of JSON lists and refuse what cannot be built.

        Raises:
            ValueError: for a size or a switch that the network does not have.
        """
        make_tuples(self, "channels")
        check_choices(self, CHOICES)
        if len(self.channels) < 2 or min(self.channels) < 1:
            raise ValueError("channels needs at least two positive entries")
        if self.patch % self.stride or self.patch < 2 * self.stride:
            raise ValueError(f"patch must be a multiple of {self.stride}, at least twice as large")
        if not 0.0 <= self.overlap < 1.0 or not 0.0 <= self.evidence <= 1.0:
            raise ValueError("overlap and evidence lie between 0 and 1")

    @property
    def stride(self) -> int:
        """Side of the square of pixels that one place of the code stands for, px."""
        return 2 ** (len(self.channels) - 1)

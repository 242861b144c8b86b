"""The patch UNet-VAE as a `PromptedSegmenter`: localiser, patches, blend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ...nn import Whitening
from ...text.features import masked_mean
from ..base import Features, PromptedSegmenter
from .config import PatchUNetVAEConfig
from .network import PatchVAE
from .objective import adversarial_loss, kl_to_standard_normal, segmentation_loss

if TYPE_CHECKING:
    from ...text.features import TextFeatures


def sentence_vectors(text: TextFeatures) -> Tensor:
    """Return the mean (P, T) of the prompts' token states.

    Not the vector of the joint space: token states come from the frozen language model and stay
    what they were when a CLIP around it is trained anew.
    """
    return masked_mean(text.tokens.float(), text.mask)


class PatchUNetVAE(PromptedSegmenter):
    """Text to region, region to patches, patches to one mask of the slice.

    Args:
        config: sizes and switches.
    """

    trainer = "TextPromptSegLib.training.adversarial:train_patches"

    def __init__(self, config: PatchUNetVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.stride = config.stride
        self.net = PatchVAE(config)
        conditioned = config.text == "film"
        self.whiten = Whitening(config.text_dim) if conditioned else nn.Identity()

    def sentence(self, text: TextFeatures) -> Tensor | None:
        """Return the vectors (B, T) that condition the network, None where nothing does."""
        return None if self.config.text == "none" else self.whiten(sentence_vectors(text))

    # -- training ------------------------------------------------------------------------------

    def loss(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the generator's terms for patches (see `objective`).

        Args:
            batch: as in `PromptedSegmenter.loss`, images being patches; optional ``critic``, a
                module whose opinion counts, on the first ``real`` (an int) patches, and
                ``perceptual``, a module that compares two batches of patches.

        Returns:
            The terms, ``loss``, and for the critic ``reconstruction`` in [-1, 1]; ``logits``.
        """
        config = self.config
        patches = batch["image"].index_select(0, batch["index"]).float() * 2.0 - 1.0
        code = self.net.encode(patches)
        z = code.sample() if self.training else code.mean
        made, logits = self.net.decode(
            z, self.net.drop_skips(code.skips), self.sentence(batch["text"])
        )
        made = made.float()
        overlap, absent = segmentation_loss(logits, batch["mask"], batch["present"], config)
        terms = {
            "mse": (made - patches).square().mean(),
            "kl": kl_to_standard_normal(code),
            "tversky": overlap,
            "absent": absent,
        }
        total = (
            config.mse_weight * terms["mse"]
            + config.kl_weight * terms["kl"]
            + config.segmentation_weight * (overlap + config.absent_weight * absent)
        )
        if (perceptual := batch.get("perceptual")) is not None:
            terms["perceptual"] = perceptual(made, patches)
            total = total + config.perceptual_weight * terms["perceptual"]
        if (critic := batch.get("critic")) is not None:
            terms["adversarial"] = adversarial_loss(critic, made[: batch["real"]])
            total = total + config.adversarial_weight * terms["adversarial"]
        terms["loss"] = total
        terms["reconstruction"], terms["logits"] = made, logits
        return terms

    # -- use (the localiser comes with the CLIP encoder) ----------------------------------------

    def encode_image(self, images: Tensor) -> Features:
        """Keep the slices ``images`` (B, C, H, W) in [0, 1]."""
        return (images,)

    def decode(
        self, features: Features, text: TextFeatures, boxes: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Answer pairs of slice and prompt."""
        raise NotImplementedError

    def presence(self, features: Features, text: TextFeatures) -> Tensor:
        """Return presence logits (B,)."""
        return self.decode(features, text)[1]

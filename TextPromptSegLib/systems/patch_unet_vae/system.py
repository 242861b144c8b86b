"""The patch UNet-VAE as a `PromptedSegmenter`: localiser, patches, blend."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...nn import Whitening
from ...text.features import masked_mean
from ..base import Features, PromptedSegmenter, VolumeRegion
from .config import PatchUNetVAEConfig
from .localiser import Localiser, LocaliserSpec, SliceWindows, regions
from .network import PatchVAE
from .objective import adversarial_loss, kl_to_standard_normal, segmentation_loss
from .scan import Box, scan

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

    trainer = "TextPromptSegLib.training.patch_run:train_patches"
    frozen_prefixes = ("localiser.",)
    takes_boxes = True
    rounds_all_weights = True

    def __init__(self, config: PatchUNetVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.stride = config.stride
        self.net = PatchVAE(config)
        self.localiser: Localiser | None = None
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

    # -- use -----------------------------------------------------------------------------------

    def attach_text_encoder(self, encoder: Any) -> None:
        """Take the CLIP's image tower for the localiser; other encoders leave it out."""
        if getattr(encoder, "visual", None) is None:
            return

        self.localiser = Localiser(encoder, LocaliserSpec(**self.config.localiser))
        self.locates = self.shows_heat_map = True

    def encode_image(self, images: Tensor) -> Features:
        """Keep slices ``images`` (B, C, H, W) in [0, 1] and look at them through windows.

        Returns:
            The slices; with a localiser also the windows' embeddings (B, h, w, D) and which of
            them hold something besides air (B, h, w).
        """
        kept = self.keep(images)
        if self.localiser is None:
            return kept
        windows = self.localiser.embed(images.float())
        return (*kept, windows.embeddings.half(), windows.filled)

    def keep(self, images: Tensor) -> Features:
        """Keep slices (B, C, H, W) without looking at them; `decode` with boxes needs no more."""
        return (images.half() if images.device.type == "cpu" else images,)

    def similarity(self, features: Features, text: TextFeatures) -> Tensor:
        """Return logits (B, P, h, w) of "the prompt's structure is in this window"."""
        assert self.localiser is not None
        windows = SliceWindows(features[1].float(), features[2])
        return self.localiser.similarity(windows, text.pooled.float())

    def _pairs(self, features: Features, text: TextFeatures) -> Tensor:
        """Return similarity logits (B, h, w) of slice b with prompt b."""
        rows = torch.arange(len(text), device=features[0].device)
        return self.similarity(features, text)[rows, rows]

    def heat_map(self, features: Features, text: TextFeatures) -> Tensor:
        """Return the windows' probabilities (B, 1, h, w)."""
        return torch.sigmoid(self._pairs(features, text))[:, None]

    def regions(
        self, logits: Tensor, slice_mm: float, canvas: tuple[int, int]
    ) -> list[VolumeRegion]:
        """Return the volume's region of each prompt (see `localiser.regions`), with a margin."""
        assert self.localiser is not None
        spec, config = self.localiser.spec, self.config
        cell = spec.stride * spec.pixel_mm
        result = []
        for found in regions(
            logits, cell_mm=cell, slice_mm=slice_mm, threshold=config.evidence, extent=config.extent
        ):
            if found.box is None:
                result.append(VolumeRegion(found.score))
                continue
            z0, z1, y0, y1, x0, x1 = found.box
            first = max(0, math.ceil((z0 - config.region_slack) / slice_mm - 0.5))
            last = min(len(logits), math.floor((z1 + config.region_slack) / slice_mm - 0.5) + 1)
            ends = [value / spec.pixel_mm - 0.5 for value in (x0, y0, x1, y1)]
            margin = config.region_margin
            box = (
                max(-0.5, ends[0] - margin),
                max(-0.5, ends[1] - margin),
                min(canvas[1] - 0.5, ends[2] + margin),
                min(canvas[0] - 0.5, ends[3] + margin),
            )
            result.append(VolumeRegion(found.score, box, (first, max(first + 1, last))))
        return result

    def decode(
        self,
        features: Features,
        text: TextFeatures,
        boxes: Tensor | None = None,
        points: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Answer pairs of slice and prompt inside the boxes.

        A slice without a box is searched where its own windows resemble the prompt, all of it
        where there is no localiser.
        """
        images = features[0].float()
        height, width = images.shape[2:]
        grown = (max(0, self.config.patch - height), max(0, self.config.patch - width))
        images = F.pad(images, (0, grown[1], 0, grown[0]))  # a crop smaller than a patch
        places = self._boxes(features, text, boxes)
        sentence = self.sentence(text)

        def answer(patches: Tensor, rows: Tensor) -> Tensor:
            code = self.net.encode(patches * 2.0 - 1.0)
            words = None if sentence is None else sentence.index_select(0, rows)
            return self.net.segment(code.mean, code.skips, words)

        logits = scan(images, places, self.config.patch, self.config.overlap, answer)
        logits = logits[:, :, :height, :width]
        return logits, self.strongest(logits)

    def _boxes(
        self, features: Features, text: TextFeatures, boxes: Tensor | None
    ) -> list[Box | None]:
        """Return what is scanned of each slice, whole pixels."""
        count = len(text)
        height, width = features[0].shape[2:]
        given = [None] * count if boxes is None else boxes.float().cpu().tolist()
        near = None
        result: list[Box | None] = []
        for row, box in enumerate(given):
            if box is not None and not math.isnan(box[0]):
                x0, y0, x1, y1 = box
                rows = (max(0, math.floor(y0 + 0.5)), min(height, math.ceil(y1 + 0.5)))
                columns = (max(0, math.floor(x0 + 0.5)), min(width, math.ceil(x1 + 0.5)))
                result.append((rows[0], columns[0], max(rows), max(columns)))
            elif self.localiser is None:
                result.append((0, 0, height, width))
            else:
                if near is None:
                    near = torch.sigmoid(self._pairs(features, text)) >= self.config.evidence
                result.append(self._union(near[row], height, width))
        return result

    def _union(self, near: Tensor, height: int, width: int) -> Box | None:
        """Return the box around all windows (h, w) bool that resemble the prompt."""
        assert self.localiser is not None
        if not near.any():
            return None
        step, margin = self.localiser.spec.stride, self.config.region_margin
        rows, columns = near.any(1).nonzero().flatten(), near.any(0).nonzero().flatten()
        top, left = int(rows[0]) * step - margin, int(columns[0]) * step - margin
        bottom, right = (int(v[-1] + 1) * step + margin for v in (rows, columns))
        return max(0, top), max(0, left), min(height, bottom), min(width, right)

    def presence(self, features: Features, text: TextFeatures) -> Tensor:
        """Return the best window's logit (B,); without a localiser the decoder's."""
        if self.localiser is None:
            return super().presence(features, text)
        return self.strongest(self._pairs(features, text))

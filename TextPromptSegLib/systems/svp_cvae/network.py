"""The SVP-CVAE: ConvNeXt, MARL, CATE, MTF, CLMD and a decoder guided by the text."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...nn.cross_attention import (
    MorphologyTextFusion,
    PooledTextFusion,
    TextGuide,
    TextGuidedUp,
    to_map,
    to_tokens,
)
from ...nn.symmetry import MorphologyAware, estimate_axis
from ...outcome import CheckpointError, InputError
from ...text.sources import find_encoder_weights
from ..base import Features, PromptedSegmenter
from .cate import AttributeText, ClinicalAttributeTextEncoder
from .config import SVPCVAEConfig
from .latent import Gaussian, LatentMorphology, kl_divergence
from .objective import beta, same_texts, segmentation_loss, semantic_alignment_loss

if TYPE_CHECKING:
    from ...text.features import TextFeatures

logger = logging.getLogger(__name__)

SAMPLE_ROWS = 16
"""Most rows in one pass of the decoder when samples are drawn: more no longer fit the caches of a
CPU."""


class SVPCVAE(PromptedSegmenter):
    """The network of the paper: 50.86 M trained parameters in its size, beside a frozen BERT.

    What depends on the image alone (ConvNeXt and MARL) is computed once and serves every prompt
    and every sample. In use z is the prior's mean; `decode_sample` draws others.

    Args:
        config: sizes and switches.
    """

    stride = 32
    frozen_prefixes = ("cate.layers.",)

    steps: Tensor

    def __init__(self, config: SVPCVAEConfig) -> None:
        super().__init__()
        from monai.networks.blocks import SubpixelUpsample, UnetOutBlock
        from transformers import ConvNextConfig, ConvNextModel

        self.config = config
        self.draws_samples = config.latent != "none"
        self.latent_size = config.z_dim if self.draws_samples else 0
        width, ups = config.width, config.up_channels
        self.vision = ConvNextModel(
            ConvNextConfig(
                num_channels=config.in_channels,
                hidden_sizes=list(config.hidden_sizes),
                depths=list(config.depths),
                layer_scale_init_value=config.layer_scale,
            )
        )
        self.marl = None
        if config.ssgm or config.cbsm:
            self.marl = MorphologyAware(
                width,
                ssgm=config.ssgm,
                cbsm=config.cbsm,
                kernel_size=config.ssgm_kernel,
                symmetry_kernel=config.cbsm_kernel,
                norm=config.marl_norm,
            )
        self.cate = ClinicalAttributeTextEncoder(config)
        self.mtf: nn.Module | None = None
        if config.text_levels != "none" and config.fusion != "none":
            attention = config.fusion == "attention"
            self.mtf = (
                MorphologyTextFusion(width, config.heads)
                if attention
                else PooledTextFusion(width, len(config.levels))
            )
        self.latent = LatentMorphology(config) if self.draws_samples else None
        stages = []
        for index, out in enumerate(ups):
            below = width if index == 0 else ups[index - 1]
            guide = None
            if config.decoder_text:
                tokens = config.decoder_tokens[index]
                sizes = (below, width, config.text_length, tokens, config.heads)
                guide = TextGuide(*sizes, config.decoder_self_attention)
            skip = config.hidden_sizes[2 - index]
            stages.append(TextGuidedUp(below, skip, out, guide, config.decoder_norm))
        self.decoder = nn.ModuleList(stages)
        head = config.head_channels
        self.upsample = SubpixelUpsample(2, ups[-1], head, 4, apply_pad_pool=config.head_pool)
        self.head = UnetOutBlock(2, config.head_channels, 1)
        self.presence_head = nn.Linear(2 * width, 1) if config.presence else None
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    # -- what surrounds the network ------------------------------------------------------------

    def attach_text_encoder(self, encoder: Any) -> None:
        """Take over the text encoder's last layers, see `ClinicalAttributeTextEncoder.attach`.

        Raises:
            CheckpointError: when the encoder does not fit the configuration.
        """
        try:
            self.cate.attach(encoder)
        except ValueError as error:
            raise CheckpointError(f"The text encoder cannot be used: {error}.") from error

    def start_training(self) -> None:
        """Load the pretrained ConvNeXt that the configuration names.

        Raises:
            CheckpointError: when it is named but not on this machine, or of other sizes.
        """
        if self.config.vision_id is None:
            return
        from transformers import ConvNextModel

        weights = find_encoder_weights({"id": self.config.vision_id})
        wanted = self.vision.config
        try:
            pretrained = ConvNextModel.from_pretrained(
                weights.parent,
                local_files_only=True,
                use_safetensors=weights.suffix == ".safetensors",
                weights_only=True,
            )
            self.vision.load_state_dict(pretrained.state_dict())
        except (OSError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                f"The image encoder '{self.config.vision_id}' does not fit: the network has "
                f"{wanted.num_channels} channels and the stages {wanted.hidden_sizes}."
            ) from error
        logger.info("Starting from the image encoder %s.", self.config.vision_id)

    def check_plane(self, plane: str) -> None:
        """Refuse sagittal slices while left and right are compared.

        Raises:
            InputError: for ``sagittal``.
        """
        if plane == "sagittal" and self.config.cbsm:
            raise InputError(
                "This model compares the left with the right side of the body, which a sagittal "
                "slice does not show; use axial or coronal slices."
            )

    # -- image and text ------------------------------------------------------------------------

    def encode_image(self, images: Tensor) -> Features:
        """Encode ``images`` (B, C, H, W), width = left to right.

        Returns:
            What the skips at 1/4, 1/8 and 1/16 add to the decoder (`TextGuidedUp.prepare`) and the
            morphology-aware bottleneck at 1/32.

        Raises:
            ValueError: when a side is no multiple of 32.
        """
        self.check_sides(images)
        x = normalise(images) if self.config.normalise == "zscore" else images
        maps = self.vision(x, output_hidden_states=True).hidden_states[1:]
        # The encoder's last norm, made for the mean of the map, here for each of its places.
        deep = self.vision.layernorm(maps[-1].permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        if self.marl is not None:
            axis = None
            if self.config.symmetry_axis == "estimated" and self.config.cbsm:
                axis = estimate_axis(images)
            deep = self.marl(deep, axis)
        skips = [
            stage.prepare(maps[2 - index])  # type: ignore[operator]
            for index, stage in enumerate(self.decoder)
        ]
        return (*reversed(skips), deep)

    def encode_text(self, text: TextFeatures) -> AttributeText:
        """Return the prompts as CATE reads them; already read ones stay."""
        return text if isinstance(text, AttributeText) else self.cate(text)

    def _ground(self, deep: Tensor, text: AttributeText) -> Tensor:
        """Return V_g (B, N, C): the image's tokens with what they found in the low-level text.

        The row without learned fusion gives each of them the means of all levels instead.
        """
        tokens = to_tokens(deep)
        if self.mtf is None:
            return tokens
        if isinstance(self.mtf, PooledTextFusion):
            means = [text.mean(number) for number in range(len(self.config.levels))]
            return self.mtf(tokens, torch.stack(means, 1))
        return self.mtf(tokens, text.level(0), text.mask)

    def _text_mean(self, text: AttributeText) -> Tensor:
        if self.config.text_levels == "none":
            return text.pooled.new_zeros(len(text), self.config.width)
        return text.mean(0)

    # -- decoder -------------------------------------------------------------------------------

    def decode(
        self,
        features: Features,
        text: TextFeatures,
        boxes: Tensor | None = None,
        points: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, 1, H, W) and presence (B,) at the prior's mean; there are no boxes."""
        return self.decode_sample(features, text, None)

    def decode_sample(
        self, features: Features, text: TextFeatures, noise: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, 1, H, W) and presence (B,) for one draw of z from the prior.

        Args:
            features: of `encode_image`, B rows.
            text: B rows.
            noise: standard normal (Z,) or (B, Z); None is the prior's mean. The same noise on
                every slice gives one candidate for a whole volume.
        """
        drawn = None if noise is None else noise.expand(1, len(text), -1)
        logits, presence = self.decode_samples(features, text, drawn)
        return logits[:, :1], presence

    def decode_samples(
        self, features: Features, text: TextFeatures, noises: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, K, H, W) and presence (B,) for K draws of z from the prior.

        Everything before z is computed once.

        Args:
            features: of `encode_image`, B rows.
            text: B rows.
            noises: standard normal (K, Z) or (K, B, Z); None is the prior's mean, K = 1.
        """
        read = self.encode_text(text)
        grounded = self._ground(features[-1], read)
        presence = self._presence(grounded) if self.presence_head is not None else None
        words, rows = self._words(read), len(text)
        if self.latent is None:
            logits = self._up(features, grounded, words)
            count = 1 if noises is None else len(noises)
            logits = logits.expand(-1, count, -1, -1)
        else:
            prior, _ = self.latent.distributions(grounded.mean(1), self._text_mean(read))
            if noises is None:
                drawn = prior.mean[None]
            else:
                noises = noises.to(prior.mean)
                noises = noises if noises.ndim == 3 else noises[:, None]
                drawn = prior.mean + torch.exp(0.5 * prior.log_variance) * noises
            parts = []
            for some in drawn.split(max(1, SAMPLE_ROWS // rows)):
                tokens = torch.cat([self.latent(grounded, z) for z in some])
                again = [_repeated(f, len(some)) for f in features]
                spoken = [None if w is None else _repeated(w, len(some)) for w in words]
                parts.append(self._up(again, tokens, spoken).unflatten(0, (len(some), rows)))
            logits = torch.cat(parts)[:, :, 0].transpose(0, 1)
        return logits, self.strongest(logits[:, 0]) if presence is None else presence

    def _words(self, text: AttributeText) -> list[Tensor | None]:
        """Return the stages' mixed text: middle level at the first, high level at the others."""
        if not self.config.decoder_text:
            return [None] * len(self.decoder)
        last = len(self.config.levels) - 1
        return [
            stage.guide.text(text.level(min(last, 1 if index == 0 else 2)), text.mask)  # type: ignore[union-attr,operator]
            for index, stage in enumerate(self.decoder)
        ]

    def _up(
        self, features: Sequence[Tensor], tokens: Tensor, words: Sequence[Tensor | None]
    ) -> Tensor:
        """Run the three stages and bring the result to the image's size: (B, 1, H, W)."""
        x = to_map(tokens, features[-1].shape[2])
        for index, stage in enumerate(self.decoder):
            x = stage(x, features[2 - index], words[index])
        if self.config.head_pool:
            return self.head(self.upsample(x))
        # Without the pooling, x4 and the last 1x1 convolution are one convolution to 16 channels.
        finer, last = self.upsample.conv_block, self.head.conv.conv
        mix, many = last.weight[:, :, 0, 0], finer.weight.unflatten(0, (-1, 16))
        weight = torch.einsum("oc,cpikl->opikl", mix, many).flatten(0, 1)
        bias = mix @ finer.bias.unflatten(0, (-1, 16)) + last.bias[:, None]
        return F.pixel_shuffle(F.conv2d(x, weight, bias.flatten(), padding=1), 4)

    def presence(self, features: Features, text: TextFeatures) -> Tensor:
        """Return presence logits (B,); a net without the head needs the decoder for them."""
        if self.presence_head is None:
            return super().presence(features, text)
        return self._presence(self._ground(features[-1], self.encode_text(text)))

    def _presence(self, grounded: Tensor) -> Tensor:
        """Mean and maximum of the grounded tokens through one linear layer."""
        assert self.presence_head is not None
        return self.presence_head(torch.cat([grounded.mean(1), grounded.amax(1)], 1)).squeeze(1)

    # -- training ------------------------------------------------------------------------------

    def loss(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the objective's terms (see `objective`); z comes from the posterior.

        Further pairs in ``asked_index``, ``asked_text`` and ``asked_present`` only train the
        presence head.
        """
        config, present = self.config, batch["present"].float()
        encoded = self.encode_image(batch["image"])
        features = self.index_features(encoded, batch["index"])
        read = self.encode_text(batch["text"])
        valid = batch["valid"].index_select(0, batch["index"])
        grounded = self._ground(features[-1], read)
        image_mean, text_mean = grounded.mean(1), self._text_mean(read)
        tokens, divergence = grounded, None
        if self.latent is not None:
            mask = batch["mask"].float() * valid
            prior, posterior = self.latent.distributions(image_mean, text_mean, mask)
            source: Gaussian = prior if posterior is None else posterior
            z = source.sample(torch.randn_like(source.mean))
            if config.prior_share:
                usual = torch.rand(len(z), 1, device=z.device) < config.prior_share
                z = torch.where(usual, prior.mean, z)
            tokens = self.latent(grounded, z)
            if posterior is not None and config.latent == "full":
                divergence = kl_divergence(posterior, prior).mean()
        logits = self._up(features, tokens, self._words(read))
        dice, bce = segmentation_loss(logits, batch["mask"], valid, present)
        terms = {"dice": dice, "bce": bce}
        total = dice + bce
        if divergence is not None:
            epoch = float(self.steps) / config.steps_per_epoch
            weight = beta(epoch, config.kl_start, config.kl_end, config.kl_weight)
            terms["kl"], terms["beta"] = divergence, torch.tensor(weight)
            total = total + weight * divergence
        if config.sal_weight and config.text_levels != "none":
            there = present > 0
            same = same_texts(read.pooled[there])
            means = (image_mean[there], text_mean[there])
            terms["sal"] = semantic_alignment_loss(*means, same, config.sal_temperature)
            total = total + config.sal_weight * terms["sal"]
        if self.presence_head is not None:
            terms["presence"] = self._presence_loss(batch, encoded, grounded, present)
            total = total + config.presence_weight * terms["presence"]
        terms["loss"] = total
        terms["logits"] = logits.detach()
        if self.training:
            self.steps += 1
        return terms

    def _presence_loss(
        self, batch: Mapping[str, Any], encoded: Features, grounded: Tensor, present: Tensor
    ) -> Tensor:
        answers, truth = self._presence(grounded), present
        if "asked_index" in batch and len(batch["asked_index"]):
            deep = encoded[-1].index_select(0, batch["asked_index"])
            more = self._presence(self._ground(deep, self.encode_text(batch["asked_text"])))
            answers = torch.cat([answers, more])
            truth = torch.cat([truth, batch["asked_present"].float()])
        return F.binary_cross_entropy_with_logits(answers.float(), truth)


def _repeated(x: Tensor, times: int) -> Tensor:
    """Return the rows of ``x`` one after the other, ``times`` times."""
    return x if times == 1 else x.repeat(times, *[1] * (x.ndim - 1))


def normalise(images: Tensor) -> Tensor:
    """Bring every image and channel (B, C, H, W) to mean 0, deviation 1 over what is not black.

    Black background and the padding of the canvas stay 0, so they do not change the rest.
    """
    inside = (images > 0).to(images.dtype)
    count = inside.sum((2, 3), keepdim=True).clamp_min(1.0)
    mean = (images * inside).sum((2, 3), keepdim=True) / count
    spread = ((images - mean).square() * inside).sum((2, 3), keepdim=True) / count
    return (images - mean) * inside / (spread.sqrt() + 1e-3)

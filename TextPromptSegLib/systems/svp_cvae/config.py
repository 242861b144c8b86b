"""Sizes and switches of the SVP-CVAE."""

from __future__ import annotations

from dataclasses import dataclass

from ..settings import check_choices, make_tuples

CHOICES = {
    "text_levels": ("multi", "low", "high", "none"),
    "fusion": ("attention", "mlp", "none"),
    "latent": ("full", "no_kl", "prior", "none"),
    "symmetry_axis": ("width", "estimated"),
    "lora_place": ("last", "spread"),
    "normalise": ("zscore", "none"),
    "marl_norm": ("none", "batch"),
    "decoder_norm": ("batch", "group"),
}


@dataclass(frozen=True)
class SVPCVAEConfig:
    """Everything that shapes the network and its objective; the defaults are the paper's.

    Attributes:
        in_channels: channels of the image (grey repeated to 3 for an ImageNet encoder).
        hidden_sizes: channels of the four ConvNeXt stages; the last one is the width C that
            image and text share.
        depths: blocks of each stage.
        vision_id: hub id of a pretrained ConvNeXt of these sizes to start a training from, or
            None for random weights.
        layer_scale: first value of the blocks' gains; a training from random weights that is short
            wants 1, so that the blocks take part from the beginning.
        normalise: ``zscore`` (every image and channel to mean 0 and deviation 1 over what is not
            black) or ``none``.
        text_dim: size of a token state (768 for BERT base, 384 for MiniLM).
        text_ffn: size inside the text encoder's feed-forward part.
        text_layers: layers of the text encoder.
        text_depths: hidden states for the low, the middle and the high level (0 = embeddings).
        text_length: most tokens of a prompt.
        lora_layers: T, layers of the text encoder that get LoRA; 0 = all frozen. A layer that no
            level in use is read behind gets none.
        lora_place: ``last`` (the paper: the last T layers, so that a level above which they begin
            stays as it was pretrained; its own projection is all that learns there) or ``spread``
            (ours: the T layers lie evenly below the levels in use, so that each of them adapts).
        lora_rank: r.
        lora_alpha: scale of the update.
        lora_dropout: of its input.
        ssgm: MARL's spatial-semantic grounding (Table 6).
        cbsm: MARL's cross-bilateral symmetry (Table 6); without both there is no MARL (Table 4).
        ssgm_kernel: k of SSGM, places.
        cbsm_kernel: k' of CBSM, places.
        marl_norm: ``none`` or ``batch`` after the fusion.
        symmetry_axis: ``width`` (the middle of the slice) or ``estimated`` from each image, for
            heads that lie rotated in the scan.
        text_levels: ``multi`` (low at the bottleneck, middle and high in the decoder), ``low`` or
            ``high`` everywhere, or ``none`` (Table 7).
        fusion: ``attention`` (MTF and text-guided decoder), ``mlp`` (the mean text of each level
            through an MLP, decoder without text; Table 7) or ``none`` (no fusion at the
            bottleneck: without ACTA, Table 4; the decoder keeps its text).
        heads: of the cross-attentions.
        latent: ``full``, ``no_kl`` (posterior, no KL), ``prior`` (prior only) or ``none``
            (deterministic); Table 5.
        prior_share: share of the pairs that are decoded from the prior's mean in training (ours, 0
            in the paper; the mixed objective of Sohn et al. 2015): what is used is then trained
            too, and the decoder does not rely on a mask that it never sees in use.
        z_dim: size of the latent variable.
        latent_hidden: hidden size of the prior's and the posterior's MLP.
        mask_grid: the posterior sees the mask as area shares of this many places a side.
        decoder_channels: of the stages at 1/16, 1/8 and 1/4; None = those of the skips.
        decoder_tokens: text tokens of the three stages after mixing.
        decoder_self_attention: self-attention in front of each stage's cross-attention.
        decoder_norm: ``batch`` or ``group``.
        head_channels: after the last upsampling by 4.
        head_pool: smooth that upsampling by a mean over 4x4 px; without it a further sample
            costs a third less (measured, compact size, one core).
        presence: add a head that says whether the structure is in the slice (ours; trained with
            absent prompts, lets the decoder be skipped).
        presence_weight: weight of its term.
        sal_weight: lambda, weight of the semantic alignment loss (Figure 6).
        sal_temperature: tau.
        kl_weight: the largest beta.
        kl_start: epoch until which beta is 0.
        kl_end: epoch from which beta is ``kl_weight``.
        steps_per_epoch: optimiser steps that count as one epoch of that schedule.
    """

    in_channels: int = 3
    hidden_sizes: tuple[int, ...] = (96, 192, 384, 768)
    depths: tuple[int, ...] = (3, 3, 9, 3)
    vision_id: str | None = None
    layer_scale: float = 1e-6
    normalise: str = "zscore"
    text_dim: int = 768
    text_ffn: int = 3072
    text_layers: int = 12
    text_depths: tuple[int, ...] = (4, 8, 12)
    text_length: int = 24
    lora_layers: int = 4
    lora_place: str = "last"
    lora_rank: int = 8
    lora_alpha: float = 16.0
    lora_dropout: float = 0.1
    ssgm: bool = True
    cbsm: bool = True
    ssgm_kernel: int = 3
    cbsm_kernel: int = 7
    marl_norm: str = "none"
    symmetry_axis: str = "width"
    text_levels: str = "multi"
    fusion: str = "attention"
    heads: int = 4
    latent: str = "full"
    prior_share: float = 0.0
    z_dim: int = 64
    latent_hidden: int = 512
    mask_grid: int = 7
    decoder_channels: tuple[int, ...] | None = None
    decoder_tokens: tuple[int, ...] = (24, 12, 9)
    decoder_self_attention: bool = True
    decoder_norm: str = "batch"
    head_channels: int = 24
    head_pool: bool = True
    presence: bool = False
    presence_weight: float = 0.3
    sal_weight: float = 0.1
    sal_temperature: float = 1.0
    kl_weight: float = 0.01
    kl_start: float = 15.0
    kl_end: float = 45.0
    steps_per_epoch: int = 179

    def __post_init__(self) -> None:
        """Make tuples of JSON lists and refuse what cannot be built.

        Raises:
            ValueError: for a size or a switch that the network does not have.
        """
        make_tuples(self, "hidden_sizes", "depths", "text_depths", "decoder_tokens")
        make_tuples(self, "decoder_channels")
        check_choices(self, CHOICES)
        if len(self.hidden_sizes) != 4 or len(self.depths) != 4:
            raise ValueError("hidden_sizes and depths need four entries")
        if len(self.up_channels) != 3 or len(self.decoder_tokens) != 3:
            raise ValueError("decoder_channels and decoder_tokens need three entries")
        if len(self.text_depths) != 3 or any(
            not 0 <= depth <= self.text_layers for depth in self.text_depths
        ):
            raise ValueError("text_depths needs three hidden states that the text encoder has")
        if not 0 <= self.lora_layers <= self.text_layers:
            raise ValueError("lora_layers cannot be more than text_layers")
        if not 0 <= self.kl_start < self.kl_end or self.steps_per_epoch < 1:
            raise ValueError("kl_start must lie before kl_end, steps_per_epoch must be positive")

    @property
    def width(self) -> int:
        """C, the channels of the bottleneck."""
        return self.hidden_sizes[-1]

    @property
    def up_channels(self) -> tuple[int, ...]:
        """Channels of the decoder's stages at 1/16, 1/8 and 1/4."""
        return self.decoder_channels or tuple(reversed(self.hidden_sizes[:-1]))

    @property
    def levels(self) -> tuple[int, ...]:
        """Which of the three depths are used, as positions in ``text_depths``."""
        return {"multi": (0, 1, 2), "low": (0,), "high": (2,), "none": ()}[self.text_levels]

    @property
    def text_depth(self) -> int:
        """The deepest hidden state in use; layers above it have nothing to say."""
        return max((self.text_depths[number] for number in self.levels), default=0)

    @property
    def lora_numbers(self) -> tuple[int, ...]:
        """Layers of the text encoder that get LoRA, counted from 0."""
        numbers = range(self.text_layers - self.lora_layers, self.text_layers)
        if self.lora_place == "last":
            return tuple(number for number in numbers if number < self.text_depth)
        # each level in turn, the deepest first, takes the nearest free layer below it
        ends = sorted((self.text_depths[number] for number in self.levels), reverse=True)
        found: list[int] = []
        while len(found) < min(self.lora_layers, self.text_depth):
            for end in ends:
                free = [number for number in range(end) if number not in found]
                found += free[-1:]
        return tuple(sorted(found[: self.lora_layers]))

    @property
    def decoder_text(self) -> bool:
        """Whether the decoder's stages see the text."""
        return self.text_levels != "none" and self.fusion != "mlp"

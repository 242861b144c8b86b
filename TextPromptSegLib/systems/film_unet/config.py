"""Sizes and switches of the FiLM U-Net."""

from __future__ import annotations

from dataclasses import dataclass

from ..settings import check_choices, make_tuples

CHOICES = {
    "fusion": ("film", "concat"),
    "decoder_cbn": ("last", "all"),
    "norm": ("batch", "group"),
    "loss": (
        "dice",
        "jaccard",
        "tversky",
        "dice_bce",
        "dice_focal",
        "hausdorff",
        "dice_hausdorff",
    ),
}


@dataclass(frozen=True)
class FiLMUNetConfig:
    """Everything that shapes the network; the defaults are the paper's.

    Attributes:
        in_channels: channels of the image.
        patch: side of the square of pixels that becomes the channels of one place at the entrance
            (pixel unshuffle) and is restored at the exit; 1 is the paper, 2 saves three quarters
            of the work at the finest scale.
        channels: channels of the encoder's stages; the last one is the bottleneck.
        decoder_channels: channels of the decoder's stages, deepest first; None mirrors the
            encoder. A thin decoder makes every further prompt cheap.
        text_dim: size of the sentence vector (768 for BERT base, 384 for MiniLM).
        fusion: ``film`` or ``concat`` (the paper's baseline: text concatenated at the
            bottleneck and mixed by a 1x1 convolution).
        cbn: conditional batch norm at the bottleneck and in the decoder.
        decoder_cbn: ``last`` (the paper: before the last stage's double convolution) or ``all``
            (before every stage's; ours, for deeper compact nets).
        se: squeeze-and-excitation in every block and at the bottleneck.
        cbam: CBAM's spatial attention in every block.
        cbam_channel: CBAM's channel attention too.
        se_ratio: reduction of squeeze-and-excitation.
        cbam_kernel: side of CBAM's convolution, px.
        dropout: probability of dropping a channel after each block.
        negative_slope: slope of LeakyReLU below zero.
        norm: ``batch`` (the paper) or ``group`` (ours, for batches of mixed modalities and sizes).
        l2_norm: normalise the fused bottleneck over the channels, with a learnable gain.
        text_whitening: centre and decorrelate the sentence vectors by fixed buffers fitted to the
            training prompts (ours): "left" and "right" barely differ in a raw sentence vector.
        presence: add a head at the modulated bottleneck that says whether the structure is in
            the slice (ours; trained with absent prompts, lets the decoder be skipped).
        presence_hidden: width of the presence head's hidden layer, 0 = a single linear layer.
        loss: ``dice``, ``jaccard``, ``tversky``, ``dice_bce``, ``dice_focal``, ``hausdorff``
            (by distance transforms; alone it learns slowly from random weights) or
            ``dice_hausdorff``.
        presence_weight: weight of the presence term in the objective.
    """

    in_channels: int = 1
    patch: int = 1
    channels: tuple[int, ...] = (64, 128, 256, 512)
    decoder_channels: tuple[int, ...] | None = None
    text_dim: int = 768
    fusion: str = "film"
    cbn: bool = True
    decoder_cbn: str = "last"
    se: bool = True
    cbam: bool = True
    cbam_channel: bool = False
    se_ratio: int = 16
    cbam_kernel: int = 7
    dropout: float = 0.1
    negative_slope: float = 0.1
    norm: str = "batch"
    l2_norm: bool = True
    text_whitening: bool = False
    presence: bool = False
    presence_hidden: int = 0
    loss: str = "dice"
    presence_weight: float = 0.3

    def __post_init__(self) -> None:
        """Make tuples of JSON lists and refuse what cannot be built.

        Raises:
            ValueError: for a size or a switch that the network does not have.
        """
        make_tuples(self, "channels", "decoder_channels")
        check_choices(self, CHOICES)
        if len(self.channels) < 2 or min(self.channels) < 1:
            raise ValueError("channels needs at least two positive entries")
        ups = self.decoder_channels
        if ups is not None and len(ups) != len(self.channels) - 1:
            raise ValueError("decoder_channels needs one entry per stage above the bottleneck")

    @property
    def up_channels(self) -> tuple[int, ...]:
        """Channels of the decoder's stages, deepest first."""
        return self.decoder_channels or tuple(reversed(self.channels[:-1]))

    @property
    def stride(self) -> int:
        """Pixels of the image per place of the bottleneck; image sides are multiples of it."""
        return self.patch * 2 ** (len(self.channels) - 1)

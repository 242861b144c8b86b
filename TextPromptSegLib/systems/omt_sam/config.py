"""Sizes and switches of OMT-SAM."""

from __future__ import annotations

from dataclasses import dataclass

from ..settings import make_tuples


@dataclass(frozen=True)
class OMTSAMConfig:
    """Everything that shapes the network and its objective; the defaults are the paper's.

    Attributes:
        image_size: side of the square image, px; SAM's position encodings belong to one size.
        in_channels: channels of the image (grey repeated to 3 for SAM's weights).
        pixel_mean: subtracted from the image in [0, 1], a number per channel; empty = nothing.
            MedSAM's weights want nothing, SAM's own want ImageNet's.
        pixel_std: divides it; empty = nothing.
        patch: px per token.
        embed_dim: width of the ViT.
        depth: its blocks.
        heads: its attention heads.
        mlp_ratio: width of a block's MLP over ``embed_dim``.
        window: side of the attention windows, tokens; 0 = every block sees the whole image.
        global_blocks: blocks that see the whole image.
        rel_pos: relative positions in the attention.
        stem_channels: channels of a convolutional patch embedding (ours, for small ViTs that
            learn from little data); empty = SAM's single strided convolution.
        stem_patch: pixel unshuffle at the stem's entrance.
        stem_from: checkpoint of a FiLM U-Net whose encoder a training's stem starts from.
        start_from: file of SAM's or MedSAM's weights that a training starts from, or a checkpoint
            of this system whose prompts knew no CLIP image yet, see `weights`.
        scales: blocks from the last back whose features are fused; 1 = without multi-scale
            (Table 3).
        width: channels of image embedding and prompts.
        mask_channels: of SAM's encoder of mask prompts.
        decoder_depth: layers of the mask decoder's two-way transformer.
        decoder_heads: its attention heads.
        decoder_mlp: width of its MLPs.
        multimask: masks SAM offers for ambiguous prompts beside the single one; unused here, kept
            so that SAM's weights fit.
        score_depth: layers of the IoU head.
        score_hidden: its width.
        image_text: the image-text prompt encoder; False = without it (Table 3), boxes and points
            only.
        text_dim: size of CLIP's text token states.
        clip_dim: size of CLIP's patch tokens.
        clip_image: CLIP's image tower takes part; False = the text asks alone (the first stage of
            our small training, any text encoder will do).
        fusion_heads: heads of the image-text cross-attention.
        prompt_tokens: K, prompt tokens that text and image become.
        text_trained: False = the image-text prompt encoder was never trained (a checkpoint made of
            SAM's weights): beside a box or points the text is left out.
        masks_trained: the encoder of mask prompts and the decoder were trained with masks, as SAM's
            own weights were; our training and MedSAM's show boxes and points only.
        freeze_prompts: SAM's geometric prompt encoder is not trained.
        dice_weight: lambda 1.
        bce_weight: lambda 2.
        presence_weight: weight of the presence term (ours).
        box_share: share of training pairs with a jittered box.
        whole_share: share with the whole image as box; the rest has no geometry.
        box_jitter: largest shift of a box side, share of the image side (20 of 1024 px).
        silent_share: share of the boxed pairs that are asked without text, as SAM is.
        point_share: share of the batches in which pairs get points too.
    """

    image_size: int = 1024
    in_channels: int = 3
    pixel_mean: tuple[float, ...] = ()
    pixel_std: tuple[float, ...] = ()
    patch: int = 16
    embed_dim: int = 768
    depth: int = 12
    heads: int = 12
    mlp_ratio: float = 4.0
    window: int = 14
    global_blocks: tuple[int, ...] = (2, 5, 8, 11)
    rel_pos: bool = True
    stem_channels: tuple[int, ...] = ()
    stem_patch: int = 2
    stem_from: str | None = None
    start_from: str | None = None
    scales: int = 4
    width: int = 256
    mask_channels: int = 16
    decoder_depth: int = 2
    decoder_heads: int = 8
    decoder_mlp: int = 2048
    multimask: int = 3
    score_depth: int = 3
    score_hidden: int = 256
    image_text: bool = True
    text_dim: int = 768
    clip_dim: int = 768
    clip_image: bool = True
    fusion_heads: int = 8
    prompt_tokens: int = 1
    text_trained: bool = True
    masks_trained: bool = False
    freeze_prompts: bool = True
    dice_weight: float = 1.0
    bce_weight: float = 1.0
    presence_weight: float = 0.3
    box_share: float = 0.4
    whole_share: float = 0.3
    box_jitter: float = 20 / 1024
    silent_share: float = 0.0
    point_share: float = 0.0

    def __post_init__(self) -> None:
        """Make tuples of JSON lists and refuse what cannot be built.

        Raises:
            ValueError: for a size or a switch that the network does not have.
        """
        make_tuples(self, "pixel_mean", "pixel_std", "global_blocks", "stem_channels")
        if self.image_size % self.patch:
            raise ValueError("image_size must be a multiple of patch")
        if not 1 <= self.scales <= self.depth:
            raise ValueError(f"scales is 1 to depth ({self.depth}), not {self.scales}")
        for values in (self.pixel_mean, self.pixel_std):
            if values and len(values) != self.in_channels:
                raise ValueError("pixel_mean and pixel_std need a number per channel or none")
        if any(not 0 <= block < self.depth for block in self.global_blocks):
            raise ValueError("global_blocks are numbers of blocks, from 0")
        for name, parts in (("embed_dim", self.heads), ("width", 2 * self.decoder_heads)):
            if getattr(self, name) % parts:
                raise ValueError(f"{name} must be a multiple of {parts}")
        if self.fusion_heads < 1 or self.width % self.fusion_heads or self.width % 8:
            raise ValueError("width must be a multiple of 8 and of fusion_heads")
        if self.prompt_tokens < 1:
            raise ValueError("prompt_tokens is at least 1")
        shares = (self.box_share, self.whole_share, self.silent_share, self.point_share)
        if min(shares) < 0 or self.box_share + self.whole_share > 1 or max(shares) > 1:
            raise ValueError("shares lie between 0 and 1, box and whole image together at most 1")
        strides = [self.stem_patch * 2**n for n in range(len(self.stem_channels))]
        if strides and (self.stem_patch > self.patch or self.patch not in strides):
            raise ValueError("the stem has no stage at the stride of patch")
        if strides and self.image_size % strides[-1]:
            raise ValueError(f"image_size must be a multiple of the stem's stride {strides[-1]}")

    @property
    def grid(self) -> int:
        """Tokens a side."""
        return self.image_size // self.patch

    @property
    def mask_size(self) -> int:
        """Side of the mask decoder's low-resolution mask, px."""
        return 4 * self.grid

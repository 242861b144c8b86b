"""SAM's image encoder with the features of its last blocks (the paper, 3.1)."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...nn import AttentiveResidualBlock, halve
from .config import OMTSAMConfig


class ConvStem(nn.Module):
    """A convolutional patch embedding: every stage of a small U-Net encoder gives to each token.

    Stages finer than a token are gathered by a strided convolution, coarser ones are enlarged.

    Args:
        config: ``stem_channels``, ``stem_patch``, ``patch`` and ``embed_dim``.
    """

    def __init__(self, config: OMTSAMConfig) -> None:
        super().__init__()

        self.unshuffle = config.stem_patch
        before = config.in_channels * config.stem_patch**2
        stages: list[nn.Module] = []
        projections: list[nn.Module] = []
        for index, width in enumerate(config.stem_channels):
            stages.append(AttentiveResidualBlock(before, width, dropout=0.0))
            share = max(1, config.patch // (config.stem_patch * 2**index))
            projections.append(nn.Conv2d(width, config.embed_dim, share, stride=share))
            before = width
        self.stages, self.projections = nn.ModuleList(stages), nn.ModuleList(projections)
        self.grid = config.grid

    def forward(self, images: Tensor) -> Tensor:
        """Return tokens (B, grid, grid, embed_dim) of ``images`` (B, C, H, W)."""
        x = F.pixel_unshuffle(images, self.unshuffle) if self.unshuffle > 1 else images
        total: Tensor | None = None
        for index, (stage, project) in enumerate(zip(self.stages, self.projections, strict=True)):
            x = stage(x if index == 0 else halve(x))
            part = project(x)
            if part.shape[-1] != self.grid:
                part = F.interpolate(part, self.grid, mode="bilinear", align_corners=False)
            total = part if total is None else total + part
        assert total is not None
        return total.permute(0, 2, 3, 1)


class MultiScaleFusion(nn.Module):
    """A neck for each of the last blocks, concatenation, 1x1 convolution.

    Every neck starts as a copy of SAM's single one and the convolution starts by picking the last
    scale, so that a new model answers as the SAM it was started from.

    Args:
        neck: SAM's neck.
        scales: number of blocks.
        width: C, channels of a neck's output.
    """

    def __init__(self, neck: nn.Module, scales: int, width: int) -> None:
        super().__init__()
        self.necks = nn.ModuleList(copy.deepcopy(neck) for _ in range(scales))
        self.conv = nn.Conv2d(scales * width, width, 1) if scales > 1 else None
        self.pick_last()

    @torch.no_grad()
    def pick_last(self) -> None:
        """Make the 1x1 convolution pass the last scale on unchanged."""
        if self.conv is None or self.conv.weight.is_meta:
            return
        width = self.conv.out_channels
        self.conv.weight.zero_()
        self.conv.weight[:, -width:, 0, 0].copy_(torch.eye(width))
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Return the image embedding (B, C, h, w) of maps (B, E, h, w), the last block's last."""
        parts = [neck(x) for neck, x in zip(self.necks, maps, strict=True)]
        return parts[-1] if self.conv is None else self.conv(torch.cat(parts, dim=1))


class ImageEncoder(nn.Module):
    """segment_anything's ViT, read after its last blocks.

    Args:
        config: sizes and switches.
    """

    def __init__(self, config: OMTSAMConfig) -> None:
        super().__init__()
        from segment_anything.modeling import ImageEncoderViT

        vit: Any = ImageEncoderViT(
            img_size=config.image_size,
            patch_size=config.patch,
            in_chans=config.in_channels,
            embed_dim=config.embed_dim,
            depth=config.depth,
            num_heads=config.heads,
            mlp_ratio=config.mlp_ratio,
            out_chans=config.width,
            qkv_bias=True,
            norm_layer=partial(nn.LayerNorm, eps=1e-6),
            use_rel_pos=config.rel_pos,
            window_size=config.window,
            global_attn_indexes=config.global_blocks,
        )
        self.patch_embed: nn.Module = vit.patch_embed
        if config.stem_channels:
            self.patch_embed = ConvStem(config)
        self.pos_embed: nn.Parameter = vit.pos_embed
        self.blocks: nn.ModuleList = vit.blocks
        if config.stem_channels:
            self._pass_the_stem_on()
        self.fusion = MultiScaleFusion(vit.neck, config.scales, config.width)
        for name in ("pixel_mean", "pixel_std"):
            values = getattr(config, name)
            tensor = torch.tensor(values).view(1, -1, 1, 1) if values else None
            self.register_buffer(name, tensor, persistent=False)

    def _pass_the_stem_on(self) -> None:
        """Let the blocks add nothing at first: what the stem's stages know is not drowned.

        Places start apart, not all alike: no published weights follow.
        """
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        blocks: Any = self.blocks
        for block in blocks:
            for layer in (block.attn.proj, block.mlp.lin2):
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)

    pixel_mean: Tensor | None
    pixel_std: Tensor | None

    def forward(self, images: Tensor) -> Tensor:
        """Return the image embedding (B, C, h, w) of ``images`` (B, C, H, W) in [0, 1]."""
        if self.pixel_mean is not None:
            images = images - self.pixel_mean.to(images.dtype)
        if self.pixel_std is not None:
            images = images / self.pixel_std.to(images.dtype)
        x = self.patch_embed(images) + self.pos_embed
        maps = []
        first = len(self.blocks) - len(self.fusion.necks)
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number >= first:
                maps.append(x.permute(0, 3, 1, 2))
        return self.fusion(maps)

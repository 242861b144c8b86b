"""Image tokens ask text tokens: MTF and the text-guided decoder stage (SVP-CVAE, 3.2 and 3.3)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def to_tokens(x: Tensor) -> Tensor:
    """Return a map (B, C, h, w) as tokens (B, h w, C)."""
    return x.flatten(2).transpose(1, 2)


def to_map(tokens: Tensor, height: int) -> Tensor:
    """Return tokens (B, h w, C) as a map (B, C, h, w)."""
    return tokens.transpose(1, 2).unflatten(2, (height, -1))


def wave_positions(count: int, dim: int, like: Tensor) -> Tensor:
    """Return fixed sine and cosine codes (count, dim) of the positions 0, 1, 2, ..."""
    half = (dim + 1) // 2
    place = torch.arange(count, device=like.device, dtype=torch.float32)
    rate = torch.exp(
        torch.arange(half, device=like.device, dtype=torch.float32) * (-math.log(1e4) / half)
    )
    phase = place[:, None] * rate[None]
    return torch.cat([phase.sin(), phase.cos()], 1)[:, :dim].to(like.dtype)


def map_positions(height: int, width: int, dim: int, like: Tensor) -> Tensor:
    """Return codes (height width, dim): half of them say the row, half the column."""
    rows = wave_positions(height, dim // 2, like)
    columns = wave_positions(width, dim - dim // 2, like)
    both = [
        rows[:, None].expand(-1, width, -1),
        columns[None].expand(height, -1, -1),
    ]
    return torch.cat(both, 2).flatten(0, 1)


def attend(
    attention: nn.MultiheadAttention,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """Return what `torch.nn.MultiheadAttention` returns, without its detour over the axes.

    With ``batch_first`` torch turns batch and places around, and its products then copy their
    weights for every place: eight times slower for the few places of a bottleneck on a CPU.

    Args:
        attention: holds the weights; equal sizes of query, key and value, no dropout.
        query: (B, N, C).
        key: (B, L, C).
        value: (B, L, C).
        mask: (B, L) bool, True on real tokens; None = all are.
    """
    weights = attention.in_proj_weight.chunk(3)
    biases = attention.in_proj_bias.chunk(3)
    q, k, v = (
        F.linear(x, weight, bias).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
        for x, weight, bias in zip((query, key, value), weights, biases, strict=True)
    )
    seen = None if mask is None else mask[:, None, None, :]
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
    return attention.out_proj(mixed.transpose(1, 2).flatten(2))


class MorphologyTextFusion(nn.Module):
    """MTF: ``V_g = Linear(V + softmax(V W_Q (T W_K)^T / sqrt(d)) T W_V)``.

    Args:
        dim: size of image and text tokens.
        heads: of the attention.
    """

    def __init__(self, dim: int, heads: int = 4) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.linear = nn.Linear(dim, dim)

    def forward(self, image: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """Return grounded tokens (B, N, C).

        Args:
            image: (B, N, C).
            text: (B, L, C).
            mask: (B, L) bool, True on real tokens; padding is not looked at.
        """
        return self.linear(image + attend(self.attention, image, text, text, mask))


class PooledTextFusion(nn.Module):
    """The ablation of MTF: every level's mean text beside each image token, through an MLP.

    Args:
        dim: size of image and text tokens.
        levels: depths at which the text is read.
    """

    def __init__(self, dim: int, levels: int = 1) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear((1 + levels) * dim, dim), nn.GELU(), nn.Linear(dim, dim))

    def forward(self, image: Tensor, means: Tensor) -> Tensor:
        """Return mixed tokens (B, N, C).

        Args:
            image: (B, N, C).
            means: the text's mean over its real tokens at each level (B, levels, C).
        """
        beside = means.flatten(1)[:, None].expand(-1, image.shape[1], -1)
        return self.mlp(torch.cat([image, beside], 2))


class TextGuide(nn.Module):
    """Self-attention of the map, then cross-attention to a few mixed text tokens.

    The text's tokens are mixed to ``text_tokens`` new ones by position, so the text is cut or
    filled with zeros to ``text_length``: how far the batch was padded has no influence.

    Args:
        dim: channels of the map.
        text_dim: size of a text token.
        text_length: most text tokens.
        text_tokens: text tokens after mixing.
        heads: of the cross-attention.
        self_attention: let the places of the map look at each other first.
    """

    def __init__(
        self,
        dim: int,
        text_dim: int,
        text_length: int,
        text_tokens: int,
        heads: int = 4,
        self_attention: bool = True,
    ) -> None:
        super().__init__()
        self.text_length = text_length
        self.mix = nn.Conv1d(text_length, text_tokens, 1)
        self.project = nn.Linear(text_dim, dim)
        self.act = nn.GELU()
        self.own: nn.MultiheadAttention | None = None
        if self_attention:
            self.own = nn.MultiheadAttention(dim, 1, batch_first=True)
            self.own_in, self.own_out = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.cross = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.cross_in, self.cross_out = nn.LayerNorm(dim), nn.LayerNorm(dim)

    def text(self, text: Tensor, mask: Tensor) -> Tensor:
        """Return the mixed text tokens (B, text_tokens, dim).

        Args:
            text: (B, L, text_dim).
            mask: (B, L) bool.

        Raises:
            ValueError: when a text has more than ``text_length`` real tokens.
        """
        text = text * mask[..., None].to(text.dtype)
        length = text.shape[1]
        if length > self.text_length:
            if bool(mask[:, self.text_length :].any()):
                raise ValueError(f"a text has more than {self.text_length} tokens")
            text = text[:, : self.text_length]
        elif length < self.text_length:
            text = nn.functional.pad(text, (0, 0, 0, self.text_length - length))
        return self.act(self.project(self.act(self.mix(text))))

    def forward(self, x: Tensor, text: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the guided map (B, dim, h, w).

        Args:
            x: (B, dim, h, w).
            text: as in `text`; without a mask what `text` returned.
            mask: as in `text`.
        """
        height, width = x.shape[2:]
        image = to_tokens(x)
        place = map_positions(height, width, image.shape[2], image)
        if self.own is not None:
            value = self.own_in(image)
            query = value + place
            image = image + self.own_out(attend(self.own, query, query, value))
        words = text if mask is None else self.text(text, mask)
        keys = words + wave_positions(words.shape[1], words.shape[2], words)
        query = self.cross_in(image) + place
        image = image + self.cross_out(attend(self.cross, query, keys, words))
        return to_map(image, height)


class TextGuidedUp(nn.Module):
    """One decoder stage: `TextGuide` (or none), then twice the size and the skip.

    The first convolution of `UnetrUpBlock` sees the upsampled map and the skip side by side; being
    linear, its two halves are computed apart, so what the skip adds is made once per image
    (`prepare`) and serves every prompt and every sample.

    Args:
        in_channels: of the map from below.
        skip_channels: of the skip; projected when they are not ``out_channels``.
        out_channels: of the result.
        guide: `TextGuide` of ``in_channels``, or None for a stage without text.
        norm: ``batch`` or ``group``.
    """

    def __init__(
        self,
        in_channels: int,
        skip_channels: int,
        out_channels: int,
        guide: TextGuide | None,
        norm: str = "batch",
    ) -> None:
        from monai.networks.blocks import UnetrUpBlock

        super().__init__()
        self.guide = guide
        self.channels = out_channels
        self.skip: nn.Module = nn.Identity()
        if skip_channels != out_channels:
            self.skip = nn.Conv2d(skip_channels, out_channels, 1)
        groups = next(g for g in (8, 4, 2, 1) if out_channels % g == 0)
        kind = "BATCH" if norm == "batch" else ("GROUP", {"num_groups": groups})
        self.up = UnetrUpBlock(2, in_channels, out_channels, 3, 2, kind)

    def prepare(self, skip: Tensor) -> Tensor:
        """Return what the skip (B, skip_channels, 2 h, 2 w) adds: (B, out_channels, 2 h, 2 w)."""
        weight = self.up.conv_block.conv1.conv.weight
        return F.conv2d(self.skip(skip), weight[:, self.channels :], padding=1)

    def forward(
        self, x: Tensor, prepared: Tensor, words: Tensor | None, mask: Tensor | None = None
    ) -> Tensor:
        """Return (B, out_channels, 2 h, 2 w).

        Args:
            x: (B, in_channels, h, w).
            prepared: of `prepare`.
            words: text (B, L, C) with its ``mask`` (B, L); without a mask the mixed tokens that
                `TextGuide.text` returned; None for a stage without text.
            mask: of the text.
        """
        if self.guide is not None and words is not None:
            x = self.guide(x, words, mask)
        block, larger = self.up.conv_block, self.up.transp_conv(x)
        weight = block.conv1.conv.weight[:, : self.channels]
        out = block.lrelu(block.norm1(F.conv2d(larger, weight, padding=1) + prepared))
        return block.lrelu(block.norm2(block.conv2(out)))

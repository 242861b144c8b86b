"""Augmentation of whole batches in torch; left and right stay true.

A mirrored picture is only used together with swapped words: `swap_sides`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .artefacts import AugmentConfig, degrade

DARK = 0.12
"""Grey level below which an inverted MR fades to black."""


def swap_sides(name: str) -> str:
    """Return the name with left and right exchanged, for a mirrored picture."""
    other = {"left": "right", "right": "left"}
    return re.sub(r"\b(left|right)\b", lambda m: other[m.group(0)], name)


def without_side(name: str) -> str:
    """Return the name without the words left and right."""
    return re.sub(r"\b(left|right)\b *", "", name).strip()


def random_affine(
    count: int,
    config: AugmentConfig,
    flip: Sequence[bool],
    generator: torch.Generator,
    upturn: Sequence[bool] | None = None,
) -> Tensor:
    """Return matrices (B, 2, 3) for `torch.nn.functional.affine_grid`, square canvases.

    Args:
        count: B.
        config: ranges.
        flip: B flags, mirror the left-right axis (the width).
        generator: source of randomness.
        upturn: B flags, turn the picture upside down (the height is mirrored), None = never.
    """

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=generator) * (high - low) + low

    active = (torch.rand(count, generator=generator) < config.probability).float()
    angle = uniform(-config.rotation, config.rotation) * active * torch.pi / 180
    low, high = (math.log(v) for v in config.scale)
    # zoom in = sample a smaller field
    factor = torch.exp(-uniform(low, high) * active)
    mirror = 1.0 - 2.0 * torch.tensor([float(f) for f in flip])
    turned = 1.0 - 2.0 * torch.tensor([float(f) for f in upturn or [False] * count])
    shift = torch.stack([uniform(-2, 2), uniform(-2, 2)], 1) * config.shift * active[:, None]
    across = along = factor
    if config.stretch:
        stretch = torch.exp(uniform(-config.stretch, config.stretch) * active)
        across, along = factor * stretch, factor / stretch
    if config.crop:
        room = config.crop * (1 - factor).abs()
        shift = shift + torch.stack([uniform(-1, 1), uniform(-1, 1)], 1) * room[:, None]
    cos, sin = torch.cos(angle), torch.sin(angle)
    row_x = torch.stack([cos * across * mirror, -sin * along * turned, shift[:, 0]], 1)
    row_y = torch.stack([sin * across * mirror, cos * along * turned, shift[:, 1]], 1)
    return torch.stack([row_x, row_y], 1)


def warp(images: Tensor, matrices: Tensor, nearest: bool = False) -> Tensor:
    """Resample (B, C, H, W) by (B, 2, 3); outside becomes 0."""
    return resample(images, places(matrices, images.shape[-2:]), nearest)


def places(matrices: Tensor, size: Sequence[int]) -> Tensor:
    """Return where each pixel comes from, (B, H, W, 2) from -1 to 1, for (B, 2, 3) matrices."""
    return F.affine_grid(matrices, [len(matrices), 1, *size], align_corners=False)


def resample(images: Tensor, grid: Tensor, nearest: bool = False) -> Tensor:
    """Resample (B, C, H, W) at the `places`; outside becomes 0."""
    mode = "nearest" if nearest else "bilinear"
    return F.grid_sample(images, grid, mode=mode, padding_mode="zeros", align_corners=False)


def jitter_intensity(
    images: Tensor, is_ct: Sequence[bool], config: AugmentConfig, generator: torch.Generator
) -> Tensor:
    """Change the grey values of (B, C, H, W) in [0, 1]; black background stays black."""
    levels = images.clamp(0, 1).mul(255).round_().to(torch.uint8)
    toned = retone(levels, is_ct, config, generator)
    return degrade(toned, is_ct, config, generator)


def retone(
    images: Tensor,
    is_ct: Sequence[bool],
    config: AugmentConfig,
    generator: torch.Generator,
    own: int | None = None,
) -> Tensor:
    """Return (B, C, H, W) float32 in [0, 1] of uint8 images: gamma, contrast, window, inversion.

    A table of 256 values for each picture does all of it at once; black stays black.

    Args:
        images: B pictures.
        is_ct: B flags.
        config: ranges.
        generator: source of randomness.
        own: the first channels are the slice itself, the others its neighbours; None: all are.
    """
    count, channels = images.shape[:2]

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand((count, 1), generator=generator) * (high - low) + low

    ct = torch.tensor([float(c) for c in is_ct])[:, None]
    active = (torch.rand((count, 1), generator=generator) < config.probability).float()
    level = (torch.arange(256) / 255.0).expand(count, 256)
    reverse = (torch.rand((count, 1), generator=generator) < config.invert).float() * (1 - ct)
    # the dark air around the body stays dark
    level = reverse * (1 - level) * (level / DARK).clamp_max(1) + (1 - reverse) * level
    gamma = torch.exp(uniform(*(math.log(v) for v in config.gamma)) * active)
    level = level.clamp_min(1e-4).pow(gamma)
    wide = config.window * ct
    slope = (1 + uniform(-config.contrast, config.contrast) * active) * torch.exp(
        uniform(-1, 1) * wide * active
    )
    offset = uniform(-config.brightness, config.brightness) + uniform(-0.5, 0.5) * wide
    table = ((level - 0.5) * slope + 0.5 + offset * active).clamp(0, 1)
    table[:, 0] = 0.0
    one = torch.rand(count, generator=generator) < config.single_window
    pick = torch.randint(0, own or channels, (count,), generator=generator)
    changed = np.empty(tuple(images.shape), np.float32)
    for row, picture in enumerate(images.numpy()):
        if channels > 1 and is_ct[row] and one[row]:
            picture = np.broadcast_to(picture[int(pick[row])], picture.shape)
        np.take(table[row].numpy(), picture, out=changed[row])
    return torch.from_numpy(changed)


def share_in_view(mask: np.ndarray, matrix: np.ndarray, *, most: int = 64) -> float:
    """Return the share of a mask (H, W) that a change of the view leaves in sight.

    Args:
        mask: not empty.
        matrix: (2, 3) of `random_affine`: output place -> input place, both from -1 to 1.
        most: pixels looked at.
    """
    rows, columns = (3 * found for found in np.nonzero(mask[::3, ::3]))
    if len(rows) < most:
        rows, columns = np.nonzero(mask)
    step = max(1, len(rows) // most)
    height, width = mask.shape
    x = (2 * columns[::step] + 1) / width - 1
    y = (2 * rows[::step] + 1) / height - 1
    turn = np.linalg.inv(matrix[:, :2])
    seen = turn @ (np.stack([x, y]) - matrix[:, 2:])
    return float((np.abs(seen) < 1).all(0).mean())

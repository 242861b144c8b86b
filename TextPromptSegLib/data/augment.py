"""Augmentation of whole batches in torch; left and right stay true.

A mirrored picture is only used together with swapped words: `swap_sides`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges of the random changes.

    Attributes:
        rotation: largest angle, degrees.
        scale: smallest and largest zoom.
        shift: largest shift, share of the side.
        gamma: smallest and largest exponent.
        contrast: largest change of the slope, share.
        brightness: largest change of the level, in units of [0, 1].
        noise: largest standard deviation of Gaussian noise.
        single_window: probability that all channels show one window of a CT, as 8-bit exports do.
        probability: of the affine change and of the change of intensity, each.
    """

    rotation: float = 12.0
    scale: tuple[float, float] = (0.85, 1.2)
    shift: float = 0.06
    gamma: tuple[float, float] = (0.75, 1.35)
    contrast: float = 0.2
    brightness: float = 0.1
    noise: float = 0.04
    single_window: float = 0.25
    probability: float = 0.8


def swap_sides(name: str) -> str:
    """Return the name with left and right exchanged, for a mirrored picture."""
    other = {"left": "right", "right": "left"}
    return re.sub(r"\b(left|right)\b", lambda m: other[m.group(0)], name)


def random_affine(
    count: int, config: AugmentConfig, flip: Sequence[bool], generator: torch.Generator
) -> Tensor:
    """Return matrices (B, 2, 3) for `torch.nn.functional.affine_grid`, square canvases.

    Args:
        count: B.
        config: ranges.
        flip: B flags, mirror the left-right axis (the width).
        generator: source of randomness.
    """

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=generator) * (high - low) + low

    active = (torch.rand(count, generator=generator) < config.probability).float()
    angle = uniform(-config.rotation, config.rotation) * active * torch.pi / 180
    low, high = (torch.tensor(float(v)).log().item() for v in config.scale)
    # zoom in = sample a smaller field
    factor = torch.exp(-uniform(low, high) * active)
    mirror = 1.0 - 2.0 * torch.tensor([float(f) for f in flip])
    cos, sin = torch.cos(angle) * factor, torch.sin(angle) * factor
    shift = torch.stack([uniform(-2, 2), uniform(-2, 2)], 1) * config.shift * active[:, None]
    row_x = torch.stack([cos * mirror, -sin * mirror, shift[:, 0]], 1)
    row_y = torch.stack([sin, cos, shift[:, 1]], 1)
    return torch.stack([row_x, row_y], 1)


def warp(images: Tensor, matrices: Tensor, nearest: bool = False) -> Tensor:
    """Resample (B, C, H, W) by (B, 2, 3); outside becomes 0."""
    grid = F.affine_grid(matrices, list(images.shape), align_corners=False)
    mode = "nearest" if nearest else "bilinear"
    return F.grid_sample(images, grid, mode=mode, padding_mode="zeros", align_corners=False)


def jitter_intensity(
    images: Tensor, is_ct: Sequence[bool], config: AugmentConfig, generator: torch.Generator
) -> Tensor:
    """Change the grey values of (B, C, H, W) in [0, 1]; black background stays black."""
    count, channels = images.shape[:2]

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand((count, 1, 1, 1), generator=generator) * (high - low) + low

    one = torch.rand(count, generator=generator) < config.single_window
    pick = torch.randint(0, channels, (count,), generator=generator)
    for row in range(count):
        if channels > 1 and is_ct[row] and one[row]:
            images[row] = images[row, pick[row]].clone().expand_as(images[row])
    active = (torch.rand((count, 1, 1, 1), generator=generator) < config.probability).float()
    gamma = torch.exp(
        uniform(*(torch.tensor(float(v)).log().item() for v in config.gamma)) * active
    )
    slope = 1 + uniform(-config.contrast, config.contrast) * active
    level = uniform(-config.brightness, config.brightness) * active
    changed = images.clamp_min(1e-4).pow(gamma)
    changed = (changed - 0.5) * slope + 0.5 + level
    sigma = uniform(0.0, config.noise) * active
    changed = changed + torch.randn(images.shape, generator=generator) * sigma
    return torch.where(images > 0, changed.clamp(0, 1), images)

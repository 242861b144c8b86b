"""Faults that scanners and exports put into pictures: noise, shading, blur, lost resolution, JPEG.

Each fault strikes a share of the pictures, so that a batch costs little more than without.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges of the random changes.

    Attributes:
        rotation: largest angle, degrees.
        scale: smallest and largest zoom; log-uniform between.
        stretch: largest further zoom along one axis, share.
        shift: largest shift, share of the side.
        crop: how far a zoomed field may lie off the middle, share of the room that the zoom gives.
        gamma: smallest and largest exponent.
        contrast: largest change of the slope, share.
        brightness: largest change of the level, in units of [0, 1].
        window: largest further change of a CT's slope and level, as another window makes it, share.
        invert: probability that an MR is shown with its grey values reversed.
        noise: largest standard deviation of Gaussian noise.
        bias: probability of a smooth shading of an MR.
        shading: standard deviation of the shading's logarithm.
        coarse: probability that resolution is lost, along each axis by another factor.
        coarseness: largest such factor.
        blur: probability of a Gaussian blur.
        blur_px: its largest standard deviation, px.
        blocks: probability of JPEG artefacts.
        block_quality: lowest JPEG quality; the highest is 85.
        single_window: probability that all channels show one window of a CT, as 8-bit exports do.
        probability: of the affine change and of the change of intensity, each.
    """

    rotation: float = 12.0
    scale: tuple[float, float] = (0.85, 1.2)
    stretch: float = 0.0
    shift: float = 0.06
    crop: float = 0.0
    gamma: tuple[float, float] = (0.75, 1.35)
    contrast: float = 0.2
    brightness: float = 0.1
    window: float = 0.0
    invert: float = 0.0
    noise: float = 0.04
    bias: float = 0.0
    shading: float = 0.3
    coarse: float = 0.0
    coarseness: float = 3.5
    blur: float = 0.0
    blur_px: float = 1.3
    blocks: float = 0.0
    block_quality: int = 25
    single_window: float = 0.25
    probability: float = 0.8


def degrade(
    images: Tensor, is_ct: Sequence[bool], config: AugmentConfig, generator: torch.Generator
) -> Tensor:
    """Put the faults into (B, C, H, W) in [0, 1], in place; black background stays black.

    Channels that are alike, as those of a single picture are, stay alike.
    """
    count = len(images)
    strikes = torch.rand((count, 5), generator=generator)
    strength = torch.rand((count, 3), generator=generator)
    sizes = torch.rand((count, 3), generator=generator).tolist()
    for row in range(count):
        kept, order = _different(images[row])
        picture = images[row, kept]
        black = picture <= 0
        if not is_ct[row] and strikes[row, 0] < config.bias:
            picture *= shading(picture.shape[-2:], config.shading, generator)
        if strikes[row, 1] < config.coarse:
            factors = [1 + s * (config.coarseness - 1) for s in sizes[row][:2]]
            picture.copy_(coarser(picture, factors[0], factors[1]))
        if strikes[row, 2] < config.blur:
            picture.copy_(blurred(picture, 0.3 + sizes[row][2] * (config.blur_px - 0.3)))
        if config.noise and strikes[row, 3] < config.probability:
            picture += _noise(picture, float(strength[row, 0]) * config.noise, generator)
        picture.clamp_(0, 1)
        if strikes[row, 4] < config.blocks:
            quality = config.block_quality + float(strength[row, 1]) * (85 - config.block_quality)
            picture.copy_(as_jpeg(picture, int(quality)))
        picture.masked_fill_(black, 0)
        images[row] = picture[order]
    return images


def _different(picture: Tensor) -> tuple[list[int], list[int]]:
    """Return which channels of (C, H, W) are unlike all before, and for each channel its place."""
    kept: list[int] = []
    order: list[int] = []
    for index, channel in enumerate(picture):
        alike = [n for n, other in enumerate(kept) if torch.equal(channel, picture[other])]
        if not alike:
            kept.append(index)
        order.append(alike[0] if alike else len(kept) - 1)
    return kept, order


def shading(size: Sequence[int], strength: float, generator: torch.Generator) -> Tensor:
    """Return a smooth positive field (H, W) around 1, as a receive coil makes it."""
    coarse = torch.randn((1, 1, 4, 4), generator=generator) * strength
    field = F.interpolate(coarse, tuple(size), mode="bicubic", align_corners=False)[0, 0]
    return torch.exp(field - field.mean())


def coarser(picture: Tensor, rows: float, columns: float) -> Tensor:
    """Return (C, H, W) as if its pixels had been so many times larger along each axis."""
    size = picture.shape[-2:]
    small = (max(2, round(size[0] / rows)), max(2, round(size[1] / columns)))
    low = F.interpolate(picture[None], small, mode="bilinear", antialias=True)
    return F.interpolate(low, size, mode="bilinear", align_corners=False)[0]


def blurred(picture: Tensor, sigma: float) -> Tensor:
    """Return (C, H, W) after a Gaussian blur, standard deviation in px."""
    reach = max(1, round(3 * sigma))
    place = torch.arange(-reach, reach + 1, dtype=torch.float32)
    weight = torch.exp(-0.5 * (place / sigma) ** 2)
    weight = weight / weight.sum()
    smooth = F.conv2d(picture[:, None], weight.view(1, 1, -1, 1), padding=(reach, 0))
    return F.conv2d(smooth, weight.view(1, 1, 1, -1), padding=(0, reach))[:, 0]


def as_jpeg(picture: Tensor, quality: int) -> Tensor:
    """Return (C, H, W) in [0, 1] after JPEG compression of each channel."""
    stored: list[np.ndarray] = []
    for channel in picture.mul(255).round().to(torch.uint8).numpy():
        file = io.BytesIO()
        Image.fromarray(channel).save(file, "JPEG", quality=quality)
        stored.append(np.asarray(Image.open(file)))
    return torch.from_numpy(np.stack(stored)).float().div_(255)


@cache
def _noise_store() -> Tensor:
    """Return 2 to the 21st standard normal values, drawn once: drawing is half a batch's time."""
    return torch.randn(2**21, generator=torch.Generator().manual_seed(0))


def _noise(picture: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    store = _noise_store()
    start = int(torch.randint(0, len(store) - picture.numel(), (1,), generator=generator))
    return store[start : start + picture.numel()].view_as(picture) * sigma

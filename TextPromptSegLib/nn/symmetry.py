"""Left and right compared: SSGM, CBSM and their fusion (SVP-CVAE, section 3.1), and the axis.

The width of a feature map must be the patient's left-right axis: axial or coronal slices of a
volume in LPS order. An axis is ``(angle, offset)``: the angle in radians by which the line of
symmetry is turned from the vertical, and its distance from the middle in units of half the
height, both zero for the plain flip.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def _axis_grid(axis: Tensor, size: torch.Size, turned: bool) -> Tensor:
    """Return the sampling grid of a reflection across the axis (turned upright if ``turned``)."""
    aspect = size[-1] / size[-2]
    angle, offset = axis[:, 0], axis[:, 1]
    c, s, zero = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)
    if turned:  # a view along the axis: its line is the middle column
        rows = [[c, -s / aspect, offset * c / aspect], [s * aspect, c, offset * s]]
    else:
        rows = [
            [1 - 2 * c * c, -2 * c * s / aspect, 2 * offset * c / aspect],
            [-2 * s * c * aspect, 1 - 2 * s * s, 2 * offset * s],
        ]
    matrix = torch.stack([torch.stack([v + zero for v in row], -1) for row in rows], 1)
    return F.affine_grid(matrix, [len(axis), 1, size[-2], size[-1]], align_corners=False)


def reflect(x: Tensor, axis: Tensor | None = None) -> Tensor:
    """Mirror maps at their axis.

    Args:
        x: (B, C, H, W), width = left to right.
        axis: (B, 2) angle in rad and offset in half heights; None is the middle of the width.

    Returns:
        (B, C, H, W); what would come from outside repeats the border.
    """
    if axis is None:
        return x.flip(-1)
    grid = _axis_grid(axis.float(), x.shape, turned=False)
    options = {"mode": "bilinear", "padding_mode": "border", "align_corners": False}
    return F.grid_sample(x.float(), grid, **options).to(x.dtype)  # type: ignore[arg-type]


def _symmetry(images: Tensor, axes: Tensor) -> Tensor:
    """Return the correlation of pictures with their mirror images.

    Args:
        images: (B, 1, H, W), or (1, B, H, W) where all have the same axes.
        axes: (B, N, 2), or (1, N, 2).

    Returns:
        (B, N).
    """
    count, many = axes.shape[:2]
    grid = _axis_grid(axes.flatten(0, 1), images.shape, turned=False)
    grid = grid.unflatten(0, (count, many)).flatten(1, 2)  # the candidates below each other
    options = {"mode": "bilinear", "padding_mode": "zeros", "align_corners": False}
    mirrored = F.grid_sample(images, grid, **options)  # type: ignore[arg-type]
    mirrored = mirrored.flatten(0, 1).unflatten(1, (many, -1))
    images = images.flatten(0, 1)[:, None]
    product = (mirrored * images).sum((2, 3))
    energy = (mirrored.square().sum((2, 3)) * images.square().sum((2, 3))).clamp_min(1e-12)
    return product / energy.sqrt()


@torch.no_grad()
def estimate_axis(
    images: Tensor, *, largest_angle: float = 30.0, largest_offset: float = 0.25, side: int = 64
) -> Tensor:
    """Find the line at which each picture is most like its mirror image, coarse to fine.

    Every picture is treated alone. A turned line must win by a margin, so a picture without any
    symmetry keeps the middle of its width.

    Args:
        images: (B, C, H, W) in [0, 1], black outside the body.
        largest_angle: degrees.
        largest_offset: half heights.
        side: height at which the last steps are done, px; the first ones at half of it.

    Returns:
        (B, 2): angle in rad, offset in half heights.
    """
    count, height, width = len(images), images.shape[-2], images.shape[-1]
    size = (side, max(1, round(side * width / height)))
    fine = F.interpolate(images.float().mean(1, keepdim=True), size, mode="area")
    coarse = F.avg_pool2d(fine, 2) if min(size) > 1 else fine
    angle, offset = math.radians(largest_angle), largest_offset
    best = torch.zeros(count, 2, device=images.device)
    steps = (13, 11)
    for picture in (coarse, coarse, fine, fine):
        turns = torch.linspace(-angle, angle, steps[0], device=images.device)
        shifts = torch.linspace(-offset, offset, steps[1], device=images.device)
        around = torch.cartesian_prod(turns, shifts)
        if steps == (13, 11):  # the same lines for every picture
            axes = around[None].expand(count, -1, -1)
            score = _symmetry(picture.transpose(0, 1), around[None])
        else:
            axes = best[:, None] + around[None]
            score = _symmetry(picture, axes)
        score = score - 0.02 * axes[..., 0].abs() - 0.02 * axes[..., 1].abs()
        best = axes[torch.arange(count, device=images.device), score.argmax(1)]
        angle, offset = 1.2 * angle / (steps[0] // 2), 1.2 * offset / (steps[1] // 2)
        steps = (5, 5)
    straight = _symmetry(fine, torch.zeros(count, 1, 2, device=images.device))[:, 0]
    found = _symmetry(fine, best[:, None])[:, 0]
    return torch.where((found > straight + 0.005)[:, None], best, torch.zeros_like(best))


class SpatialSemanticGrounding(nn.Module):
    """SSGM: local structure by a depthwise convolution ``S = DW_kxk(F)``.

    Args:
        channels: C.
        kernel_size: k, places.
    """

    def __init__(self, channels: int, kernel_size: int = 3) -> None:
        super().__init__()
        pad = kernel_size // 2
        self.conv = nn.Conv2d(channels, channels, kernel_size, padding=pad, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return the structural response (B, C, h, w)."""
        return self.conv(x)


class CrossBilateralSymmetry(nn.Module):
    """CBSM: ``A = DW_1xk'(D)`` of the inconsistency ``D = |F - flip(F)|``.

    Args:
        channels: C.
        kernel_size: k', places along the left-right axis.
    """

    def __init__(self, channels: int, kernel_size: int = 7) -> None:
        super().__init__()
        size, pad = (1, kernel_size), (0, kernel_size // 2)
        self.conv = nn.Conv2d(channels, channels, size, padding=pad, groups=channels)

    @staticmethod
    def difference(x: Tensor, axis: Tensor | None = None) -> Tensor:
        """Return D (B, C, h, w): 0 where left and right agree."""
        return (x - reflect(x, axis)).abs()

    def forward(self, x: Tensor, axis: Tensor | None = None) -> Tensor:
        """Return the gathered asymmetry (B, C, h, w); ``axis`` as in `reflect`."""
        return self.conv(self.difference(x, axis))


class MorphologyAware(nn.Module):
    """MARL: ``F' = Conv1x1[F | S | A]`` (SVP-CVAE, section 3.1).

    Args:
        channels: C.
        ssgm: use the spatial-semantic grounding module.
        cbsm: use the cross-bilateral symmetry module.
        kernel_size: of SSGM.
        symmetry_kernel: of CBSM.
        norm: ``none`` (the paper names none) or ``batch`` after the fusion.
    """

    def __init__(
        self,
        channels: int,
        *,
        ssgm: bool = True,
        cbsm: bool = True,
        kernel_size: int = 3,
        symmetry_kernel: int = 7,
        norm: str = "none",
    ) -> None:
        super().__init__()
        self.ssgm = SpatialSemanticGrounding(channels, kernel_size) if ssgm else None
        self.cbsm = CrossBilateralSymmetry(channels, symmetry_kernel) if cbsm else None
        self.fuse = nn.Conv2d(channels * (1 + ssgm + cbsm), channels, 1)
        self.norm = nn.BatchNorm2d(channels) if norm == "batch" else nn.Identity()

    def forward(self, x: Tensor, axis: Tensor | None = None) -> Tensor:
        """Return the enhanced map (B, C, h, w); ``axis`` as in `reflect`."""
        parts = [x]
        if self.ssgm is not None:
            parts.append(self.ssgm(x))
        if self.cbsm is not None:
            parts.append(self.cbsm(x, axis))
        return self.norm(self.fuse(torch.cat(parts, 1)))

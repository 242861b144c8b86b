"""Convolutions that oneDNN computes together with the activation or the sum that follows.

They are what PyTorch's own compiler calls and no public interface, so their results are compared
with those of the public one before they are used.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ActiveConvolution(nn.Conv2d):
    """A convolution with the ReLU or LeakyReLU behind it, in one pass where oneDNN can.

    Args:
        convolution: without groups; its weights are taken over.
        slope: of the activation below zero; 0 for ReLU.
    """

    def __init__(self, convolution: Any, slope: float) -> None:
        sizes = {n: getattr(convolution, n) for n in ("stride", "padding", "dilation")}
        channels = convolution.in_channels, convolution.out_channels
        super().__init__(*channels, convolution.kernel_size, **sizes, device="meta")
        self.weight, self.bias, self.slope = convolution.weight, convolution.bias, slope

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, H, W) to (B, C_out, h, w)."""
        x = x.to(self.weight.dtype)
        if fused_as(x):
            return convolution_and_leaky(x, self, self.slope)
        return F.leaky_relu(super().forward(x), self.slope, inplace=True)


def fused_as(x: Tensor) -> bool:
    """Return whether fused convolutions compute a map of this format as the plain ones would.

    Autocast knows nothing of them: it would leave them in float32.
    """
    own = x.dtype is not torch.float32 or not torch.is_autocast_enabled("cpu")
    return own and x.device.type == "cpu" and onednn_fuses(x.dtype)


def convolution_and_leaky(x: Tensor, by: nn.Conv2d, slope: float) -> Tensor:
    """Return the LeakyReLU of a convolution, in one pass."""
    kind, numbers = ("leaky_relu", [slope]) if slope else ("relu", [])
    return torch.ops.mkldnn._convolution_pointwise(
        x, by.weight, by.bias, by.padding, by.stride, by.dilation, 1, kind, numbers, ""
    )


def add_convolution(target: Tensor, x: Tensor, by: nn.Conv2d) -> Tensor:
    """Add a convolution to a map, in place and in one pass."""
    return _added(target, x, by, None)


def add_and_relu(target: Tensor, x: Tensor, by: nn.Conv2d) -> Tensor:
    """Make a map the ReLU of itself plus a convolution, in place; in one pass where it can be."""
    side_by_side = all(t.is_contiguous(memory_format=torch.channels_last) for t in (target, x))
    if side_by_side and target.shape[1] > 1:  # others are refused
        return _added(target, x, by, "relu")
    return F.relu(_added(target, x, by, None), inplace=True)


def _added(target: Tensor, x: Tensor, by: nn.Conv2d, then: str | None) -> Tensor:
    sizes = by.padding, by.stride, by.dilation
    fused = torch.ops.mkldnn._convolution_pointwise_.binary
    return fused(target, x, by.weight, by.bias, *sizes, 1, "add", 1.0, then, [], None)


@cache
def onednn_fuses(dtype: torch.dtype) -> bool:
    """Return whether this PyTorch and this CPU have oneDNN's fused convolutions, tried out once."""
    with torch.random.fork_rng(devices=[]):
        convolution = nn.Conv2d(3, 4, 3, padding=1).requires_grad_(False).to(dtype)
        maps = torch.rand(2, 3, 6, 5).to(dtype) - 0.5, torch.rand(2, 4, 6, 5).to(dtype)
        x, target = (m.contiguous(memory_format=torch.channels_last) for m in maps)
    try:
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            plain = convolution(x)
            pairs = (
                (convolution_and_leaky(x, convolution, 0.1), F.leaky_relu(plain, 0.1)),
                (convolution_and_leaky(x, convolution, 0.0), F.relu(plain)),
                (add_convolution(target.clone(), x, convolution), target + plain),
                (add_and_relu(target.clone(), x, convolution), F.relu(target + plain)),
            )
    except (RuntimeError, AttributeError, TypeError):
        return False
    return all(torch.allclose(a.float(), b.float(), rtol=0.02, atol=0.02) for a, b in pairs)


def slope_of(module: Any) -> float | None:
    """Return the slope below zero of a ReLU or LeakyReLU, None for anything else."""
    if type(module) is nn.LeakyReLU:
        return float(module.negative_slope)
    return 0.0 if type(module) is nn.ReLU else None


def fusable(module: Any) -> bool:
    """Return whether a module is a convolution that oneDNN's fused ones can stand in for."""
    return type(module) is nn.Conv2d and module.groups == 1 and module.padding_mode == "zeros"

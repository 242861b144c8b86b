"""The same network, computed in an order that a CPU likes; results agree to rounding.

With bfloat16 the convolutions are no longer what takes the time: normalisation, attention and
modulation are, because each is several passes over the largest maps. Here batch norms become part
of the convolutions before them, and the other passes are put together or laid out so that they
vectorise (measured on the compact FiLM U-Net at 256 px, one thread, bfloat16: a third less time).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ...nn import (
    AttentiveResidualBlock,
    ChannelSELayer,
    ConditionalBatchNorm2d,
    SpatialAttention,
)

if TYPE_CHECKING:
    from ...systems.base import PromptedSegmenter


class FastSpatialAttention(nn.Module):
    """`nn.SpatialAttention` for maps whose channels lie side by side.

    Args:
        convolution: the one convolution of the attention, two channels to one.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.conv = convolution

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` (B, C, H, W) weighted by an attention map (B, 1, H, W) in (0, 1)."""
        channels = x.shape[1]
        # A sum over few neighbouring numbers is a convolution's work, a maximum that of planes.
        total = F.conv2d(x, torch.ones(1, channels, 1, 1, dtype=x.dtype, device=x.device))
        highest = x.contiguous().amax(1, keepdim=True)
        pooled = torch.cat([total.to(highest.dtype) / channels, highest], dim=1)
        weight = torch.sigmoid(self.conv(pooled)).to(x.dtype).expand_as(x)
        return x * weight.contiguous(memory_format=torch.channels_last)


class FastChannelSE(nn.Module):
    """`nn.ChannelSELayer` for maps whose channels lie side by side.

    Args:
        layer: the squeeze-and-excitation layer.
    """

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.fc = layer.fc

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` (B, C, H, W) with every channel weighted in (0, 1)."""
        batch, channels, height, width = x.shape
        places = x.permute(0, 2, 3, 1).reshape(batch, height * width, channels)
        # The mean as a product of matrices: it needs no copy of the map in float32.
        ones = torch.ones(batch, 1, height * width, dtype=x.dtype, device=x.device)
        squeezed = torch.bmm(ones, places)[:, 0].float() / (height * width)
        return x * self.fc(squeezed).to(x.dtype)[:, :, None, None]


class FastConditionalBatchNorm(nn.Module):
    """`nn.ConditionalBatchNorm2d` in evaluation mode as one pass over the map.

    Args:
        module: with a batch norm ``norm`` without affine part and a ``film``.
    """

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.gamma, self.beta = module.film.gamma, module.film.beta
        deviation = torch.sqrt(module.norm.running_var.float() + module.norm.eps)
        self.register_buffer("mean", module.norm.running_mean.float().clone())
        self.register_buffer("inverse", 1.0 / deviation)
        self.register_buffer("zero", torch.zeros_like(deviation))
        self.register_buffer("one", torch.ones_like(deviation))

    mean: Tensor
    inverse: Tensor
    zero: Tensor
    one: Tensor

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        """Normalise and modulate ``x`` (B, C, H, W) by the sentence vectors ``text`` (B, T)."""
        factor = (1.0 + self.gamma(text).float()) * self.inverse
        shift = self.beta(text).float() - self.mean * factor
        if bool((factor == factor[:1]).all()) and bool((shift == shift[:1]).all()):
            # One prompt for the whole batch, the usual case: a batch norm in a single kernel.
            return F.batch_norm(x, self.zero, self.one, factor[0], shift[0], False, 0.0, 0.0)
        y = x * factor[:, :, None, None].to(x.dtype)
        return y + shift[:, :, None, None].to(x.dtype)


def fold_norms(block: Any) -> None:
    """Make the batch norms of an `AttentiveResidualBlock` part of its convolutions, in place."""
    for number in ("1", "2"):
        norm = getattr(block, f"norm{number}")
        if isinstance(norm, nn.BatchNorm2d):
            setattr(block, f"conv{number}", _fused(getattr(block, f"conv{number}"), norm))
            setattr(block, f"norm{number}", nn.Identity())
    if isinstance(block.shortcut, nn.Sequential) and isinstance(block.shortcut[1], nn.BatchNorm2d):
        block.shortcut = _fused(block.shortcut[0], block.shortcut[1])


def _fused(convolution: Any, norm: nn.BatchNorm2d) -> nn.Module:
    """Return one convolution for a convolution and the batch norm after it."""
    return fuse_conv_bn_eval(convolution, norm)


def faster_on_cpu(model: PromptedSegmenter) -> PromptedSegmenter:
    """Return the network rebuilt for a CPU, or itself where there is nothing to gain.

    Args:
        model: in evaluation mode; it is not changed.
    """
    ours = (AttentiveResidualBlock, ConditionalBatchNorm2d, SpatialAttention)
    if model.training or not any(isinstance(module, ours) for module in model.modules()):
        return model
    model = copy.deepcopy(model)
    for parent in list(model.modules()):
        if isinstance(parent, AttentiveResidualBlock):
            fold_norms(parent)
        for name, child in list(parent.named_children()):
            if isinstance(child, SpatialAttention):
                setattr(parent, name, FastSpatialAttention(child.conv))
            elif type(child) is ChannelSELayer:
                setattr(parent, name, FastChannelSE(child))
            elif isinstance(child, ConditionalBatchNorm2d) and isinstance(
                child.norm, nn.BatchNorm2d
            ):
                setattr(parent, name, FastConditionalBatchNorm(child))
    return model.requires_grad_(False)

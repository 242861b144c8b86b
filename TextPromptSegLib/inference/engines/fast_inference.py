"""The same network, computed in an order that a CPU likes; results agree to rounding.

With bfloat16 the convolutions are no longer what takes the time: normalisation, attention and
modulation are, because each is several passes over the largest maps. Here batch norms become part
of the convolutions before them, activations and sums part of the convolutions themselves where
PyTorch's oneDNN can do that, weights are rounded to bfloat16 once and not in every call, and the
other passes are put together or laid out so that they vectorise.
"""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...nn import (
    AttentiveResidualBlock,
    ChannelSELayer,
    ConditionalBatchNorm2d,
    SpatialAttention,
)
from .folded_norms import joined

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
        return self._modulate(x, text, 0.0)

    def added(self, x: Tensor, text: Tensor) -> Tensor:
        """Return ``x`` plus its normalised and modulated self."""
        return self._modulate(x, text, 1.0)

    def _modulate(self, x: Tensor, text: Tensor, more: float) -> Tensor:
        alike = bool((text == text[:1]).all())
        text = (text[:1] if alike else text).to(self.gamma.weight.dtype)
        factor = (1.0 + self.gamma(text).float()) * self.inverse
        shift = self.beta(text).float() - self.mean * factor
        factor = factor + more
        if alike:
            # One prompt for the whole batch, the usual case: a batch norm in a single kernel.
            return F.batch_norm(x, self.zero, self.one, factor[0], shift[0], False, 0.0, 0.0)
        y = x * factor[:, :, None, None].to(x.dtype)
        return y + shift[:, :, None, None].to(x.dtype)


class FastResidualBlock(nn.Module):
    """`nn.AttentiveResidualBlock` in evaluation mode, its batch norms part of its convolutions.

    Args:
        block: the block; its parts are taken over.
    """

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.conv1, self.norm1 = joined(block.conv1, block.norm1)
        self.conv2, self.norm2 = joined(block.conv2, block.norm2)
        self.shortcut = block.shortcut
        if isinstance(block.shortcut, nn.Sequential):
            convolution, norm = joined(*block.shortcut)
            kept = [] if isinstance(norm, nn.Identity) else [norm]
            self.shortcut = nn.Sequential(convolution, *kept) if kept else convolution
        # Into new memory: measured a third quicker than in place.
        self.act = nn.LeakyReLU(block.act.negative_slope)
        self.tail = block.tail
        self.alone = all(isinstance(n, nn.Identity) for n in (self.norm1, self.norm2))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, H, W) to (B, C_out, H, W)."""
        x = x.to(self.conv1.weight.dtype)
        # Autocast knows nothing of the fused convolutions: it would leave them in float32.
        own = x.dtype is not torch.float32 or not torch.is_autocast_enabled("cpu")
        if not (own and self.alone and onednn_fuses(x.dtype)):
            y = self.act(self.norm1(self.conv1(x)))
            return self.tail(self.act(self.norm2(self.conv2(y)) + self.shortcut(x)))
        y = _convolution_and_leaky(x, self.conv1, self.act.negative_slope)
        joined = x.clone() if isinstance(self.shortcut, nn.Identity) else self.shortcut(x)
        return self.tail(self.act(_add_convolution(joined, y, self.conv2)))


def _convolution_and_leaky(x: Tensor, by: nn.Conv2d, slope: float) -> Tensor:
    """Return the LeakyReLU of a convolution, in one pass."""
    return torch.ops.mkldnn._convolution_pointwise(
        x, by.weight, by.bias, by.padding, by.stride, by.dilation, 1, "leaky_relu", [slope], ""
    )


def _add_convolution(target: Tensor, x: Tensor, by: nn.Conv2d) -> Tensor:
    """Add a convolution to a map, in place and in one pass."""
    return torch.ops.mkldnn._convolution_pointwise_.binary(
        target,
        x,
        by.weight,
        by.bias,
        by.padding,
        by.stride,
        by.dilation,
        1,
        "add",
        1.0,
        None,
        [],
        None,
    )


@cache
def onednn_fuses(dtype: torch.dtype) -> bool:
    """Return whether this PyTorch and this CPU have oneDNN's fused convolutions, tried out once.

    They are what PyTorch's own compiler calls and no public interface, so their results are
    compared with those of the public one.
    """
    with torch.random.fork_rng(devices=[]):
        convolution = nn.Conv2d(3, 4, 3, padding=1).requires_grad_(False).to(dtype)
        x, target = torch.rand(2, 3, 6, 5).to(dtype) - 0.5, torch.rand(2, 4, 6, 5).to(dtype)
    try:
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            plain = convolution(x)
            pairs = (
                (_convolution_and_leaky(x, convolution, 0.1), F.leaky_relu(plain, 0.1)),
                (_add_convolution(target.clone(), x, convolution), target + plain),
            )
    except (RuntimeError, AttributeError, TypeError):
        return False
    return all(torch.allclose(a.float(), b.float(), rtol=0.02, atol=0.02) for a, b in pairs)


def faster_on_cpu(model: PromptedSegmenter, dtype: torch.dtype | None = None) -> PromptedSegmenter:
    """Return the network rebuilt for a CPU, or itself where there is nothing to gain.

    Args:
        model: in evaluation mode; it is not changed.
        dtype: reduced number format that it will be run in, None for its own.
    """
    ours = (AttentiveResidualBlock, ConditionalBatchNorm2d, SpatialAttention)
    if model.training or not any(isinstance(module, ours) for module in model.modules()):
        return model
    model = copy.deepcopy(model)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, AttentiveResidualBlock):
                setattr(parent, name, FastResidualBlock(child))
            elif isinstance(child, SpatialAttention):
                setattr(parent, name, FastSpatialAttention(child.conv))
            elif type(child) is ChannelSELayer:
                setattr(parent, name, FastChannelSE(child))
            elif isinstance(child, ConditionalBatchNorm2d) and isinstance(
                child.norm, nn.BatchNorm2d
            ):
                setattr(parent, name, FastConditionalBatchNorm(child))
    if dtype is not None and model.rounds_all_weights:
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                module.to(dtype)
    return model.requires_grad_(False)

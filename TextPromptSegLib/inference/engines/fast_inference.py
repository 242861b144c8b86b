"""The same network, computed in an order that a CPU likes; results agree to rounding.

With bfloat16 the convolutions are no longer what takes the time: normalisation, attention and
modulation are, because each is several passes over the largest maps. Here batch norms become part
of the convolutions before them, activations and sums part of the convolutions themselves where
PyTorch's oneDNN can do that, weights are rounded to bfloat16 once and not in every call, and the
other passes are put together or laid out so that they vectorise.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...nn import (
    AttentiveResidualBlock,
    ChannelSELayer,
    ConditionalBatchNorm2d,
    FiLM,
    SpatialAttention,
)
from .fast_resnet import fast_part
from .folded_norms import joined
from .fused_convolutions import add_convolution, convolution_and_leaky, fused_as

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
        text = _alike(text).to(self.gamma.weight.dtype)
        factor = (1.0 + self.gamma(text).float()) * self.inverse
        shift = self.beta(text).float() - self.mean * factor
        return _scaled(x, factor + more, shift, self.zero, self.one)


class FastFiLM(nn.Module):
    """`nn.FiLM` as one pass over the map where all rows have the same words, the usual case.

    Args:
        module: with the linear layers ``gamma`` and ``beta``.
    """

    zero: Tensor
    one: Tensor

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.gamma, self.beta = module.gamma, module.beta
        self.register_buffer("zero", torch.zeros_like(module.beta.bias))
        self.register_buffer("one", torch.ones_like(module.beta.bias))

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        """Modulate ``x`` (B, C, H, W) by the sentence vectors ``text`` (B, T)."""
        text = _alike(text).to(self.gamma.weight.dtype)
        factor = 1.0 + self.gamma(text).float()
        return _scaled(x, factor, self.beta(text).float(), self.zero, self.one)


def _alike(text: Tensor) -> Tensor:
    """Return one row (1, T) where all of ``text`` (B, T) are the same, else all of them."""
    return text[:1] if bool((text == text[:1]).all()) else text


def _scaled(x: Tensor, factor: Tensor, shift: Tensor, zero: Tensor, one: Tensor) -> Tensor:
    """Return ``x`` (B, C, H, W) times ``factor`` plus ``shift``, both (B or 1, C)."""
    if len(factor) == 1:
        # A batch norm in a single kernel; nothing is normalised.
        return F.batch_norm(x, zero, one, factor[0], shift[0], False, 0.0, 0.0)
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
        if not (self.alone and fused_as(x)):
            y = self.act(self.norm1(self.conv1(x)))
            return self.tail(self.act(self.norm2(self.conv2(y)) + self.shortcut(x)))
        y = convolution_and_leaky(x, self.conv1, self.act.negative_slope)
        joined = x.clone() if isinstance(self.shortcut, nn.Identity) else self.shortcut(x)
        return self.tail(self.act(add_convolution(joined, y, self.conv2)))


def faster_on_cpu(
    model: PromptedSegmenter, dtype: torch.dtype | None = None, own: bool = False
) -> PromptedSegmenter:
    """Return the network rebuilt for a CPU, or itself where there is nothing to gain.

    Args:
        model: in evaluation mode; it is not changed, unless it is ``own``.
        dtype: reduced number format that it will be run in, None for its own.
        own: nobody else has the network, so it needs no copy.
    """
    rounded = dtype is not None and model.rounds_all_weights
    ours = (AttentiveResidualBlock, ConditionalBatchNorm2d, SpatialAttention)
    if model.training or not (rounded or any(isinstance(m, ours) for m in model.modules())):
        return model
    model = model if own else copy.deepcopy(model)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, AttentiveResidualBlock):
                setattr(parent, name, FastResidualBlock(child))
            elif isinstance(child, SpatialAttention):
                setattr(parent, name, FastSpatialAttention(child.conv))
            elif type(child) is ChannelSELayer:
                setattr(parent, name, FastChannelSE(child))
            elif type(child) is FiLM:
                setattr(parent, name, FastFiLM(child))
            elif isinstance(child, ConditionalBatchNorm2d) and isinstance(
                child.norm, nn.BatchNorm2d
            ):
                setattr(parent, name, FastConditionalBatchNorm(child))
            elif (quick := fast_part(child)) is not None:
                setattr(parent, name, quick)
    if rounded:
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                module.to(dtype)
    return model.requires_grad_(False)

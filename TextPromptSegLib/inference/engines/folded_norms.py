"""Batch norms and activations behind frozen convolutions as part of them: fewer passes."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .fused_convolutions import ActiveConvolution, fusable, slope_of

M = TypeVar("M", bound=nn.Module)


def joined(convolution: Any, norm: nn.Module) -> tuple[nn.Conv2d, nn.Module]:
    """Return one convolution for both and nothing, or both where the norm needs the picture.

    Args:
        convolution: the convolution.
        norm: what follows it; only a batch norm in evaluation mode can be part of it.
    """
    if isinstance(norm, nn.BatchNorm2d):
        convolution, norm = fuse_conv_bn_eval(convolution, norm), nn.Identity()
    return convolution, norm


def folded(model: M, own: bool = False) -> M:
    """Return a network whose convolutions hold what follows them, or itself where nothing does.

    Batch norms and ReLUs are told by where they stand: in an `nn.Sequential` behind the
    convolution, or as ``bn1`` and ``act1`` beside ``conv1``, as the ResNets of open_clip have it
    (of ``conv3`` the norm alone: its activation waits for the shortcut). Results agree to rounding.

    Args:
        model: in evaluation mode; it is not changed, unless it is ``own``.
        own: nobody else has the network, so it needs no copy.
    """
    if model.training or not any(True for part in model.modules() for _ in _pairs(part)):
        return model
    model = model if own else copy.deepcopy(model)
    for part in list(model.modules()):
        for first, second in list(_pairs(part)):
            both = joined(getattr(part, first), getattr(part, second))
            for name, module in zip((first, second), both, strict=True):
                setattr(part, name, module)
    for part in list(model.modules()):
        for first, second in list(_active(part)):
            slope = slope_of(getattr(part, second))
            assert slope is not None
            setattr(part, first, ActiveConvolution(getattr(part, first), slope))
            setattr(part, second, nn.Identity())
    return model.requires_grad_(False)


def _following(part: nn.Module, kind: str) -> Iterator[tuple[str, str]]:
    """Yield the names of convolutions of a module and of what comes next, or beside, in it."""
    children = dict(part.named_children())
    if isinstance(part, nn.Sequential):
        yield from pairwise(n for n, m in children.items() if not isinstance(m, nn.Identity))
    else:
        yield from ((n, n.replace("conv", kind, 1)) for n in children if n.startswith("conv"))


def _pairs(part: nn.Module) -> Iterator[tuple[str, str]]:
    """Yield the names of a convolution and of the batch norm that follows it in a module."""
    children = dict(part.named_children())
    for first, second in _following(part, "bn"):
        if isinstance(children[first], nn.Conv2d) and isinstance(
            children.get(second), nn.BatchNorm2d
        ):
            yield first, second


def _active(part: nn.Module) -> Iterator[tuple[str, str]]:
    """Yield the names of a convolution and of the activation that follows it in a module."""
    children = dict(part.named_children())
    for first, second in _following(part, "act"):
        if not fusable(children[first]) or slope_of(children.get(second)) is None:
            continue
        norm = children.get(first.replace("conv", "bn", 1))
        beside = first != "conv3" and isinstance(norm, nn.Identity)
        if beside or isinstance(part, nn.Sequential):
            yield first, second

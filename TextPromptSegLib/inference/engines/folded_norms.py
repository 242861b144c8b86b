"""Batch norms of frozen convolutions as part of them: one pass over the maps less."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

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


def folded(model: M) -> M:
    """Return a network without the batch norms that follow a convolution, or itself without any.

    They are told by where they stand: in an `nn.Sequential` behind the convolution, or as ``bn1``
    beside ``conv1``, as the ResNets of torchvision and open_clip have it. Results agree to
    rounding.

    Args:
        model: in evaluation mode; it is not changed.
    """
    if model.training or not any(True for part in model.modules() for _ in _pairs(part)):
        return model
    model = copy.deepcopy(model)
    for part in list(model.modules()):
        for first, second in list(_pairs(part)):
            both = joined(getattr(part, first), getattr(part, second))
            for name, module in zip((first, second), both, strict=True):
                setattr(part, name, module)
    return model.requires_grad_(False)


def _pairs(part: nn.Module) -> Iterator[tuple[str, str]]:
    """Yield the names of a convolution and of the batch norm that follows it in a module."""
    children = dict(part.named_children())
    if isinstance(part, nn.Sequential):
        names = list(pairwise(children))
    else:
        names = [(n, n.replace("conv", "bn", 1)) for n in children if n.startswith("conv")]
    for first, second in names:
        if isinstance(children[first], nn.Conv2d) and isinstance(
            children.get(second), nn.BatchNorm2d
        ):
            yield first, second

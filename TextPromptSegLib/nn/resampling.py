"""Maps made smaller, and repeated for several prompts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def halve(x: Tensor) -> Tensor:
    """Return the maximum of every 2 x 2 places of (B, C, H, W); of odd sides the last is left out.

    Without a gradient nobody needs to know which of the four it was, and where the channels lie
    side by side two maxima over whole rows are quicker than the pooling that finds out. So are
    they in a compiled network, also with a gradient (of equal ones each gets a part of it): the
    way back through the pooling is a scatter there that one thread makes alone.
    """
    side_by_side = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    if not torch.compiler.is_compiling() and (torch.is_grad_enabled() or not side_by_side):
        return F.max_pool2d(x, 2)
    height, width = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
    rows = x.permute(0, 2, 3, 1)[:, :height, :width].unflatten(1, (-1, 2))
    rows = torch.maximum(rows[:, :, 0], rows[:, :, 1]).unflatten(2, (-1, 2))
    return torch.maximum(rows[..., 0, :], rows[..., 1, :]).permute(0, 3, 1, 2)


class _Repeat(torch.autograd.Function):
    """`repeat_rows`, whose gradient is one matrix product."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        ctx.count = x.shape[0]
        return x.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        members = F.one_hot(index, ctx.count).t().to(gradient.dtype)
        last = gradient.ndim == 4 and gradient.is_contiguous(memory_format=torch.channels_last)
        rows = gradient.permute(0, 2, 3, 1) if last else gradient
        summed = (members @ rows.reshape(len(index), -1)).view(ctx.count, *rows.shape[1:])
        return summed.permute(0, 3, 1, 2) if last else summed, None


def repeat_rows(x: Tensor, index: Tensor) -> Tensor:
    """Return rows of x (B, ...) by ``index`` (N,): a slice's features for each of its prompts.

    As ``index_select``, whose gradient adds row after row in one thread.
    """
    if not (torch.is_grad_enabled() and x.requires_grad):
        return x.index_select(0, index)
    return _Repeat.apply(x, index)

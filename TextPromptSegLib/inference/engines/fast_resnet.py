"""The ResNet of a CLIP's image tower with less around its convolutions, for a CPU.

The blocks are told by what they have: open_clip's are not imported for that.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .fused_convolutions import add_and_relu, fusable, fused_as


class FastBottleneck(nn.Module):
    """open_clip's ``Bottleneck``: the sum and the last ReLU are part of the last convolution.

    Args:
        block: its norms folded, see `folded_norms`; its parts are taken over.
    """

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.conv1, self.bn1, self.act1 = block.conv1, block.bn1, block.act1
        self.conv2, self.bn2, self.act2 = block.conv2, block.bn2, block.act2
        self.avgpool, self.downsample = block.avgpool, block.downsample
        self.conv3 = block.conv3

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, H, W) to (B, C_out, h, w)."""
        y = self.act1(self.bn1(self.conv1(x)))
        y = self.avgpool(self.act2(self.bn2(self.conv2(y)))).to(self.conv3.weight.dtype)
        # A map that nobody else holds is summed up in place.
        target = (x.clone() if self.downsample is None else self.downsample(x)).to(y.dtype)
        if fused_as(y):
            return add_and_relu(target, y, self.conv3)
        return F.relu(target + self.conv3(y), inplace=True)


class FastAttentionPool(nn.Module):
    """open_clip's ``AttentionPool2d``: only the mean asks, since only its answer is used.

    Args:
        pool: its layers are taken over.
    """

    def __init__(self, pool: Any) -> None:
        super().__init__()
        self.positional_embedding, self.heads = pool.positional_embedding, pool.num_heads
        self.q_proj, self.k_proj, self.v_proj = pool.q_proj, pool.k_proj, pool.v_proj
        self.c_proj = pool.c_proj

    def forward(self, x: Tensor) -> Tensor:
        """Return vectors (B, D) of maps (B, C, H, W)."""
        places = x.permute(0, 2, 3, 1).flatten(1, 2)
        places = torch.cat([places.mean(1, keepdim=True), places], 1)
        # In rows, or the linear layers would be products of a matrix for each picture.
        places = (places + self.positional_embedding.to(places.dtype)).contiguous()
        mean = places[:, 0].contiguous()
        parts = self.q_proj(mean)[:, None], self.k_proj(places), self.v_proj(places)
        query, key, value = (p.unflatten(2, (self.heads, -1)).transpose(1, 2) for p in parts)
        seen = F.scaled_dot_product_attention(query, key, value)
        return self.c_proj(seen.flatten(1))


def fast_part(module: Any) -> nn.Module | None:
    """Return what stands in for a part of open_clip's ResNet, None for anything else."""
    kind, has = type(module).__name__, dict(module.named_children())
    if kind == "AttentionPool2d" and {"q_proj", "k_proj", "v_proj", "c_proj"} <= set(has):
        return FastAttentionPool(module)
    last = isinstance(has.get("bn3"), nn.Identity) and isinstance(has.get("act3"), nn.ReLU)
    if kind == "Bottleneck" and last and fusable(has.get("conv3")) and "avgpool" in has:
        return FastBottleneck(module)
    return None

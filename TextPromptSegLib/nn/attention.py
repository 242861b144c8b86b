"""Squeeze-and-excitation (Hu et al. 2018) and CBAM's attention over places and channels.

https://arxiv.org/abs/1709.01507, https://arxiv.org/abs/1807.06521
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ChannelSELayer(nn.Module):
    """Squeeze-and-excitation: weight every channel by its mean through an MLP.

    Weights and results are those of `monai.networks.blocks.ChannelSELayer` (tested). It is here
    because importing MONAI for this one layer was half of the time until the first answer.

    Args:
        channels: channels of the map.
        ratio: reduction r of the hidden layer.

    Raises:
        ValueError: when nothing is left of the hidden layer.
    """

    def __init__(self, channels: int, ratio: int = 16) -> None:
        super().__init__()
        hidden = channels // ratio
        if hidden < 1:
            raise ValueError(f"a squeeze of {channels} channels by {ratio} leaves none")
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(channels, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, channels),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` (B, C, H, W) with every channel weighted in (0, 1)."""
        return x * self.fc(self.avg_pool(x).flatten(1))[:, :, None, None]


class SpatialAttention(nn.Module):
    """Weight every place by a map made from the channels' mean and maximum (CBAM, section 3).

    Args:
        kernel_size: side of the one convolution, px (odd). Without bias: ``2 * kernel_size**2``
            weights.
    """

    def __init__(self, kernel_size: int = 7) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` (B, C, H, W) weighted by an attention map (B, 1, H, W) in (0, 1)."""
        pooled = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], dim=1)
        return x * torch.sigmoid(self.conv(pooled))


class ChannelAttention(nn.Module):
    """Weight every channel by its mean and maximum through one shared MLP (CBAM, section 3).

    Args:
        channels: channels of the map.
        ratio: reduction of the hidden layer.
    """

    def __init__(self, channels: int, ratio: int = 16) -> None:
        super().__init__()
        hidden = max(1, channels // ratio)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` (B, C, H, W) with every channel weighted in (0, 1)."""
        weight = torch.sigmoid(self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3))))
        return x * weight[:, :, None, None]

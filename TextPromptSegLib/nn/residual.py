"""The unit that both sides of the FiLM U-Net are made of."""

from __future__ import annotations

from torch import Tensor, nn

from .attention import ChannelAttention, ChannelSELayer, SpatialAttention
from .conditioning import make_norm


class AttentiveResidualBlock(nn.Module):
    """Residual double convolution, squeeze-and-excitation, CBAM, dropout (FiLM paper, 3.1).

    ``(conv3x3 - BN - LeakyReLU) x 2`` with the activation of the second after the sum; a 1x1
    convolution + BN on the shortcut where the number of channels changes.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        se: use squeeze-and-excitation.
        cbam: use CBAM's spatial attention.
        channel_attention: use CBAM's channel attention as well (the paper prints only the
            spatial branch).
        se_ratio: reduction of squeeze-and-excitation.
        kernel_size: side of CBAM's convolution, px.
        dropout: probability of dropping a whole channel.
        negative_slope: slope of the LeakyReLU below zero.
        norm: ``batch`` (the paper) or ``group``, see `make_norm`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        se: bool = True,
        cbam: bool = True,
        channel_attention: bool = False,
        se_ratio: int = 16,
        kernel_size: int = 7,
        dropout: float = 0.1,
        negative_slope: float = 0.1,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.norm1 = make_norm(norm, out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = make_norm(norm, out_channels)
        self.act = nn.LeakyReLU(negative_slope, inplace=True)
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, bias=False), make_norm(norm, out_channels)
            )
        tail: list[nn.Module] = []
        if se:
            tail.append(ChannelSELayer(out_channels, min(se_ratio, out_channels)))
        if cbam and channel_attention:
            tail.append(ChannelAttention(out_channels, min(se_ratio, out_channels)))
        if cbam:
            tail.append(SpatialAttention(kernel_size))
        if dropout:
            tail.append(nn.Dropout2d(dropout))
        self.tail = nn.Sequential(*tail)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, H, W) to (B, C_out, H, W)."""
        y = self.act(self.norm1(self.conv1(x)))
        y = self.act(self.norm2(self.conv2(y)) + self.shortcut(x))
        return self.tail(y)

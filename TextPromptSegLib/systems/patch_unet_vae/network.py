"""The patch network: UNet with a spatial latent code, one decoder, two heads (paper, section 2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...nn import FiLM, halve
from .config import PatchUNetVAEConfig


class DoubleConvolution(nn.Sequential):
    """``(conv3x3 - BN - LeakyReLU) x 2``.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        slope: of LeakyReLU below zero.
    """

    def __init__(self, in_channels: int, out_channels: int, slope: float) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.LeakyReLU(slope, inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.LeakyReLU(slope, inplace=True),
        )


class DecoderLevel(nn.Module):
    """Transposed convolution 2x2, skip, double convolution, (FiLM by the text)."""

    def __init__(self, below: int, out: int, config: PatchUNetVAEConfig) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(below, out, 2, stride=2)
        self.block = DoubleConvolution(2 * out, out, config.negative_slope)
        self.film = FiLM(config.text_dim, out) if config.text == "film" else None

    def forward(self, x: Tensor, skip: Tensor, sentence: Tensor | None) -> Tensor:
        """Double the resolution of ``x`` and join it with ``skip``."""
        y = self.block(torch.cat([self.up(x), skip], dim=1))
        if self.film is not None:
            assert sentence is not None
            y = self.film(y, sentence)
        return y


@dataclass(frozen=True)
class Code:
    """What the encoder makes of patches.

    Attributes:
        skips: maps (B, C, h, w), finest first.
        mean: of the latent code (B, Z, h, w).
        log_variance: of the latent code, clamped to [-30, 20].
    """

    skips: tuple[Tensor, ...]
    mean: Tensor
    log_variance: Tensor

    def sample(self, temperature: float = 1.0) -> Tensor:
        """Draw mean + temperature * deviation * noise."""
        noise = torch.randn_like(self.mean) * temperature
        return self.mean + (0.5 * self.log_variance).exp() * noise

    def index(self, rows: Tensor) -> Code:
        """Select or repeat rows."""
        skips = tuple(s.index_select(0, rows) for s in self.skips)
        return Code(skips, self.mean.index_select(0, rows), self.log_variance.index_select(0, rows))


class PatchVAE(nn.Module):
    """Encoder, spatial code, decoder with skips, Tanh and sigmoid heads.

    1 939 042 parameters at 32-256 channels and 16 latent ones (without text).

    Args:
        config: sizes and switches.
    """

    def __init__(self, config: PatchUNetVAEConfig) -> None:
        super().__init__()
        self.config = config
        widths, code = config.channels, config.latent_channels
        before = (config.in_channels, *widths[:-1])
        self.encoder = nn.ModuleList(
            DoubleConvolution(a, b, config.negative_slope)
            for a, b in zip(before, widths, strict=True)
        )
        self.to_mean = nn.Conv2d(widths[-1], code, 1)
        self.to_log_variance = nn.Conv2d(widths[-1], code, 1)
        self.from_code = nn.Conv2d(code, widths[-1], 1)
        self.film = FiLM(config.text_dim, widths[-1]) if config.text == "film" else None
        self.decoder = nn.ModuleList(
            DecoderLevel(widths[level + 1], widths[level], config)
            for level in reversed(range(len(widths) - 1))
        )
        self.reconstruction = nn.Conv2d(widths[0], config.in_channels, 1)
        self.segmentation = nn.Conv2d(widths[0], 1, 1)

    def encode(self, patches: Tensor) -> Code:
        """Encode ``patches`` (B, C, H, W) in [-1, 1]; sides are multiples of ``stride``."""
        maps = []
        x = patches
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else halve(x))
            maps.append(x)
        spread = self.to_log_variance(x).clamp(-30.0, 20.0)
        return Code(tuple(maps[:-1]), self.to_mean(x), spread)

    def decode(
        self, z: Tensor, skips: tuple[Tensor, ...], sentence: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return reconstruction (B, C, H, W) in [-1, 1] and segmentation logits (B, 1, H, W).

        Args:
            z: latent code (B, Z, h, w).
            skips: of `Code`.
            sentence: sentence vectors (B, T); needed by a network with ``text: film``.
        """
        x = self._grown(z, skips, sentence)
        return torch.tanh(self.reconstruction(x)), self.segmentation(x)

    def segment(
        self, z: Tensor, skips: tuple[Tensor, ...], sentence: Tensor | None = None
    ) -> Tensor:
        """Return the segmentation logits of `decode` alone."""
        return self.segmentation(self._grown(z, skips, sentence))

    def _grown(self, z: Tensor, skips: tuple[Tensor, ...], sentence: Tensor | None) -> Tensor:
        """Return the map (B, C, H, W) that both heads look at."""
        x = self.from_code(z)
        if self.film is not None:
            assert sentence is not None
            x = self.film(x, sentence)
        for level, stage in enumerate(self.decoder):
            x = stage(x, skips[-1 - level], sentence)
        return x

    def drop_skips(self, skips: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Leave out whole skips of some patches, while training with ``skips: dropout``."""
        if not self.training or self.config.skips != "dropout":
            return skips
        share = self.config.skip_dropout
        kept = [torch.rand(len(s), 1, 1, 1, device=s.device) >= share for s in skips]
        return tuple(s * k.to(s.dtype) for s, k in zip(skips, kept, strict=True))

    @torch.no_grad()
    def synthesise(
        self, patches: Tensor, sentence: Tensor | None = None, temperature: float = 1.0
    ) -> Tensor:
        """Return synthetic versions (B, C, H, W) in [-1, 1] of real patches; no gradient.

        The skips are the real patch's, its code is drawn anew: appearance changes, anatomy and
        so the mask stay.
        """
        training = self.training
        self.eval()
        code = self.encode(patches)
        made = self.decode(code.sample(temperature), code.skips, sentence)[0]
        self.train(training)
        return made.float()

    @torch.no_grad()
    def imagine(
        self, count: int, sentence: Tensor | None = None, temperature: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """Return patches (count, C, H, W) in [-1, 1] of the prior alone and their mask's logits.

        The skips are dropped, so both heads draw what the code says and nothing else; they only
        look like anything in a network trained with ``skips: dropout``. No gradient.
        """
        training = self.training
        self.eval()
        config, like = self.config, self.from_code.weight
        side = config.patch // config.stride
        shape = (count, config.latent_channels, side, side)
        z = torch.randn(shape, device=like.device) * temperature
        skips = tuple(
            torch.zeros(count, c, config.patch >> level, config.patch >> level, device=like.device)
            for level, c in enumerate(config.channels[:-1])
        )
        made, logits = self.decode(z, skips, sentence)
        self.train(training)
        return made.float(), logits.float()

"""CLMD: the distribution of plausible shapes given image and text (SVP-CVAE, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import SVPCVAEConfig

LOG_VARIANCE = (-12.0, 8.0)
"""Limits of log sigma^2: beyond them half precision has no numbers left."""


@dataclass(frozen=True)
class Gaussian:
    """Independent normal distributions.

    Attributes:
        mean: (B, Z).
        log_variance: (B, Z).
    """

    mean: Tensor
    log_variance: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """Return ``mean + sigma * noise`` for standard normal noise (B, Z) or (Z,)."""
        return self.mean + torch.exp(0.5 * self.log_variance) * noise


def kl_divergence(q: Gaussian, p: Gaussian) -> Tensor:
    """Return KL(q || p) (B,), summed over the latent dimensions, natural logarithm."""
    difference = (q.mean - p.mean).square()
    ratio = (q.log_variance.exp() + difference) / p.log_variance.exp()
    return 0.5 * (p.log_variance - q.log_variance + ratio - 1.0).sum(1)


class LatentMorphology(nn.Module):
    """Prior p(z | v, t), posterior q(z | v, t, m) and the injection ``V_z = V_g + W_z z``.

    Args:
        config: sizes; ``latent`` = ``prior`` leaves the posterior out.
    """

    def __init__(self, config: SVPCVAEConfig) -> None:
        super().__init__()
        known, hidden, size = 2 * config.width, config.latent_hidden, config.z_dim
        self.grid = config.mask_grid
        self.prior = _mlp(known, hidden, 2 * size)
        self.posterior: nn.Sequential | None = None
        if config.latent in ("full", "no_kl"):
            self.posterior = _mlp(known + self.grid**2, hidden, 2 * size)
        self.inject = nn.Linear(size, config.width)

    def distributions(
        self, image: Tensor, text: Tensor, mask: Tensor | None = None
    ) -> tuple[Gaussian, Gaussian | None]:
        """Return prior and, with a mask, posterior.

        Args:
            image: mean image token (B, C).
            text: mean text token (B, C).
            mask: (B, 1, H, W) in {0, 1}, or None.
        """
        known = torch.cat([image, text], 1)
        prior = _gaussian(self.prior(known))
        if mask is None or self.posterior is None:
            return prior, None
        shares = F.adaptive_avg_pool2d(mask.to(known.dtype), self.grid).flatten(1)
        return prior, _gaussian(self.posterior(torch.cat([known, shares], 1)))

    def forward(self, image: Tensor, z: Tensor) -> Tensor:
        """Add z (B, Z) to every image token (B, N, C)."""
        return image + self.inject(z.to(image.dtype))[:, None]


def _mlp(before: int, hidden: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, hidden), nn.GELU(), nn.Linear(hidden, after))


def _gaussian(values: Tensor) -> Gaussian:
    mean, log_variance = values.float().chunk(2, 1)
    return Gaussian(mean, log_variance.clamp(*LOG_VARIANCE))

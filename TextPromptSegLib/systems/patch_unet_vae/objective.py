"""The objective (SPEC 1.3): reconstruction, code, critic and segmentation.

    L_G = w_mse |x' - x|^2 + w_perc sum_l |phi_l(x') - phi_l(x)|^2 + w_kl KL(q | N(0, 1))
        + w_adv (D(x') - 1)^2 + w_seg (1 - TI)^gamma
    L_D = 1/2 [(D(x) - 1)^2 + D(sg(x'))^2]

Least squares GAN: https://arxiv.org/abs/1611.04076, PatchGAN: https://arxiv.org/abs/1611.07004,
focal Tversky: https://arxiv.org/abs/1810.07842.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from .config import PatchUNetVAEConfig
    from .network import Code

SMOOTH = 1.0  # px: keeps the overlap term's gradient alive for structures of a few pixels


def make_critic(config: PatchUNetVAEConfig) -> nn.Module:
    """Return the PatchGAN: 661 313 parameters, 14 x 14 opinions on 34 px each at 64 channels."""
    from monai.networks.nets import PatchDiscriminator  # training only: it is heavy

    return PatchDiscriminator(
        spatial_dims=2,
        channels=config.critic_channels,
        in_channels=config.in_channels,
        num_layers_d=config.critic_layers,
        norm=("INSTANCE", {"affine": True}),
    )


def receptive_field(layers: int, kernel: int = 4) -> int:
    """Return the side of what one opinion of the PatchGAN sees, px.

    Args:
        layers: strided layers; one more and the output follow with stride 1.
        kernel: side of every convolution, px.
    """
    field = 1
    for stride in (1, 1, *[2] * layers):
        field = (field - 1) * stride + kernel
    return field


def least_squares(opinion: Tensor, real: bool, for_critic: bool) -> Tensor:
    """Return the mean squared distance of the critic's opinions to "real" or "not real"."""
    from monai.losses import PatchAdversarialLoss

    criterion = PatchAdversarialLoss(criterion="least_squares", no_activation_leastsq=True)
    return criterion(opinion.float(), target_is_real=real, for_discriminator=for_critic)


def adversarial_loss(critic: nn.Module, reconstruction: Tensor) -> Tensor:
    """Return the generator's term (D(x') - 1)^2."""
    return least_squares(critic(reconstruction)[-1], True, False)


def critic_loss(critic: nn.Module, real: Tensor, reconstruction: Tensor) -> Tensor:
    """Return the critic's loss; no gradient reaches the generator."""
    right = least_squares(critic(real)[-1], True, True)
    wrong = least_squares(critic(reconstruction.detach())[-1], False, True)
    return 0.5 * (right + wrong)


def kl_to_standard_normal(code: Code) -> Tensor:
    """Return KL(N(mean, variance) | N(0, 1)), mean over all elements."""
    mean, spread = code.mean.float(), code.log_variance.float()
    return 0.5 * (mean.square() + spread.exp() - 1.0 - spread).mean()


def focal_tversky(
    logits: Tensor, mask: Tensor, fp: float = 0.3, fn: float = 0.7, gamma: float = 0.75
) -> Tensor:
    """Return (1 - TI)^gamma (N,) of each pair, TI = TP / (TP + fp FP + fn FN).

    Args:
        logits: (N, 1, H, W).
        mask: (N, 1, H, W) in {0, 1}.
        fp: weight of false positives (MONAI's alpha).
        fn: weight of false negatives (MONAI's beta).
        gamma: focal exponent.
    """
    from monai.losses import TverskyLoss

    tversky = TverskyLoss(alpha=fp, beta=fn, reduction="none", smooth_nr=SMOOTH, smooth_dr=SMOOTH)
    missing = tversky(torch.sigmoid(logits.float()), mask.float()).flatten()
    # at 0 the power's slope is infinite
    return missing.clamp_min(1e-6).pow(gamma)


def segmentation_loss(
    logits: Tensor, mask: Tensor, present: Tensor, config: PatchUNetVAEConfig
) -> tuple[Tensor, Tensor]:
    """Return the focal Tversky term and the term of patches without the organ.

    Args:
        logits: (N, 1, H, W).
        mask: (N, 1, H, W) in {0, 1}.
        present: (N,) in {0, 1}.
        config: weights of the Tversky index; ``absent_weight`` 0 counts every patch in the
            first term.
    """
    present = present.float()
    every = focal_tversky(logits, mask, config.tversky_fp, config.tversky_fn, config.tversky_gamma)
    if config.absent_weight == 0:
        return every.mean(), logits.sum() * 0.0
    overlap = (every * present).sum() / present.sum().clamp_min(1.0)
    absent = 1.0 - present
    bce = F.binary_cross_entropy_with_logits(logits.float(), mask.float(), reduction="none")
    empty = (bce.flatten(1).mean(1) * absent).sum() / absent.sum().clamp_min(1.0)
    return overlap, empty

"""The perceptual loss: distance of frozen VGG16 features (Johnson 2016, arxiv.org/abs/1603.08155).

The weights are torchvision's own file, checked by its sha256 before it is read. Without them a
recipe says ``"perceptual": "none"``: training goes on with pixels, code, critic and segmentation.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ...checkpoints.layout import sha256_of
from ...outcome import CheckpointError
from ...text.sources import FOLDER_VARIABLE

VGG16_FILE = "vgg16-397923af.pth"
VGG16_SHA256 = "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"
VGG16_LAYERS = (3, 8, 15)
"""relu1_2, relu2_2 and relu3_3 in ``torchvision.models.vgg16().features``."""
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class VGGFeatureLoss(nn.Module):
    """Sum over layers of the mean squared distance of a frozen network's features.

    Args:
        backbone: layers in order, for example ``torchvision.models.vgg16().features``.
        layers: positions whose outputs are compared; what comes after the last one is not kept.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: nn.Sequential, layers: Sequence[int] = VGG16_LAYERS) -> None:
        super().__init__()
        self.layers = tuple(layers)
        self.backbone = backbone[: max(self.layers) + 1].eval().requires_grad_(False)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    def train(self, mode: bool = True) -> VGGFeatureLoss:
        """Stay frozen."""
        return super().train(False)

    def forward(self, reconstruction: Tensor, patches: Tensor) -> Tensor:
        """Compare (B, 1 or 3, H, W) in [-1, 1] with the real patches of the same shape."""
        made, real = self._prepare(reconstruction), self._prepare(patches)
        total = made.new_zeros(())
        for place, layer in enumerate(self.backbone.children()):
            made = layer(made)
            with torch.no_grad():
                real = layer(real)
            if place in self.layers:
                total = total + (made.float() - real.float()).square().mean()
        return total

    def _prepare(self, patches: Tensor) -> Tensor:
        """Return three channels as ImageNet's networks expect them."""
        grey = (patches + 1.0) / 2.0
        return (grey.expand(-1, 3, -1, -1) - self.mean) / self.std


def vgg16_features(file: str | Path | None = None) -> nn.Sequential:
    """Return torchvision's VGG16 features with its ImageNet weights.

    Looked for in: ``file``, the folders of ``TEXTPROMPTSEG_ENCODERS``, torch's own hub cache, and,
    where ``TEXTPROMPTSEG_ALLOW_DOWNLOAD=1`` allows it, torchvision's address.

    Raises:
        CheckpointError: when they are nowhere or have another sha256.
    """
    from torchvision.models import VGG16_Weights, vgg16

    path = _find(file)
    if path is None and os.environ.get("TEXTPROMPTSEG_ALLOW_DOWNLOAD") == "1":
        path = _cached()
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(VGG16_Weights.IMAGENET1K_V1.url, str(path))
    if path is None:
        raise CheckpointError(
            f"The perceptual loss needs torchvision's {VGG16_FILE}: put it into a folder of "
            f'{FOLDER_VARIABLE}, or set "perceptual": "none" in the recipe\'s config.'
        )
    if sha256_of(path) != VGG16_SHA256:
        raise CheckpointError(f"'{path.name}' is not torchvision's file (sha256); get it again.")
    network = vgg16(weights=None)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.features


def _cached() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / VGG16_FILE


def _find(file: str | Path | None) -> Path | None:
    """Return where the weights lie, None for nowhere."""
    roots = filter(None, os.environ.get(FOLDER_VARIABLE, "").split(os.pathsep))
    places = [Path(file)] if file else [*(Path(r) / VGG16_FILE for r in roots), _cached()]
    return next((p for p in places if p.is_file()), None)

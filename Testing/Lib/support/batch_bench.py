"""Images for a batch, and a fake predictor that counts its cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from fake_predictor import FakePredictor

ROOT = Path(__file__).resolve().parents[3]
PROMPTS = ["liver", "spleen"]


def write_image(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(seed).integers(-100, 200, (12, 24, 24)).astype(np.int16)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((3.0, 3.0, 5.0))
    sitk.WriteImage(image, str(path))
    return path


class Counting(FakePredictor):
    """Counts its cases over all instances."""

    made = 0
    asked: list[str] = []

    def __init__(self, model: str, device: str) -> None:
        super().__init__(model, device)
        Counting.made += 1

    def set_volume(self, volume, **region) -> None:
        super().set_volume(volume, **region)
        Counting.asked.append(volume.name)


def files_below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())

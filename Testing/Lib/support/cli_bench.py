"""What the tests of the command line share: a small image, a predictor that remembers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from fake_predictor import FakePredictor

from TextPromptSegLib import cli
from TextPromptSegLib.prompting.prompts import parse_prompts

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "Testing/Lib/support")]),
}
LICENCE = "CC BY-NC-SA 4.0: research only, not for care."


def write_image(path: Path, shape: tuple[int, int, int] = (12, 24, 24)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(0).integers(-100, 200, shape).astype(np.int16)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((3.0, 3.0, 5.0))
    sitk.WriteImage(image, str(path))
    return path


class Asked(FakePredictor):
    """Remembers what it was asked."""

    last: Asked

    def __init__(self, model: str, device: str) -> None:
        super().__init__(Path(model).name, device)
        self.wish = device
        Asked.last = self

    def segment(self, prompts, threshold=None, samples=None, progress=None):
        self.threshold, self.samples = threshold, samples
        parsed = [q for p in prompts for q in (parse_prompts(p) if isinstance(p, str) else [p])]
        return super().segment(parsed, threshold, samples, progress)


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def files_below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())

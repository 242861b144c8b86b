"""A tiny labelled data set on disk, in the form of dataset.json, for tests of data and training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk


def picture(seed: int, side: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """A bright disc on the image's left (the right kidney), a dim square elsewhere (the liver)."""
    rng = np.random.default_rng(seed)
    image = rng.normal(60, 8, (side, side))
    label = np.zeros((side, side), np.uint8)
    y, x = np.mgrid[:side, :side]
    cy, cx = rng.integers(16, side - 16), rng.integers(12, side // 2 - 6)
    disc = (y - cy) ** 2 + (x - cx) ** 2 < 49
    image[disc], label[disc] = 220, 1
    top = rng.integers(4, side - 24)
    image[top : top + 16, side // 2 + 6 : side // 2 + 24] = 140
    label[top : top + 16, side // 2 + 6 : side // 2 + 24] = 2
    return image.clip(0, 255).astype(np.uint8), label


def write_dataset(root: Path, name: str = "tiny", cases: int = 8, **changes: Any) -> Path:
    """Write pictures, labels and dataset.json; returns the folder."""
    folder = root / name
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    items = []
    for index in range(cases):
        image, label = picture(index)
        sitk.WriteImage(sitk.GetImageFromArray(image), str(folder / f"images/{index}.png"))
        sitk.WriteImage(sitk.GetImageFromArray(label), str(folder / f"labels/{index}.png"))
        items.append(
            {
                "id": f"c{index}",
                "patient": f"p{index}",
                "image": f"images/{index}.png",
                "label": f"labels/{index}.png",
                "split": "val" if index % 4 == 3 else "train",
                "present": ["right kidney", "liver"],
            }
        )
    values = {
        "name": name,
        "modality": "MR",
        "licence": "made by a test",
        "label_quality": "expert",
        "redistributable": True,
        "non_commercial": False,
        "labels": {"1": "right kidney", "2": "liver", "3": "spleen"},
        "groups": {"pair": ["right kidney", "liver"]},
        "cases": items,
        **changes,
    }
    (folder / "dataset.json").write_text(json.dumps(values), encoding="utf-8")
    return folder

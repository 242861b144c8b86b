"""Small data sets of grey boxes, and a predictor that finds structures by their grey value."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from TextPromptSegLib.evaluation import Report, evaluate
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import Outcome
from TextPromptSegLib.prompting.segmentation import Segmentation

GREY = {"liver": 60, "spleen": 120, "left kidney": 180, "right kidney": 240}
LABELS = {1: "liver", 2: "spleen", 3: "left kidney", 4: "right kidney"}
KIDNEYS = {"kidneys": ["left kidney", "right kidney"]}
BOXES = {
    "liver": np.s_[:, 4:14, 4:14],
    "spleen": np.s_[:, 4:10, 20:26],
    "left kidney": np.s_[:, 20:26, 22:26],
    "right kidney": np.s_[:, 20:26, 4:8],
}


def write_case(folder: Path, name: str, in_picture, drawn, slices: int = 1, spacing=None) -> dict:
    """Write an image that shows `in_picture` and a label that holds only `drawn`."""
    sitk = pytest.importorskip("SimpleITK")
    image = np.full((slices, 32, 32), 10, np.uint8)
    label = np.zeros_like(image)
    values = {n: v for v, n in LABELS.items()}
    for structure in in_picture:
        image[BOXES[structure]] = GREY[structure]
    for structure in drawn:
        label[BOXES[structure]] = values[structure]
    ending = ".png" if spacing is None else ".nii.gz"
    for kind, array in (("images", image), ("labels", label)):
        picture = sitk.GetImageFromArray(array if spacing else array[0])
        if spacing:
            picture.SetSpacing(spacing)
            picture = sitk.Cast(picture, sitk.sitkInt16) if kind == "images" else picture
        (folder / kind).mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(picture, str(folder / kind / (name + ending)))
    return {
        "id": name,
        "patient": f"Secret-{name}",
        "image": f"images/{name}{ending}",
        "label": f"labels/{name}{ending}",
        "split": "test",
        "present": list(drawn),
    }


def write_set(folder: Path, cases: list[dict], name: str = "set_a", **info) -> Path:
    values = {
        "name": name,
        "modality": "MR",
        "label_quality": "expert",
        "spacing_mm": None,
        "labels": {str(v): n for v, n in LABELS.items()},
        "groups": KIDNEYS,
        **info,
        "cases": cases,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.json").write_text(json.dumps(values), encoding="utf-8")
    return folder / "dataset.json"


class Fake:
    """Finds structures by their grey value, so it knows the picture and not the labels."""

    def __init__(self, shift: int = 0, invents: tuple[str, ...] = (), knows=None) -> None:
        self.shift, self.invents, self.knows = shift, invents, knows
        self.set, self.asked, self.unloaded = [], [], 0
        self.config = {"title": "Fake", "licence": {"line": "research only"}}

    def set_volume(self, volume: Volume) -> None:
        self.volume = volume
        self.set.append(volume.name)

    def segment(self, prompts: list[str]) -> list[Segmentation]:
        assert all(isinstance(p, str) for p in prompts)
        self.asked.append(list(prompts))
        return [self.answer(p) for p in prompts]

    def answer(self, text: str) -> Segmentation:
        image = np.asarray(self.volume.array)
        names = KIDNEYS.get(text, [text])
        mask = np.isin(image, [GREY[n] for n in names if n in GREY]).astype(np.uint8)
        mask = np.roll(mask, self.shift, axis=2)
        if text in self.invents and not mask.any():
            mask[:, 28:31, 10:20] = 1
        outcome = Outcome.FOUND if mask.any() else Outcome.NOT_FOUND
        if self.knows is not None and text not in self.knows:
            mask, outcome = np.zeros_like(mask), Outcome.UNKNOWN_PROMPT
        return Segmentation(
            prompt=SimpleNamespace(text=text),
            outcome=outcome,
            mask=mask,
            probability=mask.astype(np.float16),
            seconds=0.01,
            max_probability=float(mask.max()),
            voxels=int(mask.sum()),
            volume_ml=0.0,
            threshold=0.5,
        )

    def unload(self) -> None:
        self.unloaded += 1


def run(path, fake=None, **options) -> tuple[Report, Fake]:
    fake = fake or Fake()
    paths = path if isinstance(path, list) else [path]
    return evaluate(["fake"], paths, predictor_factory=lambda _: fake, **options), fake


def row(report, case, structure, model="fake"):
    (found,) = [
        r for r in report.rows if (r.case, r.structure, r.model) == (case, structure, model)
    ]
    return found

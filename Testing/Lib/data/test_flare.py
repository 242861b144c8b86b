"""FLARE's folders become a data set that the paper's recipe trains on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import tiny_clip
from tiny_sam import SIZES

from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.data.flare import FLARE_2021, FLARE_2022, index_flare
from TextPromptSegLib.outcome import InputError
from TextPromptSegLib.systems import omt_sam
from TextPromptSegLib.training import train
from TextPromptSegLib.training.recipe import Recipe

RECIPE = Path(omt_sam.__file__).with_name("recipe_paper_flare.json")
LAYOUTS = [
    pytest.param(2021, "images", "labels", "train_{:03d}", id="2021"),
    pytest.param(2021, "TrainingImg", "TrainingMask", "train_{:03d}", id="2021 as downloaded"),
    pytest.param(2022, "imagesTr", "labelsTr", "FLARE22_Tr_{:04d}", id="2022"),
]


def write_flare(root: Path, images: str, labels: str, name: str, top: int, count: int = 10) -> Path:
    """Volumes of HU with a cube for each label value, as the challenge names its files."""
    for folder in (images, labels):
        (root / folder).mkdir(parents=True)
    for number in range(1, count + 1):
        label = np.zeros((4, 48, 48), np.uint8)
        for value in range(1, top + 1):
            row, column = divmod(value - 1, 4)
            label[1:3, 2 + 11 * row : 10 + 11 * row, 2 + 11 * column : 10 + 11 * column] = value
        if number == 2:
            label[label == 4] = 0
        array = (label.astype(np.int16) * 15 - 60 + number).astype(np.int16)
        for folder, values, end in ((images, array, "_0000"), (labels, label, "")):
            image = sitk.GetImageFromArray(values)
            image.SetSpacing((0.8, 0.8, 2.5))
            sitk.WriteImage(image, str(root / folder / f"{name.format(number)}{end}.nii.gz"))
    return root


@pytest.mark.parametrize(("year", "images", "labels", "name"), LAYOUTS)
def test_volumes_and_label_maps_of_the_exact_layout(
    year: int, images: str, labels: str, name: str, tmp_path: Path
) -> None:
    names = FLARE_2021 if year == 2021 else FLARE_2022
    root = write_flare(tmp_path / f"flare{year}", images, labels, name, len(names))
    extra = root / images / f"{name.format(99)}_0000.nii.gz"  # an unlabelled volume
    extra.write_bytes((root / images / f"{name.format(1)}_0000.nii.gz").read_bytes())
    path = index_flare(root, year)
    first = path.read_text()
    dataset = Dataset.read(path)
    assert dataset.name == f"flare{year}" and len(dataset.cases) == 10
    sizes = {split: len(dataset.split(split)) for split in ("train", "val", "test")}
    assert sizes == {"train": 8, "val": 0, "test": 2} and not dataset.is_open
    case = dataset.cases[0]
    assert case.id == name.format(1) and case.patient == case.id
    assert set(case.present) == set(names.values())
    assert "pancreas" not in dataset.cases[1].present
    assert "pancreas" in dataset.cases[1].annotated, "looked for and not there"
    volume = case.volume()
    assert volume.modality == "CT"
    for value, structure in names.items():
        mask = case.mask(structure) > 0
        assert mask.sum() == 2 * 8 * 8 and (volume.array[mask] == value * 15 - 59).all()
    assert case.mask("kidneys").sum() == 2 * 8 * 8 * (1 if year == 2021 else 2)
    index_flare(root, year)
    assert path.read_text() == first
    third = json.loads(index_flare(root, year, shares=(0.6, 0.2, 0.2)).read_text())
    assert {c["split"] for c in third["cases"]} == {"train", "val", "test"}


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    root = write_flare(tmp_path / "flare2022", "imagesTr", "labelsTr", "FLARE22_Tr_{:04d}", 13, 4)
    with pytest.raises(InputError, match="value 5, which FLARE 2021"):
        index_flare(root)
    with pytest.raises(InputError, match="2021 or 2022"):
        index_flare(root, 2019)
    (root / "dataset.json").write_text('{"labels": {"background": 0}, "numTraining": 50}')
    with pytest.raises(InputError, match="another program"):
        index_flare(root, 2022)
    (root / "dataset.json").unlink()
    (root / "imagesTr" / "FLARE22_Tr_0003_0000.nii.gz").unlink()
    with pytest.raises(InputError, match=r"'FLARE22_Tr_0003\.nii\.gz' has no volume"):
        index_flare(root, 2022)
    with pytest.raises(InputError, match="none of FLARE's pairs"):
        index_flare(tmp_path)


def test_the_papers_recipe_trains_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything of the recipe but the sizes, the steps and the published weights."""
    root = write_flare(tmp_path / "flare2021", "images", "labels", "train_{:03d}", 4)
    index_flare(root, shares=(0.6, 0.2, 0.2))
    tiny_clip.write_tiny_clip(tmp_path / "encoders" / "tiny-clip")
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path / "encoders"))
    values: dict[str, Any] = json.loads(RECIPE.read_text(encoding="utf-8"))
    widths = {"text_dim": tiny_clip.TOKEN_DIM, "clip_dim": tiny_clip.PATCH_DIM, "fusion_heads": 4}
    values["config"] = {**SIZES, **widths}
    values["input"] |= {"size": 64, "multiple": 64, "canvases": [64]}
    values |= {
        "text_encoder": {"kind": "open_clip", "id": "tiny-clip", "max_length": 24},
        "steps": 2,
        "precision": "32-true",
        "validate_every": 2,
        "workers": 0,
        "calibrate": False,
    }
    folder = train(Recipe.from_dict(values), [tmp_path], tmp_path / "run", progress_bar=False)
    config = json.loads((folder / "config.json").read_text())
    assert set(config["trained_prompts"]) == {"liver", "kidneys", "spleen", "pancreas"}
    assert config["training"]["steps"] == 2

"""Folders of pictures, masks and texts become a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.data.folders import Part, index_folders
from TextPromptSegLib.outcome import InputError

INFO = {"name": "tiny", "modality": "CXR", "licence": "made by a test"}
PART = Part("Train/img", "Train/label", "Train/text.csv")


def write(root: Path, count: int = 3) -> Path:
    for folder in ("img", "label"):
        (root / "Train" / folder).mkdir(parents=True)
    lines = ["Image,Description"]
    for number in range(count):
        image = np.full((8, 9), 10 * number, np.uint8)
        mask = np.zeros((8, 9), np.uint8)
        mask[2:4, 3:6] = 255 * (number > 0)
        sitk.WriteImage(sitk.GetImageFromArray(image), str(root / f"Train/img/covid_{number}.png"))
        target = root / f"Train/label/mask_covid_{number}.png"
        sitk.WriteImage(sitk.GetImageFromArray(mask), str(target))
        lines.append(f'mask_covid_{number}.png,"Bilateral infection, {number} areas."')
    (root / "Train/text.csv").write_text("\n".join(lines), encoding="utf-8")
    return root


def test_pictures_masks_and_texts_find_each_other(tmp_path: Path) -> None:
    path = index_folders(write(tmp_path), {"train": PART}, "COVID-19 infection", INFO)
    dataset = Dataset.read(path)
    assert dataset.name == "tiny" and len(dataset.split("train")) == 3
    for number, case in enumerate(dataset.cases):
        assert case.extra["text"] == f"Bilateral infection, {number} areas."
        assert case.present == (("COVID-19 infection",) if number else ())
        assert case.volume().array.max() == 10 * number
        assert int(case.mask("COVID-19 infection").sum()) == (6 if number else 0)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        index_folders(tmp_path, {"train": Part("Train/none", "Train/label")}, "x", INFO)
    with pytest.raises(InputError, match="save the table as CSV"):
        part = Part(PART.images, PART.masks, "Train/text.xlsx")
        index_folders(tmp_path, {"train": part}, "x", INFO)
    (tmp_path / "Train/label/mask_covid_1.png").unlink()
    with pytest.raises(InputError, match=r"'covid_1\.png' has no mask"):
        index_folders(tmp_path, {"train": PART}, "x", INFO)
    (tmp_path / "Train/img/covid_1.png").unlink()
    with pytest.raises(InputError, match="the first is 'covid_1'"):
        index_folders(tmp_path, {"train": PART}, "x", INFO)


def test_volumes_and_label_maps_are_paired_by_number_and_split_by_patient(tmp_path: Path) -> None:
    import SimpleITK as sitk

    from TextPromptSegLib.data.folders import index_volumes

    for folder in ("img", "label"):
        (tmp_path / folder).mkdir()
    for number in range(1, 11):
        label = np.zeros((2, 4, 4), np.uint8)
        label[0, 0, 0] = 12 if number % 2 else 13
        for folder, array in (("img", label.astype(np.int16)), ("label", label)):
            file = tmp_path / folder / f"{folder}{number:04d}.nii.gz"
            sitk.WriteImage(sitk.GetImageFromArray(array), str(file))
    names = {12: "right adrenal gland", 13: "left adrenal gland"}
    groups = {"adrenal glands": tuple(names.values())}
    info = {"name": "btcv", "modality": "CT"}
    path = index_volumes(tmp_path, names, info, test=2, val=1, groups=groups)
    first = path.read_text()
    dataset = Dataset.read(path)
    sizes = [len(dataset.split(name)) for name in ("train", "val", "test")]
    assert sizes == [7, 1, 2] and dataset.cases[0].present == ("right adrenal gland",)
    assert dataset.cases[1].is_present("adrenal glands")
    assert all(c.patient == c.id and c.label.name == f"label{c.id}.nii.gz" for c in dataset.cases)
    index_volumes(tmp_path, names, info, test=2, val=1, groups=groups)
    assert path.read_text() == first
    (tmp_path / "label" / "label0003.nii.gz").unlink()
    with pytest.raises(InputError, match="img0003"):
        index_volumes(tmp_path, names, info)

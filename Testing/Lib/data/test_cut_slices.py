"""Volumes of BraTS and of the Decathlon become pictures with texts."""

from __future__ import annotations

from pathlib import Path

import fake_layouts
import numpy as np
import pytest
import SimpleITK as sitk

from TextPromptSegLib.data.cut_slices import cut_slices
from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.data.layouts.index import Choices
from TextPromptSegLib.data.layouts.kinds import index_layout
from TextPromptSegLib.outcome import InputError


def save(path: Path, array: np.ndarray, flipped: bool = False) -> None:
    image = sitk.GetImageFromArray(array)
    if flipped:  # stored head first: the largest slice has another number in the file
        image.SetDirection((1, 0, 0, 0, 1, 0, 0, 0, -1))
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


def volume(largest: int, size: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """A tumor in slices 3 to 7, largest in one of them; the image is 100 inside it and 50 else."""
    label = np.zeros((size, 16, 20), np.uint8)
    for k in range(3, 8):
        label[k, 4 : 8 + 4 * (k == largest), 5:9] = 4 if k % 2 else 1
    return np.where(label > 0, 100, 50).astype(np.int16), label


def test_one_slice_of_each_brats_patient_with_its_text(tmp_path: Path) -> None:
    for number in range(4):
        image, label = volume(4 + number % 2)
        name = f"BraTS2021_{number:05d}"
        save(tmp_path / name / f"{name}_t2.nii.gz", image + number, flipped=number == 3)
        save(tmp_path / name / f"{name}_flair.nii.gz", 0 * image + number)
        save(tmp_path / name / f"{name}_seg.nii.gz", label, flipped=number == 3)
    (volumes,) = index_layout("brats", tmp_path, Choices(sequences=("flair", "t2")))
    (tmp_path / "texts.csv").write_text("slice,text\nBraTS2021_00001-5,A tumor on the left.\n")
    table = tmp_path / "texts.csv"
    path = cut_slices(volumes.dataset, "whole tumor", "brats2021_t2", channel=1, table=table)
    assert path == tmp_path / "brats2021_t2" / "dataset.json"
    dataset = Dataset.read(path)
    assert dataset.name == "brats2021_t2"
    # slice 5 of a file whose slices run downwards is slice 4 from below
    found = {c.id[-7:]: c for c in dataset.cases}
    assert set(found) == {"00000-4", "00001-5", "00002-4", "00003-4"}
    assert found["00001-5"].extra["text"] == "A tumor on the left."
    assert "text" not in found["00000-4"].extra
    split_of = {c.patient: c.split for c in volumes.dataset.cases}
    for case in dataset.cases:
        mask = case.mask("whole tumor") > 0
        assert mask.sum() == 32 and case.split == split_of[case.patient]
        picture = case.volume().array
        assert (picture[mask] == 255).all() and (picture[~mask] == 0).all()
    table.write_text("slice,text\nBraTS2021_00001-6,Of another slice.\n")
    with pytest.raises(
        InputError, match="1 slices that were not cut, the first is 'brats2021_00001-6"
    ):
        cut_slices(volumes.dataset, "whole tumor", "again", table=table)


def test_several_slices_of_a_volume_lie_in_its_split(tmp_path: Path) -> None:
    task = tmp_path / "Task03_Liver"
    fake_layouts.msd(tmp_path, 4)
    for number in range(4):
        image, label = volume(5)
        label = (label > 0) + (label == 4).astype(np.uint8)  # liver with a tumor
        save(task / "imagesTr" / f"liver_{number:02d}.nii.gz", image + number)
        label = 0 * label if number == 2 else label
        save(task / "labelsTr" / f"liver_{number:02d}.nii.gz", label)
    (volumes,) = index_layout("msd", task)
    path = cut_slices(volumes.dataset, "liver", "msd_liver_slices", per_volume=2, window=(0, 200))
    dataset = Dataset.read(path)
    assert len(dataset.cases) == 6, "the third volume shows no liver"
    assert len({(c.patient, c.split) for c in dataset.cases}) == 3
    assert {int(c.volume().array.max()) for c in dataset.cases} <= {128, 129, 131}
    assert {int(c.mask("liver").sum()) for c in dataset.cases} <= {16, 32}, "the tumor is in it"
    with pytest.raises(InputError, match="labels no 'spleen', but liver parenchyma"):
        cut_slices(volumes.dataset, "spleen", "x")
    for number in range(4):
        save(task / "labelsTr" / f"liver_{number:02d}.nii.gz", 0 * label)
    (empty,) = index_layout("msd", task)
    with pytest.raises(InputError, match="None of the volumes shows 'liver'"):
        cut_slices(empty.dataset, "liver", "x")

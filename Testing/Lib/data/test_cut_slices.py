"""BraTS-style and MSD-style volumes become pictures with texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from TextPromptSegLib.data.cut_slices import VolumePair, cut_slices, find_brats, find_msd
from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.outcome import InputError

INFO = {"modality": "MR", "licence": "made by a test"}


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
        folder = tmp_path / "data" / f"BraTS_{number}"
        save(folder / f"BraTS_{number}_t2.nii.gz", image, flipped=number == 3)
        save(folder / f"BraTS_{number}_flair.nii.gz", 0 * image)
        save(folder / f"BraTS_{number}_seg.nii.gz", label, flipped=number == 3)
    cases = find_brats(tmp_path / "data")
    assert [c.id for c in cases] == [f"BraTS_{n}" for n in range(4)]
    (tmp_path / "texts.csv").write_text("slice,text\nBraTS_1-5,A tumor on the left.\n")
    out = tmp_path / "brats2021_t2"
    path = cut_slices(
        cases, out, "whole tumor", INFO, table=tmp_path / "texts.csv", shares=(2, 1, 1)
    )
    dataset = Dataset.read(path)
    assert dataset.name == "brats2021_t2"
    assert sorted(len(dataset.split(s)) for s in ("train", "val", "test")) == [1, 1, 2]
    found = {c.id: c for c in dataset.cases}
    # slice 5 of a file whose slices run downwards is slice 4 from below
    assert set(found) == {"BraTS_0-4", "BraTS_1-5", "BraTS_2-4", "BraTS_3-4"}
    assert found["BraTS_1-5"].extra["text"] == "A tumor on the left."
    assert "text" not in found["BraTS_0-4"].extra
    for case in dataset.cases:
        mask = case.mask("whole tumor") > 0
        assert mask.sum() == 32
        picture = case.volume().array
        assert (picture[mask] == 255).all() and (picture[~mask] == 0).all()
    again = Dataset.read(cut_slices(cases, out, "whole tumor", INFO, shares=(2, 1, 1)))
    assert [c.split for c in again.cases] == [c.split for c in dataset.cases]


def test_several_slices_of_an_msd_volume_lie_in_one_split(tmp_path: Path) -> None:
    for number in range(3):
        image, label = volume(5)
        save(tmp_path / "task" / "imagesTr" / f"liver_{number}.nii.gz", image)
        save(
            tmp_path / "task" / "labelsTr" / f"liver_{number}.nii.gz",
            0 * label if number == 2 else label,
        )
    cases = find_msd(tmp_path / "task")
    path = cut_slices(
        cases, tmp_path / "out", "liver", INFO, values=[1], per_volume=2, window=(0, 200),
        shares=(1, 1, 1),
    )  # fmt: skip
    dataset = Dataset.read(path)
    assert len(dataset.cases) == 4  # the third volume shows no liver
    assert len({(c.patient, c.split) for c in dataset.cases}) == 2
    assert {int(c.volume().array.max()) for c in dataset.cases} == {128}
    assert all(int(c.id.split("-")[1]) % 2 == 0 for c in dataset.cases)  # only value 1 counts


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "patient").mkdir()
    with pytest.raises(InputError, match="no folder with a t2 image"):
        find_brats(tmp_path)
    with pytest.raises(InputError, match="imagesTr"):
        find_msd(tmp_path)
    image, label = volume(5)
    save(tmp_path / "a.nii.gz", image)
    save(tmp_path / "b.nii.gz", label[:5])
    pair = VolumePair("a", tmp_path / "a.nii.gz", tmp_path / "b.nii.gz")
    with pytest.raises(InputError, match="differ in size"):
        cut_slices([pair], tmp_path / "out", "x", INFO)
    save(tmp_path / "b.nii.gz", 0 * label)
    with pytest.raises(InputError, match="None of the volumes shows 'x'"):
        cut_slices([pair], tmp_path / "out", "x", INFO)

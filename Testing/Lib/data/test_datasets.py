"""Data sets: the form, what is known, overlaps, geometry, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from tiny_data import write_dataset

from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.outcome import InputError


def change_case(folder: Path, index: int, **changes: object) -> None:
    file = folder / "dataset.json"
    values = json.loads(file.read_text())
    values["cases"][index].update(changes)
    file.write_text(json.dumps(values))


def test_reads_cases_masks_and_groups(tmp_path: Path) -> None:
    dataset = Dataset.read(write_dataset(tmp_path))
    case = dataset.split("train")[0]
    assert case.known_names() == ("right kidney", "liver", "spleen", "pair")
    assert case.is_present("pair") and not case.is_present("spleen")
    kidney, pair = case.mask("right kidney"), case.mask("pair")
    assert kidney.shape == case.volume().shape == (1, 64, 64) and kidney.dtype == np.uint8
    assert pair.sum() == kidney.sum() + case.mask("liver").sum() > kidney.sum() > 100
    assert case.mask("spleen").sum() == 0
    assert case.volume().modality == "MR"
    assert dataset.is_open


def test_what_was_not_looked_for_is_unknown(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path)
    change_case(folder, 0, annotated=["liver"], present=["liver"])
    case = Dataset.read(folder).cases[0]
    assert case.known_names() == ("liver",)
    with pytest.raises(InputError, match="was not annotated"):
        case.mask("right kidney")


def test_overlapping_structures_have_a_picture_each(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path)
    change_case(
        folder, 0, label={"liver": "labels/0.png", "spleen": "labels/1.png"}, present=["liver"]
    )
    case = Dataset.read(folder).cases[0]
    assert set(case.label_arrays()) == {"liver", "spleen"}
    assert case.mask("liver").sum() > 0 and case.mask("right kidney").sum() == 0


def test_masks_keep_the_order_of_the_file(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path)
    array = np.zeros((3, 4, 5), np.uint8)
    array[2, 1, 4] = 2
    label = sitk.GetImageFromArray(array)
    label.SetDirection((-1, 0, 0, 0, 0, -1, 0, 1, 0))
    for part in ("images", "labels"):
        sitk.WriteImage(label, str(folder / part / "v.nii.gz"))
    change_case(folder, 0, label="labels/v.nii.gz", image="images/v.nii.gz", present=["liver"])
    case = Dataset.read(folder).cases[0]
    assert np.argwhere(case.mask("liver")).tolist() == [[2, 1, 4]]
    assert case.volume().axcodes != "LPS"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        ("{", "not valid JSON"),
        ("{}", "needs name, labels and cases"),
        ('{"name": "x", "labels": {"one": "a"}, "cases": []}', "needs name, labels and cases"),
        ("[1]", "needs name, labels and cases"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path: Path, content: str | None, message: str) -> None:
    file = tmp_path / "dataset.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InputError, match=message):
        Dataset.read(file)


@pytest.mark.parametrize(
    "change",
    [
        {"present": ["right kidney", "gold"]}, {"annotated": ["gold"]}, {"label": {"gold": "x"}},
        {"present": "liver"}, {"present": [1]}, {"present": None}, {"image": []}, {"image": 5},
        {"image": {}}, {"label": 5}, {"label": [1]}, {"split": []}, {"label": ""}, {"image": "\0"},
        {"label": "M\udcfcller.png"}, {"image": "a\nb.png"},
    ],
    ids=str,
)  # fmt: skip
def test_a_case_that_would_fail_later_is_refused_now(tmp_path: Path, change: dict) -> None:
    folder = write_dataset(tmp_path)
    change_case(folder, 1, **change)
    with pytest.raises(InputError):
        Dataset.read(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": []}, {"labels": {"1": 5}}, {"groups": {"a": ["gold"]}}, {"groups": {"a": 5}},
        {"groups": [3]}, {"cases": {}}, {"cases": [5]}, {"cases": None}, {"name": 5},
        {"modality": []}, {"labels": {"x": "liver"}},
    ],
    ids=str,
)  # fmt: skip
def test_a_file_of_the_wrong_form_is_refused(tmp_path: Path, change: dict) -> None:
    folder = write_dataset(tmp_path)
    values = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps({**values, **change}))
    with pytest.raises(InputError, match="is not a data set"):
        Dataset.read(folder)
    (folder / "dataset.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="not valid JSON"):
        Dataset.read(folder)


@pytest.mark.parametrize("path", ["../other/image.png", "/etc/hosts"])
def test_paths_may_not_leave_the_folder(tmp_path: Path, path: str) -> None:
    folder = write_dataset(tmp_path)
    change_case(folder, 0, image=path)
    with pytest.raises(InputError, match="points outside"):
        Dataset.read(folder)


def test_every_real_data_set_is_of_the_form(shared_data: Path) -> None:
    files = sorted(shared_data.glob("*/dataset.json"))
    assert len(files) >= 30
    for file in files:
        dataset = Dataset.read(file)
        case = dataset.cases[0]
        for name in case.known_names():
            assert case.mask(name).any() == case.is_present(name), (dataset.name, name)

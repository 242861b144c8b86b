"""Which images a batch finds, how it names them, and how it knows them again."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pydicom
import pytest
from batch_bench import write_image
from fake_predictor import FakePredictor

from TextPromptSegLib.jobs.batch import run_batch
from TextPromptSegLib.jobs.cases import Case, find_cases, fingerprint
from TextPromptSegLib.outcome import InputError

# ---- which images ----


def test_a_folder_is_walked_and_results_are_passed_over(tmp_path: Path, images: Path) -> None:
    write_image(images / "a.seg.nrrd")
    write_image(images / ".hidden" / "x.nii.gz")
    write_image(images / "out" / "old.nii.gz")
    (images / "notes.txt").write_text("nothing")
    (images / "empty").mkdir()
    os.symlink(images, images / "deep" / "loop")
    cases = find_cases(images, images / "out")
    assert [case.id for case in cases] == ["a", "b", "deep/c"]
    assert all(case.source.is_file() for case in cases)


def test_names_stay_apart(tmp_path: Path) -> None:
    for name in ("x/ct.nii.gz", "y/ct.nii.gz", "y/ct.nrrd", "summary.png", "y/.nii"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    ids = [case.id for case in find_cases(tmp_path)]
    assert ids == ["summary-2", "x/ct", "y/ct_nii_gz", "y/ct_nrrd"]
    listed = find_cases(
        [tmp_path / "x/ct.nii.gz", tmp_path / "x/ct.nii.gz", tmp_path / "y/ct.nrrd"]
    )
    assert [case.id for case in listed] == ["x/ct", "y/ct"]
    (one,) = find_cases(tmp_path / "x" / "ct.nii.gz")
    assert one.id == "ct"


def test_a_list_is_relative_to_itself(tmp_path: Path, images: Path) -> None:
    (tmp_path / "list.txt").write_text('# all of them\n\nimages/a.nii.gz\n"images/missing.nii"\n')
    cases = find_cases(tmp_path / "list.txt")
    assert [case.source.name for case in cases] == ["a.nii.gz", "missing.nii"]
    for content in ("", "# nothing\n"):
        (tmp_path / "list.txt").write_text(content)
        with pytest.raises(InputError, match="one path per line"):
            find_cases(tmp_path / "list.txt")
    with pytest.raises(InputError, match="no readable image"):
        find_cases(_made(tmp_path / "void"))
    with pytest.raises(InputError, match="no file or folder"):
        find_cases(tmp_path / "nowhere")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def write_dicom(path: Path, series: str, number: int, modality: str = "CT") -> None:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = f"{series}.{number}"
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, f"{series}.{number}"
    data.SeriesInstanceUID, data.Modality = series, modality
    data.Rows = data.Columns = 16
    data.PixelSpacing, data.SliceThickness = [3, 3], 5
    data.ImagePositionPatient = [0, 0, 5 * number]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation, data.SamplesPerPixel = 15, 1, 1
    data.PhotometricInterpretation, data.InstanceNumber = "MONOCHROME2", number
    data.RescaleSlope, data.RescaleIntercept = 1, 0
    data.PixelData = np.full((16, 16), number, np.int16).tobytes()
    assert isinstance(data, pydicom.Dataset)
    data.save_as(path, enforce_file_format=True)


def test_every_dicom_series_is_a_case(tmp_path: Path) -> None:
    for n in range(3):
        write_dicom(tmp_path / "one" / f"IM{n}", "1.2.3", n)
        write_dicom(tmp_path / "two" / f"a{n}.dcm", "1.2.4", n)
        write_dicom(tmp_path / "two" / f"b{n}.dcm", "1.2.5", n)
    write_dicom(tmp_path / "two" / "seg.dcm", "1.2.6", 0, modality="SEG")
    cases = find_cases(tmp_path)
    assert [(case.id, case.series) for case in cases] == [
        ("one", None),
        ("two-series1", "1.2.4"),
        ("two-series2", "1.2.5"),
    ]
    summary = run_batch(tmp_path, "liver", tmp_path / "out", predictor_factory=FakePredictor)
    assert [case.status for case in summary.cases] == ["done"] * 3, [
        case.error for case in summary.cases
    ]


def test_results_say_which_series_they_belong_to(tmp_path: Path) -> None:
    facts = {
        "1.2.9": ("2", "native / 5 mm"),
        "1.2.10": ("11", ""),
        "1.2.11": ("2", "native / 5 mm"),
    }
    for uid, (number, description) in facts.items():
        for n in range(2):
            path = tmp_path / "scans" / "patient" / f"{uid}-{n}.dcm"
            write_dicom(path, uid, n)
            data = pydicom.dcmread(path)
            data.SeriesNumber, data.SeriesDescription = number, description
            data.save_as(path)
    out = tmp_path / "out"
    run_batch(tmp_path / "scans", "liver", out, predictor_factory=FakePredictor)
    with (out / "summary.csv").open(newline="") as stream:
        rows = {row["case"]: row for row in csv.DictReader(stream)}
    assert sorted(rows) == [
        "patient-series11",
        "patient-series2-native-5-mm",
        "patient-series2-native-5-mm-2",
    ]
    for name, row in rows.items():
        uid = row["series_uid"]
        assert (row["series_number"], row["series_description"]) == facts[uid]
        assert row["taken_for"].startswith("The image is taken for CT")
        report = json.loads((out / f"{name}.report.json").read_text())
        number, description = facts[uid]
        expected = {"uid": uid, "number": number, "description": description}
        assert report["provenance"]["series"] == expected
    summary = json.loads((out / "summary.json").read_text())
    assert {case["series"]["uid"] for case in summary["cases"]} == set(facts)


def test_series_below_a_listed_folder_and_in_an_index_are_cases(tmp_path: Path) -> None:
    for uid in ("1.2.4", "1.2.5"):
        for n in range(2):
            write_dicom(tmp_path / "patient" / "DICOM" / uid / f"IM{n}", uid, n)
    (tmp_path / "list.txt").write_text("patient\n")
    cases = find_cases(tmp_path / "list.txt")
    assert [case.series for case in cases] == ["1.2.4", "1.2.5"]
    assert all(case.source == tmp_path / "patient" for case in cases)


def test_the_fingerprint_knows_the_image_and_the_job(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.mhd")
    case = Case("a", path)
    first = fingerprint(case, {"threshold": 0.5})
    assert fingerprint(case, {"threshold": 0.5}) == first
    assert fingerprint(case, {"threshold": 0.4}) != first
    with (tmp_path / "a.raw").open("ab") as stream:  # the voxels lie beside the header
        stream.write(b"x")
    assert fingerprint(case, {"threshold": 0.5}) != first
    with pytest.raises(InputError):
        fingerprint(Case("b", tmp_path / "b.nii"), {})

"""Which files an input consists of: what is read, fingerprinted and never overwritten."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from TextPromptSegLib.formats import members
from TextPromptSegLib.formats.members import input_files
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import InputError

NRRD = "NRRD0004\ntype: short\ndimension: 3\nsizes: 4 3 2\nencoding: raw\nendian: little\n"
META = "ObjectType = Image\nNDims = 3\nDimSize = 4 3 2\nElementType = MET_SHORT\n"


def names(path) -> list[str]:
    return [p.name for p in input_files(path)]


@pytest.mark.parametrize(
    ("name", "header", "expected"),
    [
        ("a.nhdr", NRRD + "data file: v.raw\n", ["v.raw"]),
        ("a.nhdr", NRRD + "datafile: sub/v w.raw\n", ["v w.raw"]),
        ("a.nhdr", NRRD + "data file: LIST 2\none.raw\ntwo.raw\n", ["one.raw", "two.raw"]),
        ("a.nhdr", (NRRD + "data file: v.raw\n").replace("\n", "\r\n"), ["v.raw"]),
        ("a.txt", NRRD + "Data File: v.raw\n", ["v.raw"]),
        ("a.nrrd", NRRD + "\nElementDataFile = no.raw\n", []),
        ("a.nrrd", NRRD + "\r\n\r\ndata file: no.raw\n", []),
        ("a.mhd", META + "ElementDataFile = v.raw\n", ["v.raw"]),
        ("a.mhd", META + "ElementDataFile=v.zraw", ["v.zraw"]),
        ("a.mhd", META + "ElementDataFile = LIST 2\none.raw\ntwo.raw\n", ["one.raw", "two.raw"]),
        ("a.mha", META + "ElementDataFile = LOCAL\nv.raw\n", []),
        ("a.nii", "no header", []),
    ],
)
def test_header_names_its_files(tmp_path, name, header, expected):
    (tmp_path / name).write_text(header, newline="")
    assert names(tmp_path / name) == [name, *expected]


@pytest.mark.parametrize("pair", [("a.hdr", "a.img"), ("A.HDR", "A.IMG"), ("a.hdr", "a.img.gz")])
def test_two_file_nifti(tmp_path, pair):
    for name in pair:
        (tmp_path / name).write_bytes(b"x")
    assert names(tmp_path / pair[0]) == list(pair)


def test_names_that_are_no_utf8(tmp_path):
    path = tmp_path / "a.mhd"
    path.write_bytes(META.encode() + b"ElementDataFile = M\xfcller.raw\n")
    assert os.fsencode(input_files(path)[1].name) == b"M\xfcller.raw"


def test_missing_input_stands_for_itself(tmp_path):
    assert input_files(tmp_path / "no.nii") == (tmp_path / "no.nii",)


# -- DICOM -------------------------------------------------------------------------------------

made = pytest.importorskip("synthetic_dicom")
PLACES = [(0.0, 0.0, 3.0 * n) for n in range(3)]


def test_folder_stands_for_the_dicom_files_in_it_whatever_their_names(tmp_path):
    made.series(tmp_path, PLACES)
    made.series(tmp_path / "below", PLACES)
    files = sorted(p for p in tmp_path.iterdir() if p.is_file())
    for path, ending in zip(files, (".ct", ".img", ""), strict=True):
        path.rename(path.with_name(path.stem + ending))
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / ".hidden.dcm").write_bytes(next(tmp_path.glob("*.ct")).read_bytes())
    volume = Volume.read(tmp_path)
    assert {str(p) for p in input_files(tmp_path)} == set(volume.meta["dicom_files"])


def test_folder_without_images_stands_for_those_below_it(tmp_path):
    made.series(tmp_path / "store", PLACES)
    (tmp_path / "patient").mkdir()
    (tmp_path / "patient" / "link").symlink_to(tmp_path / "store")
    (tmp_path / "patient" / "again").symlink_to(tmp_path / "patient")
    volume = Volume.read(tmp_path / "patient")
    assert {str(p) for p in input_files(tmp_path / "patient")} == set(volume.meta["dicom_files"])
    assert len(input_files(tmp_path / "patient")) == 3


def medium(folder):
    from pydicom.fileset import FileSet

    made.series(folder / "source", PLACES)
    files = FileSet()
    for path in sorted((folder / "source").iterdir()):
        files.add(path)
    files.write(folder / "cd")
    return folder / "cd" / "DICOMDIR"


def test_index_of_a_medium_lists_its_images(tmp_path):
    index = medium(tmp_path)
    listed = input_files(index)
    assert listed[0] == index and len(listed) == 4 and all(p.is_file() for p in listed)


def test_index_that_points_outside_is_refused(tmp_path):
    import pydicom

    index = medium(tmp_path)
    data = pydicom.dcmread(index)
    for record in data.DirectoryRecordSequence:
        if "ReferencedFileID" in record:
            record.ReferencedFileID = ["..", "..", "secret"]
    data.save_as(index)
    with pytest.raises(InputError, match="outside its folder"):
        input_files(index)


def test_too_many_files_are_refused_before_one_is_opened(tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    for number in range(4):
        (tmp_path / "below" / f"{number}.dat").write_bytes(b"x")
    monkeypatch.setattr(members, "_MAX_FILES", 3)
    monkeypatch.setattr(members, "is_dicom", lambda path: path.is_file() and pytest.fail("opened"))
    with pytest.raises(InputError, match=f"The folder {tmp_path.name} holds too many files"):
        members.dicom_files(tmp_path)


def test_a_root_folder_is_named_as_well(monkeypatch):
    monkeypatch.setattr(members, "_MAX_FILES", 0)
    monkeypatch.setattr(members, "_counts", lambda path: False)
    with pytest.raises(InputError, match=f"The folder {re.escape(os.path.abspath(os.sep))} holds"):
        members.dicom_files(Path(os.path.abspath(os.sep)))

"""Odd and hostile DICOM headers end in a sentence, soon and in little memory."""

from __future__ import annotations

import time
import zlib

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")
import synthetic_dicom as made  # noqa: E402
from pydicom.tag import Tag  # noqa: E402

from TextPromptSegLib.image.volume import Volume  # noqa: E402
from TextPromptSegLib.outcome import InputError  # noqa: E402

PLACE = {
    "ImagePositionPatient": [0.0, 0.0, 0.0],
    "ImageOrientationPatient": list(made.AXIAL),
    "PixelSpacing": [1.0, 1.0],
}


def slice_of(modality="CT", **tags):
    return made.image(np.eye(8, dtype=np.uint16), modality, **{**PLACE, **tags})


def raw(data, key, vr, value):
    from pydicom.dataelem import RawDataElement

    tag = Tag(key)
    data[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)


def refused(data, path):
    made.save(data, path)
    started = time.process_time()
    with pytest.raises(InputError) as caught:
        Volume.read(path)
    assert time.process_time() - started < 10.0
    assert len(str(caught.value)) < 300 and "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "frames", [b"-1", b"0 ", b"1000000 ", b"99999999999 ", b"1.5 ", b"x ", b"1\\2 "]
)
def test_number_of_frames(tmp_path, frames):
    data = slice_of()
    raw(data, "NumberOfFrames", "IS", frames)
    assert "a.dcm" in refused(data, tmp_path / "a.dcm")


@pytest.mark.parametrize("rows", [60000, 9])
def test_more_rows_than_the_file_holds(tmp_path, rows):
    data = slice_of()
    data.Rows = rows
    refused(data, tmp_path / "a.dcm")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ImagePositionPatient", b"0\\0"),
        ("ImagePositionPatient", b"0\\0\\nan "),
        ("ImagePositionPatient", b"0,5\\0\\0 "),
        ("ImageOrientationPatient", b"0\\0\\0\\0\\0\\0 "),
        ("PixelSpacing", b"0\\0 "),
        ("PixelSpacing", b"1e400\\1 "),
    ],
)
def test_places_that_are_none(tmp_path, key, value):
    data = slice_of()
    raw(data, key, "DS", value)
    made.save(data, tmp_path / "a.dcm")
    try:
        volume = Volume.read(tmp_path / "a.dcm")
    except InputError:
        return
    assert volume.meta["geometry"] == "assumed" and volume.notes


@pytest.mark.parametrize("key", ["Rows", "PixelSpacing", "ImagePositionPatient", "Modality"])
@pytest.mark.parametrize("vr", ["XX", "UN", "SQ", "OB"])
def test_unknown_and_wrong_types_of_values(tmp_path, key, vr):
    data = slice_of()
    path = made.save(data, tmp_path / "a.dcm")
    tag = Tag(key)
    mark = tag.group.to_bytes(2, "little") + tag.element.to_bytes(2, "little")
    content = path.read_bytes()
    at = content.index(mark, 132)
    path.write_bytes(content[: at + 4] + vr.encode() + content[at + 6 :])
    try:
        volume = Volume.read(path)
    except InputError:
        return
    assert volume.shape == (1, 8, 8)


def test_sequences_nested_without_end(tmp_path):
    path = made.save(slice_of(), tmp_path / "a.dcm")
    begin = b"\x30\x52\x00\x92SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    content = path.read_bytes()
    at = content.index(b"\xe0\x7f\x10\x00")
    path.write_bytes(content[:at] + 3000 * begin + content[at:])
    with pytest.raises(InputError):
        Volume.read(path)


def deflated(path):
    """Return a deflated file's part before the packed one, and what is packed."""
    data = slice_of()
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    content = made.save(data, path).read_bytes()
    begin = 144 + int(pydicom.filereader.read_file_meta_info(path).FileMetaInformationGroupLength)
    return content[:begin], zlib.decompress(content[begin:], -zlib.MAX_WBITS)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.95])
def test_deflated_and_cut_off(tmp_path, part):
    before, _ = deflated(tmp_path / "a.dcm")
    packed = (tmp_path / "a.dcm").read_bytes()[len(before) :]
    (tmp_path / "a.dcm").write_bytes(before + packed[: int(len(packed) * part)])
    with pytest.raises(InputError, match="damaged"):
        Volume.read(tmp_path / "a.dcm")


def test_deflated_bomb(tmp_path):
    before, inner = deflated(tmp_path / "a.dcm")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = before + packer.compress(inner)
    for _ in range(600):
        bomb += packer.compress(bytes(1 << 20))
    (tmp_path / "a.dcm").write_bytes(bomb + packer.flush())
    with pytest.raises(InputError, match="memory"):
        Volume.read(tmp_path / "a.dcm")


@pytest.mark.parametrize("modality", ["PT", "US", "MG", "NM", "OT", "XA", ""])
def test_kinds_of_images_that_nothing_was_trained_on(tmp_path, modality):
    data = slice_of()
    data.Modality = modality
    volume = Volume.read(made.save(data, tmp_path / "a.dcm"))
    assert volume.modality is None and any("not trained" in note for note in volume.notes)
    assert not modality or any(modality in note for note in volume.notes)


# -- pictures ----------------------------------------------------------------------------------

SHOWN = np.arange(48, dtype=np.uint16).reshape(6, 8)  # patient right at the left, head at the top


@pytest.mark.parametrize(
    ("letters", "stored"),
    [
        (["L", "F"], SHOWN),
        (["R", "F"], SHOWN[:, ::-1]),
        (["L", "H"], SHOWN[::-1]),
        (["R", "H"], SHOWN[::-1, ::-1]),
        (["F", "L"], SHOWN.T),
        (["F", "R"], SHOWN[:, ::-1].T),
        (["H", "L"], SHOWN[::-1].T),
        (["H", "R"], SHOWN[::-1, ::-1].T),
        (["LA", "FP"], SHOWN),
        (["P", "F"], SHOWN),
        (["A", "F"], SHOWN[:, ::-1]),
        (["F", "P"], SHOWN.T),
        (["L", "P"], SHOWN),
        (["R", "A"], SHOWN[::-1, ::-1]),
    ],
)
def test_picture_is_turned_as_it_says(tmp_path, letters, stored):
    data = made.image(np.ascontiguousarray(stored), "DX", PatientOrientation=letters,
                      PixelSpacing=[1.0, 1.0])  # fmt: skip
    volume = Volume.read(made.save(data, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.canonical().array[0], SHOWN)
    side = not {"L", "R"} & {letter[0] for letter in letters}
    assert any("from the side" in note for note in volume.notes) == side
    assert not any("does not say left" in note for note in volume.notes)


@pytest.mark.parametrize("letters", [None, ["L"], ["L", "R"], ["X", "F"], ["L", "F", "H"], ""])
def test_picture_without_directions_says_so(tmp_path, letters):
    data = made.image(SHOWN, "DX", PatientOrientation=letters)
    volume = Volume.read(made.save(data, tmp_path / "a.dcm"))
    assert any("does not say left and right" in note for note in volume.notes)
    np.testing.assert_array_equal(volume.canonical().array[0], SHOWN)


@pytest.mark.parametrize("key", ["Rows", "Columns", "BitsAllocated", "SamplesPerPixel"])
@pytest.mark.parametrize("length", [0, 1, 3, 5])
def test_numbers_of_the_wrong_length(tmp_path, key, length):
    path = tmp_path / "a.dcm"
    tag = Tag(key)
    mark = tag.group.to_bytes(2, "little") + tag.element.to_bytes(2, "little") + b"US"
    content = made.save(slice_of(), path).read_bytes()
    at = content.index(mark, 132)
    wrong = mark + length.to_bytes(2, "little") + b"\1\0\0\0\0"[:length]
    path.write_bytes(content[:at] + wrong + content[at + 10 :])
    with pytest.raises(InputError):
        Volume.read(path)

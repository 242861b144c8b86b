"""MetaImage: every field that says where voxels lie and what they are, or a sentence."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

sitk = pytest.importorskip("SimpleITK")

from TextPromptSegLib.image.volume import Volume  # noqa: E402
from TextPromptSegLib.outcome import InputError  # noqa: E402

DATA = np.arange(8 * 12 * 10, dtype="<i2").reshape(8, 12, 10)
BASE = {
    "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
    "TransformMatrix": "0 1 0 -1 0 0 0 0 1", "Offset": "7 8 9", "ElementSpacing": "1 2 3",
    "DimSize": "10 12 8", "ElementType": "MET_SHORT", "ElementDataFile": "LOCAL",
}  # fmt: skip


def written(path, data=DATA, **fields):
    """Write a MetaImage file; a field given as None is left out."""
    header = {**BASE, **fields}
    last = header.pop("ElementDataFile")
    lines = [f"{key} = {value}" for key, value in header.items() if value is not None]
    lines.append(f"ElementDataFile = {last}")
    content = data if isinstance(data, bytes) else data.tobytes()
    path.write_bytes(("\n".join(lines) + "\n").encode() + content)
    return path


def same_as_itk(path):
    volume = Volume.read(path)
    theirs = Volume.from_sitk(sitk.ReadImage(str(path), imageIO="MetaImageIO"))
    np.testing.assert_array_equal(volume.array, theirs.array)
    np.testing.assert_allclose(volume.ijk_to_ras, theirs.ijk_to_ras, atol=1e-6)
    return volume


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("MET_CHAR", "i1"), ("MET_UCHAR", "u1"), ("MET_USHORT", "u2"), ("MET_INT", "i4"),
     ("MET_UINT", "u4"), ("MET_LONG", "i4"), ("MET_LONG_LONG", "i8"), ("MET_FLOAT", "f4"),
     ("MET_DOUBLE", "f8")],
)  # fmt: skip
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_types_orders_and_packings(tmp_path, kind, dtype, swapped, packed):
    data = (DATA % 100).astype((">" if swapped else "<") + dtype).tobytes()
    content = zlib.compress(data) if packed else data
    path = written(tmp_path / "a.mha", content, ElementType=kind, BinaryDataByteOrderMSB=swapped,
                   CompressedData=packed, CompressedDataSize=len(content))  # fmt: skip
    volume = same_as_itk(path)
    np.testing.assert_array_equal(volume.array, DATA % 100)
    assert volume.notes == () and volume.meta["geometry"] == "file"


@pytest.mark.parametrize(
    "fields",
    [
        {"TransformMatrix": None, "Rotation": "1 0 0 0 -1 0 0 0 1"},
        {"TransformMatrix": None, "Orientation": "1 0 0 0 0 1 0 -1 0"},
        {"Offset": None, "Position": "1 2 3"},
        {"Offset": None, "Origin": "1 2 3"},
        {"ElementSpacing": None, "ElementSize": "4 5 6"},
        {"ElementSize": "4 5 6", "CenterOfRotation": "3 3 3"},
        {"BinaryData": None},
    ],
)
def test_other_names_of_fields(tmp_path, fields):
    assert same_as_itk(written(tmp_path / "a.mha", **fields)).notes == ()


def test_what_is_not_said_is_told(tmp_path):
    volume = same_as_itk(written(tmp_path / "a.mha", TransformMatrix=None))
    assert volume.meta["geometry"] == "assumed" and any("left and right" in n for n in volume.notes)
    volume = same_as_itk(written(tmp_path / "b.mha", ElementSpacing=None))
    assert any("size of its voxels" in note for note in volume.notes)


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("cm", 10), ("um", 0.001)])
def test_units(tmp_path, unit, factor):
    volume = Volume.read(written(tmp_path / "a.mha", DistanceUnits=unit))
    assert volume.spacing == pytest.approx((factor, 2 * factor, 3 * factor)) and not volume.notes
    volume = Volume.read(written(tmp_path / "b.mha", DistanceUnits="furlong"))
    assert any("furlong" in note for note in volume.notes)


def test_values_that_stand_for_others_and_modality(tmp_path):
    volume = Volume.read(
        written(tmp_path / "a.mha", ElementToIntensityFunctionSlope="2",
                ElementToIntensityFunctionOffset="-1000", Modality="MET_MOD_CT")
    )  # fmt: skip
    np.testing.assert_array_equal(volume.array, DATA * 2.0 - 1000)
    assert volume.modality == "CT"


def test_frames_channels_and_pictures(tmp_path):
    how = {"NDims": "4", "DimSize": "10 12 4 2", "ElementSpacing": "1 2 3 1", "Offset": "0 0 0 0",
           "TransformMatrix": " ".join(map(str, np.eye(4, dtype=int).ravel()))}  # fmt: skip
    with pytest.raises(InputError, match="holds 2 volumes"):
        Volume.read(written(tmp_path / "a.mha", **how))
    volume = Volume.read(tmp_path / "a.mha", frame=1)
    np.testing.assert_array_equal(volume.array, DATA[4:])
    assert volume.spacing == pytest.approx((1, 2, 3))
    path = written(tmp_path / "b.mha", DimSize="10 12 4", ElementNumberOfChannels="2")
    assert (Volume.read(path, frame=1).array == DATA.reshape(4, 12, 10, 2)[..., 1]).all()
    flat = {"NDims": "2", "DimSize": "24 40", "ElementSpacing": "1 2", "Offset": "0 0",
            "TransformMatrix": "1 0 0 1"}  # fmt: skip
    assert same_as_itk(written(tmp_path / "c.mha", **flat)).shape == (1, 40, 24)


@pytest.mark.parametrize("named", ["LIST\n0.raw\n1.raw\n", "%d.raw 0 1 1"])
def test_voxels_in_several_files(tmp_path, named):
    for n in (0, 1):
        (tmp_path / f"{n}.raw").write_bytes(b"head" + DATA[4 * n : 4 * n + 4].tobytes())
    for skip in ("4", "-1"):
        path = written(tmp_path / "a.mhd", b"", ElementDataFile=named, HeaderSize=skip)
        np.testing.assert_array_equal(Volume.read(path).array, DATA)


def test_text_voxels(tmp_path):
    text = " ".join(map(str, DATA.ravel())).encode()
    path = written(tmp_path / "a.mha", text, BinaryData="False")
    np.testing.assert_array_equal(Volume.read(path).array, DATA)
    how = {"NDims": "4", "DimSize": "10 12 8 1", "ElementSpacing": "1 1 1 1",
           "TransformMatrix": None, "Offset": None, "BinaryData": "False"}  # fmt: skip
    with pytest.raises(InputError, match="damaged"):
        Volume.read(written(tmp_path / "b.mha", bytes(2000), **how))
    with pytest.raises(InputError, match="damaged"):
        Volume.read(written(tmp_path / "c.mha", text[:-9], BinaryData="False"))


@pytest.mark.parametrize(
    "fields",
    [
        {"NDims": "-1"}, {"NDims": "0"}, {"NDims": "1"}, {"NDims": "99"}, {"NDims": "x"},
        {"DimSize": "10 12"}, {"DimSize": "10 12 -8"}, {"DimSize": "10 12 9"}, {"DimSize": None},
        {"DimSize": "1000000 1000000 1000000"}, {"ElementType": "MET_" + "X" * 2000},
        {"ElementType": "MET_STRING"}, {"ElementSpacing": "1 0 1"}, {"ElementSpacing": "1 nan 1"},
        {"TransformMatrix": "1 0 0 0 1 0 0 1e308 1"}, {"TransformMatrix": "1 0 0 0 1 0 0 0"},
        {"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, {"Offset": "1e300 0 0"}, {"Offset": "a b c"},
        {"ElementNumberOfChannels": "-1"}, {"ElementNumberOfChannels": "2000000000"},
        {"HeaderSize": "-7", "ElementDataFile": "v.raw"}, {"ElementDataFile": "%s%n.raw"},
        {"ElementDataFile": "-"}, {"ElementDataFile": ""}, {"ElementDataFile": "/dev/zero"},
        {"ElementDataFile": "LIST"}, {"ElementDataFile": "v%d.raw 0 99999999 1"},
        {"Comment": "c" * 10_000}, {"CompressedData": "True"},
    ],
)  # fmt: skip
def test_damaged_headers_are_refused(tmp_path, fields):
    with pytest.raises(InputError) as caught:
        Volume.read(written(tmp_path / "a.mha", **fields))
    assert len(str(caught.value)) < 300 and "\n" not in str(caught.value)

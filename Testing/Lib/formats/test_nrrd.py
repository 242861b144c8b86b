"""NRRD: every field that says where voxels lie and what they are, or a sentence."""

from __future__ import annotations

import bz2
import gzip

import numpy as np
import pytest

sitk = pytest.importorskip("SimpleITK")

from TextPromptSegLib.image.volume import Volume  # noqa: E402
from TextPromptSegLib.outcome import InputError  # noqa: E402

DATA = np.arange(8 * 12 * 10, dtype="<i2").reshape(8, 12, 10)
BASE = {
    "type": "short", "dimension": "3", "sizes": "10 12 8", "endian": "little", "encoding": "raw",
    "space": "left-posterior-superior", "space directions": "(1,0,0) (0,2,0) (0,0,3)",
    "space origin": "(10,20,30)",
}  # fmt: skip


def written(path, data=DATA, lead=b"", **fields):
    """Write an NRRD file; a field given as None is left out, "_" in a name stands for a space."""
    header = {**BASE, **{key.replace("_", " "): value for key, value in fields.items()}}
    lines = ["NRRD0004", *(f"{k}: {v}" for k, v in header.items() if v is not None)]
    content = data if isinstance(data, bytes) else data.tobytes()
    path.write_bytes(("\n".join(lines) + "\n\n").encode() + lead + content)
    return path


def refused(path, words=""):
    with pytest.raises(InputError, match=words) as caught:
        Volume.read(path)
    assert len(str(caught.value)) < 300 and "\n" not in str(caught.value)


def same_as_itk(path):
    volume = Volume.read(path)
    theirs = Volume.from_sitk(sitk.ReadImage(str(path), imageIO="NrrdImageIO"))
    np.testing.assert_array_equal(volume.array, theirs.array)
    np.testing.assert_allclose(volume.ijk_to_ras, theirs.ijk_to_ras, atol=1e-6)
    return volume


# -- place -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "space",
    ["left-posterior-superior", "LPS", "right-anterior-superior", "RAS", "left-anterior-superior"],
)
def test_spaces_of_a_patient(tmp_path, space):
    volume = same_as_itk(written(tmp_path / "a.nrrd", space=space))
    assert volume.notes == () and volume.meta["geometry"] == "file"


@pytest.mark.parametrize("space", ["3D-right-handed", "3D-left-handed", "scanner-xyz", "unheard"])
def test_spaces_of_no_patient_are_told(tmp_path, space):
    volume = Volume.read(written(tmp_path / "a.nrrd", space=space))
    assert any(f'"{space}", which is not that of a patient' in note for note in volume.notes)
    assert volume.meta["geometry"] == "assumed" and volume.axcodes == "LPS"


@pytest.mark.parametrize(
    "fields",
    [
        {"space": None, "space_dimension": "3"},
        {"space_directions": None, "space_origin": None, "spacings": "1 2 3"},
        {"space": None, "space_directions": None, "space_origin": None},
    ],
)
def test_no_space_is_told(tmp_path, fields):
    volume = Volume.read(written(tmp_path / "a.nrrd", **fields))
    assert volume.meta["geometry"] == "assumed" and any("left and right" in n for n in volume.notes)


def test_missing_origin_is_told(tmp_path):
    volume = same_as_itk(written(tmp_path / "a.nrrd", space_origin=None))
    assert any("first voxel" in note for note in volume.notes)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("mm", 1), ("cm", 10), ("m", 1000), ("um", 1e-3), ("micrometers", 1e-3), ("in", 25.4)],
)
def test_units_of_space(tmp_path, unit, factor):
    volume = Volume.read(written(tmp_path / "a.nrrd", space_units=f'"{unit}" "{unit}" "{unit}"'))
    assert volume.spacing == pytest.approx((factor, 2 * factor, 3 * factor)) and not volume.notes
    np.testing.assert_allclose(volume.ijk_to_ras[:3, 3] / factor, (-10, -20, 30))
    plain = {"space": None, "space_directions": None, "space_origin": None}
    path = written(tmp_path / "b.nrrd", **plain, spacings="1 2 3", units=f'"{unit}" {unit} {unit}')
    assert Volume.read(path).spacing == pytest.approx((factor, 2 * factor, 3 * factor))


def test_unknown_unit_is_told(tmp_path):
    volume = Volume.read(written(tmp_path / "a.nrrd", space_units='"furlong" "mm" "mm"'))
    assert any("furlong" in note for note in volume.notes)


# -- axes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "directions", "kinds", "order"),
    [
        ("2 10 12 4", "none (1,0,0) (0,2,0) (0,0,3)", "list domain domain domain", 3),
        ("2 10 12 4", "none (1,0,0) (0,2,0) (0,0,3)", None, 3),
        ("10 12 4 2", "(1,0,0) (0,2,0) (0,0,3) none", "domain domain domain list", 0),
        ("10 12 4 2", "(1,0,0) (0,2,0) (0,0,3) none", "domain domain domain time", 0),
        ("10 2 12 4", "(1,0,0) none (0,2,0) (0,0,3)", "domain list domain domain", 2),
    ],
)
def test_axes_outside_space_are_frames(tmp_path, sizes, directions, kinds, order):
    path = written(tmp_path / "a.nrrd", dimension="4", sizes=sizes, space_directions=directions,
                   kinds=kinds)  # fmt: skip
    refused(path, "holds 2 volumes")
    stored = DATA.reshape([int(n) for n in sizes.split()][::-1])
    for frame in (0, 1):
        volume = Volume.read(path, frame=frame)
        np.testing.assert_array_equal(volume.array, np.take(stored, frame, axis=order))
        assert volume.spacing == pytest.approx((1, 2, 3))


def test_third_axis_that_is_time_is_no_depth(tmp_path):
    plain = {"space": None, "space_directions": None, "space_origin": None}
    path = written(tmp_path / "a.nrrd", **plain, kinds="domain domain time", spacings="1 2 3")
    refused(path, "holds 8 volumes")
    assert Volume.read(path, frame=3).shape == (1, 12, 10)


def test_space_with_time(tmp_path):
    path = written(tmp_path / "a.nrrd", dimension="4", sizes="10 12 4 2",
                   space="left-posterior-superior-time", space_origin="(1,2,3,0)",
                   space_directions="(1,0,0,0) (0,2,0,0) (0,0,3,0) (0,0,0,1)")  # fmt: skip
    volume = Volume.read(path, frame=1)
    assert volume.shape == (4, 12, 10) and volume.notes == ()


def test_slice_in_space_and_flat_picture(tmp_path):
    path = written(tmp_path / "a.nrrd", dimension="2", sizes="24 40",
                   space_directions="(0,1,0) (0,0,-2)")  # fmt: skip
    volume = Volume.read(path)
    assert volume.shape == (1, 40, 24) and volume.axcodes[:2] == "PI"
    flat = written(tmp_path / "b.nrrd", dimension="2", sizes="24 40", space=None,
                   space_directions=None, space_origin=None, spacings="1 2")  # fmt: skip
    assert same_as_itk(flat).spacing == pytest.approx((1, 2, 1))


def test_colour_and_complex(tmp_path):
    colours = np.repeat(np.arange(8 * 10 * 4, dtype=np.uint8)[:, None], 3, 1)
    how = {"dimension": "4", "sizes": "3 10 8 4", "type": "uchar",
           "space_directions": "none (1,0,0) (0,2,0) (0,0,3)"}  # fmt: skip
    path = written(tmp_path / "a.nrrd", colours, kinds="RGB-color domain domain domain", **how)
    assert (Volume.read(path).array.ravel() == colours[:, 0]).all()
    how["sizes"] = "2 10 12 4"
    refused(written(tmp_path / "b.nrrd", kinds="complex domain domain domain", **how), "complex")


# -- voxels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("signed char", "i1"), ("uint8", "u1"), ("unsigned short", "u2"), ("int", "i4"),
     ("unsigned int", "u4"), ("long long", "i8"), ("float", "f4"), ("double", "f8")],
)  # fmt: skip
@pytest.mark.parametrize("endian", ["little", "big"])
@pytest.mark.parametrize("encoding", ["raw", "gzip", "ascii"])
def test_types_orders_and_encodings(tmp_path, kind, dtype, endian, encoding):
    data = (DATA % 100).astype(("<" if endian == "little" else ">") + dtype)
    content = data.tobytes()
    if encoding == "gzip":
        content = gzip.compress(content)
    elif encoding == "ascii":
        content = " ".join(map(str, data.ravel())).encode()
    volume = same_as_itk(written(tmp_path / "a.nrrd", content, type=kind, endian=endian,
                                 encoding=encoding))  # fmt: skip
    np.testing.assert_array_equal(volume.array, DATA % 100)


def test_skipped_bytes_and_lines_and_bzip2(tmp_path):
    path = written(tmp_path / "a.nrrd", lead=b"x" * 7, byte_skip="7")
    np.testing.assert_array_equal(Volume.read(path).array, DATA)
    path = written(tmp_path / "b.nrrd", lead=b"one\ntwo\nxy", byte_skip="2", line_skip="2")
    np.testing.assert_array_equal(Volume.read(path).array, DATA)
    path = written(tmp_path / "c.nrrd", lead=b"anything", byte_skip="-1")
    np.testing.assert_array_equal(Volume.read(path).array, DATA)
    path = written(tmp_path / "d.nrrd", bz2.compress(DATA.tobytes()), encoding="bzip2")
    np.testing.assert_array_equal(Volume.read(path).array, DATA)


@pytest.mark.parametrize("named", ["LIST\n0.raw\n1.raw", "%d.raw 0 1 1", "%01d.raw 0 1 1"])
def test_voxels_in_several_files(tmp_path, named):
    for n in (0, 1):
        (tmp_path / f"{n}.raw").write_bytes(DATA[4 * n : 4 * n + 4].tobytes())
    header = "\n".join(["NRRD0004", *(f"{k}: {v}" for k, v in BASE.items()), f"data file: {named}"])
    (tmp_path / "a.nhdr").write_text(header + "\n")
    np.testing.assert_array_equal(Volume.read(tmp_path / "a.nhdr").array, DATA)


# -- damage ------------------------------------------------------------------------------------


def test_every_flipped_bit_of_packed_voxels_is_noticed(tmp_path):
    rng = np.random.default_rng(0)
    data = rng.integers(0, 50, DATA.shape).astype("<i2")
    path = written(tmp_path / "a.nrrd", gzip.compress(data.tobytes(), mtime=0), encoding="gzip")
    content = path.read_bytes()
    begin = content.index(b"\x1f\x8b")
    for place in rng.choice(np.arange(8 * (begin + 10), 8 * len(content)), 150, replace=False):
        broken = bytearray(content)
        broken[place // 8] ^= 1 << (place % 8)
        path.write_bytes(broken)
        try:
            found = Volume.read(path).array
        except InputError:
            continue
        np.testing.assert_array_equal(found, data)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "a" * 1100}, {"encoding": "b" * 1100}, {"space": "c" * 5000},
        {"type": "%s%n%s"}, {"data_file": "-"}, {"data_file": "%s%n.raw"}, {"data_file": "%d.raw"},
        {"data_file": "no.raw"}, {"data_file": "/dev/zero"}, {"data_file": "."},
        {"dimension": "-1"}, {"dimension": "0"}, {"dimension": "99"}, {"dimension": "x"},
        {"sizes": "10 12"}, {"sizes": "10 12 -8"}, {"sizes": "10 12 0"}, {"sizes": "10 12 9"},
        {"sizes": "4000000 4000000 4000000"}, {"sizes": "10 12 8e0"},
        {"space_directions": "(1,0,0) (0,1,0)"}, {"space_directions": "(1,0,0) (0,1,0) (0,0,nan)"},
        {"space_directions": "(1,0,0) (0,1,0) (0,0,1e300)"}, {"space_origin": "(1,2)x"},
        {"space_directions": "(1,0,0) (1,0,0) (0,0,3)"}, {"space_directions": "none none none"},
        {"endian": "middle"}, {"encoding": "hex"}, {"byte_skip": "-7"}, {"byte_skip": "x"},
        {"line_skip": "99999"}, {"kinds": "domain"}, {"type": "block"},
        {"type": None}, {"sizes": None}, {"encoding": None}, {"endian": None},
    ],
)  # fmt: skip
def test_damaged_headers_are_refused(tmp_path, fields):
    refused(written(tmp_path / "a.nrrd", **fields))


def test_names_that_are_no_utf8(tmp_path):
    import os

    path = tmp_path / os.fsdecode(b"M\xfcller.nrrd")
    assert Volume.read(written(path)).shape == (8, 12, 10)

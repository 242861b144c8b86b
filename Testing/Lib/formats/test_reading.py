"""Reading files that are no DICOM: right values in the right place."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from image_files import SHAPE, nifti, numbered, oblique, refused
from PIL import Image

from TextPromptSegLib.image.volume import Volume

nib = pytest.importorskip("nibabel")
sitk = pytest.importorskip("SimpleITK")

# -- right values in the right place -----------------------------------------------------------


@pytest.mark.parametrize(
    "dtype",
    [
        "int8",
        "uint8",
        "int16",
        "uint16",
        "int32",
        "uint32",
        "int64",
        "uint64",
        "float32",
        "float64",
    ],
)
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_nifti_of_every_type(tmp_path, dtype, ending):
    path = nifti(tmp_path / f"x{ending}", numbered(dtype))
    volume = Volume.read(path)
    np.testing.assert_array_equal(volume.array, numbered(dtype))
    assert volume.array.dtype == dtype and volume.name == "x" and volume.modality is None
    np.testing.assert_allclose(volume.ijk_to_ras, oblique(), atol=1e-5)


def test_nifti_agrees_with_simpleitk_and_nibabel(tmp_path):
    rng = np.random.default_rng(0)
    stored = rng.integers(-1000, 1000, (4, 5, 6), dtype=np.int16)
    path = nifti(tmp_path / "x.nii.gz", stored)
    scaled = bytearray(gzip.decompress(path.read_bytes()))
    struct.pack_into("<2f", scaled, 112, 0.25, -125.0)  # scl_slope, scl_inter
    path.write_bytes(gzip.compress(bytes(scaled)))
    volume = Volume.read(path)
    theirs = Volume.from_sitk(sitk.ReadImage(str(path)))
    np.testing.assert_array_equal(volume.array, theirs.array)
    np.testing.assert_allclose(volume.array, stored * 0.25 - 125.0)
    np.testing.assert_allclose(volume.ijk_to_ras, theirs.ijk_to_ras, atol=1e-6)
    np.testing.assert_allclose(volume.array.T, nib.load(path).get_fdata())


def test_big_endian_and_nifti_2(tmp_path):
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    big = nib.Nifti1Image(numbered().T.astype(">i2"), oblique(), header=header)
    nib.save(big, tmp_path / "big.nii")
    assert (tmp_path / "big.nii").read_bytes()[:4] == b"\x00\x00\x01\x5c"
    nib.save(nib.Nifti2Image(numbered().T, oblique()), tmp_path / "two.nii.gz")
    for name in ("big.nii", "two.nii.gz"):
        volume = Volume.read(tmp_path / name)
        np.testing.assert_array_equal(volume.array, numbered())
        np.testing.assert_allclose(volume.ijk_to_ras, oblique(), atol=1e-5)


def test_sheared_nifti_keeps_its_voxels_and_its_true_matrix(tmp_path):
    matrix = np.diag([-1.0, -1.0, 3.0, 1.0])
    matrix[1, 2] = 3.0 * np.tan(np.radians(20))
    volume = Volume.read(nifti(tmp_path / "tilt.nii.gz", numbered(), matrix))
    np.testing.assert_allclose(volume.ijk_to_ras, matrix, atol=1e-5)
    np.testing.assert_array_equal(volume.array, numbered())
    assert volume.shear_degrees == pytest.approx(20, abs=1e-3)
    assert any("sheared" in note for note in volume.notes)


def test_nifti_without_orientation_says_that_it_is_assumed(tmp_path):
    written = nib.Nifti1Image(numbered().T, None)
    written.set_sform(None, 0)
    written.set_qform(None, 0)
    nib.save(written, tmp_path / "x.nii")
    assert any("left and right are assumed" in n for n in Volume.read(tmp_path / "x.nii").notes)


def test_nrrd_without_a_space_says_that_its_place_is_assumed(tmp_path):
    path = tmp_path / "x.nrrd"
    head = "NRRD0004\ntype: short\ndimension: 3\nsizes: 5 4 3\nendian: little\nencoding: raw\n\n"
    path.write_bytes(head.encode() + numbered("<i2").tobytes())
    volume = Volume.read(path)
    np.testing.assert_array_equal(volume.array, numbered())
    assert volume.meta["geometry"] == "assumed" and "assumed" in volume.notes[0]


@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".mhd", ".nhdr"])
@pytest.mark.parametrize("compress", [False, True])
def test_nrrd_and_metaimage(tmp_path, ending, compress):
    before = Volume(numbered("float32"), oblique())
    path = tmp_path / f"x{ending}"
    sitk.WriteImage(before.to_sitk(), str(path), compress)
    volume = Volume.read(path)
    np.testing.assert_array_equal(volume.array, before.array)
    np.testing.assert_allclose(volume.ijk_to_ras, oblique(), atol=1e-6)
    assert volume.name == "x" and volume.meta["geometry"] == "file"


def test_the_content_decides_and_not_the_name(tmp_path):
    path = nifti(tmp_path / "x.nii.gz", numbered())
    path.rename(tmp_path / "scan.dcm")
    np.testing.assert_array_equal(Volume.read(tmp_path / "scan.dcm").array, numbered())
    sitk.WriteImage(Volume(numbered()).to_sitk(), str(tmp_path / "y.nrrd"))
    (tmp_path / "y.nrrd").rename(tmp_path / "y.dat")
    np.testing.assert_array_equal(Volume.read(tmp_path / "y.dat").array, numbered())


def test_single_slices_and_flat_files(tmp_path):
    flat = Volume.read(nifti(tmp_path / "flat.nii", numbered(shape=(4, 5))))
    thin = Volume.read(nifti(tmp_path / "thin.nii", numbered(shape=(1, 4, 5))))
    sitk.WriteImage(sitk.GetImageFromArray(numbered(shape=(4, 5))), str(tmp_path / "f.nrrd"))
    for volume in (flat, thin, Volume.read(tmp_path / "f.nrrd")):
        assert volume.shape == (1, 4, 5) and volume.is_2d
        np.testing.assert_array_equal(volume.array[0], numbered(shape=(4, 5)))


def test_mirrored_file_keeps_the_patients_right(tmp_path):
    array = np.zeros((4, 6, 8), np.uint8)
    array[:, :, 6:] = 1
    matrix = np.diag([1.0, 1.0, 1.0, 1.0])  # RAS: high i is the patient's right
    flip = np.eye(4)
    flip[0, 0], flip[0, 3] = -1, 7
    one = Volume.read(nifti(tmp_path / "one.nii.gz", array, matrix)).canonical()
    two = Volume.read(nifti(tmp_path / "two.nii.gz", array[..., ::-1], matrix @ flip)).canonical()
    np.testing.assert_array_equal(one.array, two.array)
    assert one.array[..., :2].all() and not one.array[..., 2:].any()


# -- pictures ----------------------------------------------------------------------------------


def picture(path: Path, pixels: np.ndarray, mode: str | None = None, **options) -> Path:
    Image.fromarray(pixels, mode).save(path, **options)
    return path


@pytest.mark.filterwarnings("ignore:'mode' parameter")
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "1", "I;16"])
def test_png_of_every_kind(tmp_path, mode):
    grey = np.add.outer(np.arange(6) * 10, np.arange(8)).astype(np.uint8)
    if mode == "I;16":
        expected: np.ndarray = grey.astype(np.uint16) * 700
        picture(tmp_path / "x.png", expected)
    elif mode == "1":
        Image.fromarray(grey > 30).save(tmp_path / "x.png")
        expected = (grey > 30) * np.uint8(255)
    elif mode == "P":
        Image.fromarray(grey).convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE).save(
            tmp_path / "x.png"
        )
        expected = grey
    else:
        channels = [grey] * len(mode) if mode != "L" else grey
        if mode in ("LA", "RGBA"):
            channels[-1] = np.full_like(grey, 128)
        Image.fromarray(np.dstack(channels) if mode != "L" else grey).save(tmp_path / "x.png")
        expected = grey
    volume = Volume.read(tmp_path / "x.png")
    assert volume.shape == (1, 6, 8) and volume.axcodes == "LPS" and volume.spacing == (1, 1, 1)
    np.testing.assert_array_equal(volume.array[0], expected)
    assert volume.array.dtype == expected.dtype
    assert volume.meta["geometry"] == "assumed" and volume.modality is None
    assert volume.canonical() is volume


def test_colour_becomes_luminance(tmp_path):
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[0, :, :] = np.eye(3) * 255
    picture(tmp_path / "x.png", pixels)
    np.testing.assert_array_equal(Volume.read(tmp_path / "x.png").array[0, 0], [76, 150, 29])
    deep = sitk.GetImageFromArray((pixels.astype(np.uint16) * 257), isVector=True)
    sitk.WriteImage(deep, str(tmp_path / "deep.png"))
    volume = Volume.read(tmp_path / "deep.png")
    assert volume.array.dtype == np.uint16
    np.testing.assert_array_equal(volume.array[0, 0], np.rint(65535 * np.r_[0.299, 0.587, 0.114]))


def test_jpeg_grey_colour_and_cmyk(tmp_path):
    grey = np.full((16, 16), 90, np.uint8)
    for name, saved in {
        "grey": Image.fromarray(grey),
        "rgb": Image.fromarray(np.dstack([grey] * 3)),
        "cmyk": Image.fromarray(np.dstack([grey] * 3)).convert("CMYK"),
    }.items():
        saved.save(tmp_path / f"{name}.jpg", quality=95)
        volume = Volume.read(tmp_path / f"{name}.jpg")
        assert volume.shape == (1, 16, 16) and abs(volume.array.astype(int) - 90).max() <= 3


def test_rgb_volume_becomes_luminance(tmp_path):
    pixels = np.repeat(numbered("uint8")[..., None], 3, axis=-1)
    sitk.WriteImage(sitk.GetImageFromArray(pixels, isVector=True), str(tmp_path / "x.nrrd"))
    np.testing.assert_array_equal(Volume.read(tmp_path / "x.nrrd").array, numbered("uint8"))


# -- values that are odd but allowed -----------------------------------------------------------


def test_nan_and_infinite_values_are_kept_and_told(tmp_path):
    array = numbered("float32")
    array[0, 0, :2] = (np.nan, np.inf)
    volume = Volume.read(nifti(tmp_path / "x.nii", array))
    np.testing.assert_array_equal(volume.array, array)
    assert any("2 voxels are not finite" in note for note in volume.notes)
    nifti(tmp_path / "nothing.nii", np.full(SHAPE, np.nan, np.float32))
    refused(tmp_path / "nothing.nii", "no finite number")


def test_constant_image_is_told(tmp_path):
    volume = Volume.read(nifti(tmp_path / "x.nii", np.full(SHAPE, 7, np.int16)))
    assert any("same value" in note for note in volume.notes)
    assert Volume.read(nifti(tmp_path / "y.nii", numbered())).notes == ()


def test_real_images_agree_with_simpleitk(shared_data):
    sets = ["ct_abdomen_totalseg", "mr_brain_tumor_brats2013", "mr_brain_ms_lesion", "cxr_jsrt"]
    for name in sets:
        path = min((shared_data / name / "images").iterdir(), key=lambda p: (p.stat().st_size, p))
        image = sitk.ReadImage(str(path))
        volume = Volume.read(path)
        np.testing.assert_array_equal(
            volume.array.squeeze(), sitk.GetArrayFromImage(image).squeeze()
        )
        if image.GetDimension() == 3:
            np.testing.assert_array_equal(volume.ijk_to_ras, Volume.from_sitk(image).ijk_to_ras)

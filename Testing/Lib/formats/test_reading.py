"""Reading files that are no DICOM: right values, right place, and plain sentences for bad files."""

from __future__ import annotations

import gzip
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import InputError

nib = pytest.importorskip("nibabel")
sitk = pytest.importorskip("SimpleITK")
from PIL import Image  # noqa: E402

SHAPE = (3, 4, 5)


def numbered(dtype="int16", shape=SHAPE) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def oblique() -> np.ndarray:
    angle = 0.3
    matrix = np.diag([-0.7, -0.8, 2.0, 1.0])
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix = turn @ matrix
    matrix[:3, 3] = (10, -20, 30)
    return matrix


def nifti(path: Path, array: np.ndarray, affine=None, **header) -> Path:
    """Write (..., K, J, I) values with nibabel."""
    written = nib.Nifti1Image(array.T, oblique() if affine is None else affine, dtype=array.dtype)
    for key, value in header.items():
        written.header[key] = value
    nib.save(written, path)
    return path


def refused(path: Path, words: str, **how) -> str:
    """The one clear sentence of a refusal; no noise of C libraries beside it."""
    with pytest.raises(InputError, match=words) as caught:
        Volume.read(path, **how)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".") and len(sentence) < 300
    assert "0x" not in sentence and "Traceback" not in sentence
    return sentence


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
    np.testing.assert_array_equal(volume.ijk_to_ras, theirs.ijk_to_ras)
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
    refused(tmp_path / "scan.dcm", r"rename it to end in \.nii\.gz")  # ITK goes by the name
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


# -- several volumes in one file ---------------------------------------------------------------


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_four_dimensions_are_refused_or_one_frame_is_picked(tmp_path, ending):
    array = numbered("int16", (2, *SHAPE))
    path = tmp_path / f"x{ending}"
    if ending == ".nii.gz":
        nifti(path, array)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(array, isVector=False), str(path))
    sentence = refused(path, r"holds 2 volumes.*frame=0\.\.1")
    assert "save one" in sentence
    np.testing.assert_array_equal(Volume.read(path, frame=1).array, array[1])
    refused(path, "no frame 2", frame=2)


def test_four_dimensions_with_one_frame_are_fine(tmp_path):
    volume = Volume.read(nifti(tmp_path / "x.nii", numbered(shape=(1, *SHAPE))))
    np.testing.assert_array_equal(volume.array, numbered())


def test_channels_of_a_vector_image(tmp_path):
    array = np.stack([numbered("float32"), numbered("float32") + 100], axis=-1)
    sitk.WriteImage(sitk.GetImageFromArray(array, isVector=True), str(tmp_path / "x.nrrd"))
    refused(tmp_path / "x.nrrd", "holds 2 volumes")
    np.testing.assert_array_equal(Volume.read(tmp_path / "x.nrrd", frame=1).array, array[..., 1])


def test_complex_numbers_are_refused(tmp_path):
    nib.save(nib.Nifti1Image(np.ones((3, 4, 5), np.complex64), np.eye(4)), tmp_path / "x.nii")
    refused(tmp_path / "x.nii", "complex.*magnitude")
    image = sitk.GetImageFromArray(np.ones(SHAPE, np.complex64))
    sitk.WriteImage(image, str(tmp_path / "x.mha"))
    refused(tmp_path / "x.mha", "holds 2 volumes")  # MetaImage keeps the parts as channels


# -- files that cannot be used -----------------------------------------------------------------


def whole_files(folder: Path) -> dict[str, bytes]:
    noise = np.random.default_rng(0).integers(0, 255, (20, 30, 40), dtype=np.uint8)
    image = sitk.GetImageFromArray(noise)
    for name in ("a.nii", "b.nii.gz", "c.nrrd", "d.mha"):
        sitk.WriteImage(image, str(folder / name))
    for name in ("e.nrrd", "f.mha"):
        sitk.WriteImage(image, str(folder / name), True)
    Image.fromarray(noise[0]).save(folder / "g.png")
    Image.fromarray(noise[0]).save(folder / "h.jpg")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("part", [0.1, 0.5, 0.97])
def test_truncated_files_are_refused_without_noise(tmp_path, part, capfd):
    for name, content in whole_files(tmp_path).items():
        Volume.read(tmp_path / name)  # the whole file is fine
        capfd.readouterr()
        (tmp_path / name).write_bytes(content[: int(len(content) * part)])
        refused(tmp_path / name, "damaged|incomplete")
        out, err = capfd.readouterr()
        assert (out, err) == ("", ""), name


@pytest.mark.parametrize("name", ["b.nii.gz", "e.nrrd", "f.mha"])
def test_flipped_bits_in_compressed_files_are_noticed(tmp_path, name):
    content = bytearray(whole_files(tmp_path)[name])
    for offset in range(3):
        content[len(content) // 2 + offset] ^= 0xFF
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, "damaged")


@pytest.mark.parametrize(
    "name",
    ["x.nii", "x.nii.gz", "x.nrrd", "x.mha", "x.mhd", "x.png", "x.jpg", "x.dcm", "x", "x.txt"],
)
def test_files_that_are_no_images(tmp_path, name, capfd):
    path = tmp_path / name
    path.write_bytes(b"")
    refused(path, "empty file")
    path.write_text("Dear colleague,\nthe scan is attached — see below.\n" * 30, encoding="utf-8")
    refused(path, "text file")
    path.write_bytes(np.random.default_rng(1).integers(128, 255, 5000, dtype=np.uint8).tobytes())
    refused(path, "damaged or encrypted")
    path.write_bytes(b"Salted__" + bytes(range(256)))
    refused(path, "decrypt it first")
    path.write_bytes(b"\0" * 4096)
    refused(path, "zeros")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("scan.nii", b"x" * 400)
    refused(path, "unpack it first")
    path.write_bytes(b"%PDF-1.7\n" + b"x" * 500)
    refused(path, "PDF")
    path.write_bytes(gzip.compress(b"not an image" * 100))
    refused(path, "gzip archive of something else")
    assert capfd.readouterr() == ("", "")


def test_missing_files_and_folders_without_images(tmp_path):
    refused(tmp_path / "absent.nii", "There is no file")
    refused(tmp_path, "no DICOM images")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "notes.txt").write_text("hello")
    refused(tmp_path, "no DICOM images")


def test_header_without_its_voxels(tmp_path):
    sitk.WriteImage(Volume(numbered()).to_sitk(), str(tmp_path / "x.mhd"))
    (tmp_path / "x.raw").unlink()
    refused(tmp_path / "x.mhd", "not beside it")
    sitk.WriteImage(Volume(numbered()).to_sitk(), str(tmp_path / "x.nhdr"))
    (tmp_path / "x.raw").unlink()
    refused(tmp_path / "x.nhdr", "missing")


def test_absurd_headers_are_refused(tmp_path):
    path = nifti(tmp_path / "x.nii", numbered())
    content = bytearray(path.read_bytes())
    for offset, form, value in [(40, "<h", 9), (42, "<h", -5), (42, "<h", 30000), (70, "<h", 99)]:
        broken = bytearray(content)
        struct.pack_into(form, broken, offset, value)
        path.write_bytes(broken)
        refused(path, "damaged|not supported")
    broken = bytearray(content)
    struct.pack_into("<f", broken, 108, float("nan"))
    path.write_bytes(broken)
    refused(path, "damaged")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="an administrator may read all")
def test_unreadable_file(tmp_path):
    path = nifti(tmp_path / "x.nii", numbered())
    path.chmod(0)
    refused(path, "cannot be opened")


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

"""Files that cannot be read as an image, and files of several volumes: one plain sentence each."""

from __future__ import annotations

import gzip
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from image_files import SHAPE, nifti, numbered, refused
from PIL import Image

from TextPromptSegLib.image.volume import Volume

nib = pytest.importorskip("nibabel")
sitk = pytest.importorskip("SimpleITK")

# -- several volumes in one file ---------------------------------------------------------------


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_four_dimensions_are_refused_or_one_frame_is_picked(tmp_path, ending):
    array = numbered("int16", (2, *SHAPE))
    path = tmp_path / f"x{ending}"
    if ending == ".nii.gz":
        nifti(path, array)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(array, isVector=False), str(path))
    sentence = refused(path, r"holds 2 volumes.*--frame 0\.\.1")
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
    refused(tmp_path / "x.nhdr", "not beside it")


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

"""Small files that would cost gigabytes, and voxels that are not where a header says."""

from __future__ import annotations

import gzip
import os
import struct
import zlib

import numpy as np
import pytest
from image_files import nifti, numbered

from TextPromptSegLib.formats.budget import check_budget
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import InputError

VOXELS = 352


def refused(path, words="damaged"):
    with pytest.raises(InputError, match=words) as caught:
        Volume.read(path)
    assert len(str(caught.value)) < 300 and "\n" not in str(caught.value)


@pytest.mark.parametrize("offset", [0.0, 4.0, 347.0, -352.0, 352.5, np.nan, np.inf, 1e30])
def test_voxels_that_begin_inside_the_header(tmp_path, offset):
    content = bytearray(nifti(tmp_path / "a.nii", numbered()).read_bytes())
    struct.pack_into("<f", content, 108, offset)
    (tmp_path / "a.nii").write_bytes(content)
    refused(tmp_path / "a.nii")


def test_voxels_behind_an_extension(tmp_path):
    content = bytearray(nifti(tmp_path / "a.nii", numbered()).read_bytes())
    struct.pack_into("<f", content, 108, 384.0)
    (tmp_path / "a.nii").write_bytes(content[:VOXELS] + bytes(32) + content[VOXELS:])
    np.testing.assert_array_equal(Volume.read(tmp_path / "a.nii").array, numbered())


def packed(content: bytes, megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    parts = [packer.compress(content)]
    parts += [packer.compress(bytes(1 << 20)) for _ in range(megabytes)]
    return b"".join(parts) + packer.flush()


def test_zeros_behind_the_voxels(tmp_path):
    content = gzip.decompress(nifti(tmp_path / "a.nii.gz", numbered()).read_bytes())
    (tmp_path / "a.nii.gz").write_bytes(packed(content, 0) + bytes(512))  # padded by a tape
    np.testing.assert_array_equal(Volume.read(tmp_path / "a.nii.gz").array, numbered())
    (tmp_path / "a.nii.gz").write_bytes(packed(content, 64))
    refused(tmp_path / "a.nii.gz")


def test_header_that_announces_too_much(tmp_path):
    content = bytearray(gzip.decompress(nifti(tmp_path / "a.nii.gz", numbered()).read_bytes()))
    struct.pack_into("<4h", content, 40, 3, 2000, 2000, 2000)
    (tmp_path / "a.nii.gz").write_bytes(packed(bytes(content), 4))
    refused(tmp_path / "a.nii.gz", "would take 15 GB of memory although its file has only")
    (tmp_path / "b.nii").write_bytes(content)
    refused(tmp_path / "b.nii", "memory")


def test_flipped_bits_of_a_packed_nifti(tmp_path):
    rng = np.random.default_rng(0)
    path = nifti(tmp_path / "a.nii.gz", rng.integers(0, 99, (6, 8, 10)).astype(np.int16))
    expected, content = Volume.read(path).array, path.read_bytes()
    for place in rng.choice(np.arange(80, 8 * len(content)), 100, replace=False):
        broken = bytearray(content)
        broken[place // 8] ^= 1 << (place % 8)
        path.write_bytes(broken)
        try:
            np.testing.assert_array_equal(Volume.read(path).array, expected)
        except InputError:
            continue


def test_budget():
    check_budget(500 << 20, 1, "small")
    check_budget(8 << 30, 1 << 30, "large")
    for wanted, stored in ((8 << 30, 1 << 20), (1 << 45, 1 << 44)):
        with pytest.raises(InputError, match="memory"):
            check_budget(wanted, stored, "bomb")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_pipes_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.nii")
    refused(tmp_path / "pipe.nii", "no ordinary file")
    os.mkfifo(tmp_path / "v.raw")
    (tmp_path / "a.mhd").write_text(
        "NDims = 3\nDimSize = 4 3 2\nElementType = MET_SHORT\nElementDataFile = v.raw\n"
    )
    refused(tmp_path / "a.mhd", "v.raw")
    (tmp_path / "series").mkdir()
    os.mkfifo(tmp_path / "series" / "IM1")
    refused(tmp_path / "series", "no DICOM images")


def test_names_that_are_no_utf8(tmp_path):
    path = nifti(tmp_path / "a.nii.gz", numbered())
    path = path.rename(tmp_path / os.fsdecode(b"M\xfcller.nii.gz"))
    np.testing.assert_array_equal(Volume.read(path).array, numbered())

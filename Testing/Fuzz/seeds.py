"""Whole inputs of every format, made up, a few hundred bytes to a few kilobytes each."""

from __future__ import annotations

import gzip
import io
import struct
import tempfile
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import synthetic_dicom as made

_VOXELS = np.random.default_rng(0).integers(-900, 900, (4, 6, 8)).astype(np.int16)


def _written(names: list[str], image: sitk.Image | None = None) -> list[bytes]:
    """Bytes of an image as ITK writes it under these names."""
    if image is None:
        image = sitk.GetImageFromArray(_VOXELS)
        image.SetSpacing((0.8, 0.9, 2.5))
        image.SetOrigin((1.0, -20.0, 3.5))
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            sitk.WriteImage(image, str(Path(folder, name)), name.endswith(("gz", "c.mha")))
            found.append(Path(folder, name).read_bytes())
    return found


def nifti() -> list[bytes]:
    """NIfTI-1 of two types, with several volumes, and NIfTI-2."""
    (plain,) = _written(["a.nii"])
    (real,) = _written(["a.nii"], sitk.GetImageFromArray(_VOXELS.astype(np.float32)))
    frames = sitk.JoinSeries([sitk.GetImageFromArray(_VOXELS)] * 2)
    (four,) = _written(["a.nii"], frames)
    return [plain, real, four, _nifti2(plain)]


def _nifti2(one: bytes) -> bytes:
    """The same image with the header of NIfTI-2."""
    dims = struct.unpack_from("<8h", one, 40)
    head = bytearray(540)
    struct.pack_into("<i8s2h8q3d8d", head, 0, 540, b"n+2\0\r\n\x1a\n", 4, 16, *dims, 0, 0, 0,
                     *struct.unpack_from("<8f", one, 76))  # fmt: skip
    struct.pack_into("<q2d", head, 168, 544, 1.0, 0.0)
    struct.pack_into("<2i", head, 344, 0, 1)
    struct.pack_into("<12d", head, 400, *struct.unpack_from("<12f", one, 280))
    return bytes(head) + bytes(4) + one[352:]


def packed_nifti() -> list[bytes]:
    """The same behind gzip."""
    return [gzip.compress(data, mtime=0) for data in nifti()]


def nrrd() -> list[bytes]:
    """NRRD: raw, gzip and text."""
    (packed,) = _written(["a.nrrd"])
    head, _, body = packed.partition(b"\n\n")
    if b"encoding: gzip" in head:
        body = gzip.decompress(body)
    raw = head.replace(b"encoding: gzip", b"encoding: raw") + b"\n\n" + body
    words = (" ".join(map(str, _VOXELS.ravel())) + "\n").encode()
    text = head.replace(b"encoding: gzip", b"encoding: ascii").replace(
        b"encoding: raw", b"encoding: ascii"
    )
    gz = head.replace(b"encoding: raw", b"encoding: gzip") + b"\n\n" + gzip.compress(body, mtime=0)
    return [raw, gz, text + b"\n\n" + words]


def detached_nrrd() -> list[bytes]:
    """Headers whose voxels are in ``voxels.raw`` beside them."""
    head = nrrd()[0].partition(b"\n\n")[0]
    return [head + b"\ndata file: voxels.raw\n", head + b"\ndata file: v%d.raw 1 4 1 2\n"]


def metaimage() -> list[bytes]:
    """MetaImage in one file: raw, packed and text."""
    raw, packed = _written(["a.mha", "c.mha"])
    head = raw[: raw.index(b"ElementDataFile")].replace(b"BinaryData = True", b"BinaryData = False")
    words = (" ".join(map(str, _VOXELS.ravel())) + "\n").encode()
    return [raw, packed, head + b"ElementDataFile = LOCAL\n" + words]


def detached_metaimage() -> list[bytes]:
    """Headers whose voxels are in ``voxels.raw`` beside them."""
    head = metaimage()[0]
    head = head[: head.index(b"ElementDataFile")]
    return [
        head + b"ElementDataFile = voxels.raw\n",
        head + b"ElementDataFile = LIST\nvoxels.raw\n",
    ]


def voxels() -> bytes:
    """What lies in ``voxels.raw``."""
    return _VOXELS.tobytes()


def neighbours() -> list[bytes]:
    """Two slices that make up a series with the first of `dicom`."""
    import pydicom

    found = []
    for number in (1, 2):
        data = pydicom.dcmread(io.BytesIO(dicom()[0]))
        data.ImagePositionPatient = [0.0, 0.0, 2.0 * number]
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.4.{number}"
        data.InstanceNumber = number + 1
        stream = io.BytesIO()
        data.save_as(stream, enforce_file_format=True)
        found.append(stream.getvalue())
    return found


def dicom() -> list[bytes]:
    """CT, MR, X-ray, colour, multi-frame, implicit, deflated, RLE."""
    import pydicom
    from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

    rng = np.random.default_rng(1)
    grey = rng.integers(0, 2000, (6, 8)).astype(np.uint16)
    place = {
        "ImagePositionPatient": [0.0, 0.0, 0.0], "ImageOrientationPatient": list(made.AXIAL),
        "PixelSpacing": [0.5, 0.75], "SliceThickness": 2.0, "RescaleSlope": 1,
        "RescaleIntercept": -9,
    }  # fmt: skip
    sets = [
        made.image(grey, **place),
        made.image(grey.astype(np.int16), "MR", **place),
        made.image(grey, "DX", PatientOrientation=["L", "F"]),
        made.image(rng.integers(0, 255, (6, 8, 3)).astype(np.uint8)),
        made.enhanced([(0, 0, 2.0 * n) for n in range(3)], [1.0, 1.0, 2.0]),
    ]
    for syntax in (ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        data = made.image(grey, **place)
        data.file_meta.TransferSyntaxUID = syntax
        sets.append(data)
    packed = made.image(grey, **place)
    packed.compress(RLELossless)
    found = []
    for data in [*sets, packed]:
        stream = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pydicom.dcmwrite(stream, data, enforce_file_format=True)
        found.append(stream.getvalue())
    return found


def pictures() -> list[bytes]:
    """PNG of every depth and colour, and JPEG."""
    from PIL import Image

    rng = np.random.default_rng(2)
    found = []
    for mode in ("L", "LA", "RGB", "RGBA", "P", "1", "I;16"):
        if mode == "I;16":
            picture = Image.fromarray(rng.integers(0, 60000, (9, 11)).astype(np.uint16))
        else:
            picture = Image.fromarray(rng.integers(0, 255, (9, 11, 3)).astype(np.uint8)).convert(
                mode
            )
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        found.append(stream.getvalue())
        if mode in ("L", "RGB"):
            stream = io.BytesIO()
            picture.save(stream, "JPEG")
            found.append(stream.getvalue())
    return [*found, _png16()]


def _png16() -> bytes:
    """A PNG with three colours of 16 bits."""
    rows = b"".join(b"\0" + bytes(range(6 * 5)) for _ in range(4))
    chunks = [(b"IHDR", struct.pack(">2I5B", 5, 4, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)),
              (b"IEND", b"")]  # fmt: skip
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def zips() -> list[bytes]:
    """Checkpoints as zip: deflated, stored and LZMA."""
    from tiny_checkpoint import save_tiny

    found = []
    with tempfile.TemporaryDirectory() as folder:
        files = sorted(save_tiny(Path(folder, "tiny")).iterdir())
        for method in (
            zipfile.ZIP_DEFLATED,
            zipfile.ZIP_STORED,
            zipfile.ZIP_LZMA,
            zipfile.ZIP_BZIP2,
        ):
            stream = io.BytesIO()
            with zipfile.ZipFile(stream, "w", method) as archive:
                for file in files:
                    archive.write(file, f"tiny/{file.name}")
            found.append(stream.getvalue())
    return found


def tables() -> list[bytes]:
    """A workbook of picture names and texts."""
    from fake_layouts import write_table

    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder, "a.xlsx"), {f"mask_{n}.png": f"Text {n}." for n in range(4)})
        return [Path(folder, "a.xlsx").read_bytes()]


def slices() -> list[bytes]:
    """A slice of the brain tumors, MATLAB 7.3."""
    from fake_layouts import figshare

    with tempfile.TemporaryDirectory() as folder:
        return [next(figshare(Path(folder), 1).rglob("1.mat")).read_bytes()]

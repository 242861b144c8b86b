"""NIfTI files: voxels checked to the last byte, geometry as ITK (and so Slicer) reads it.

ITK reads a truncated NIfTI file without complaint and fills the rest with noise, so the voxels are
decoded here, from the format's definition: https://nifti.nimh.nih.gov/nifti-1
"""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..image.volume import LPS_RAS
from ..outcome import InputError
from .pixels import luminance, pick_frame

_DTYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 32: "c8", 64: "f8", 256: "i1", 512: "u2", 768: "u4",
    1024: "i8", 1280: "u8", 1792: "c16",
}  # fmt: skip
_COLOURS = {128: 3, 2304: 4}  # bytes per voxel: RGB, RGBA
NO_PLACE = "The file does not say how it lies in the patient; left and right are assumed."
_DAMAGED = "{} is damaged or incomplete; copy or download it again."


@dataclass(frozen=True)
class _Header:
    version: int
    order: str
    shape: tuple[int, ...]  # i, j, k, further axes
    datatype: int
    offset: int
    slope: float
    intercept: float
    sform: np.ndarray | None  # (3, 4), mm


def is_nifti(start: bytes) -> bool:
    """Return whether the first (uncompressed) bytes of a file are a single-file NIfTI header."""
    return start[344:347] == b"n+1" or start[4:7] == b"n+2"


def read_nifti(path: Path, frame: int | None) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Read a .nii or .nii.gz file.

    Args:
        path: the file.
        frame: which of several time points or channels, from 0.

    Returns:
        Scaled voxels (K, J, I), the (4, 4) matrix to RAS in mm, and notes for the user.

    Raises:
        InputError: when the file is damaged or is no scalar 3-D image.
    """
    data = _content(path)
    header = _parse(data, path)
    array = _voxels(data, header, path)
    lead = header.shape[3:]
    if len(lead) and np.prod(lead) > 1:
        array = pick_frame(array.reshape(-1, *array.shape[-3:]), frame, path.name)
    else:
        array = array.reshape(array.shape[-3:])
    matrix, notes = _geometry(path, header)
    return _scaled(array, header), matrix, notes


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        # The last bytes tell the size, so the buffer need not grow; deflate packs 1:1032 at most.
        size = int.from_bytes(data[-4:], "little")
        content = zlib.decompress(data, zlib.MAX_WBITS | 16, max(1, min(size, 1032 * len(data))))
        return content if len(content) == size else gzip.decompress(data)  # several members
    except (EOFError, OSError, zlib.error):
        raise InputError(_DAMAGED.format(path.name)) from None


def _parse(data: bytes, path: Path) -> _Header:
    version2 = data[4:7] == b"n+2"
    try:
        order = "<" if struct.unpack_from("<i", data)[0] in (348, 540) else ">"
        if version2:
            datatype = struct.unpack_from(order + "h", data, 12)[0]
            dim = struct.unpack_from(order + "8q", data, 16)
            offset = struct.unpack_from(order + "q", data, 168)[0]
            slope, intercept = struct.unpack_from(order + "2d", data, 176)
            code = struct.unpack_from(order + "i", data, 348)[0]
            rows = struct.unpack_from(order + "12d", data, 400)
        else:
            dim = struct.unpack_from(order + "8h", data, 40)
            datatype = struct.unpack_from(order + "h", data, 70)[0]
            offset = int(struct.unpack_from(order + "f", data, 108)[0])
            slope, intercept = struct.unpack_from(order + "2f", data, 112)
            code = struct.unpack_from(order + "h", data, 254)[0]
            rows = struct.unpack_from(order + "12f", data, 280)
    except (struct.error, ValueError, OverflowError):
        raise InputError(_DAMAGED.format(path.name)) from None
    if not 1 <= dim[0] <= 7 or any(size < 1 for size in dim[1 : dim[0] + 1]) or offset < 0:
        raise InputError(_DAMAGED.format(path.name))
    shape = tuple(dim[1 : dim[0] + 1]) + (1,) * max(0, 3 - dim[0])
    if not np.isfinite([slope, intercept]).all() or slope == 0:
        slope, intercept = 1.0, 0.0
    sform = np.array(rows).reshape(3, 4) if code > 0 else None
    return _Header(1 + version2, order, shape, datatype, offset, slope, intercept, sform)


def _voxels(data: bytes, header: _Header, path: Path) -> np.ndarray:
    """Return the stored values, shape (..., K, J, I)."""
    colours = _COLOURS.get(header.datatype, 0)
    name = "u1" if colours else _DTYPES.get(header.datatype)
    if name is None:
        raise InputError(
            f"{path.name} stores its voxels in a way that is not supported (NIfTI data type "
            f"{header.datatype}); save it as float32."
        )
    shape = header.shape[::-1] + ((colours,) if colours else ())
    dtype = np.dtype(header.order + name)
    count = int(np.prod(shape, dtype=object))
    if header.offset + count * dtype.itemsize > len(data):
        raise InputError(_DAMAGED.format(path.name))
    array = np.frombuffer(data, dtype, count, header.offset).reshape(shape)
    return luminance(array) if colours else array


def _scaled(array: np.ndarray, header: _Header) -> np.ndarray:
    if (header.slope, header.intercept) == (1.0, 0.0) or array.dtype.kind == "c":
        return array
    # In double precision slice by slice, as ITK does it, without a second volume in memory.
    kind = np.float64 if array.dtype.itemsize > 4 else np.float32
    scaled: np.ndarray = np.empty(array.shape, kind)
    for k, plane in enumerate(array):
        scaled[k] = plane * np.float64(header.slope) + header.intercept
    return scaled


def _geometry(path: Path, header: _Header) -> tuple[np.ndarray, list[str]]:
    """Return the matrix to RAS, from ITK where it accepts the header."""
    import SimpleITK as sitk

    no_place = InputError(
        f"{path.name} does not say how it lies in the patient (its NIfTI header has no usable "
        "s-form); repair the header first."
    )
    if header.version == 2:  # ITK reads the first version only
        if header.sform is None:
            raise no_place
        return np.vstack([header.sform, [0.0, 0.0, 0.0, 1.0]]), []
    reader = sitk.ImageFileReader()
    reader.SetImageIO("NiftiImageIO")
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        if "orthonormal" not in str(error):
            ending = ".nii.gz" if path.read_bytes()[:2] == b"\x1f\x8b" else ".nii"
            raise InputError(
                f"{path.name} is a NIfTI file under another name; rename it to end in {ending}."
            ) from None
        # ITK takes orthogonal axes only; the s-form says where a sheared volume lies.
        if header.sform is None:
            raise no_place from None
        note = "The slices of this file are sheared; they are used as stored, nothing is resampled."
        return np.vstack([header.sform, [0.0, 0.0, 0.0, 1.0]]), [note]
    dim = reader.GetDimension()
    lps, used = np.eye(4), min(dim, 3)
    direction = np.array(reader.GetDirection()).reshape(dim, dim)[:used, :used]
    lps[:used, :used] = direction * np.array(reader.GetSpacing())[:used]
    lps[:used, 3] = reader.GetOrigin()[:used]
    codes = [reader.GetMetaData(f"{form}_code") for form in ("qform", "sform")
             if reader.HasMetaDataKey(f"{form}_code")]  # fmt: skip
    if codes and all(code == "0" for code in codes):
        return LPS_RAS @ lps, [NO_PLACE]
    return LPS_RAS @ lps, []

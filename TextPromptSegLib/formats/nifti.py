"""NIfTI files: voxels checked to the last byte, geometry as ITK (and so Slicer) reads it.

ITK reads a truncated NIfTI file without complaint and fills the rest with noise, so the voxels are
decoded here, from the format's definition: https://nifti.nimh.nih.gov/nifti-1
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..outcome import InputError
from .nifti_geometry import Forms, place
from .pixels import luminance, pick_frame
from .stored_voxels import DAMAGED, first_bytes, read_voxels

_DTYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 32: "c8", 64: "f8", 256: "i1", 512: "u2", 768: "u4",
    1024: "i8", 1280: "u8", 1792: "c16",
}  # fmt: skip
_COLOURS = {128: 3, 2304: 4}  # bytes per voxel: RGB, RGBA
_SIZES = {1: 348, 2: 540}  # of the header, bytes


@dataclass(frozen=True)
class _Header:
    version: int
    order: str
    shape: tuple[int, ...]  # i, j, k, further axes
    datatype: int
    offset: int
    slope: float
    intercept: float
    forms: Forms


def is_nifti(start: bytes) -> bool:
    """Return whether the first (uncompressed) bytes of a file are a single-file NIfTI header."""
    return start[344:347] == b"n+1" or start[4:7] == b"n+2"


def read_nifti(path: Path, frame: int | None) -> tuple[np.ndarray, np.ndarray, list[str], str]:
    """Read a .nii or .nii.gz file.

    Args:
        path: the file.
        frame: which of several time points or channels, from 0.

    Returns:
        Scaled voxels (K, J, I), the (4, 4) matrix to RAS in mm, notes for the user, and whether
        the place is that of the "file" or "assumed".

    Raises:
        InputError: when the file is damaged or is no scalar 3-D image.
    """
    header = _parse(first_bytes(path, 1024), path)
    array = _voxels(header, path)
    lead = header.shape[3:]
    if len(lead) and np.prod(lead) > 1:
        array = pick_frame(array.reshape(-1, *array.shape[-3:]), frame, path.name)
    else:
        array = pick_frame(array.reshape(1, *array.shape[-3:]), frame, path.name)
    matrix, notes, geometry = place(header.forms, path.name)
    return _scaled(array, header), matrix, notes, geometry


def _parse(data: bytes, path: Path) -> _Header:
    version = 2 if data[4:7] == b"n+2" else 1
    try:
        order = "<" if struct.unpack_from("<i", data)[0] in (348, 540) else ">"

        def get(form: str, at: int) -> tuple[float, ...]:
            return struct.unpack_from(order + form, data, at)

        if version == 2:
            (datatype,), dim, (offset,) = get("h", 12), get("8q", 16), get("q", 168)
            pixdim, (slope, intercept) = get("8d", 104), get("2d", 176)
            codes, q, rows, (units,) = (
                get("2i", 344),
                get("6d", 352),
                get("12d", 400),
                get("i", 500),
            )
        else:
            (datatype,), dim, (offset,) = get("h", 70), get("8h", 40), get("f", 108)
            pixdim, (slope, intercept) = get("8f", 76), get("2f", 112)
            codes, q, rows, (units,) = (
                get("2h", 252),
                get("6f", 256),
                get("12f", 280),
                get("b", 123),
            )
        begin = int(offset)
    except (struct.error, ValueError, OverflowError):
        raise InputError(DAMAGED.format(path.name)) from None
    sizes = [int(size) for size in dim[1 : int(dim[0]) + 1]]
    if not 1 <= dim[0] <= 7 or min(sizes) < 1 or begin != offset or begin < _SIZES[version]:
        raise InputError(DAMAGED.format(path.name))
    shape = (*sizes, *(1,) * max(0, 3 - len(sizes)))
    if not np.isfinite([slope, intercept]).all() or slope == 0:
        slope, intercept = 1.0, 0.0
    forms = Forms(
        sizes=np.array(pixdim[1:4]),
        qform_code=int(codes[0]),
        quaternion=np.array(q[:3]),
        offset=np.array(q[3:]),
        qfac=pixdim[0],
        sform_code=int(codes[1]),
        rows=np.array(rows).reshape(3, 4),
        unit=int(units) & 7,
    )
    return _Header(version, order, shape, int(datatype), begin, slope, intercept, forms)


def _voxels(header: _Header, path: Path) -> np.ndarray:
    """Return the stored values, shape (..., K, J, I)."""
    colours = _COLOURS.get(header.datatype, 0)
    name = "u1" if colours else _DTYPES.get(header.datatype)
    if name is None:
        raise InputError(
            f"{path.name} stores its voxels in a way that is not supported (NIfTI data type "
            f"{header.datatype}); save it as float32."
        )
    shape = header.shape[::-1] + ((colours,) if colours else ())
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    array = read_voxels(
        [path], np.dtype(header.order + name), shape, path.name,
        packing="gzip" if packed else "", skip=header.offset,
    )  # fmt: skip
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

"""MetaImage files: header checked field by field, voxels, and the place in the patient.

The format: https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..image.volume import LPS_RAS, Volume
from ..outcome import InputError
from .header_fields import (
    LONGEST_HEADER,
    LONGEST_LINE,
    damaged_header,
    millimetres,
    real_numbers,
    sizes_of,
    whole_numbers,
)
from .members import data_files
from .nrrd import NO_PLACE
from .pixels import luminance, pick_frame
from .stored_voxels import read_text_voxels, read_voxels

_DTYPES = {
    "MET_UCHAR": "u1", "MET_CHAR": "i1", "MET_USHORT": "u2", "MET_SHORT": "i2", "MET_UINT": "u4",
    "MET_INT": "i4", "MET_ULONG": "u4", "MET_LONG": "i4", "MET_ULONG_LONG": "u8",
    "MET_LONG_LONG": "i8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_MODALITIES = {"MET_MOD_CT": "CT", "MET_MOD_MR": "MR"}
_LAST = b"ElementDataFile"


def read_metaimage(path: Path, frame: int | None, name: str) -> Volume:
    """Read a .mha or .mhd file.

    Args:
        path: the file.
        frame: which of several time points or channels, from 0.
        name: of the volume.

    Raises:
        InputError: when it is damaged or is no scalar picture or volume.
    """
    fields, length = _parse(path)
    given = whole_numbers(fields.get("NDims", ""), path.name, "NDims")
    if len(given) != 1 or not 1 <= given[0] <= 16:
        raise damaged_header(path.name, "NDims")
    dimensions = given[0]
    if dimensions not in (2, 3, 4):
        raise InputError(
            f"{path.name} has {dimensions} dimensions; save one 2-D picture or 3-D volume of it "
            "first."
        )
    sizes = sizes_of(fields.get("DimSize", ""), dimensions, path.name, "DimSize")
    notes: list[str] = []
    matrix, is_placed = _place(fields, dimensions, path.name, notes)
    array = _voxels(path, fields, length, sizes)
    array = _scalar(array, dimensions, frame, path.name)
    array = _rescaled(array, fields, path.name)
    meta: dict[str, Any] = {"path": str(path), "format": "MetaImage", "notes": tuple(notes)}
    meta["geometry"] = "file" if is_placed else "assumed"
    modality = _MODALITIES.get(fields.get("Modality", ""))
    return Volume.from_array(array, ijk_to_ras=matrix, modality=modality, name=name, meta=meta)


def _parse(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields and how many bytes the header has."""
    with path.open("rb") as stream:
        content = stream.read(LONGEST_HEADER)
    fields: dict[str, str] = {}
    position = 0
    for line in content.splitlines(keepends=True):
        position += len(line)
        key, _, value = line.partition(b"=")
        if len(line) > LONGEST_LINE:
            break
        field = key.strip().decode("latin-1")
        if field in fields:
            raise damaged_header(path.name, f"{field[:20]}, which is there twice,")
        fields[field] = value.strip().decode("latin-1")
        if key.strip() == _LAST:  # what follows are voxels, or names
            return fields, position
    raise damaged_header(path.name, _LAST.decode())


def _voxels(path: Path, fields: dict[str, str], length: int, sizes: list[int]) -> np.ndarray:
    """Return the voxels, slowest axis first, channels last where there are several."""
    element = fields.get("ElementType", "")
    kind = _DTYPES.get(element.removesuffix("_ARRAY"))
    if kind is None:
        raise InputError(
            f"{path.name} stores its voxels in a way that is not supported (ElementType "
            f"{element[:20] or 'missing'}); save it as MET_FLOAT."
        )
    channels = _one(fields, "ElementNumberOfChannels", "1", path.name)
    skip = _one(fields, "HeaderSize", "0", path.name)
    if not 1 <= channels <= 1 << 16 or not -1 <= skip <= 1 << 40:
        raise damaged_header(path.name, "ElementNumberOfChannels or HeaderSize")
    shape = [*sizes[::-1], *([channels] if channels > 1 else [])]
    with path.open("rb") as stream:
        start = stream.read(LONGEST_HEADER)
    files = data_files(path, start)
    is_local = fields[_LAST.decode()].upper() == "LOCAL"
    if not files and not is_local:
        raise damaged_header(path.name, _LAST.decode())
    begin, files = (length, [path]) if is_local else (0, files)
    if not _yes(fields, "BinaryData", default="True"):
        return read_text_voxels(files, np.dtype(kind), shape, begin, path.name)
    swapped = _yes(fields, "BinaryDataByteOrderMSB") or _yes(fields, "ElementByteOrderMSB")
    is_packed = _yes(fields, "CompressedData")
    return read_voxels(
        files,
        np.dtype((">" if swapped else "<") + kind),
        shape,
        path.name,
        packing="zlib" if is_packed else "",
        begin=begin + (max(skip, 0) if not is_local else 0),
        skip=-1 if skip < 0 and not is_packed else 0,
    )


def _one(fields: dict[str, str], key: str, usual: str, name: str) -> int:
    found = whole_numbers(fields.get(key, usual), name, key)
    if len(found) != 1:
        raise damaged_header(name, key)
    return found[0]


def _yes(fields: dict[str, str], key: str, default: str = "False") -> bool:
    return fields.get(key, default)[:1].lower() in ("t", "1", "y")


def _scalar(array: np.ndarray, dimensions: int, frame: int | None, name: str) -> np.ndarray:
    """Return one number for each voxel of one picture or volume."""
    has_channels = array.ndim > dimensions
    frames = array.shape[0] if dimensions == 4 else 1
    if has_channels and frames > 1:
        raise InputError(f"{name} has time points and channels; save one 3-D volume of it first.")
    if dimensions == 4 and not (has_channels and frames == 1):
        return pick_frame(array, frame, name)
    if dimensions == 4:
        array = array[0]
    if not has_channels:
        return pick_frame(array[None], frame, name)
    if array.shape[-1] in (3, 4) and array.dtype == np.uint8 and frame is None:
        grey: np.ndarray = luminance(array)
        return grey
    return pick_frame(np.moveaxis(array, -1, 0), frame, name)


def _rescaled(array: np.ndarray, fields: dict[str, str], name: str) -> np.ndarray:
    """Return the values that the stored ones stand for."""
    numbers = []
    for key, usual in (("Slope", "1"), ("Offset", "0")):
        field = f"ElementToIntensityFunction{key}"
        numbers.append(float(real_numbers(fields.get(field, usual), 1, name, field)[0]))
    slope, offset = numbers
    if (slope, offset) == (1.0, 0.0) or slope == 0:
        return array
    values: np.ndarray = array.astype(np.float32 if array.dtype.itemsize <= 4 else np.float64)
    values *= slope
    values += offset
    return values


def _place(
    fields: dict[str, str], dimensions: int, name: str, notes: list[str]
) -> tuple[np.ndarray, bool]:
    """Return the matrix (4, 4) to RAS, mm, and whether the file states it."""

    def first(keys: tuple[str, ...], usual: str, count: int) -> np.ndarray:
        key = next((key for key in keys if key in fields), "")
        return real_numbers(fields.get(key, usual), count, name, key)

    n, used = dimensions, min(dimensions, 3)
    turns = ("TransformMatrix", "Rotation", "Orientation")
    identity = " ".join("1" if i == j else "0" for i in range(n) for j in range(n))
    rows = first(turns, identity, n * n).reshape(n, n)[:used, :used]
    spacing = first(("ElementSpacing", "ElementSize"), " ".join(["1"] * n), n)[:used]
    origin = first(("Offset", "Position", "Origin"), " ".join(["0"] * n), n)[:used]
    if (spacing <= 0).any() or (np.abs(rows) > 1.001).any():
        raise damaged_header(name, "ElementSpacing or TransformMatrix")
    unit = fields.get("DistanceUnits", "mm")
    scale = millimetres(unit)
    if scale is None:
        scale = 1.0
        if unit not in ("?", "MET_DISTANCE_UNITS_UNKNOWN"):
            notes.append(f'The file gives lengths in "{unit[:20]}"; mm are assumed.')
    lps = np.eye(4)
    lps[:used, :used] = rows.T * spacing * scale
    lps[:used, 3] = origin * scale
    is_placed = any(key in fields for key in turns)
    if not is_placed:
        notes.append(NO_PLACE)
    if "ElementSpacing" not in fields and "ElementSize" not in fields:
        notes.append("The file does not say the size of its voxels; 1 mm is assumed.")
    return LPS_RAS @ lps, is_placed

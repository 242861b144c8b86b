"""NRRD files: header checked field by field, voxels, and the place in the patient.

The format: https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..image.volume import Volume
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
from .pixels import luminance, pick_frame
from .stored_voxels import read_text_voxels, read_voxels

_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long",
           "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}  # fmt: skip
_DTYPES = {name: kind for kind, names in _TYPES.items() for name in names}
_PACKINGS = {"raw": "", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_TEXT = ("txt", "text", "ascii")
# Name of a space -> signs that turn its points into RAS.
_SPACES = {
    "right-anterior-superior": (1, 1, 1), "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1), "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1), "lps": (-1, -1, 1),
}  # fmt: skip
_SPATIAL = ("domain", "space", "???", "none", "")
NO_PLACE = "The file does not say how it lies in the patient; left and right are assumed."


@dataclass
class _Header:
    """Fields by their names in small letters, and how many bytes the header has."""

    fields: dict[str, str]
    length: int
    name: str
    notes: list[str] = field(default_factory=list)

    def words(self, key: str) -> list[str]:
        return self.fields.get(key, "").split()

    def quoted(self, key: str) -> list[str]:
        """Return the parts of a field whose parts may stand in quotes."""
        return [a or b for a, b in re.findall(r'"([^"]*)"|(\S+)', self.fields.get(key, ""))]


def read_nrrd(path: Path, frame: int | None, name: str) -> Volume:
    """Read an NRRD file.

    Args:
        path: the file; one that begins with "NRRD".
        frame: which of several time points or channels, from 0.
        name: of the volume.

    Raises:
        InputError: when it is damaged or is no scalar picture or volume.
    """
    header = _parse(path)
    dimensions = whole_numbers(header.fields.get("dimension", ""), path.name, "dimension")
    if len(dimensions) != 1 or not 1 <= dimensions[0] <= 16:
        raise damaged_header(path.name, "dimension")
    count = dimensions[0]
    sizes = sizes_of(header.fields.get("sizes", ""), count, path.name, "sizes")
    if count > 5:
        raise InputError(f"{path.name} has {count} dimensions; save one 3-D volume of it first.")
    axes, matrix = _place(header, sizes)
    if len(axes) not in (2, 3):
        raise InputError(
            f"{path.name} has {len(axes)} directions in space; save one 2-D picture or 3-D volume "
            "of it first."
        )
    array = _voxels(path, header, sizes)
    array = _scalar(array, header, sizes, axes, frame)
    meta: dict[str, Any] = {"path": str(path), "format": "Nrrd", "geometry": "file"}
    if _signs(header) is None or "space directions" not in header.fields:
        meta["geometry"] = "assumed"
    meta["notes"] = tuple(header.notes)
    return Volume.from_array(array, ijk_to_ras=matrix, name=name, meta=meta)


def _parse(path: Path) -> _Header:
    with path.open("rb") as stream:
        content = stream.read(LONGEST_HEADER)
    match = re.search(rb"\r?\n\r?\n", content)
    length = match.end() if match else len(content)
    if not match and len(content) == LONGEST_HEADER:
        raise damaged_header(path.name, "its end")
    lines = content[:length].splitlines()
    if not lines or not re.fullmatch(rb"NRRD0{0,3}\d", lines[0].strip()):
        raise damaged_header(path.name, "its first line")
    fields: dict[str, str] = {}
    for line in lines[1:]:
        if line.startswith(b"#") or b":=" in line or b": " not in line:
            continue  # comments, and key/value pairs of whoever wrote it
        key, _, value = line.decode("utf-8", "replace").partition(": ")
        if len(line) > LONGEST_LINE:
            raise damaged_header(path.name, f"the length of {key.strip()[:20]}")
        key = " ".join(key.lower().split())
        if key in fields:
            raise damaged_header(path.name, f"{key[:20]}, which is there twice,")
        fields[key] = value.strip()
        if key in ("data file", "datafile") and value.split()[:1] == ["LIST"]:
            break  # the rest are names
    return _Header(fields, length, path.name)


def _voxels(path: Path, header: _Header, sizes: list[int]) -> np.ndarray:
    """Return the voxels, slowest axis first."""
    fields = header.fields
    kind = _DTYPES.get(" ".join(fields.get("type", "").lower().split()))
    if kind is None:
        raise InputError(
            f"{path.name} stores its voxels in a way that is not supported (NRRD type "
            f"{fields.get('type', 'missing')[:20]}); save it as float."
        )
    shape, encoding = sizes[::-1], fields.get("encoding", "").lower()
    with path.open("rb") as stream:
        start = stream.read(LONGEST_HEADER)
    files = data_files(path, start)
    named = fields.get("data file", fields.get("datafile"))
    if named is not None and not files:
        raise damaged_header(path.name, "data file")
    begin = 0 if files else header.length
    files = files or [path]
    lines = _skipped(header, "line skip", 0)
    if lines:
        begin = _after_lines(files[0], begin, lines, path.name)
    if encoding in _TEXT:
        return read_text_voxels(files, np.dtype(kind), shape, begin, path.name)
    if encoding not in _PACKINGS:
        raise InputError(
            f"{path.name} is packed in a way that is not supported (NRRD encoding "
            f"{encoding[:20] or 'missing'}); save it with the encoding gzip."
        )
    order = {"little": "<", "big": ">"}.get(fields.get("endian", "").lower(), "")
    if not order and kind[1] != "1":
        raise damaged_header(path.name, "endian")
    skip = _skipped(header, "byte skip", -1)
    if skip < 0 and _PACKINGS[encoding]:
        raise damaged_header(path.name, "byte skip")
    return read_voxels(
        files, np.dtype(f"{order or '<'}{kind}"), shape, path.name,
        packing=_PACKINGS[encoding], begin=begin, skip=skip,
    )  # fmt: skip


def _skipped(header: _Header, key: str, lowest: int) -> int:
    given = header.fields.get(key, header.fields.get(key.replace(" ", ""), "0"))
    found = whole_numbers(given, header.name, key)
    if len(found) != 1 or not lowest <= found[0] <= 1 << 40:
        raise damaged_header(header.name, key)
    return found[0]


def _after_lines(path: Path, begin: int, lines: int, name: str) -> int:
    """Return where the bytes after so many lines begin."""
    if not path.is_file() or lines > 10_000:
        raise damaged_header(name, "line skip")
    with path.open("rb") as stream:
        stream.seek(begin)
        for _ in range(lines):
            if not stream.readline(LONGEST_HEADER).endswith(b"\n"):
                raise damaged_header(name, "line skip")
        return stream.tell()


def _scalar(
    array: np.ndarray, header: _Header, sizes: list[int], axes: list[int], frame: int | None
) -> np.ndarray:
    """Return one number for each voxel, axes as in the file."""
    count = len(sizes)
    others = [axis for axis in range(count) if axis not in axes]
    # The array has the slowest axis first; other axes than those of space come first of all.
    order = [count - 1 - axis for axis in (*others[::-1], *axes[::-1])]
    array = array.transpose(order)
    lead = array.shape[: len(others)]
    kinds = [kind.lower() for kind in header.words("kinds")]
    kind = kinds[others[0]] if len(others) == 1 and len(kinds) == count else ""
    if kind == "complex":
        raise InputError(f"{header.name} holds complex numbers; save its magnitude first.")
    channels = int(np.prod(lead, dtype=object))
    plain = array.reshape(channels, *array.shape[len(others) :])
    is_colour = channels in (3, 4) and len(others) == 1 and array.dtype.itemsize == 1
    if is_colour and kind not in ("time", "list") and array.dtype.kind == "u" and frame is None:
        grey: np.ndarray = luminance(np.moveaxis(plain, 0, -1))
        return grey
    return plain[0] if channels == 1 else pick_frame(plain, frame, header.name)


# -- place -------------------------------------------------------------------------------------


def _signs(header: _Header) -> tuple[int, int, int] | None:
    """Return the signs that turn the file's space into RAS; None where it is no patient's."""
    space = header.fields.get("space", "").strip().lower().removesuffix("-time")
    return _SPACES.get(space[:3] if space in ("rast", "last", "lpst") else space)


def _place(header: _Header, sizes: list[int]) -> tuple[list[int], np.ndarray]:
    """Return the axes that run in space and the matrix (4, 4) to RAS, mm; note what is assumed."""
    space = header.fields.get("space", "").strip()
    signs = _signs(header)
    directions = _directions(header, len(sizes))
    axes, vectors = _spatial(header, sizes, directions)
    if signs is None and space:
        header.notes.append(
            f'The file lies in the space "{space[:40]}", which is not that of a patient; left and '
            "right are assumed."
        )
    elif signs is None or directions is None:
        header.notes.append(NO_PLACE)
    origin = np.zeros(3)
    if directions is not None:
        if "space origin" in header.fields:
            found = _vector(header.fields["space origin"], header, "space origin")
            origin[: min(3, len(found))] = found[:3]
        else:
            header.notes.append("The file does not say where its first voxel lies; 0 is assumed.")
        scale = _units(header, "space units", 3)
    else:
        scale = np.ones(3)
    matrix = np.eye(4)
    to_ras = np.array(signs or (-1, -1, 1), float) * scale
    for column, vector in enumerate(vectors[:3]):
        matrix[:3, column] = to_ras * vector
    if len(vectors) == 2:
        normal = np.cross(matrix[:3, 0], matrix[:3, 1])
        matrix[:3, 2] = normal / max(float(np.linalg.norm(normal)), 1e-12)
    matrix[:3, 3] = to_ras * origin
    if "old min" in header.fields or "old max" in header.fields:
        header.notes.append("The file's values stand for others (old min, old max); they are taken "
                            "as they are.")  # fmt: skip
    return axes, matrix


def _directions(header: _Header, count: int) -> list[np.ndarray | None] | None:
    """Return the vector of each axis, None for one outside space; None where there are none."""
    text = header.fields.get("space directions")
    if text is None:
        return None
    parts = re.findall(r"\([^()]*\)|[^\s()]+", text)
    if len(parts) != count:
        raise damaged_header(header.name, "space directions")
    return [
        None if part.lower() == "none" else _vector(part, header, "space directions")
        for part in parts
    ]


def _vector(text: str, header: _Header, key: str) -> np.ndarray:
    text = text.strip()
    if not (text.startswith("(") and text.endswith(")")):
        raise damaged_header(header.name, key)
    parts = text[1:-1].split(",")
    dimension = header.words("space dimension")
    wanted = len(parts) if not dimension else whole_numbers(dimension[0], header.name, key)[0]
    if not 1 <= len(parts) <= 4 or len(parts) != wanted:
        raise damaged_header(header.name, key)
    return real_numbers(" ".join(parts), len(parts), header.name, key)


def _spatial(
    header: _Header, sizes: list[int], directions: list[np.ndarray | None] | None
) -> tuple[list[int], list[np.ndarray]]:
    """Return the axes in space and their vectors (3,), in the units of the file."""
    count = len(sizes)
    kinds = [kind.lower() for kind in header.words("kinds")]
    if kinds and len(kinds) != count:
        raise damaged_header(header.name, "kinds")
    if directions is not None:
        axes, vectors = [], []
        for axis, vector in enumerate(directions):
            if vector is None or (len(vector) == 4 and not vector[:3].any()):
                continue  # outside space, or the time of a space with time
            axes.append(axis)
            vectors.append(np.concatenate([vector, np.zeros(3)])[:3])
        return axes, vectors
    axes = [axis for axis in range(count) if not kinds or kinds[axis] in _SPATIAL]
    spacings = header.words("spacings")
    if spacings and len(spacings) != count:
        raise damaged_header(header.name, "spacings")
    scale = _units(header, "units", count)
    vectors = []
    for place, axis in enumerate(axes):
        given = spacings[axis].lower() if spacings else "nan"
        length = 1.0 if given == "nan" else real_numbers(given, 1, header.name, "spacings")[0]
        vectors.append(np.eye(3)[place % 3] * abs(length or 1.0) * scale[axis])
    return axes, vectors


def _units(header: _Header, key: str, count: int) -> np.ndarray:
    """Return the length of each axis' unit, mm; note one that is not known."""
    result = np.ones(count)
    for axis, unit in enumerate(header.quoted(key)[:count]):
        length = millimetres(unit)
        if length is None and unit not in ("none", "???"):
            header.notes.append(f'The file gives lengths in "{unit[:20]}"; mm are assumed.')
        result[axis] = length or 1.0
    return result

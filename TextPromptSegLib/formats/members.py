"""Which files an input consists of: one idea for reading, batch, resume and checks of outputs."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..outcome import InputError

_MAX_FILES = 50_000
_MAX_HEADER = 1 << 20  # bytes
# A header that names its voxels: MetaImage (the last line), NRRD (with or without a space).
_DATA_FILE = re.compile(rb"(?im)^[ \t]*(?:ElementDataFile[ \t]*=|data ?file:)[ \t]*([^\r\n]*)")
_PAIRS = {".hdr": ".img", ".img": ".hdr"}


def input_files(path: str | Path) -> tuple[Path, ...]:
    """Return all files that an input consists of, whether they are there or not, itself first.

    A folder stands for its DICOM files (see `dicom_files`), the index of a DICOM medium for the
    files that it lists, a header with its voxels elsewhere for both, a two-file NIfTI or Analyze
    image for the pair. Links are kept as they are; compare files, not names.

    Args:
        path: a file or folder; one that is missing stands for itself.

    Raises:
        InputError: when a folder holds too many files.
        OSError: when a file or folder cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        return tuple(dicom_files(path))
    if not path.is_file():
        return (path,)
    if is_dicom_index(path):
        return (path, *indexed_files(path))
    found = [path]
    with path.open("rb") as stream:
        start = stream.read(_MAX_HEADER)
    if start.startswith(b"NRRD") or b"ElementDataFile" in start:
        found += data_files(path, start)
    partner = _PAIRS.get(path.suffix.lower())
    if partner is not None:
        same_case = partner.upper() if path.suffix.isupper() else partner
        for ending in (same_case, f"{same_case}.gz"):
            other = path.with_suffix(ending)
            if other.is_file():
                found.append(other)
    return tuple(dict.fromkeys(found))


def data_files(header_path: Path, header: bytes) -> list[Path]:
    """Return the files with voxels that a NRRD or MetaImage header names, none if it holds them.

    Args:
        header_path: the header; relative names start in its folder.
        header: its first bytes.
    """
    if header.startswith(b"NRRD"):
        # What follows the first empty line are voxels.
        header = re.split(rb"\r?\n\r?\n", header, maxsplit=1)[0]
    match = _DATA_FILE.search(header)
    if match is None:
        return []
    name = match[1].strip()
    words = name.split()
    if not words or words[0] in (b"LOCAL", b"local", b"Local", b"-"):
        return []
    names = [name]
    if words[0].upper() == b"LIST":
        names = [line.strip() for line in header[match.end() :].splitlines()]
    elif b"%" in name:
        names = _numbered(words)
    with contextlib.suppress(ValueError):  # a name that holds a zero byte names nothing
        return [header_path.parent / os.fsdecode(name) for name in names if name]
    return []


def _numbered(words: list[bytes]) -> list[bytes]:
    """Return the names of "slice%03d.raw 1 20 1": pattern, first, last and step."""
    pattern = re.fullmatch(rb"([^%]*)%(0?)(\d{0,2})d([^%]*)", words[0])
    if pattern is None or not 4 <= len(words) <= 5:
        return []
    if not all(re.fullmatch(rb"-?\d{1,6}", word) for word in words[1:]):
        return []
    first, last, step = (int(word) for word in words[1:4])
    before, zero, width, after = (part.decode("latin-1") for part in pattern.groups())
    count = (last - first) // step + 1 if step else 0
    if not 1 <= count <= _MAX_FILES:
        return []
    form = f"{zero}{int(width or 0) or ''}d"
    names = [f"{before}{first + n * step:{form}}{after}" for n in range(count)]
    return [name.encode("latin-1") for name in names]


# -- DICOM -------------------------------------------------------------------------------------


def dicom_files(folder: Path) -> list[Path]:
    """Return the DICOM files of a folder, sorted: those in it, or if there are none, below it.

    Hidden files and indexes (DICOMDIR) do not count, nor do names: the content decides.

    Raises:
        InputError: when there are too many files.
        OSError: when the folder cannot be listed.
    """
    here = [p for p in sorted(folder.iterdir()) if _counts(p)]
    if here:
        return here
    below = list(_below(folder))  # counted before the first is opened
    return [p for p in below if _counts(p)]


def is_dicom(path: Path) -> bool:
    """Return whether a regular file begins like DICOM, with or without a preamble."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            head = stream.read(140)
    except (OSError, ValueError):
        return False
    return looks_like_dicom(head)


def looks_like_dicom(head: bytes) -> bool:
    """Return whether the first bytes of a file are those of DICOM.

    Without the preamble it has to begin with an element of group 2 or 8, as explicit or implicit
    DICOM writes it.

    Args:
        head: at least 133 bytes, unless the file is shorter.
    """
    if head[128:132] == b"DICM":
        return True
    explicit, length = head[4:6].isalpha() and head[4:6].isupper(), head[4:8]
    bare = head[:2] in (b"\x02\x00", b"\x08\x00") and head[3:4] == b"\0" and len(head) > 132
    return bare and (explicit or int.from_bytes(length, "little") < 1 << 16)


def is_dicom_index(path: Path) -> bool:
    """Return whether a file is the index of a DICOM medium (usually called DICOMDIR)."""
    if not is_dicom(path):
        return False
    with path.open("rb") as stream:
        return b"1.2.840.10008.1.3.10" in stream.read(512)


def indexed_files(path: Path) -> list[Path]:
    """Return the files that the index of a DICOM medium lists, in its order, there or not.

    Raises:
        InputError: when the index is damaged or points out of its own folder.
    """
    import pydicom

    try:
        records = pydicom.dcmread(path).get("DirectoryRecordSequence") or []
        listed = [r.get("ReferencedFileID") for r in records]
        names = [[v] if isinstance(v, str) else [str(part) for part in v] for v in listed if v]
    except Exception:  # whatever pydicom stumbles over
        raise InputError(
            f"{path.name} is a damaged index of a DICOM folder; name the folder itself."
        ) from None
    for parts in names:
        if any(part in ("", "..") or "/" in part or "\0" in part for part in parts):
            raise InputError(
                f"{path.name} is an index that names files outside its folder; name the folder "
                "with the images."
            )
    return [_as_stored(path.parent, parts) for parts in names]


def _as_stored(folder: Path, parts: Iterable[str]) -> Path:
    """Return a listed file; copies of a CD may have their names in small letters."""
    place = folder.joinpath(*parts)
    if place.exists():
        return place
    small = folder.joinpath(*(part.lower() for part in parts))
    return small if small.exists() else place


def _counts(path: Path) -> bool:
    hidden = path.name.startswith(".") or path.name.upper() == "DICOMDIR"
    return not hidden and is_dicom(path)


def _below(folder: Path) -> Iterator[Path]:
    count, visited = 0, set()
    for root, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        if real in visited:  # a link back to where one came from
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            count += 1
            if count > _MAX_FILES:
                raise InputError(
                    f"The folder {folder.name or folder} holds too many files; "
                    "name the folder of one series."
                )
            yield Path(root) / name

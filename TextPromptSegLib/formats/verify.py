"""Every written file is looked at again before it counts: a disk may take half of it in silence."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, cast

from ..outcome import OutputError

_BLOCK = 1 << 20


def verify_files(paths: Iterable[Path]) -> None:
    """Make sure that files were written to their end.

    Images are unpacked and measured against their own header, pictures and documents must have
    their closing bytes, JSON must parse.

    Raises:
        OutputError: naming the first file that is cut off.
    """
    for path in paths:
        name = path.name.lower()
        check = next((c for ending, c in _CHECKS if name.endswith(ending)), _not_empty)
        try:
            whole = check(path)
        except (OSError, EOFError, ValueError, KeyError, AttributeError, zlib.error, struct.error):
            whole = False
        if not whole:
            raise OutputError(
                f"{path.name} was cut off while it was written (the disk may be full); free some "
                "space or choose another place."
            )


def _not_empty(path: Path) -> bool:
    return path.stat().st_size > 0


def _nifti(path: Path) -> bool:
    """Whether all voxels that the header promises are there."""
    with _opened(path) as stream:
        header = stream.read(352)
        if len(header) < 352 or header[344:347] not in (b"n+1", b"ni1"):
            return False
        order = "<" if struct.unpack_from("<i", header)[0] == 348 else ">"
        dims = struct.unpack_from(f"{order}8h", header, 40)
        bits = struct.unpack_from(f"{order}h", header, 72)[0]
        (offset,) = struct.unpack_from(f"{order}f", header, 108)
        count = 1
        for size in dims[1 : dims[0] + 1]:
            count *= size
        return _length(stream) == int(offset) - 352 + count * bits // 8


def _nrrd(path: Path) -> bool:
    """Whether all voxels that the header promises are there."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        while line := stream.readline().decode("utf-8", "replace").rstrip("\n"):
            key, separator, value = line.partition(": ")
            if separator:
                fields[key] = value
        count = {"unsigned char": 1, "unsigned short": 2}[fields["type"]]
        for size in fields["sizes"].split():
            count *= int(size)
        if fields["encoding"] != "gzip":
            return _length(stream) == count
        with gzip.GzipFile(fileobj=stream) as unpacked:
            return _length(unpacked) == count


def _dicom(path: Path) -> bool:
    """Whether the bits of all frames are there."""
    import pydicom

    data = pydicom.dcmread(path)
    bits = int(data.Rows) * int(data.Columns) * int(data.get("NumberOfFrames", 1))
    wanted = -(-bits * int(data.BitsAllocated) * int(data.SamplesPerPixel) // 8)
    return len(data.PixelData) in (wanted, wanted + wanted % 2)


def _json(path: Path) -> bool:
    json.loads(path.read_text(encoding="utf-8"))
    return True


def _png(path: Path) -> bool:
    """Whether every piece is there with the right checksum, the closing one last."""
    with path.open("rb") as stream:
        if stream.read(8) != b"\x89PNG\r\n\x1a\n":
            return False
        while head := stream.read(8):
            length, kind = struct.unpack(">I4s", head)
            body = stream.read(length)
            (checksum,) = struct.unpack(">I", stream.read(4))
            if zlib.crc32(kind + body) != checksum:
                return False
            if kind == b"IEND":
                return stream.read(1) == b""
    return False


def _ends_with(closing: bytes) -> Callable[[Path], bool]:
    def check(path: Path) -> bool:
        return path.read_bytes()[-64:].rstrip().endswith(closing)

    return check


def _opened(path: Path) -> BinaryIO:
    packed = path.name.lower().endswith(".gz")
    return cast(BinaryIO, gzip.open(path) if packed else path.open("rb"))


def _length(stream: BinaryIO | gzip.GzipFile) -> int:
    """Return how many bytes are left; gzip compares its own checksum at the end."""
    count = 0
    while block := stream.read(_BLOCK):
        count += len(block)
    return count


_CHECKS: tuple[tuple[str, Callable[[Path], bool]], ...] = (
    (".nii.gz", _nifti),
    (".nii", _nifti),
    (".nrrd", _nrrd),
    (".dcm", _dicom),
    (".json", _json),
    (".png", _png),
    (".jpg", _ends_with(b"\xff\xd9")),
    (".jpeg", _ends_with(b"\xff\xd9")),
    (".pdf", _ends_with(b"%%EOF")),
    (".svg", _ends_with(b"</svg>")),
)

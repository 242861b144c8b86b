"""MetaImage files: a check that all voxels are there, which ITK leaves to the reader's luck."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from ..outcome import InputError

_BYTES = {
    "MET_UCHAR": 1, "MET_CHAR": 1, "MET_USHORT": 2, "MET_SHORT": 2, "MET_UINT": 4, "MET_INT": 4,
    "MET_ULONG": 4, "MET_LONG": 4, "MET_ULONG_LONG": 8, "MET_LONG_LONG": 8, "MET_FLOAT": 4,
    "MET_DOUBLE": 8,
}  # fmt: skip
_HEADER_LIMIT = 1 << 16


def check_metaimage(path: Path) -> None:
    """Make sure that the file, or the one file it points to, holds all voxels it announces.

    Headers that list several files are left to ITK, which complains when one is missing.

    Raises:
        InputError: when voxels are missing or cannot be unpacked.
    """
    fields, header_bytes = _header(path)
    target = fields.get("ElementDataFile", "")
    element = _BYTES.get(fields.get("ElementType", "").removesuffix("_ARRAY"))
    if element is None or not target or target.split()[0] == "LIST" or "%" in target:
        return
    data_path = path if target == "LOCAL" else path.parent / target
    if not data_path.is_file():
        raise InputError(f"{path.name} points to {target}, which is not beside it; copy both.")
    try:
        size = [int(n) for n in fields["DimSize"].split()]
        channels = int(fields.get("ElementNumberOfChannels", 1))
        skipped = max(0, int(fields.get("HeaderSize", 0)))
    except (KeyError, ValueError):
        raise InputError(f"{path.name} has a damaged header; copy or download it again.") from None
    wanted = int(np.prod(size, dtype=object)) * channels * element
    begin = header_bytes if target == "LOCAL" else skipped
    if fields.get("CompressedData", "").lower() == "true":
        found = _unpacked_size(data_path, begin)
    else:
        found = data_path.stat().st_size - begin
    if found < wanted:
        raise InputError(f"{path.name} is damaged or incomplete; copy or download it again.")


def _header(path: Path) -> tuple[dict[str, str], int]:
    with path.open("rb") as stream:
        start = stream.read(_HEADER_LIMIT)
    fields, position = {}, 0
    for line in start.split(b"\n"):
        position += len(line) + 1
        key, _, value = line.decode("latin-1").partition("=")
        fields[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":  # always the last line
            break
    return fields, position


def _unpacked_size(path: Path, begin: int) -> int:
    """Return how many bytes come out of the compressed voxels; 0 when they are damaged."""
    unpacker, size = zlib.decompressobj(zlib.MAX_WBITS | 32), 0
    try:
        with path.open("rb") as stream:
            stream.seek(begin)
            while not unpacker.eof and (block := stream.read(1 << 20)):
                size += len(unpacker.decompress(block))
            size += len(unpacker.flush())
    except zlib.error:
        return 0
    return size if unpacker.eof else 0

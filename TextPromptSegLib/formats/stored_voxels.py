"""Voxels as bytes of a file, plain or packed: checked to the last one, never more than announced.

ITK fills what is missing in a file with noise, does not look at the checksum of packed voxels, and
odd headers crash it; so the voxels of NIfTI, NRRD and MetaImage files are taken from here.
"""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..outcome import InputError
from .budget import check_budget

_BLOCK = 1 << 20
# Some writers leave padding behind the voxels.
_MOST_BEHIND = 1 << 20
DAMAGED = "{} is damaged or incomplete; copy or download it again."


class _Zlib:
    """A zlib stream as a file that can only be read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._unpacker = stream, zlib.decompressobj()

    def read(self, size: int) -> bytes:
        while not self._unpacker.eof:
            block = self._unpacker.unconsumed_tail or self._stream.read(_BLOCK)
            found = self._unpacker.decompress(block, size)
            if found:
                return found
            if not block:
                raise EOFError
        return b""


_OPENERS: dict[str, Callable[[BinaryIO], Any]] = {
    "": lambda stream: stream,
    "gzip": lambda stream: gzip.GzipFile(fileobj=stream),
    "bzip2": bz2.BZ2File,
    "zlib": _Zlib,
}


def read_voxels(
    files: Sequence[Path],
    dtype: np.dtype[Any],
    shape: Sequence[int],
    name: str,
    *,
    packing: str = "",
    begin: int = 0,
    skip: int = 0,
) -> np.ndarray:
    """Return the voxels of one or more files, each with an equal part of them.

    Args:
        files: one file, or several along the slowest axis.
        dtype: with the byte order of the files.
        shape: slowest axis first.
        name: what the user calls the input.
        packing: "", "gzip", "bzip2" or "zlib".
        begin: where voxels (or what they are packed in) begin, bytes.
        skip: bytes to leave out after unpacking; -1: plain voxels end with the file.

    Raises:
        InputError: when a file is missing, holds too little, is damaged, or unpacks to far more.
    """
    count = int(np.prod([int(size) for size in shape], dtype=object)) * dtype.itemsize
    for path in files:
        if not path.is_file():
            raise InputError(
                f"{name} points to {path.name}, which is not beside it or no file; copy both."
            )
    if not files or count % len(files):
        raise InputError(DAMAGED.format(name))
    part = count // len(files)
    sizes = [path.stat().st_size for path in files]
    check_budget(count, sum(sizes), name)
    if not packing and any(size < begin + max(skip, 0) + part for size in sizes):
        raise InputError(DAMAGED.format(name))
    buffer = bytearray(count)
    view = memoryview(buffer)
    for number, (path, size) in enumerate(zip(files, sizes, strict=True)):
        start = size - part if skip < 0 and not packing else begin
        target = view[number * part : (number + 1) * part]
        try:
            with path.open("rb") as stream:
                stream.seek(start)
                unpacked = _OPENERS[packing](stream)
                _fill(unpacked, max(skip, 0), target)
                if packing:
                    _finish(unpacked)
        except (EOFError, OSError, ValueError, zlib.error) as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise InputError(DAMAGED.format(name)) from None
    return np.frombuffer(buffer, dtype).reshape([int(size) for size in shape])


def read_text_voxels(
    files: Sequence[Path], dtype: np.dtype[Any], shape: Sequence[int], begin: int, name: str
) -> np.ndarray:
    """Return voxels that are written as text, with spaces, commas or line ends between them.

    Args:
        files: one file.
        dtype: what the numbers become.
        shape: slowest axis first.
        begin: where the text begins, bytes.
        name: what the user calls the input.

    Raises:
        InputError: when numbers are missing or are none.
    """
    count = int(np.prod([int(size) for size in shape], dtype=object))
    if len(files) != 1 or not files[0].is_file():
        raise InputError(DAMAGED.format(name))
    size = files[0].stat().st_size
    check_budget(40 * size, 40 * size, name)  # a word of text takes some 40 bytes
    if size - begin < 2 * count - 1:
        raise InputError(DAMAGED.format(name))
    with files[0].open("rb") as stream:
        stream.seek(begin)
        words = stream.read().replace(b",", b" ").split(maxsplit=count)[:count]
    try:
        return np.array(words, "S").astype(float).astype(dtype).reshape([int(n) for n in shape])
    except (ValueError, OverflowError):
        raise InputError(DAMAGED.format(name)) from None


def first_bytes(path: Path, count: int) -> bytes:
    """Return the first bytes of a file, unpacked when it is a gzip file; fewer if damaged."""
    with path.open("rb") as stream:
        start = stream.read(count)
    if start[:2] != b"\x1f\x8b":
        return start
    try:
        with gzip.open(path) as unpacked:
            return unpacked.read(count)
    except (OSError, EOFError, zlib.error):
        return b""


def _fill(stream: Any, skip: int, target: memoryview) -> None:
    while skip:
        block = stream.read(min(skip, _BLOCK))
        if not block:
            raise EOFError
        skip -= len(block)
    done = 0
    while done < len(target):
        block = stream.read(min(len(target) - done, _BLOCK))
        if not block:
            raise EOFError
        target[done : done + len(block)] = block
        done += len(block)


def _finish(stream: Any) -> None:
    """Unpack to the end, where the checksum is compared."""
    behind = 0
    while block := stream.read(_BLOCK):
        behind += len(block)
        if behind > _MOST_BEHIND:
            raise ValueError("far more than was announced")

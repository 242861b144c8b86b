"""A limit on what a file may unpack to, tried before any memory is taken."""

from __future__ import annotations

from ..outcome import InputError

# Up to so much anything goes; above it a file has to hold a fair part of what it announces.
_FREE = 512 << 20  # bytes
_MOST_PACKED = 100
_LARGEST = 256 << 30  # bytes


def check_budget(wanted: int, stored: int, name: str) -> None:
    """Make sure that an image is not far larger than its file can honestly hold.

    Images of patients pack to a half or a third, empty ones to a thousandth: a large image that
    packs so well holds nothing, or is made to fill the memory.

    Args:
        wanted: size of the voxels in memory, bytes.
        stored: size of the files, bytes.
        name: what the user calls the input.

    Raises:
        InputError: when it is.
    """
    if wanted > _LARGEST or (wanted > _FREE and wanted > _MOST_PACKED * max(stored, 1)):
        raise InputError(
            f"{name} would take {_readable(wanted)} of memory although its file has only "
            f"{_readable(stored)}; it is damaged or holds nothing but one value, so crop or "
            "repair it first."
        )


def _readable(size: int) -> str:
    if size < 1 << 20:
        return f"{-(-size // 1024)} kB"
    return f"{size / (1 << 20):.0f} MB" if size < 10 << 30 else f"{size / (1 << 30):.0f} GB"

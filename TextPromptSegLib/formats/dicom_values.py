"""Values of DICOM headers, as they are found in the wild: missing, empty, doubled, no numbers."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def unreadable() -> tuple[type[Exception], ...]:
    """Return what pydicom lets through when a header is cut off, damaged, or no header at all."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (
        ValueError, LookupError, EOFError, AttributeError, NotImplementedError, TypeError,
        ArithmeticError, RecursionError, struct.error, zlib.error, BytesLengthException,
        InvalidDicomError,
    )  # fmt: skip


def value(data: Dataset | None, key: str) -> Any:
    """Return what a header says under ``key``; None where it is missing or cannot be read."""
    if data is None:
        return None
    try:
        return data.get(key)
    except unreadable():
        return None


def text(data: Dataset | None, key: str) -> str:
    """Return a value as text, several with "/" between them; "" where it is missing."""
    found = value(data, key)
    return "/".join(words(data, key)) if found is not None else ""


def words(data: Dataset | None, key: str) -> list[str]:
    """Return the parts of a value with several, as they are written."""
    found = value(data, key)
    if found in (None, ""):
        return []
    parts = [found] if isinstance(found, str | bytes) or not isinstance(found, Iterable) else found
    return [str(part).strip().strip("\0") for part in parts]


def number(data: Dataset | None, key: str) -> float | None:
    """Return a finite number; None where there is none, or more than one."""
    try:
        found = float(value(data, key))
    except (TypeError, ValueError, OverflowError):
        return None
    return found if np.isfinite(found) else None


def numbers(data: Dataset | None, key: str, count: int) -> np.ndarray | None:
    """Return so many finite numbers; None where there are not so many."""
    try:
        found = np.array([float(part) for part in value(data, key) or ()], float)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if len(found) == count and np.isfinite(found).all() else None


def item(data: Dataset | None, key: str) -> Dataset | None:
    """Return the first item of a sequence; None where there is none."""
    found = items(data, key)
    return found[0] if found else None


def items(data: Dataset | None, key: str) -> list[Dataset]:
    """Return the items of a sequence; none where it is missing or no sequence."""
    found = value(data, key)
    listed = list(found) if isinstance(found, Iterable) and not isinstance(found, str) else []
    return [one for one in listed if hasattr(one, "walk")]

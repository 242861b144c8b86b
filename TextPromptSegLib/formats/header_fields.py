"""Numbers and names in the text headers of NRRD and MetaImage files, checked before any use."""

from __future__ import annotations

import re

import numpy as np

from ..outcome import InputError

LONGEST_LINE = 4096
LONGEST_HEADER = 1 << 20
_LARGEST = 1e7  # mm; what lies farther away is no place in a patient
_UNITS = {
    "": 1.0, "mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "millimetre": 1.0,
    "millimetres": 1.0, "cm": 10.0, "centimeter": 10.0, "centimeters": 10.0, "m": 1000.0,
    "meter": 1000.0, "meters": 1000.0, "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "micron": 1e-3,
    "microns": 1e-3, "micrometer": 1e-3, "micrometers": 1e-3, "nm": 1e-6, "in": 25.4,
    "inch": 25.4, "inches": 25.4,
}  # fmt: skip


def damaged_header(name: str, field: str) -> InputError:
    """Return the error about a field that cannot be used."""
    return InputError(
        f"{name} has a damaged header ({field} is missing or impossible); copy or export it again."
    )


def whole_numbers(text: str, name: str, field: str) -> list[int]:
    """Return whole numbers with spaces between them.

    Raises:
        InputError: when there are others, or none.
    """
    parts = text.split()
    if not parts or not all(re.fullmatch(r"[+-]?\d{1,18}", part) for part in parts):
        raise damaged_header(name, field)
    return [int(part) for part in parts]


def sizes_of(text: str, dimensions: int, name: str, field: str) -> list[int]:
    """Return the number of voxels along each axis.

    Raises:
        InputError: when there are not so many, or one is below 1.
    """
    sizes = whole_numbers(text, name, field)
    if len(sizes) != dimensions or min(sizes) < 1:
        raise damaged_header(name, field)
    return sizes


def real_numbers(text: str, count: int, name: str, field: str) -> np.ndarray:
    """Return so many finite numbers of a size that places in a patient have.

    Raises:
        InputError: when they are not that.
    """
    try:
        found = np.array([float(part) for part in text.split()])
    except ValueError:
        raise damaged_header(name, field) from None
    if len(found) != count or not np.isfinite(found).all() or np.abs(found).max() > _LARGEST:
        raise damaged_header(name, field)
    return found


def millimetres(unit: str) -> float | None:
    """Return the length of a unit, mm; None for one that is not known."""
    return _UNITS.get(unit.strip().strip('"').strip().lower())

"""Where the slices of a DICOM series lie: order, regular grid, tilt, gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..outcome import InputError

# Slices count as evenly spaced when none is farther from its place than this part of a step.
_EVEN = 0.03
# Fewer slices than this part may be missing, and never more than this many in a row.
_MAX_FILLED = 0.2
_MAX_GAP = 3
# Rounded positions look like a tilt of some hundredths of a degree.
_MIN_TILT_DEGREES = 0.3

ACQUISITION_MARKS = 3
"""So many of a plane's last marks name an acquisition; those before them a kind of image."""


@dataclass(frozen=True)
class Plane:
    """One acquired slice.

    Attributes:
        path: its file.
        frame: its number inside a multi-frame file, else None.
        size: rows and columns, px.
        position: centre of the first pixel, LPS, mm.
        orientation: direction along a row, then down a column, LPS.
        spacing: distance of rows and of columns, mm.
        order: numbers that put images at the same place in order (trigger time, instance, frame).
        marks: what tells apart volumes of one series (time, echo, acquisition).
        between: distance of slices that the file states, mm; 0 where it does not.
        thickness: of the slice, mm; 0 where the file does not state it.
    """

    path: Path
    frame: int | None
    size: tuple[int, int]
    position: np.ndarray | None
    orientation: np.ndarray | None
    spacing: tuple[float, float] | None
    order: tuple[float, ...]
    marks: tuple[tuple[float, str], ...] = ()
    between: float = 0.0
    thickness: float = 0.0


@dataclass(frozen=True)
class Grid:
    """The voxel grid that a series is put on.

    Attributes:
        matrix: (4, 4) from (i, j, k) to LPS, mm; sheared for a tilted gantry.
        depth: number of slices K.
        slices: (N,) place of each acquired slice along k; whole numbers where it was copied.
    """

    matrix: np.ndarray
    depth: int
    slices: np.ndarray


def grid_of(planes: list[Plane], name: str, notes: list[str]) -> Grid:
    """Return the regular grid of the slices; say in ``notes`` what is unusual.

    A gantry tilt is kept: the slices stay as acquired and the matrix is sheared. A few missing
    or unevenly spaced slices are filled in between their neighbours.

    Raises:
        InputError: when the slices do not make up a volume.
    """
    first = planes[0]
    assert first.position is not None and first.orientation is not None
    row, column = first.orientation[:3], first.orientation[3:]
    row, column = row / _length(row, name), column / _length(column, name)
    if abs(row @ column) > 1e-2:
        raise InputError(f"{name} has a damaged header: rows and columns are not perpendicular.")
    if first.spacing is None:
        raise InputError(f"{name} does not say the size of its pixels (PixelSpacing is missing).")
    if any(plane.spacing is None or not np.allclose(plane.spacing, first.spacing, rtol=1e-3)
           for plane in planes):  # fmt: skip
        raise InputError(f"The slices in {name} have different pixel sizes; name one series.")
    normal = np.cross(row, column)
    positions = np.array([plane.position for plane in planes])
    step, slices = _step(positions, normal, first.spacing, name, notes)
    if len(planes) == 1:
        thickness = first.between or first.thickness
        if not thickness:
            thickness = 1.0
            notes.append("The file does not say how thick the slice is; 1 mm is assumed.")
        step = normal * thickness
    matrix = np.eye(4)
    matrix[:3, 0] = row * first.spacing[1]
    matrix[:3, 1] = column * first.spacing[0]
    matrix[:3, 2] = step
    matrix[:3, 3] = first.position
    return Grid(matrix, round(float(slices[-1])) + 1, slices)


def heights_of(planes: Sequence[Plane], first: Plane) -> np.ndarray:
    """Return (N,) places of slices along the normal of ``first``, mm."""
    assert first.orientation is not None
    normal = np.cross(first.orientation[:3], first.orientation[3:])
    return (
        np.array([p.position for p in planes]) @ normal / max(float(np.linalg.norm(normal)), 1e-9)
    )


def _length(vector: np.ndarray, name: str) -> float:
    length = float(np.linalg.norm(vector))
    if not 0.5 < length < 2.0:
        raise InputError(f"{name} has a damaged header: ImageOrientationPatient is no direction.")
    return length


def _step(
    positions: np.ndarray,
    normal: np.ndarray,
    spacing: tuple[float, float],
    name: str,
    notes: list[str],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the vector from slice to slice (mm) and the place of each slice along k."""
    if len(positions) == 1:
        return normal, np.zeros(1)
    heights = (positions - positions[0]) @ normal
    slices, height = _places(heights, name, notes)
    # In-plane drift from slice to slice: a tilted gantry moves every slice by the same vector.
    drift = positions - positions[0] - np.outer(heights, normal)
    per_step = (slices @ drift) / (slices @ slices)
    if np.abs(drift - np.outer(slices, per_step)).max() > 0.5 * max(spacing):
        raise InputError(
            f"The slices in {name} are shifted against each other; they are no single volume."
        )
    tilt = np.degrees(np.arctan2(np.linalg.norm(per_step), height))
    if tilt < _MIN_TILT_DEGREES:
        return normal * height, slices
    notes.append(
        f"The slices are tilted by {tilt:.1f} degrees (gantry tilt); they are used as acquired and "
        "the result keeps the tilted geometry."
    )
    return normal * height + per_step, slices


def _places(heights: np.ndarray, name: str, notes: list[str]) -> tuple[np.ndarray, float]:
    """Return the place of each slice in steps from the first, and the step, mm."""
    gaps = np.diff(heights)
    usual = float(np.median(gaps))
    even = heights[-1] / max(1, round(heights[-1] / usual))
    places = heights / even
    if np.abs(places - np.arange(len(heights))).max() <= _EVEN:
        return np.arange(len(heights), dtype=float), even
    steps = np.rint(gaps / usual)
    filled = int(round(places[-1])) + 1 - len(heights)
    widest = f"the usual distance is {usual:.2f} mm, the largest {gaps.max():.2f} mm"
    if steps.max() > _MAX_GAP + 1 or filled > max(1, _MAX_FILLED * len(heights)):
        raise InputError(
            f"The series in {name} has gaps ({widest}): slices are missing; export it again."
        )
    if gaps.min() < usual / 3:
        raise InputError(
            f"The slices in {name} are very unevenly spaced (smallest distance {gaps.min():.2f} "
            f"mm, {widest}); export one evenly spaced series."
        )
    whole = np.concatenate([[0.0], np.cumsum(steps)])
    if np.abs(heights - whole * heights[-1] / whole[-1]).max() <= 2 * _EVEN * usual:
        missing = int(whole[-1]) + 1 - len(heights)
        notes.append(f"{missing} slices are missing; they were filled in between their neighbours.")
        return whole, float(heights[-1] / whole[-1])
    notes.append(
        f"The slices are unevenly spaced ({gaps.min():.2f} to {gaps.max():.2f} mm); the volume was "
        f"resampled to even slices of {even:.2f} mm."
    )
    return places, float(even)

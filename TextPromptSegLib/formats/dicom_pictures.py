"""Pictures in DICOM files that have no place in the patient: X-rays, captures of a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .dicom_geometry import Grid, Plane
from .dicom_values import value, words

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Letter of PatientOrientation -> (axis, direction) of a picture as a radiologist hangs it: the
# first axis runs to the patient's left, the second to the feet.
_FRONTAL = {"L": (0, 1.0), "R": (0, -1.0), "F": (1, 1.0), "H": (1, -1.0)}
_LATERAL = {"P": (0, 1.0), "A": (0, -1.0), "F": (1, 1.0), "H": (1, -1.0)}
_AXIAL = {"L": (0, 1.0), "R": (0, -1.0), "P": (1, 1.0), "A": (1, -1.0)}


def picture_grid(plane: Plane, header: Dataset, is_xray: bool, notes: list[str]) -> Grid:
    """Return the place of a picture without a position: as a radiologist looks at it.

    PatientOrientation turns and mirrors it; what it does not say gets a sentence in ``notes``.

    Args:
        plane: the picture.
        header: of its file.
        is_xray: whether its pixel size may be that of the detector.
        notes: gets sentences for the user.
    """
    rows, columns = plane.spacing or (1.0, 1.0)
    matrix = np.eye(4)
    marks = [mark.upper()[:1] for mark in words(header, "PatientOrientation")]
    axes = _axes(marks)
    if axes is None:
        axes = ((0, 1.0), (1, 1.0))
        notes.append("The file does not say left and right; patient right is taken on its left.")
    elif not {"L", "R"} & set(marks):
        notes.append(
            "This is a view from the side, in which left and right cannot be told apart; no "
            "checkpoint was trained on such pictures."
        )
    (along_row, row_sign), (along_column, column_sign) = axes
    matrix[:3, :2] = 0.0
    matrix[along_row, 0] = row_sign * columns
    matrix[along_column, 1] = column_sign * rows
    if plane.spacing is None:
        notes.append("The file does not say the size of its pixels; 1 mm is assumed.")
    elif is_xray and not value(header, "PixelSpacing"):
        notes.append("Sizes are those on the X-ray detector, not corrected for magnification.")
    return Grid(matrix, 1, np.zeros(1))


def _axes(marks: list[str]) -> tuple[tuple[int, float], tuple[int, float]] | None:
    """Return the axes of rows and columns, None where the marks do not say both."""
    if len(marks) != 2:
        return None
    for letters in (_FRONTAL, _LATERAL, _AXIAL):
        found = [letters.get(mark) for mark in marks]
        row, column = found
        if row is not None and column is not None and row[0] != column[0]:
            return row, column
    return None

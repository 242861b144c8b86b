"""Where a NIfTI image lies: q-form and s-form, chosen as ITK (and so 3D Slicer) does.

The two are defined in https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..outcome import InputError

NO_PLACE = "The file does not say how it lies in the patient; left and right are assumed."
_SCANNER = 1  # code of the scanner's own coordinates
_LARGEST = 1e7  # mm
_SIDES = "RLAPSI"


@dataclass(frozen=True)
class Forms:
    """What a header says about the place, lengths in its own units.

    Attributes:
        sizes: voxel sizes along i, j, k.
        qform_code: 0 where the q-form does not count.
        quaternion: b, c, d.
        offset: place of the first voxel.
        qfac: below 0 the third axis runs the other way.
        sform_code: 0 where the s-form does not count.
        rows: (3, 4) matrix of the s-form.
        unit: code of the unit of lengths.
    """

    sizes: np.ndarray
    qform_code: int
    quaternion: np.ndarray
    offset: np.ndarray
    qfac: float
    sform_code: int
    rows: np.ndarray
    unit: int


def place(forms: Forms, name: str) -> tuple[np.ndarray, list[str], str]:
    """Return the (4, 4) matrix to RAS in mm, notes for the user, and "file" or "assumed".

    The s-form counts when it is the scanner's, mirrors the q-form, or there is no q-form, unless
    its axes are not perpendicular; else the q-form does. Where they disagree there is a note.

    Raises:
        InputError: when the numbers are impossible.
    """
    notes: list[str] = []
    scale = {1: 1000.0, 3: 0.001}.get(forms.unit, 1.0)
    sizes = np.where(np.isfinite(forms.sizes) & (forms.sizes > 0), forms.sizes, 0.0)
    q = _qform(forms, np.where(sizes > 0, sizes, 1.0), name) if forms.qform_code > 0 else None
    s = _sform(forms, name) if forms.sform_code > 0 else None
    chosen, used = q, "q-form"
    if s is not None and (
        q is None or (_is_straight(s) and (forms.sform_code == _SCANNER or _is_similar(q, s)))
    ):
        chosen, used = s, "s-form"
        lengths = np.linalg.norm(s[:3, :3], axis=0)
        if not _is_straight(s):
            notes.append(
                "The slices of this file are sheared; they are used as stored, nothing is "
                "resampled."
            )
        elif (sizes > 0).all() and not np.allclose(lengths, sizes, rtol=1e-2):
            chosen = s.copy()
            chosen[:3, :3] *= sizes / lengths
            notes.append(
                "The voxel sizes of the header (pixdim) and of its s-form disagree; those of "
                f"pixdim are used: {_listed(sizes * scale)} mm, not {_listed(lengths * scale)} mm."
            )
    if chosen is None:
        matrix = np.diag([-1.0, -1.0, 1.0, 1.0])
        matrix[:3, :3] *= np.where(sizes > 0, sizes, 1.0)
        notes.append(NO_PLACE)
        if (sizes <= 0).any():
            notes.append("The file does not say the size of its voxels; 1 mm is assumed.")
    else:
        matrix = chosen
        if q is not None and s is not None:
            notes += _disagreement(q, s, used, scale)
    matrix = np.diag([scale, scale, scale, 1.0]) @ matrix
    if not np.isfinite(matrix).all() or np.abs(matrix).max() > _LARGEST:
        raise InputError(f"{name} has a damaged header (its place is impossible); export it again.")
    return matrix, notes, "assumed" if chosen is None else "file"


def _qform(forms: Forms, sizes: np.ndarray, name: str) -> np.ndarray:
    b, c, d = (float(value) for value in forms.quaternion)
    if not np.isfinite([b, c, d, *forms.offset]).all():
        raise InputError(f"{name} has a damaged header (q-form without numbers); export it again.")
    rest = 1.0 - (b * b + c * c + d * d)
    a = np.sqrt(max(rest, 0.0))
    if rest < 1e-7:
        length = np.sqrt(b * b + c * c + d * d)
        a, b, c, d = 0.0, b / length, c / length, d / length
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = turn * sizes * [1.0, 1.0, -1.0 if forms.qfac < 0 else 1.0]
    matrix[:3, 3] = forms.offset
    return matrix


def _sform(forms: Forms, name: str) -> np.ndarray:
    matrix = np.vstack([np.array(forms.rows, float), [0.0, 0.0, 0.0, 1.0]])
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    if not np.isfinite(matrix).all() or (lengths <= 0).any():
        raise InputError(
            f"{name} does not say how it lies in the patient (its NIfTI header has no usable "
            "s-form); repair the header first."
        )
    return matrix


def _is_straight(matrix: np.ndarray) -> bool:
    """Whether the axes are perpendicular."""
    unit = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    return bool(np.abs(unit.T @ unit - np.eye(3)).max() < 1e-3)


def _is_similar(q: np.ndarray, s: np.ndarray) -> bool:
    """Whether ITK takes two forms for one: same first voxel, same axes, whatever their signs."""
    units = [form[:3, :3] / np.linalg.norm(form[:3, :3], axis=0) for form in (q, s)]
    turned = np.abs(units[0].T @ units[1])
    return bool(
        np.allclose(turned, np.eye(3), atol=1e-4) and np.allclose(q[:, 3], s[:, 3], 0, 1e-4)
    )


def _disagreement(q: np.ndarray, s: np.ndarray, used: str, scale: float) -> list[str]:
    """Return a note where the two forms put voxels to different places."""
    if np.allclose(q, s, rtol=1e-3, atol=0.01 / scale):
        return []
    ends = [sides(matrix) for matrix in (q, s)]
    what = "left and right" if _right(q) != _right(s) else "directions"
    how = (
        f"They even disagree on {what} (q-form {ends[0]}, s-form {ends[1]})"
        if ends[0] != ends[1]
        else f"They lie up to {np.abs(q - s)[:3].max() * scale:.3g} mm apart"
    )
    return [
        f"The header places the image twice, by q-form and by s-form, and differently; the {used} "
        f"is used, as in ITK and 3D Slicer. {how}: programs that use the other form show the "
        "result elsewhere."
    ]


def sides(matrix: np.ndarray) -> str:
    """Return the letters of the nearest patient directions of i, j, k."""
    letters = []
    for column in matrix[:3, :3].T:
        axis = int(np.argmax(np.abs(column)))
        letters.append(_SIDES[2 * axis + (0 if column[axis] > 0 else 1)])
    return "".join(letters)


def _right(matrix: np.ndarray) -> tuple[int, bool]:
    """Return the voxel axis that runs between left and right, and whether to the right."""
    row = matrix[0, :3]
    axis = int(np.argmax(np.abs(row)))
    return axis, bool(row[axis] > 0)


def _listed(lengths: np.ndarray) -> str:
    return " x ".join(f"{length:.3g}" for length in lengths)

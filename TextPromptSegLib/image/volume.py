"""`Volume`: a voxel array together with where it lies in the patient; needs numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..outcome import InputError

if TYPE_CHECKING:
    import SimpleITK

LPS_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Turns LPS points (ITK, DICOM) into RAS points (Slicer, NIfTI), and back."""

# Letter -> (world axis of RAS, direction along it).
_AXIS_CODES = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}


@dataclass(frozen=True)
class AxisMap:
    """A permutation and flips of the three voxel axes; loses nothing and can be taken back.

    Attributes:
        source: for each axis of the result (k, j, i order) the axis of the input, 0..2.
        flipped: for each axis of the result, whether it runs against the input's axis.
    """

    source: tuple[int, int, int] = (0, 1, 2)
    flipped: tuple[bool, bool, bool] = (False, False, False)

    @property
    def is_identity(self) -> bool:
        """Whether the map leaves every array as it is."""
        return self.source == (0, 1, 2) and not any(self.flipped)

    def apply(self, array: np.ndarray) -> np.ndarray:
        """Return a view of an array (..., K, J, I) in the new axis order."""
        lead = array.ndim - 3
        moved = array.transpose(*range(lead), *(lead + axis for axis in self.source))
        return self._flip(moved)

    def invert(self, array: np.ndarray) -> np.ndarray:
        """Return a view of an array (..., K', J', I') of the new order in the input's order."""
        lead = array.ndim - 3
        back = [self.source.index(axis) for axis in range(3)]
        return self._flip(array).transpose(*range(lead), *(lead + axis for axis in back))

    def index_matrix(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the 4x4 matrix from new (i, j, k) indices to those of an input (K, J, I)."""
        matrix = np.zeros((4, 4))
        matrix[3, 3] = 1.0
        for new in range(3):
            # The arrays are ordered k, j, i and the matrix columns i, j, k.
            old = self.source[new]
            matrix[2 - old, 2 - new] = -1.0 if self.flipped[new] else 1.0
            if self.flipped[new]:
                matrix[2 - old, 3] = shape[old] - 1
        return matrix

    def _flip(self, array: np.ndarray) -> np.ndarray:
        k, j, i = (slice(None, None, -1 if flip else 1) for flip in self.flipped)
        return array[..., k, j, i]


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels and the matrix that places them in the patient.

    Attributes:
        array: (K, J, I) voxel values of a real type, in the order of the file
            (that of ``SimpleITK.GetArrayFromImage``); treat it as read only.
        ijk_to_ras: (4, 4) float64 from voxel (i, j, k) to patient RAS, mm; may be oblique or
            sheared (gantry tilt).
        modality: "CT", "MR" or "CXR" where the file or the user says so, else None; see
            `image.modality.taken_for` for what it is taken for then.
        name: a short name for reports, usually the name of the file.
        meta: JSON-like facts of the file: "path", "format", "notes" (sentences for the user),
            "geometry" ("file" or "assumed"), "dicom_files", "series" (of a DICOM series: "uid",
            "number", "description"), "padding" (value of voxels outside the picture), "unit"
            ("HU" where it is known), "modality_by" ("user" where the user said it).
    """

    array: np.ndarray
    ijk_to_ras: np.ndarray = field(default_factory=lambda: LPS_RAS.copy())
    modality: str | None = None
    name: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        matrix = np.array(self.ijk_to_ras, dtype=np.float64)
        matrix.flags.writeable = False
        object.__setattr__(self, "array", _real_array(np.asarray(self.array)))
        object.__setattr__(self, "ijk_to_ras", matrix)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise InputError("The image has no usable 4x4 matrix from voxels to the patient.")
        lengths = np.linalg.norm(matrix[:3, :3], axis=0)
        if (lengths <= 0).any() or abs(np.linalg.det(matrix[:3, :3] / lengths)) < 1e-6:
            raise InputError("The axes of the image do not span a volume; repair its header first.")

    # -- making one ----------------------------------------------------------------------------

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        frame: int | None = None,
        series: str | int | None = None,
        modality: str | None = None,
    ) -> Volume:
        """Read an image: NIfTI, NRRD, MetaImage, DICOM (file or folder), PNG or JPEG.

        Args:
            path: a file, or a folder with one DICOM series.
            frame: which frame of a file with several (time points, echoes), from 0.
            series: number or UID of the series, where a folder holds several.
            modality: "CT", "MR" or "CXR" where the file does not say it, or says it wrongly.

        Raises:
            InputError: with one sentence that says what is wrong and what to do.
        """
        from ..formats.reading import read_volume

        return read_volume(path, frame=frame, series=series, modality=modality)

    @classmethod
    def from_array(
        cls,
        array: np.ndarray,
        spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
        *,
        ijk_to_ras: np.ndarray | None = None,
        modality: str | None = None,
        name: str = "",
        meta: Mapping[str, Any] | None = None,
    ) -> Volume:
        """Make a volume of an array (K, J, I) or (J, I), in LPS order unless a matrix says else.

        Args:
            array: voxel values; a picture (J, I) becomes one slice.
            spacing: voxel size along i, j, k, mm; unused when ``ijk_to_ras`` is given.
            ijk_to_ras: (4, 4) matrix, mm.
            modality: "CT", "MR", "CXR" or None.
            name: a short name.
            meta: further facts.

        Raises:
            InputError: when the array is not a volume of real numbers.
        """
        array = np.asarray(array)
        if array.ndim == 2:
            array = array[None]
        if ijk_to_ras is None:
            ijk_to_ras = LPS_RAS @ np.diag([*map(float, spacing), 1.0])
        return cls(array, ijk_to_ras, modality, name, dict(meta or {}))

    @classmethod
    def from_sitk(
        cls,
        image: SimpleITK.Image,
        *,
        modality: str | None = None,
        name: str = "",
        meta: Mapping[str, Any] | None = None,
    ) -> Volume:
        """Make a volume of a scalar 2-D or 3-D SimpleITK image.

        Raises:
            InputError: when the image has another dimension or several values per voxel.
        """
        import SimpleITK as sitk

        dim = image.GetDimension()
        if dim not in (2, 3) or image.GetNumberOfComponentsPerPixel() != 1:
            raise InputError("Only scalar 2-D and 3-D images can be used; pick one channel first.")
        lps = np.eye(4)
        direction = np.array(image.GetDirection()).reshape(dim, dim)
        lps[:dim, :dim] = direction * np.array(image.GetSpacing())
        lps[:dim, 3] = image.GetOrigin()
        array = sitk.GetArrayFromImage(image)
        return cls.from_array(
            array, ijk_to_ras=LPS_RAS @ lps, modality=modality, name=name, meta=meta
        )

    def to_sitk(self) -> SimpleITK.Image:
        """Return the same voxels and geometry as a 3-D SimpleITK image (a copy)."""
        import SimpleITK as sitk

        image = sitk.GetImageFromArray(np.ascontiguousarray(self.array))
        lps = LPS_RAS @ self.ijk_to_ras
        image.SetSpacing(self.spacing)
        image.SetDirection((lps[:3, :3] / np.array(self.spacing)).ravel().tolist())
        image.SetOrigin(lps[:3, 3].tolist())
        return image

    def with_array(self, array: np.ndarray) -> Volume:
        """Return another array of the same shape (K, J, I) in the place of this volume."""
        if array.shape != self.shape:
            raise InputError(
                f"An array of shape {array.shape} does not fit the image {self.shape}."
            )
        return replace(self, array=array)

    # -- what it is ----------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int, int]:
        """(K, J, I), voxels."""
        k, j, i = self.array.shape
        return k, j, i

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size along (i, j, k), mm."""
        i, j, k = np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0).tolist()
        return i, j, k

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel, ml."""
        return float(abs(np.linalg.det(self.ijk_to_ras[:3, :3]))) / 1000.0

    @property
    def is_2d(self) -> bool:
        """Whether there is only one slice along some axis."""
        return min(self.shape) == 1

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about the file that the user should see."""
        return tuple(self.meta.get("notes", ()))

    def require_numbers(self) -> None:
        """Refuse an image without any number.

        Raises:
            InputError: when every voxel is NaN or infinite.
        """
        planes = self.array if self.array.dtype.kind == "f" else ()
        if len(planes) and not any(np.isfinite(plane).any() for plane in planes):
            raise InputError(f"{self.name} holds no finite number; there is nothing to segment.")

    @property
    def axcodes(self) -> str:
        """Nearest patient directions of i, j, k, for example "LPS"."""
        axes, signs = _nearest_axes(self.ijk_to_ras)
        letters = {value: letter for letter, value in _AXIS_CODES.items()}
        return "".join(letters[axis, sign] for axis, sign in zip(axes, signs, strict=True))

    @property
    def shear_degrees(self) -> float:
        """Largest departure of two voxel axes from a right angle, degrees; 0 for most files."""
        unit = self.ijk_to_ras[:3, :3] / np.array(self.spacing)
        cosines = np.abs((unit.T @ unit)[np.triu_indices(3, 1)])
        return float(np.degrees(np.arcsin(np.clip(cosines.max(), 0.0, 1.0))))

    @property
    def bounds(self) -> np.ndarray:
        """(3, 2) lowest and highest R, A, S of the voxels' outer faces, mm."""
        k, j, i = self.shape
        corners = np.array(np.meshgrid([0, i], [0, j], [0, k])).reshape(3, -1) - 0.5
        points = self.ijk_to_ras[:3, :3] @ corners + self.ijk_to_ras[:3, 3:]
        return np.stack([points.min(axis=1), points.max(axis=1)], axis=1)

    # -- orientation ---------------------------------------------------------------------------

    def orientation(self, axcodes: str = "LPS") -> AxisMap:
        """Return the flips and permutation that bring i, j, k nearest to ``axcodes``.

        Left and right come from the matrix alone, never from the order of the voxels.

        Args:
            axcodes: directions of the new i, j, k, of the letters R/L, A/P, S/I.

        Raises:
            InputError: when ``axcodes`` is not such a triple.
        """
        targets = [_AXIS_CODES.get(letter) for letter in axcodes]
        if len(targets) != 3 or None in targets or {t[0] for t in targets if t} != {0, 1, 2}:
            raise InputError(f"{axcodes!r} is no orientation; use three letters such as LPS.")
        axes, signs = _nearest_axes(self.ijk_to_ras)
        source, flipped = [0, 0, 0], [False, False, False]
        for new, target in enumerate(targets):
            assert target is not None
            old = axes.index(target[0])
            source[2 - new], flipped[2 - new] = 2 - old, signs[old] != target[1]
        return AxisMap(tuple(source), tuple(flipped))  # type: ignore[arg-type]

    def canonical(self, axcodes: str = "LPS") -> Volume:
        """Return the same voxels with i, j, k nearest to ``axcodes``, by flips and permutations.

        Nothing is resampled: an oblique or sheared volume keeps its true matrix. With "LPS" an
        axial slice ``array[k]`` shows patient right on the left and anterior at the top.
        ``orientation(axcodes).invert`` brings masks and probabilities back to this order.
        """
        axis_map = self.orientation(axcodes)
        if axis_map.is_identity:
            return self
        matrix = self.ijk_to_ras @ axis_map.index_matrix(self.shape)
        return replace(self, array=axis_map.apply(self.array), ijk_to_ras=matrix)

    # -- points and boxes ----------------------------------------------------------------------

    def ras_to_index(self, points: np.ndarray) -> np.ndarray:
        """Return continuous voxel indices (i, j, k) of RAS points (..., 3), mm."""
        inverse = np.linalg.inv(self.ijk_to_ras)
        return np.asarray(points, dtype=np.float64) @ inverse[:3, :3].T + inverse[:3, 3]

    def index_to_ras(self, indices: np.ndarray) -> np.ndarray:
        """Return RAS points (..., 3), mm, of voxel indices (i, j, k)."""
        matrix = self.ijk_to_ras
        return np.asarray(indices, dtype=np.float64) @ matrix[:3, :3].T + matrix[:3, 3]

    def box_to_slices(
        self, x0: float, x1: float, y0: float, y1: float, z0: float, z1: float
    ) -> tuple[slice, slice, slice]:
        """Return the (k, j, i) slices of the voxels that a box in RAS (mm) touches.

        In an oblique volume it is the smallest block of voxels that holds the box. Parts of the
        box outside the volume are cut off.

        Raises:
            InputError: when a number is not finite or the box lies wholly outside the volume.
        """
        ranges = np.array([[x0, x1], [y0, y1], [z0, z1]], dtype=np.float64)
        if not np.isfinite(ranges).all():
            raise InputError("The region needs six finite numbers x0,x1,y0,y1,z0,z1 (RAS, mm).")
        ranges.sort(axis=1)
        corners = np.array(np.meshgrid(*ranges)).reshape(3, -1).T
        indices = self.ras_to_index(corners)
        low = np.floor(indices.min(axis=0) + 0.5 + 1e-6).astype(int)
        high = np.maximum(np.ceil(indices.max(axis=0) + 0.5 - 1e-6).astype(int), low + 1)
        size = np.array(self.shape[::-1])
        if (low >= size).any() or (high <= 0).any():
            spans = ", ".join(
                f"{axis} {low_mm:.1f}..{high_mm:.1f}"
                for axis, (low_mm, high_mm) in zip("xyz", self.bounds, strict=True)
            )
            raise InputError(f"The region lies outside the image, which spans {spans} mm (RAS).")
        low, high = np.clip(low, 0, size), np.clip(high, 0, size)
        return slice(low[2], high[2]), slice(low[1], high[1]), slice(low[0], high[0])


def _real_array(array: np.ndarray) -> np.ndarray:
    """Check that an array is a volume of real numbers, in a type that ITK and torch know."""
    if array.ndim != 3:
        raise InputError(
            f"The image has {array.ndim} dimensions, but one 2-D picture or 3-D volume is needed; "
            "pick one frame or channel first."
        )
    if array.size == 0:
        raise InputError("The image holds no voxels.")
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind == "c":
        raise InputError("The image holds complex numbers; save its magnitude first.")
    if array.dtype.kind not in "iuf":
        raise InputError(f"The image holds values of type {array.dtype}, which are no numbers.")
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        return array.astype(np.float32 if array.dtype.itemsize < 4 else np.float64)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _nearest_axes(ijk_to_ras: np.ndarray) -> tuple[list[int], list[int]]:
    """Return, for i, j, k, the nearest RAS world axis and the direction (+1, -1) along it."""
    columns = ijk_to_ras[:3, :3]
    cosines = columns / np.linalg.norm(columns, axis=0)

    def closeness(axes: tuple[int, ...]) -> tuple[bool, float]:
        chosen = [abs(cosines[axis, voxel]) for voxel, axis in enumerate(axes)]
        # Rounded, so that at exactly 45 degrees noise does not choose between two equal answers;
        # an axis must not be matched to a direction that it has no part in.
        return min(chosen) > 1e-6, round(sum(chosen), 9)

    best = max(permutations(range(3)), key=closeness)
    axes = list(best)
    return axes, [1 if cosines[axis, voxel] > 0 else -1 for voxel, axis in enumerate(axes)]

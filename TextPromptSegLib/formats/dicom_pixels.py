"""Grey values of DICOM slices: rescaled, the right way round, put on the grid."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..outcome import InputError
from .dicom_geometry import Grid, Plane
from .dicom_unpack import stored_frames
from .dicom_values import item, items, number, text, unreadable, value

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LOG = logging.getLogger(__name__)
# Their numbers mean something, however the picture is to be shown.
_QUANTITATIVE = ("CT", "PT", "NM")


class PixelReader:
    """Reads the slices of one series.

    Args:
        modality: the DICOM modality, for example "CT".

    Attributes:
        padding: the value of voxels outside the picture (PixelPaddingValue), one for all slices
            and not above those inside; None as long as there was none.
    """

    def __init__(self, modality: str) -> None:
        self._modality = modality
        self._path: Path | None = None
        self._frames: list[np.ndarray] = []
        self.padding: float | None = None

    def stack(self, planes: list[Plane], grid: Grid) -> np.ndarray:
        """Return the voxels (K, J, I), filled in between where ``grid`` asks for it.

        Raises:
            InputError: when pixels are missing or damaged.
        """
        array: np.ndarray | None = None
        for place, plane in enumerate(planes):
            pixels = self._pixels(plane)
            if array is None:
                array = np.empty((len(planes), *plane.size), pixels.dtype)
            kind = np.result_type(array.dtype, pixels.dtype)
            array = array.astype(kind, copy=False)
            array[place] = pixels
        assert array is not None
        return _smallest(_regular(array, grid))

    def _pixels(self, plane: Plane) -> np.ndarray:
        """Return the grey values (J, I) of one slice."""
        if self._path != plane.path:
            self._frames = self._read(plane.path)
            self._path = plane.path
        index = plane.frame or 0
        if index >= len(self._frames) or self._frames[index].shape != plane.size:
            raise InputError(f"{plane.path.name} is damaged: its pixels do not fit its header.")
        return self._frames[index]

    def _read(self, path: Path) -> list[np.ndarray]:
        import pydicom

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                data = pydicom.dcmread(path, force=True)
                frames = stored_frames(data)
                return [self._values(frame, data, index) for index, frame in enumerate(frames)]
        except (RuntimeError, NotImplementedError, TypeError) as error:
            if isinstance(error, RecursionError):
                raise _damaged(path) from None
            _LOG.debug("pixels cannot be unpacked: %s", error)
            raise InputError(
                f"The pixels of {path.name} are packed in a way that cannot be read, or are "
                "damaged; export the image uncompressed."
            ) from None
        except OSError:
            raise _damaged(path) from None
        except unreadable() as error:
            _LOG.debug("pixels cannot be read: %s", error)
            raise _damaged(path) from None

    def _values(self, stored: np.ndarray, data: Dataset, index: int) -> np.ndarray:
        """Return the grey values of a stored frame; padding gets one value for all frames."""
        padded = _padded(stored, data)
        values, low, high = _rescaled(stored, data, index, self._modality)
        inverse = text(data, "PhotometricInterpretation") == "MONOCHROME1"
        if inverse and self._modality not in _QUANTITATIVE:
            values = _inverted(values, low, high)
        if padded is not None:
            if self.padding is None:
                # Outside the picture it is dark, whatever number marks it.
                inside = values[~padded]
                lowest = [values[padded].min(), *([inside.min()] if inside.size else [])]
                self.padding = float(min(lowest))
            if values.dtype.kind in "iu" and not np.can_cast(
                np.min_scalar_type(int(self.padding)), values.dtype
            ):
                values = values.astype(np.int32)
            values = values.copy()
            values[padded] = self.padding
        return values


def _damaged(path: Path) -> InputError:
    return InputError(f"{path.name} is damaged or incomplete; copy or export it again.")


def _padded(stored: np.ndarray, data: Dataset) -> np.ndarray | None:
    """Return where a stored frame holds padding, None if nowhere."""
    low = number(data, "PixelPaddingValue")
    if low is None:
        return None
    limit = number(data, "PixelPaddingRangeLimit")
    ends = sorted((low, low if limit is None else limit))
    if stored.dtype.kind == "u" and ends[0] < 0:  # written as signed beside unsigned pixels
        ends = [end + 2.0 ** (8 * stored.dtype.itemsize) if end < 0 else end for end in ends]
        ends.sort()
    mask: np.ndarray = (stored >= ends[0]) & (stored <= ends[1])
    return mask if mask.any() else None


def _rescaled(
    pixels: np.ndarray, data: Dataset, index: int, modality: str
) -> tuple[np.ndarray, float, float]:
    """Return the values after the modality look-up or rescale, and the range they can have."""
    from pydicom.pixels import apply_modality_lut

    bits = int(value(data, "BitsStored") or 8 * pixels.dtype.itemsize)
    low, high = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if value(
        data, "PixelRepresentation"
    ) else (0.0, 2.0**bits - 1)  # fmt: skip
    if items(data, "ModalityLUTSequence"):
        values = apply_modality_lut(pixels, data)
        return values, float(values.min()), float(values.max())
    slope, intercept = _slope(data, index, modality)
    ends = sorted((low * slope + intercept, high * slope + intercept))
    if (slope, intercept) == (1.0, 0.0):
        return pixels, ends[0], ends[1]
    small = intercept.is_integer() and max(map(abs, ends)) < 2**31
    if slope == 1.0 and small and pixels.dtype.kind in "iu":
        return pixels.astype(np.int32) + np.int32(intercept), ends[0], ends[1]
    values = pixels.astype(np.float32)
    values *= np.float32(slope)
    values += np.float32(intercept)
    return values, ends[0], ends[1]


def _slope(data: Dataset, index: int, modality: str) -> tuple[float, float]:
    """Return rescale slope and intercept, plain or of one frame of an enhanced image.

    Raises:
        ValueError: when the numbers of a quantitative image cannot be known.
    """
    frames = items(data, "PerFrameFunctionalGroupsSequence")
    own = frames[index] if index < len(frames) else None
    shared = item(data, "SharedFunctionalGroupsSequence")
    places = [item(group, "PixelValueTransformationSequence") for group in (own, shared)]
    source = next((place for place in places if place is not None), data)
    result = []
    for key, usual in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0)):
        found = number(source, key)
        if found is None or (key == "RescaleSlope" and found == 0) or abs(found) > 1e9:
            given = key in source and value(source, key) not in (None, "")
            if given and (modality in _QUANTITATIVE or found is None):
                raise ValueError(f"{key} is no usable number")
            found = usual
        result.append(found)
    return result[0], result[1]


def _inverted(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return a picture in which bright is dense, of one stored the other way round."""
    if values.dtype.kind == "f":
        return (low + high) - values
    turned: np.ndarray = int(low + high) - values.astype(np.int64)
    return turned.astype(np.int32) if max(abs(low), abs(high)) < 2**31 else turned


def _regular(array: np.ndarray, grid: Grid) -> np.ndarray:
    """Put acquired slices (N, J, I) on the K places of the grid, linear in between."""
    if grid.depth == len(array) and np.array_equal(grid.slices, np.arange(grid.depth)):
        return array
    out = np.empty((grid.depth, *array.shape[1:]), array.dtype)
    for k in range(grid.depth):
        above = min(int(np.searchsorted(grid.slices, k - 1e-6)), len(array) - 1)
        below = above if grid.slices[above] <= k + 1e-6 else max(above - 1, 0)
        if above == below:
            out[k] = array[above]
            continue
        weight = (k - grid.slices[below]) / (grid.slices[above] - grid.slices[below])
        mixed = array[below] * np.float32(1 - weight) + array[above] * np.float32(weight)
        out[k] = np.rint(mixed) if array.dtype.kind in "iu" else mixed
    return out


def _smallest(array: np.ndarray) -> np.ndarray:
    """Store whole numbers in 16 bits where they fit."""
    if array.dtype.kind == "f" or array.dtype.itemsize <= 2:
        return array
    low, high = int(array.min()), int(array.max())
    for kind in (np.int16, np.uint16):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return array.astype(kind)
    return array

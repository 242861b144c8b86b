"""Pixels of DICOM images: unpacked, rescaled, the right way round, put on the grid."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..outcome import InputError
from .dicom_geometry import Grid, Plane
from .pixels import luminance

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LOG = logging.getLogger(__name__)
# Their numbers mean something, however the picture is to be shown.
_QUANTITATIVE = ("CT", "PT", "NM")


class PixelReader:
    """Reads the slices of one series.

    Args:
        modality: the DICOM modality, for example "CT".
    """

    def __init__(self, modality: str) -> None:
        self._modality = modality
        self._path: Path | None = None
        self._frames: list[np.ndarray] = []

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
        pixels = self._frames[plane.frame or 0] if plane.frame is not None else self._frames[0]
        if pixels.shape != plane.size:
            raise InputError(f"{plane.path.name} is damaged: its pixels do not fit its header.")
        return pixels

    def _read(self, path: Path) -> list[np.ndarray]:
        import pydicom

        damaged = InputError(f"{path.name} is damaged or incomplete; copy or export it again.")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                data = pydicom.dcmread(path, force=True)
                stored = _stored(data)
                if stored is None:
                    frames = _by_itk(path)
                    scaled = [(frame, 0.0, 0.0) for frame in frames]
                else:
                    scaled = [
                        _rescaled(frame, data, index, self._modality)
                        for index, frame in enumerate(stored)
                    ]
        except (OSError, ValueError, KeyError, AttributeError, EOFError, IndexError) as error:
            _LOG.debug("pixels cannot be read: %s", error)
            raise damaged from None
        except (NotImplementedError, RuntimeError, TypeError) as error:
            _LOG.debug("pixels cannot be unpacked: %s", error)
            raise InputError(
                f"The pixels of {path.name} are packed in a way that cannot be read, or are "
                "damaged; export the image uncompressed."
            ) from None
        photometric = str(data.get("PhotometricInterpretation", ""))
        if photometric != "MONOCHROME1" or self._modality in _QUANTITATIVE:
            return [values for values, _, _ in scaled]
        return [_inverted(values, low, high) for values, low, high in scaled]


def _stored(data: Dataset) -> list[np.ndarray] | None:
    """Return the stored pixels frame by frame, grey; None when pydicom cannot unpack them."""
    from pydicom.pixels import apply_color_lut

    if not any(key in data for key in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise ValueError("no pixels")
    if "transfer_syntax_uid" not in vars(data.file_meta) and not data.file_meta.get(
        "TransferSyntaxUID"
    ):
        data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2"  # what files without it have to be
    try:
        pixels = data.pixel_array
    except (RuntimeError, NotImplementedError) as error:
        _LOG.debug("pydicom cannot unpack the pixels (%s); ITK is asked", error)
        return None
    if str(data.get("PhotometricInterpretation")) == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, data)
    if int(data.get("SamplesPerPixel", 1)) > 1 or pixels.ndim > 3 or (
        str(data.get("PhotometricInterpretation")) == "PALETTE COLOR"
    ):  # fmt: skip
        pixels = luminance(pixels)
    return list(pixels) if pixels.ndim == 3 else [pixels]


def _by_itk(path: Path) -> list[np.ndarray]:
    """Unpack compressed pixels with ITK; it rescales them as well."""
    import SimpleITK as sitk

    image = sitk.ReadImage(str(path), imageIO="GDCMImageIO")
    pixels = sitk.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        pixels = luminance(pixels)
    return list(pixels) if pixels.ndim == 3 else [pixels]


def _rescaled(
    pixels: np.ndarray, data: Dataset, index: int, modality: str
) -> tuple[np.ndarray, float, float]:
    """Return the values after the modality look-up or rescale, and the range they can have."""
    from pydicom.pixels import apply_modality_lut

    bits = int(data.get("BitsStored") or 8 * pixels.dtype.itemsize)
    low, high = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if data.get(
        "PixelRepresentation"
    ) else (0.0, 2.0**bits - 1)  # fmt: skip
    if data.get("ModalityLUTSequence"):
        values = apply_modality_lut(pixels, data)
        return values, float(values.min()), float(values.max())
    slope, intercept = _slope(data, index)
    ends = sorted((low * slope + intercept, high * slope + intercept))
    if (slope, intercept) == (1.0, 0.0):
        return pixels, ends[0], ends[1]
    if slope == 1.0 and intercept.is_integer() and pixels.dtype.kind in "iu":
        return pixels.astype(np.int32) + np.int32(intercept), ends[0], ends[1]
    values = pixels.astype(np.float32)
    values *= slope
    values += intercept
    return values, ends[0], ends[1]


def _slope(data: Dataset, index: int) -> tuple[float, float]:
    """Return rescale slope and intercept, plain or of one frame of an enhanced image."""
    groups: list[Any] = [data]
    shared = data.get("SharedFunctionalGroupsSequence")
    frames = data.get("PerFrameFunctionalGroupsSequence")
    for group in (shared[0] if shared else None, frames[index] if frames else None):
        found = group.get("PixelValueTransformationSequence") if group is not None else None
        if found:
            groups.append(found[0])
    slope, intercept = groups[-1].get("RescaleSlope"), groups[-1].get("RescaleIntercept")
    slope = 1.0 if slope in (None, "") else float(slope)
    intercept = 0.0 if intercept in (None, "") else float(intercept)
    return (slope, intercept) if slope and np.isfinite([slope, intercept]).all() else (1.0, 0.0)


def _inverted(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return a picture in which bright is dense, of one stored the other way round."""
    if low == high:  # unpacked by ITK: the stored range is not known any more
        low, high = float(values.min()), float(values.max())
    if values.dtype.kind == "f":
        return (low + high) - values
    return (int(low + high) - values.astype(np.int64)).astype(np.int32)


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

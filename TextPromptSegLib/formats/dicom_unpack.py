"""Stored pixels of a DICOM image, whichever program unpacks them.

pydicom does it where it can. What only GDCM (inside ITK) can unpack goes through a bare copy of
the image without rescale, look-up tables and polarity, so that both give the stored numbers and
everything else is done in one place afterwards.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .dicom_values import text, value
from .pixels import luminance

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LOG = logging.getLogger(__name__)
_LAYOUT = (
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "SamplesPerPixel", "PlanarConfiguration",
)  # fmt: skip
_IMPLICIT = "1.2.840.10008.1.2"
_RLE = "1.2.840.10008.1.2.5"
_GREY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7.3"  # multi-frame grey word secondary capture
_COLOUR_CAPTURE = "1.2.840.10008.5.1.4.1.1.7.4"


def stored_frames(data: Dataset) -> list[np.ndarray]:
    """Return the stored pixels (J, I) of each frame; colours as grey.

    Raises:
        ValueError: or another error of `dicom_values.unreadable`, when they are damaged.
        RuntimeError: when nobody can unpack them.
    """
    if not any(key in data for key in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise ValueError("no pixels")
    if "transfer_syntax_uid" not in vars(data.file_meta) and not data.file_meta.get(
        "TransferSyntaxUID"
    ):
        data.file_meta.TransferSyntaxUID = _IMPLICIT  # what files without it have to be
    try:
        pixels = data.pixel_array
    except (RuntimeError, NotImplementedError) as error:
        if data.file_meta.get("TransferSyntaxUID") == _RLE:
            # pydicom reads every whole one; GDCM takes gigabytes for a damaged one
            raise ValueError("the run-length packed pixels are damaged") from error
        _LOG.debug("pydicom cannot unpack the pixels (%s); ITK is asked", error)
        pixels = unpacked_by_itk(data)
    return _grey_frames(pixels, data)


def unpacked_by_itk(data: Dataset) -> np.ndarray:
    """Return the stored pixels as GDCM unpacks them, in the axes that pydicom has.

    Args:
        data: an image with packed pixels.

    Raises:
        RuntimeError: when GDCM cannot.
        ValueError: when what comes out does not fit the header.
    """
    import SimpleITK as sitk

    with tempfile.TemporaryDirectory(prefix="textpromptseg-") as folder:
        path = Path(folder) / "packed.dcm"
        _bare(data).save_as(path, enforce_file_format=True)
        image = sitk.ReadImage(str(path), imageIO="GDCMImageIO")
    pixels: np.ndarray = sitk.GetArrayFromImage(image)
    frames = int(value(data, "NumberOfFrames") or 1)
    shape: tuple[int, ...] = (int(data.Rows), int(data.Columns))
    shape = ((frames,) if frames > 1 else ()) + shape
    if image.GetNumberOfComponentsPerPixel() > 1:
        shape += (image.GetNumberOfComponentsPerPixel(),)
    if pixels.size != np.prod(shape, dtype=object):
        raise ValueError("the pixels do not fit the header")
    return pixels.reshape(shape)


def _bare(data: Dataset) -> Dataset:
    """Return an image with the same packed pixels and nothing that asks for changing them."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import generate_uid

    bare = Dataset()
    bare.file_meta = FileMetaDataset()
    bare.file_meta.TransferSyntaxUID = data.file_meta.TransferSyntaxUID
    bare.SOPClassUID = _GREY_CAPTURE if data.SamplesPerPixel == 1 else _COLOUR_CAPTURE
    bare.SOPInstanceUID = generate_uid()
    bare.file_meta.MediaStorageSOPClassUID = bare.SOPClassUID
    bare.file_meta.MediaStorageSOPInstanceUID = bare.SOPInstanceUID
    for key in _LAYOUT:
        found: Any = value(data, key)
        if found is not None:
            setattr(bare, key, found)
    kind = text(data, "PhotometricInterpretation")
    bare.PhotometricInterpretation = kind if data.SamplesPerPixel == 3 else "MONOCHROME2"
    bare.NumberOfFrames = int(value(data, "NumberOfFrames") or 1)
    bare.Modality = "OT"
    bare.PixelData = data.PixelData
    bare["PixelData"].VR = "OB"
    bare["PixelData"].is_undefined_length = True
    return bare


def _grey_frames(pixels: np.ndarray, data: Dataset) -> list[np.ndarray]:
    from pydicom.pixels import apply_color_lut

    is_palette = text(data, "PhotometricInterpretation") == "PALETTE COLOR"
    if is_palette:
        pixels = apply_color_lut(pixels, data)
    if is_palette or int(value(data, "SamplesPerPixel") or 1) > 1:
        pixels = luminance(pixels)
    return list(pixels) if pixels.ndim == 3 else [pixels]

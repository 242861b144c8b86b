"""DICOM pixels packed in every way that the installed encoders can."""

from __future__ import annotations

import copy
import io
import tempfile
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
import synthetic_dicom as made
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import get_encoder

LOSSLESS = (
    "implicit", "big endian", "deflated", "RLE", "JPEG-LS", "JPEG 2000", "JPEG lossless",
)  # fmt: skip
_SYNTAXES = {
    "implicit": uid.ImplicitVRLittleEndian,
    "big endian": uid.ExplicitVRBigEndian,
    "deflated": uid.DeflatedExplicitVRLittleEndian,
    "RLE": uid.RLELossless,
    "JPEG-LS": uid.JPEGLSLossless,
    "JPEG 2000": uid.JPEG2000Lossless,
    "JPEG lossless": uid.JPEGLosslessSV1,
    "JPEG": uid.JPEGBaseline8Bit,
}


def packed(data: Dataset, how: str) -> Dataset:
    """Return a copy of an uncompressed grey image with its pixels stored in another way."""
    result = copy.deepcopy(data)
    result.file_meta.TransferSyntaxUID = _SYNTAXES[how]
    if how == "big endian":
        if data.BitsAllocated == 16:
            result.PixelData = np.frombuffer(data.PixelData, "<u2").astype(">u2").tobytes()
    elif how not in ("implicit", "deflated"):
        count = int(data.get("NumberOfFrames", 1))
        length = len(data.PixelData) // count
        frames = [data.PixelData[n * length : (n + 1) * length] for n in range(count)]
        result.PixelData = encapsulate([_frame(data, frame, how) for frame in frames])
        result["PixelData"].VR, result["PixelData"].is_undefined_length = "OB", True
    return result


def _frame(data: Dataset, frame: bytes, how: str) -> bytes:
    kind = np.dtype(f"{'i' if data.PixelRepresentation else 'u'}{data.BitsAllocated // 8}")
    pixels = np.frombuffer(frame, kind).reshape(data.Rows, data.Columns)
    if how in ("RLE", "JPEG-LS"):
        return get_encoder(_SYNTAXES[how]).encode(
            frame, rows=data.Rows, columns=data.Columns, samples_per_pixel=1,
            bits_allocated=data.BitsAllocated, bits_stored=data.BitsStored, number_of_frames=1,
            pixel_representation=data.PixelRepresentation,
            photometric_interpretation="MONOCHROME2", encoding_plugin="",
        )  # fmt: skip
    if how == "JPEG":
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "JPEG", quality=95)
        return stream.getvalue()
    return _by_gdcm(pixels, "JPEG2000" if how == "JPEG 2000" else "JPEG")


def _by_gdcm(pixels: np.ndarray, how: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        plain, out = Path(folder) / "plain.dcm", Path(folder) / "packed.dcm"
        made.save(made.image(pixels, "CT", RescaleSlope=1, RescaleIntercept=0), plain)
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.UseCompressionOn()
        writer.SetCompressor(how)
        writer.SetFileName(str(out))
        writer.Execute(sitk.ReadImage(str(plain)))
        return next(generate_frames(pydicom.dcmread(out).PixelData, number_of_frames=1))

"""DICOM files made up for tests: CT and MR series, X-rays, multi-frame images."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "ENHANCED": "1.2.840.10008.5.1.4.1.1.2.1",
    "SR": "1.2.840.10008.5.1.4.1.1.88.11",
}
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def image(
    pixels: np.ndarray, modality: str = "CT", *, series: str = "1.2.3.1", **tags: object
) -> Dataset:
    """Return a data set with pixels (rows, columns), (frames, rows, columns) or RGB."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = CLASSES.get(modality, CLASSES["CT"])
    data.SOPInstanceUID = generate_uid()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.PatientName, data.PatientID = "Test^Phantom", "PHANTOM"
    data.PatientBirthDate = data.PatientSex = data.AccessionNumber = ""
    data.StudyDate, data.StudyTime, data.StudyID = "20200101", "120000", "1"
    data.ReferringPhysicianName = data.Manufacturer = ""
    data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.3", series
    data.FrameOfReferenceUID = "1.2.3.9"
    data.SeriesNumber = int(series.rsplit(".", 1)[1])
    data.InstanceNumber = 1
    data.Modality = "CT" if modality == "ENHANCED" else modality
    pixels = np.asarray(pixels)
    is_rgb = pixels.ndim > 2 and pixels.shape[-1] == 3 and pixels.dtype == np.uint8
    data.SamplesPerPixel = 3 if is_rgb else 1
    data.PhotometricInterpretation = "RGB" if is_rgb else "MONOCHROME2"
    if is_rgb:
        data.PlanarConfiguration = 0
    plane = pixels.shape[:-1] if is_rgb else pixels.shape
    if len(plane) == 3:
        data.NumberOfFrames = plane[0]
    data.Rows, data.Columns = plane[-2:]
    data.BitsAllocated = data.BitsStored = 8 * pixels.dtype.itemsize
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    data.PixelData = pixels.tobytes()
    data["PixelData"].VR = "OB" if data.BitsAllocated == 8 else "OW"
    for key, value in tags.items():
        if value is None:
            if key in data:
                delattr(data, key)
        else:
            setattr(data, key, value)
    return data


def save(data: Dataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(path, data, enforce_file_format=True)
    return path


def series(
    folder: Path,
    positions: Sequence[Sequence[float]] | np.ndarray,
    *,
    modality: str = "CT",
    orientation: Sequence[float] = AXIAL,
    spacing: tuple[float, float] = (0.5, 0.75),
    uid: str = "1.2.3.1",
    prefix: str = "IM",
    value: str = "height",
    slope: float = 1.0,
    intercept: float = -1024.0,
    **tags: object,
) -> list[Path]:
    """Write slices at LPS positions (mm) in a shuffled order of names.

    A slice's stored values are 1000 + 10 * its height along the normal (or its number), plus the
    column, so that a reader that mixes up slices or axes is caught.
    """
    normal = np.cross(orientation[:3], orientation[3:])
    paths = []
    for number, position in enumerate(positions):
        level = 10 * float(np.dot(position, normal)) if value == "height" else 10 * number
        pixels = np.round(1000 + level + np.arange(8)[None, :] + np.zeros((6, 1)))
        data = image(
            pixels.astype(np.uint16),
            modality,
            series=uid,
            ImagePositionPatient=[float(v) for v in position],
            ImageOrientationPatient=[float(v) for v in orientation],
            PixelSpacing=list(spacing),
            SliceThickness=2.0,
            RescaleSlope=slope,
            RescaleIntercept=intercept,
            InstanceNumber=number + 1,
            **tags,
        )
        paths.append(save(data, folder / f"{prefix}{(number * 7) % 101:03d}"))
    return paths


def enhanced(positions: Sequence[Sequence[float]], slopes: Sequence[float]) -> Dataset:
    """Return an enhanced multi-frame CT with geometry and rescale per frame."""
    pixels = np.stack([np.full((6, 8), 10 * (n + 1), np.uint16) for n in range(len(positions))])
    data = image(pixels, "ENHANCED")

    def item(**tags: object) -> Dataset:
        part = Dataset()
        for key, value in tags.items():
            setattr(part, key, value)
        return part

    shared = item(
        PlaneOrientationSequence=Items([item(ImageOrientationPatient=list(AXIAL))]),
        PixelMeasuresSequence=Items([item(PixelSpacing=[0.5, 0.75], SliceThickness=2.0)]),
    )
    data.SharedFunctionalGroupsSequence = Items([shared])
    data.PerFrameFunctionalGroupsSequence = Items(
        [
            item(
                PlanePositionSequence=Items([item(ImagePositionPatient=list(position))]),
                PixelValueTransformationSequence=Items(
                    [item(RescaleSlope=slope, RescaleIntercept=-5.0, RescaleType="HU")]
                ),
            )
            for position, slope in zip(positions, slopes, strict=True)
        ]
    )
    return data


def nested(**sequences: Mapping[str, object]) -> Dataset:
    """Return a functional group: a data set with sequences of one item each."""
    group = Dataset()
    for key, tags in sequences.items():
        item = Dataset()
        for tag, value in tags.items():
            setattr(item, tag, value)
        setattr(group, key, [item])
    return group


def raw_value(data: Dataset, key: str, value: str) -> None:
    """Put a decimal string into a data set as a careless program writes it, unchecked."""
    tag = Tag(key)
    text = value.encode() + b" " * (len(value) % 2)
    data[tag] = RawDataElement(tag, "DS", len(text), text, 0, False, True)

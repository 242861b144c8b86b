"""Where each frame of a DICOM file lies and what sets it apart, frame by frame."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..outcome import InputError
from .dicom_geometry import Plane
from .dicom_values import item, items, number, numbers, value, words

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# What tells apart volumes of one series: (sequence of a functional group or "", keyword).
_MARKS = (
    ("FrameContentSequence", "StackID"),
    ("FrameContentSequence", "TemporalPositionIndex"),
    ("TemporalPositionSequence", "TemporalPositionTimeOffset"),
    ("", "TemporalPositionIdentifier"),
    ("CardiacSynchronizationSequence", "NominalPercentageOfCardiacPhase"),
    ("MREchoSequence", "EffectiveEchoTime"),
    ("", "EchoNumbers"),
    ("", "EchoTime"),
    ("MRDiffusionSequence", "DiffusionBValue"),
    ("", "DiffusionBValue"),
    ("MRImageFrameTypeSequence", "FrameType"),
    ("CTImageFrameTypeSequence", "FrameType"),
    ("", "ImageType"),
    ("", "ConvolutionKernel"),
    ("", "ContrastBolusAgent"),
    ("FrameContentSequence", "FrameAcquisitionNumber"),
    ("", "AcquisitionNumber"),
    ("", "AcquisitionTime"),
)  # the last ACQUISITION_MARKS of them name an acquisition
_SPACINGS = ("ImagerPixelSpacing", "NominalScannedPixelSpacing")


def planes_of(path: Path, header: Dataset) -> list[Plane]:
    """Return where each frame of a file lies.

    Args:
        path: the file.
        header: its values, without pixels.

    Raises:
        InputError: when the number of frames is impossible.
    """
    size = (int(header.Rows), int(header.Columns))
    count = frame_count(path, header)
    shared = item(header, "SharedFunctionalGroupsSequence")
    groups = items(header, "PerFrameFunctionalGroupsSequence")
    instance = number(header, "InstanceNumber") or 0.0
    trigger = number(header, "TriggerTime") or 0.0
    planes = []
    for index in range(count):
        own = groups[index] if index < len(groups) else None
        sources = [own, shared, header]
        spacing = _numbers(sources, "PixelMeasuresSequence", "PixelSpacing", 2)
        for key in _SPACINGS:
            spacing = spacing if spacing is not None else numbers(header, key, 2)
        usable = spacing is not None and bool((spacing > 0).all())
        planes.append(
            Plane(
                path=path,
                frame=index if count > 1 else None,
                size=size,
                position=_numbers(sources, "PlanePositionSequence", "ImagePositionPatient", 3),
                orientation=_numbers(
                    sources, "PlaneOrientationSequence", "ImageOrientationPatient", 6
                ),
                spacing=(float(spacing[0]), float(spacing[1])) if usable else None,  # type: ignore[index]
                order=(trigger, instance, float(index)),
                marks=tuple(_mark(sources, *where) for where in _MARKS),
                between=_length(sources, "SpacingBetweenSlices"),
                thickness=_length(sources, "SliceThickness"),
            )
        )
    return planes


def frame_count(path: Path, header: Dataset) -> int:
    """Return the number of frames that a file says it has.

    Raises:
        InputError: when no such file can hold so many.
    """
    given = value(header, "NumberOfFrames")
    count = 1 if given in (None, "") else number(header, "NumberOfFrames")
    # A packed frame needs an item of 8 bytes and some bytes in it.
    most = max(1, path.stat().st_size // 10)
    if count is None or count != int(count) or not 1 <= count <= most:
        raise InputError(
            f"{path.name} is damaged: it says that it holds {str(given)[:20]} frames; copy or "
            "export it again."
        )
    return int(count)


def _numbers(
    sources: list[Dataset | None], sequence: str, key: str, count: int
) -> np.ndarray | None:
    """Return the first usable value of ``key``, inside a functional group or plain."""
    for source in sources:
        for place in (item(source, sequence), source):
            found = numbers(place, key, count)
            if found is not None:
                return found
    return None


def _length(sources: list[Dataset | None], key: str) -> float:
    """Return a length, mm, of the frame's own or the shared group or plain; 0 if unknown."""
    for source in sources:
        for place in (item(source, "PixelMeasuresSequence"), source):
            found = number(place, key)
            if found is not None and found > 0:
                return found
    return 0.0


def _mark(sources: list[Dataset | None], sequence: str, key: str) -> tuple[float, str]:
    """Return what tells a frame apart: a number, or a text, as something that can be sorted."""
    for source in sources:
        place = item(source, sequence) if sequence else source
        found = number(place, key)
        if found is not None:
            return float(f"{found:.4g}") if key.startswith("E") else found, ""
        if parts := words(place, key):
            return 0.0, "/".join(parts)
    return 0.0, ""

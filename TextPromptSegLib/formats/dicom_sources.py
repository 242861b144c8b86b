"""Headers of the DICOM images that a SEG belongs to, repaired where the standard is stricter."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.volume import Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Fields that every image should have, with or without a value; anonymisers like to remove them.
_MAY_BE_EMPTY = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate",
    "StudyTime", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
_DATES, _TIMES = ("PatientBirthDate", "StudyDate"), ("StudyTime",)
_LARGEST_IS = 2**31 - 1
_UTF8 = "ISO_IR 192"
# What pydicom raises for a value that is not of its kind.
_BAD_VALUE = (ValueError, TypeError, OverflowError, AttributeError, KeyError, NotImplementedError)


def source_images(volume: Volume) -> tuple[list[Dataset], list[int], list[str]]:
    """Return the source images in frame order, their slices, and what was repaired in them.

    Args:
        volume: read from DICOM files.

    Returns:
        The headers; the slice k of the masks for each frame; sentences about repaired values.

    Raises:
        ValueError: when a SEG cannot refer to these images.
    """
    files = [Path(file) for file in volume.meta["dicom_files"]]
    slices = [round(float(k)) for k in volume.meta["dicom_slices"]]
    frames = list(volume.meta.get("dicom_frames") or [None] * len(files))
    notes: dict[str, None] = {}
    if frames[0] is None:
        return [_source(file, volume, notes) for file in files], slices, list(notes)
    source = _source(files[0], volume, notes)
    if len(set(files)) > 1 or len(frames) != int(source.get("NumberOfFrames", 1)):
        raise ValueError("only some frames of a multi-frame image were segmented")
    return [source], [slices[place] for place in np.argsort(frames)], list(notes)


def series_number(source: Dataset) -> int:
    """Return a number for the new series that tells where it comes from, as far as one fits."""
    try:
        number = int(source.get("SeriesNumber") or 0)
    except _BAD_VALUE:
        number = 0
    for candidate in (number * 100 + 1, number + 1):
        if 1 <= candidate <= _LARGEST_IS:
            return candidate
    return 1


def _source(path: Path, volume: Volume, notes: dict[str, None]) -> Dataset:
    """Return a header that highdicom takes, whatever optional fields the image lacks."""
    import pydicom

    source = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    _drop_unreadable(source, notes)
    _use_utf8(source, notes)
    if not source.get("StudyInstanceUID"):
        raise ValueError("StudyInstanceUID is missing")
    for key in _MAY_BE_EMPTY:
        if key not in source:
            setattr(source, key, "")
    for key in _DATES:
        _repair(source, key, _date, notes)
    for key in _TIMES:
        _repair(source, key, _time, notes)
    _repair(source, "PatientSex", _sex, notes)
    has_place = volume.meta.get("geometry") == "file"
    if not source.get("FrameOfReferenceUID"):
        _give_frame_of_reference(source, has_place, notes)
    if has_place and not source.get("SliceThickness"):
        source.SliceThickness = pydicom.valuerep.DSfloat(volume.spacing[2], auto_format=True)
    return source


def _drop_unreadable(source: Dataset, notes: dict[str, None]) -> None:
    """Leave out fields about patient, study and equipment whose values are not of their kind."""
    from pydicom.datadict import keyword_for_tag

    for tag in list(source.keys()):
        if tag.group not in (0x0008, 0x0010, 0x0012, 0x0032, 0x0038, 0x0040):
            continue
        try:
            source[tag]
        except _BAD_VALUE:
            del source[tag]
            notes[f"{keyword_for_tag(tag) or tag} has no usable value and is not in the SEG."] = (
                None
            )


def _use_utf8(source: Dataset, notes: dict[str, None]) -> None:
    """Turn all texts into UTF-8, which holds those of every other character set."""
    named = source.get("SpecificCharacterSet")
    if not named:
        if "SpecificCharacterSet" in source:
            del source.SpecificCharacterSet
        if all(_is_ascii(source, key) for key in _MAY_BE_EMPTY):
            return
        notes["The images name no character set; their texts were taken to be Latin-1."] = None
    names = [named] if isinstance(named, str) or named is None else list(named)
    if any(name and not _is_known(str(name)) for name in names):
        text = "/".join(map(str, names))
        notes[f"The images name an unknown character set ({text}); texts may be garbled."] = None
        source.SpecificCharacterSet = "ISO_IR 100"
    source.decode()
    source.SpecificCharacterSet = _UTF8


def _is_known(name: str) -> bool:
    from pydicom.charset import python_encoding

    return name.strip() in python_encoding


def _is_ascii(source: Dataset, key: str) -> bool:
    value = source.get(key)
    original = getattr(value, "original_string", None)
    if isinstance(original, bytes):
        return original.isascii()
    return str(value or "").isascii()


def _repair(source: Dataset, key: str, clean: Any, notes: dict[str, None]) -> None:
    """Put a value into the form that DICOM wants, or leave it empty, and note it."""
    value = source.get(key)
    if not value:
        setattr(source, key, "")
        return
    text = str(value if isinstance(value, str) else getattr(value, "original_string", value))
    better = clean(text.strip().strip("\0"))
    if better != text:
        setattr(source, key, better)
        what = f"written as {better}" if better else "left empty in the SEG"
        notes[f"{key} is not of the form that DICOM wants and is {what}."] = None


def _date(text: str) -> str:
    """Return YYYYMMDD of what looks like such a date, else nothing."""
    from datetime import date

    match = re.fullmatch(r"(\d{4})[-./ ]?(\d{2})[-./ ]?(\d{2})(?:\D.*)?", text)
    try:
        return date(*map(int, match.groups())).strftime("%Y%m%d") if match else ""
    except ValueError:
        return ""


def _time(text: str) -> str:
    """Return HHMMSS of what looks like such a time, else nothing."""
    match = re.fullmatch(r"(\d{2}):?(?:(\d{2}):?(?:(\d{2})(\.\d{1,6})?)?)?", text)
    if not match:
        return ""
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[:3])
    good = hours < 24 and minutes < 60 and seconds < 60
    return "".join(part or "" for part in match.groups()) if good else ""


def _sex(text: str) -> str:
    return text.upper()[:1] if text.upper() in ("M", "F", "O", "MALE", "FEMALE", "OTHER") else ""


def _give_frame_of_reference(source: Dataset, has_place: bool, notes: dict[str, None]) -> None:
    """A place in the patient needs a frame of reference; the same series always gets the same."""
    from pydicom.uid import generate_uid

    if "FrameOfReferenceUID" in source:
        del source.FrameOfReferenceUID
    if has_place:
        series = str(source.get("SeriesInstanceUID", ""))
        source.FrameOfReferenceUID = generate_uid(
            entropy_srcs=[str(source.StudyInstanceUID), series, "frame of reference"]
        )
        notes["The images name no frame of reference; the SEG got one of its own."] = None

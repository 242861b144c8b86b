"""DICOM files by their headers: which are images, which belong to one series."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..outcome import InputError
from .budget import check_budget
from .dicom_values import number, text, unreadable, value, words
from .members import dicom_files, indexed_files

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Image = tuple[Path, "Dataset"]

DEFLATED = "1.2.840.10008.1.2.1.99"
_NO_PICTURES = ("SEG", "RTDOSE", "RTIMAGE", "RTSTRUCT", "RTPLAN", "SM", "PR", "KO", "SR", "ECG")
_TAGS = (
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription",
    "InstanceNumber", "Modality", "ImageType", "Rows", "Columns", "NumberOfFrames",
    "BitsAllocated", "SamplesPerPixel", "PhotometricInterpretation",
    "ImagePositionPatient", "ImageOrientationPatient",
    "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "SliceThickness",
    "SpacingBetweenSlices", "PatientOrientation", "AcquisitionNumber", "AcquisitionTime",
    "TemporalPositionIdentifier", "EchoNumbers", "EchoTime", "DiffusionBValue", "TriggerTime",
    "ConvolutionKernel", "ContrastBolusAgent", "RescaleType", "RescaleIntercept",
    "TransferSyntaxUID", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip


def headers_of(paths: Iterable[Path]) -> list[Image]:
    """Return the headers of those files that are DICOM, each SOP instance once.

    Raises:
        InputError: when one of them is damaged.
    """
    import pydicom

    found: list[Image] = []
    seen: set[str] = set()
    for path in paths:
        with path.open("rb") as stream:
            start = stream.read(1024)
        if DEFLATED.encode() in start:
            _check_deflated(path)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about harmless slips in headers
                header = pydicom.dcmread(
                    path, stop_before_pixels=True, force=True, specific_tags=list(_TAGS)
                )
                uid = str(header.get("SOPInstanceUID", path))
                kind = str(getattr(header.get("SOPClassUID"), "name", ""))
                has_size = "Rows" in header and "Columns" in header
        except unreadable():
            kind, has_size = "", False
        if not has_size and ("Image Storage" in kind or (not kind and start[128:132] == b"DICM")):
            raise InputError(f"{path.name} is damaged or incomplete; copy or export it again.")
        if (kind or has_size) and uid not in seen:
            seen.add(uid)
            found.append((path, header))
    return found


def _check_deflated(path: Path) -> None:
    """Refuse a packed file that fills the memory: pydicom unpacks it whole.

    Raises:
        InputError: when it would, or is cut off.
    """
    from pydicom.filereader import read_file_meta_info

    size, unpacked = path.stat().st_size, 0
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        begin = 144 + int(read_file_meta_info(path).FileMetaInformationGroupLength)
        with path.open("rb") as stream:
            stream.seek(begin)
            while not unpacker.eof and (block := unpacker.unconsumed_tail or stream.read(1 << 16)):
                unpacked += len(unpacker.decompress(block, 1 << 20))
                check_budget(unpacked, size, path.name)
    except unreadable():
        unpacked = 0
    if not unpacker.eof or not unpacked:
        raise InputError(f"{path.name} is damaged or incomplete; copy or export it again.")


def is_image(header: Dataset) -> bool:
    """Return whether a file holds grey or colour pixels that were taken of a patient."""
    size = number(header, "Rows"), number(header, "Columns")
    return None not in size and 0 not in size and text(header, "Modality") not in _NO_PICTURES


def is_scout(header: Dataset) -> bool:
    """Return whether an image only shows where others were taken."""
    return "LOCALIZER" in (part.upper() for part in words(header, "ImageType"))


def by_series(images: Iterable[Image]) -> dict[str, list[Image]]:
    """Return the images of each series by its UID, in the order of their numbers."""
    groups: dict[str, list[Image]] = {}
    for path, header in images:
        groups.setdefault(text(header, "SeriesInstanceUID"), []).append((path, header))

    def place(uid: str) -> tuple[float, str]:
        found = number(groups[uid][0][1], "SeriesNumber")
        return (float("inf") if found is None else found), uid

    return {uid: groups[uid] for uid in sorted(groups, key=place)}


def without_scouts(groups: dict[str, list[Image]]) -> dict[str, list[Image]]:
    """Return the series without scouts, unless there is nothing else."""
    real = {uid: g for uid, g in groups.items() if not all(is_scout(h) for _, h in g)}
    return real or groups


def series_facts(header: Dataset) -> dict[str, str]:
    """Return what a person tells a series by: "uid", "number" and "description"."""
    found = number(header, "SeriesNumber")
    return {
        "uid": text(header, "SeriesInstanceUID"),
        "number": "" if found is None else f"{found:g}",
        "description": " ".join(text(header, "SeriesDescription").split())[:64],
    }


def image_series(source: Path) -> list[dict[str, str]]:
    """Return the facts of the image series in a DICOM folder or index, in order of their numbers.

    Results (SEG and the like) do not count, nor scouts beside a real series. Files that cannot be
    read are passed over: reading the series will say so.

    Args:
        source: what `read_dicom_folder` or `read_dicom_file` takes.
    """
    images: list[Image] = []
    try:
        files = dicom_files(source) if source.is_dir() else indexed_files(source)
    except (InputError, OSError):
        files = []
    for path in files:
        try:
            images += [image for image in headers_of([path]) if is_image(image[1])]
        except (InputError, OSError):
            continue
    return [series_facts(g[0][1]) for g in without_scouts(by_series(images)).values()]


def one_series(
    images: list[Image], name: str, series: str | int | None, notes: list[str]
) -> list[Image]:
    """Return the images of the only, or the named, series; say in ``notes`` what was left out.

    Raises:
        InputError: when there is more than one, or none of that name.
    """
    groups = by_series(images)
    if series is not None:
        wanted = {
            uid: group
            for uid, group in groups.items()
            if str(series) in (uid, series_facts(group[0][1])["number"])
        }
        if len(wanted) != 1:
            raise InputError(f"{name} holds no one series {series}: {_listed(groups)}.")
        groups = wanted
    real = without_scouts(groups)
    if len(real) < len(groups):
        notes.append(f"Scout images were left out ({len(groups) - len(real)} series).")
    if len(real) > 1:
        raise InputError(
            f"{name} holds {len(real)} series ({_listed(real)}); put one into a folder "
            "of its own, or pick one with --series NUMBER (in Python Volume.read(path, "
            "series=NUMBER))."
        )
    (group,) = real.values()
    mosaics = [path for path, header in group if "MOSAIC" in words(header, "ImageType")]
    if mosaics:
        raise InputError(
            f"{mosaics[0].name} holds all slices in one picture (a Siemens mosaic); turn the "
            "series into NIfTI with dcm2niix first."
        )
    return group


def _listed(groups: dict[str, list[Image]]) -> str:
    parts = []
    for uid, group in groups.items():
        facts = series_facts(group[0][1])
        about = [text(group[0][1], "Modality") or "?", facts["description"]]
        parts.append(
            f"{facts['number'] or uid}: {' '.join(part for part in about if part)}, "
            f"{len(group)} images"
        )
    return "; ".join(parts[:6]) + ("; ..." if len(parts) > 6 else "")


def pixel_bytes(header: Dataset) -> int:
    """Return the size of one frame as it is stored without packing, bytes."""
    bits = number(header, "BitsAllocated") or 16
    samples = number(header, "SamplesPerPixel") or 1
    if "422" in text(header, "PhotometricInterpretation"):
        samples = 2
    return int(header.Rows) * int(header.Columns) * int(samples) * int(bits) // 8


def transfer_syntax(header: Dataset) -> str:
    """Return the UID of how the pixels are stored, "" where the file does not say it."""
    meta = getattr(header, "file_meta", None)
    return str(value(meta, "TransferSyntaxUID") or "")

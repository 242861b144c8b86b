"""DICOM images: a series folder, one slice, a multi-frame file or an X-ray, as a `Volume`."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.volume import LPS_RAS, Volume
from ..outcome import InputError
from .dicom_geometry import Grid, Plane, grid_of, sort_frames
from .dicom_pixels import PixelReader
from .members import dicom_files
from .pixels import check_frame

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_XRAY = ("CR", "DX", "RF")
_TAGS = (
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "InstanceNumber",
    "Modality", "ImageType", "Rows", "Columns", "NumberOfFrames", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing",
    "SliceThickness", "SpacingBetweenSlices", "PatientOrientation", "AcquisitionNumber",
    "TemporalPositionIdentifier", "EchoNumbers", "EchoTime", "DiffusionBValue", "TriggerTime",
    "TransferSyntaxUID", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
# What pydicom lets through when a header is cut off or is no header at all.
_UNREADABLE = (
    ValueError, KeyError, EOFError, AttributeError, NotImplementedError, TypeError, IndexError,
    OverflowError, struct.error,
)  # fmt: skip


def read_dicom_folder(
    folder: Path, *, frame: int | None = None, series: str | int | None = None
) -> Volume:
    """Read the DICOM series in a folder (or below it, when the folder itself holds none).

    Scout images are left out with a note. Of several series one has to be named.

    Raises:
        InputError: when there is no usable series, or more than one.
    """
    headers = _headers(dicom_files(folder))
    if not headers:
        raise InputError(
            f"The folder {folder.name} holds no DICOM images; name an image file or another folder."
        )
    images = [(path, header) for path, header in headers if _is_image(header)]
    if not images:
        kinds = sorted({str(header.get("Modality", "?")) for _, header in headers})
        raise InputError(
            f"The DICOM files in {folder.name} ({', '.join(kinds)}) are not images that can be "
            "segmented; name a CT, MR or X-ray series."
        )
    notes: list[str] = []
    images = _one_series(images, folder, series, notes)
    return _volume(images, folder, frame, notes)


def read_dicom_file(path: Path, *, frame: int | None = None) -> Volume:
    """Read one DICOM file: a slice, an X-ray, or a multi-frame image.

    Raises:
        InputError: when it is damaged or no image.
    """
    headers = _headers([path])
    if not headers:
        raise InputError(f"{path.name} is no readable DICOM file; copy or download it again.")
    if headers[0][1].get("SOPClassUID") == "1.2.840.10008.1.3.10":
        raise InputError(f"{path.name} is only the index of a DICOM folder; name the folder.")
    if not _is_image(headers[0][1]):
        kind = headers[0][1].get("Modality", "unknown kind")
        raise InputError(
            f"{path.name} is a DICOM file ({kind}) that is no image to segment; name a CT, MR or "
            "X-ray image."
        )
    return _volume(headers, path, frame, [])


# -- finding the images ------------------------------------------------------------------------


def _headers(paths: Iterable[Path]) -> list[tuple[Path, Dataset]]:
    """Return the headers of those files that are DICOM, each SOP instance once."""
    import pydicom

    found: list[tuple[Path, Dataset]] = []
    seen: set[str] = set()
    for path in paths:
        try:
            with path.open("rb") as stream:
                start = stream.read(132)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about harmless slips in headers
                header = pydicom.dcmread(
                    path, stop_before_pixels=True, force=True, specific_tags=list(_TAGS)
                )
                uid = str(header.get("SOPInstanceUID", path))
                kind = str(getattr(header.get("SOPClassUID"), "name", ""))
                has_size = "Rows" in header and "Columns" in header
        except _UNREADABLE:
            kind, has_size = "", False
        if not has_size and ("Image Storage" in kind or (not kind and start[128:] == b"DICM")):
            raise InputError(f"{path.name} is damaged or incomplete; copy or export it again.")
        if (kind or has_size) and uid not in seen:
            seen.add(uid)
            found.append((path, header))
    return found


def _is_image(header: Dataset) -> bool:
    """Whether a file holds grey or colour pixels that were taken of a patient."""
    if not header.get("Rows") or not header.get("Columns"):
        return False
    return str(header.get("Modality", "")) not in ("SEG", "RTDOSE", "RTIMAGE", "SM", "PR", "KO")


def _one_series(
    images: list[tuple[Path, Dataset]],
    folder: Path,
    series: str | int | None,
    notes: list[str],
) -> list[tuple[Path, Dataset]]:
    """Return the images of the only, or the named, series."""
    groups: dict[str, list[tuple[Path, Dataset]]] = {}
    for path, header in images:
        groups.setdefault(str(header.get("SeriesInstanceUID", "")), []).append((path, header))
    if series is not None:
        wanted = {
            uid: group
            for uid, group in groups.items()
            if str(series) in (uid, str(group[0][1].get("SeriesNumber", "")))
        }
        if len(wanted) != 1:
            raise InputError(f"{folder.name} holds no one series {series}: {_listed(groups)}.")
        groups = wanted
    scouts = {uid for uid, group in groups.items() if all(_is_scout(h) for _, h in group)}
    if scouts and len(scouts) < len(groups):
        groups = {uid: group for uid, group in groups.items() if uid not in scouts}
        notes.append(f"Scout images were left out ({len(scouts)} series).")
    if len(groups) > 1:
        raise InputError(
            f"{folder.name} holds {len(groups)} series ({_listed(groups)}); put one into a folder "
            "of its own, or pick one in Python with Volume.read(path, series=NUMBER)."
        )
    (group,) = groups.values()
    shapes: list[list[tuple[Path, Dataset]]] = []
    for path, header in group:
        alike = next((s for s in shapes if _same_kind(s[0][1], header)), None)
        if alike is None:
            shapes.append([(path, header)])
        else:
            alike.append((path, header))
    largest = max(shapes, key=len)
    rest = len(group) - len(largest)
    if rest > len(group) // 4:
        raise InputError(
            f"The series in {folder.name} mixes images of {len(shapes)} sizes or directions; put "
            "those of one direction into a folder of their own."
        )
    if rest:
        notes.append(f"{rest} images of another size or direction were left out.")
    return largest


def _same_kind(one: Dataset, other: Dataset) -> bool:
    """Whether two images have the same size and, within half a degree, the same direction."""
    if (one.Rows, one.Columns) != (other.Rows, other.Columns):
        return False
    key = "ImageOrientationPatient"
    first, second = _floats([one], "", key, 6), _floats([other], "", key, 6)
    if first is None or second is None:
        return first is second
    return bool(np.allclose(first, second, rtol=0.0, atol=0.01))


def _is_scout(header: Dataset) -> bool:
    return "LOCALIZER" in [str(part).upper() for part in header.get("ImageType") or ()]


def _listed(groups: dict[str, list[tuple[Path, Dataset]]]) -> str:
    parts = [
        f"{group[0][1].get('SeriesNumber') or uid}: {group[0][1].get('Modality', '?')}, "
        f"{len(group)} images"
        for uid, group in groups.items()
    ]
    return "; ".join(parts[:6]) + ("; ..." if len(parts) > 6 else "")


# -- making the volume -------------------------------------------------------------------------


def _volume(
    images: list[tuple[Path, Dataset]], path: Path, frame: int | None, notes: list[str]
) -> Volume:
    planes = [plane for file, header in images for plane in _planes(file, header)]
    first = images[0][1]
    modality = str(first.get("Modality", ""))
    known = "CXR" if modality in _XRAY else modality if modality in ("CT", "MR") else None
    meta: dict[str, Any] = {"path": str(path), "format": "DICOM", "geometry": "file"}
    if planes[0].position is None or planes[0].orientation is None:
        check_frame(len(planes), frame, path.name, "pictures")
        planes = [planes[frame or 0]]
        grid = _picture_grid(planes[0], images, modality in _XRAY, notes)
        meta["geometry"] = "assumed"
    else:
        planes = sort_frames(planes, frame, path.name)
        thickness = first.get("SpacingBetweenSlices") or first.get("SliceThickness")
        grid = grid_of(planes, float(thickness or 0.0), path.name, notes)
    array = PixelReader(modality).stack(planes, grid)
    # One entry per slice that was acquired, and where it lies in the array (along k).
    meta["dicom_files"] = tuple(str(plane.path) for plane in planes)
    meta["dicom_slices"] = tuple(float(k) for k in grid.slices)
    meta["dicom_frames"] = tuple(plane.frame for plane in planes)
    meta["notes"] = tuple(notes)
    name = path.name if path.is_dir() else path.stem
    return Volume(array, LPS_RAS @ grid.matrix, known, name, meta)


def _planes(path: Path, header: Dataset) -> list[Plane]:
    """Return where each frame of a file lies."""
    size = (int(header.Rows), int(header.Columns))
    count = int(header.get("NumberOfFrames") or 1)
    shared = (header.get("SharedFunctionalGroupsSequence") or [None])[0]
    groups = header.get("PerFrameFunctionalGroupsSequence") or [None] * count
    order_keys = (
        "TemporalPositionIdentifier", "AcquisitionNumber", "EchoNumbers", "EchoTime",
        "DiffusionBValue", "TriggerTime", "InstanceNumber",
    )  # fmt: skip
    order = tuple(_number(header.get(key)) for key in order_keys)
    planes = []
    for index in range(count):
        group = groups[index] if index < len(groups) else None
        sources = [group, shared, header]
        position = _floats(sources, "PlanePositionSequence", "ImagePositionPatient", 3)
        orientation = _floats(sources, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
        spacing = _floats(sources, "PixelMeasuresSequence", "PixelSpacing", 2)
        for key in ("ImagerPixelSpacing", "NominalScannedPixelSpacing"):
            spacing = spacing if spacing is not None else _floats([header], "", key, 2)
        usable = spacing is not None and bool((spacing > 0).all())
        planes.append(
            Plane(
                path=path,
                frame=index if count > 1 else None,
                size=size,
                position=position,
                orientation=orientation,
                spacing=(float(spacing[0]), float(spacing[1])) if usable else None,  # type: ignore[index]
                order=(*order, float(index)),
            )
        )
    return planes


def _floats(
    sources: list[Dataset | None], sequence: str, key: str, count: int
) -> np.ndarray | None:
    """Return the first usable value of ``key``, plain or inside a functional group."""
    for source in sources:
        items = source.get(sequence) if source is not None and sequence else None
        for item in (items[0] if items else None, source):
            value = item.get(key) if item is not None else None
            try:
                numbers = np.array([float(v) for v in value], float) if value else np.empty(0)
            except (TypeError, ValueError):
                continue
            if len(numbers) == count and np.isfinite(numbers).all():
                return numbers
    return None


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return 0.0


def _picture_grid(
    plane: Plane, images: list[tuple[Path, Dataset]], is_xray: bool, notes: list[str]
) -> Grid:
    """Return the place of a picture without a position: as a radiologist looks at it."""
    rows, columns = plane.spacing or (1.0, 1.0)
    matrix = np.diag([columns, rows, 1.0, 1.0])
    letters = [str(v).upper()[:1] for v in images[0][1].get("PatientOrientation") or ()]
    if len(letters) == 2:
        # The file says that columns run to the right, or rows upwards: turn the matrix with it.
        matrix[0, 0] *= -1.0 if letters[0] == "R" else 1.0
        matrix[1, 1] *= -1.0 if letters[1] == "H" else 1.0
    else:
        notes.append("The file does not say left and right; patient right is taken on its left.")
    if plane.spacing is None:
        notes.append("The file does not say the size of its pixels; 1 mm is assumed.")
    elif is_xray and not images[0][1].get("PixelSpacing"):
        notes.append("Sizes are those on the X-ray detector, not corrected for magnification.")
    return Grid(matrix, 1, np.zeros(1))

"""DICOM images: a series folder, one slice, a multi-frame file or an X-ray, as a `Volume`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..image.volume import LPS_RAS, Volume
from ..outcome import InputError
from .budget import check_budget
from .dicom_geometry import Plane, grid_of
from .dicom_pictures import picture_grid
from .dicom_pixels import PixelReader
from .dicom_planes import frame_count, planes_of
from .dicom_series import (
    DEFLATED,
    Image,
    headers_of,
    is_image,
    one_series,
    pixel_bytes,
    series_facts,
    transfer_syntax,
)
from .dicom_values import number, text, unreadable
from .dicom_volumes import same_kind, sort_frames
from .members import dicom_files, indexed_files, is_dicom_index
from .pixels import check_frame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydicom.dataset import Dataset

_XRAY = ("CR", "DX", "RF", "RG")
_TRAINED = ("CT", "MR", *_XRAY)
_PACKED = "1.2.840.10008.1.2.4.", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.8."


def read_dicom_folder(
    folder: Path, *, frame: int | None = None, series: str | int | None = None
) -> Volume:
    """Read the DICOM series in a folder (or below it, when the folder itself holds none).

    Scout images are left out with a note. Of several series one has to be named.

    Raises:
        InputError: when there is no usable series, or more than one.
    """
    return _read(folder, dicom_files(folder), frame, series)


def read_dicom_file(
    path: Path, *, frame: int | None = None, series: str | int | None = None
) -> Volume:
    """Read one DICOM file: a slice, an X-ray, a multi-frame image, or the index of a medium.

    An index (DICOMDIR) stands for the images that it lists.

    Raises:
        InputError: when it is damaged or no image.
    """
    if not is_dicom_index(path):
        return _read(path, [path], frame, series)
    listed = indexed_files(path)
    missing = [file for file in listed if not file.is_file()]
    if missing or not listed:
        what = f"and {len(missing)} of them are not beside it" if listed else "but there are none"
        raise InputError(
            f"{path.name} is only the index of {len(listed)} DICOM files, {what}; name the folder "
            "with the images."
        )
    return _read(path, listed, frame, series)


def _read(
    source: Path, files: Iterable[Path], frame: int | None, series: str | int | None
) -> Volume:
    try:
        return _volume(source, _images(source, files), frame, series)
    except unreadable():
        raise InputError(
            f"{source.name} has a damaged DICOM header; copy or export it again."
        ) from None


def _images(source: Path, files: Iterable[Path]) -> list[Image]:
    """Return the headers of the images among some files."""
    headers = headers_of(files)
    images = [(path, header) for path, header in headers if is_image(header)]
    if images:
        return images
    kinds = ", ".join(sorted({text(header, "Modality") or "?" for _, header in headers}))
    if not headers and source.is_dir():
        raise InputError(
            f"The folder {source.name} holds no DICOM images; name an image file or another folder."
        )
    if not headers:
        raise InputError(f"{source.name} is no readable DICOM file; copy or download it again.")
    if source.is_dir():
        raise InputError(
            f"The DICOM files in {source.name} ({kinds}) are not images that can be segmented; "
            "name a CT, MR or X-ray series."
        )
    raise InputError(
        f"{source.name} is a DICOM file ({kinds}) that is no image to segment; name a CT, MR or "
        "X-ray image."
    )


def _volume(
    source: Path, images: list[Image], frame: int | None, series: str | int | None
) -> Volume:
    notes: list[str] = []
    images = one_series(images, source.name, series, notes)
    first = images[0][1]
    modality = text(first, "Modality")
    _check_sizes(images, source.name)
    groups = same_kind(plane for file, header in images for plane in planes_of(file, header))
    planes = max(groups, key=len)
    rest = sum(map(len, groups)) - len(planes)
    if rest > (len(planes) + rest) // 4:
        raise InputError(
            f"The series in {source.name} mixes images of {len(groups)} sizes or directions; put "
            "those of one direction into a folder of their own."
        )
    if rest:
        notes.append(f"{rest} images of another size or direction were left out.")
    meta: dict[str, Any] = {"path": str(source), "format": "DICOM", "geometry": "file"}
    if planes[0].orientation is None or all(plane.position is None for plane in planes):
        check_frame(len(planes), frame, source.name, "pictures")
        planes = [planes[frame or 0]]
        grid = picture_grid(planes[0], first, modality in _XRAY, notes)
        meta["geometry"] = "assumed"
    else:
        _check_places(planes)
        planes = sort_frames(planes, frame, source.name, modality, notes)
        grid = grid_of(planes, source.name, notes)
    check_budget(grid.depth * pixel_bytes(first), _stored(planes), source.name)
    reader = PixelReader(modality)
    array = reader.stack(planes, grid)
    if reader.padding is not None:
        meta["padding"] = reader.padding
    if modality == "CT" and _is_in_hu(first):
        meta["unit"] = "HU"
    if modality not in _TRAINED:
        notes.append(_untrained(modality))
    meta["dicom_modality"] = modality
    meta["series"] = series_facts(first)
    # One entry per slice that was acquired, and where it lies in the array (along k).
    meta["dicom_files"] = tuple(str(plane.path) for plane in planes)
    meta["dicom_slices"] = tuple(float(k) for k in grid.slices)
    meta["dicom_frames"] = tuple(plane.frame for plane in planes)
    meta["notes"] = tuple(notes)
    known = "CXR" if modality in _XRAY else modality if modality in ("CT", "MR") else None
    name = source.name if source.is_dir() else source.stem
    return Volume(array, LPS_RAS @ grid.matrix, known, name, meta)


def _is_in_hu(header: Dataset) -> bool:
    """Whether the values of a CT are Hounsfield units, which is usual where it is rescaled."""
    unit = text(header, "RescaleType").upper()
    return unit == "HU" or (not unit and number(header, "RescaleIntercept") not in (None, 0.0))


def _untrained(modality: str) -> str:
    what = f"images of the kind {modality}" if modality else "images without a named kind"
    return (
        f"This is no CT, MR or X-ray image (DICOM modality {modality or 'missing'}); checkpoints "
        f"were not trained on {what}, so do not rely on the answers, or say what it is with "
        "--modality."
    )


def _check_places(planes: list[Plane]) -> None:
    """Refuse a stack in which a slice has no place.

    Raises:
        InputError: naming the first one.
    """
    for plane in planes:
        if plane.position is None:
            which = "" if plane.frame is None else f"frame {plane.frame} of "
            raise InputError(
                f"The header of {which}{plane.path.name} does not say where the slice lies "
                "(ImagePositionPatient is missing or damaged); export the series again."
            )


def _check_sizes(images: list[Image], name: str) -> None:
    """Refuse headers that announce more pixels than their files hold.

    Raises:
        InputError: naming the file.
    """
    wanted = stored = 0
    for path, header in images:
        size, frames = path.stat().st_size, frame_count(path, header)
        pixels = frames * pixel_bytes(header)
        if size < pixels and not _is_packed(header):
            raise InputError(
                f"{path.name} is damaged or incomplete: its header announces {pixels} bytes of "
                f"pixels, and the file has {size}; copy or export it again."
            )
        wanted, stored = wanted + pixels, stored + size
    check_budget(wanted, stored, name)


def _is_packed(header: Dataset) -> bool:
    syntax = transfer_syntax(header)
    return syntax.startswith(_PACKED) or syntax == DEFLATED


def _stored(planes: list[Plane]) -> int:
    return sum(path.stat().st_size for path in {plane.path for plane in planes})

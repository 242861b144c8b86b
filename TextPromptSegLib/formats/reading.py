"""Reading an image of any accepted kind into a `Volume`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..image.modality import with_modality
from ..image.volume import Volume
from ..outcome import InputError
from .dicom import read_dicom_file, read_dicom_folder
from .kinds import ACCEPTED, kind_of
from .members import looks_like_dicom
from .metaimage import read_metaimage
from .nifti import read_nifti
from .nrrd import read_nrrd
from .picture_files import read_picture
from .stored_voxels import first_bytes

# What a file that is no image gives away in its first bytes.
_OTHERS = {
    b"PK\x03\x04": "a ZIP archive; unpack it first",
    b"PK\x05\x06": "an empty ZIP archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"\xfd7zXZ": "an XZ archive; unpack it first",
    b"BZh": "a BZip2 archive; unpack it first",
    b"%PDF": "a PDF document",
    b"Salted__": "an encrypted file; decrypt it first",
    b"-----BEGIN PGP": "an encrypted file; decrypt it first",
    b"II*\x00": "a TIFF picture; save it as PNG first",
    b"MM\x00*": "a TIFF picture; save it as PNG first",
    b"GIF8": "a GIF picture; save it as PNG first",
    b"\x89HDF": "an HDF5 file; save the image as NIfTI first",
}


def read_volume(
    path: str | Path,
    *,
    frame: int | None = None,
    series: str | int | None = None,
    modality: str | None = None,
) -> Volume:
    """Read an image file or a folder with a DICOM series.

    The content decides what a file is, not its name. Voxels are scaled as the header says.

    Args:
        path: the file or folder.
        frame: which of several time points, echoes or channels, from 0.
        series: number or UID of the DICOM series, where a folder holds several.
        modality: what the image counts as, whatever the file says; see `with_modality`.

    Raises:
        InputError: with one sentence that says what is wrong and what to do.
    """
    return with_modality(_read(Path(path), frame, series), modality)


def _read(path: Path, frame: int | None, series: str | int | None) -> Volume:
    try:
        if path.is_dir():
            return _checked(read_dicom_folder(path, frame=frame, series=series))
        if not path.exists():
            raise InputError(f"There is no file or folder {path}.")
        if not path.is_file():
            raise InputError(f"{path.name} is no ordinary file; name an image file or a folder.")
        with path.open("rb") as stream:
            start = stream.read(1024)
        return _checked(_read_file(path, start, frame, series))
    except OSError as error:
        name = Path(str(error.filename or path)).name
        reason = error.strerror or type(error).__name__
        raise InputError(f"{name} cannot be opened ({reason}).") from None
    except MemoryError:
        raise InputError(
            f"{path.name} does not fit into the memory of this computer; crop it first."
        ) from None


def stem(path: Path) -> str:
    """Return the name of an image without its (double) extension."""
    name = path.name
    for ending in (".gz", ".nii", ".seg", ".nrrd", ".nhdr", ".mha", ".mhd"):
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
    return name if name != path.name else path.stem


def _read_file(path: Path, start: bytes, frame: int | None, series: str | int | None) -> Volume:
    if not start:
        raise InputError(f"{path.name} is an empty file; copy or download it again.")
    if not start.strip(b"\0") and path.stat().st_size <= 1 << 20:
        raise InputError(f"{path.name} holds only zeros; copy or download it again.")
    kind = kind_of(first_bytes(path, 1024)) if start[:2] == b"\x1f\x8b" else kind_of(start)
    if kind == "NIfTI":
        return _nifti(path, frame)
    if start[:4] == b"NRRD":
        return read_nrrd(path, frame, stem(path))
    if start[:2] != b"\x1f\x8b" and kind in ("PNG", "JPEG"):
        return read_picture(path, stem(path))
    if looks_like_dicom(start):
        return read_dicom_file(path, frame=frame, series=series)
    if path.suffix.lower() in (".mha", ".mhd") and b"NDims" in start:
        return read_metaimage(path, frame, stem(path))
    raise InputError(_what_it_is(path, start))


def _what_it_is(path: Path, start: bytes) -> str:
    """Return the sentence for a file that is none of the accepted images."""
    for magic, what in _OTHERS.items():
        if start.startswith(magic):
            return f"{path.name} is {what}."
    if start[344:347] == b"ni1" or start[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c"):
        return f"{path.name} is the header of an Analyze or two-file NIfTI image; save it as .nii."
    if start[:2] == b"\x1f\x8b":
        return f"{path.name} is damaged, or a gzip archive of something else than a NIfTI image."
    try:
        text = start.decode("utf-8")
        is_text = all(c.isprintable() or c.isspace() for c in text)
    except UnicodeDecodeError as error:
        # A character may be cut in two where the first bytes end.
        is_text = error.start > len(start) - 4 and start[: error.start].isascii()
    if is_text:
        return f"{path.name} is a text file, not an image ({ACCEPTED})."
    return (
        f"{path.name} is not an image of a known kind ({ACCEPTED}), or it is damaged or encrypted."
    )


def _nifti(path: Path, frame: int | None) -> Volume:
    array, matrix, notes, geometry = read_nifti(path, frame)
    meta = {"path": str(path), "format": "NIfTI", "geometry": geometry, "notes": tuple(notes)}
    return Volume(array, matrix, name=stem(path), meta=meta)


def _checked(volume: Volume) -> Volume:
    """Note what the user should know of the values; refuse an image without any number."""
    volume.require_numbers()
    notes = list(volume.notes)
    array = volume.array
    if array.dtype.kind == "f":
        finite = np.isfinite(array)
        bad = array.size - int(np.count_nonzero(finite))
        if bad:
            notes.append(f"{bad} voxels are not finite numbers (NaN or infinite).")
            array = array[finite]
    if array.min() == array.max():
        notes.append("All voxels have the same value: there is nothing to see in this image.")
    if tuple(notes) == volume.notes:
        return volume
    return Volume(
        volume.array,
        volume.ijk_to_ras,
        volume.modality,
        volume.name,
        {**volume.meta, "notes": tuple(notes)},
    )

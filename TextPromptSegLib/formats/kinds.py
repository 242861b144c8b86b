"""Which images are accepted: what their names end in, and what their files begin with."""

from __future__ import annotations

from .nifti import is_nifti

ACCEPTED = "NIfTI, NRRD, MetaImage, DICOM, PNG or JPEG"

IMAGE_SUFFIXES = (
    ".nii",
    ".nii.gz",
    ".nrrd",
    ".nhdr",
    ".mha",
    ".mhd",
    ".png",
    ".jpg",
    ".jpeg",
)
DICOM_SUFFIXES = (".dcm", ".ima", ".dicom")

_STARTS = {"NRRD": b"NRRD", "PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff"}


def kind_of(start: bytes) -> str:
    """Return what the first bytes of a file show it to be: "NIfTI", "NRRD", "PNG", "JPEG".

    Args:
        start: at least 352 bytes, unpacked, unless the file is shorter.

    Returns:
        The kind, or "" for anything else: DICOM and MetaImage need more than first bytes.
    """
    if is_nifti(start):
        return "NIfTI"
    return next((kind for kind, mark in _STARTS.items() if start.startswith(mark)), "")

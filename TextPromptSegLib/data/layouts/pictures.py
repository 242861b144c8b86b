"""Pictures and volumes of a folder, the names that they share, and masks that are not clean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ...outcome import InputError, OutputError
from ..datasets import read_labels

PICTURES = (".png", ".jpg", ".jpeg")
VOLUMES = (".nii", ".nii.gz", ".nrrd", ".mha")
_OTHERS = (".bmp", ".tif", ".tiff")
MADE = "textpromptseg"
"""Folder, below a data set's own, of the files that are made of it."""

_SPLIT = re.compile(r"(?:^|[^a-z])(train|val|test)(?:ing|idation)?(?![a-z])")


def key_of(name: str) -> str:
    """Return what picture, mask and line of a table share: lower case, no ending, no ``mask_``."""
    name = Path(name.strip().replace("\\", "/")).name.lower()
    endings = [e for e in (*PICTURES, *VOLUMES, *_OTHERS) if name.endswith(e)]
    return name[: len(name) - len(max(endings, key=len, default=""))].removeprefix("mask_")


def pictures_in(folder: Path, endings: Sequence[str] = PICTURES) -> list[Path]:
    """Return the pictures (or volumes) of a folder by name.

    Raises:
        InputError: when there is none, or one of a kind that cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'.")
    files = sorted(f for f in folder.iterdir() if f.is_file() and not f.name.startswith("."))
    if others := [f for f in files if f.name.lower().endswith(_OTHERS)]:
        raise InputError(f"'{others[0].name}' in '{folder}' is no PNG or JPEG; save it as PNG.")
    found = [f for f in files if f.name.lower().endswith(tuple(endings))]
    if not found:
        raise InputError(f"The folder '{folder}' holds no {' or '.join(endings)} files.")
    return found


def split_named(path: Path) -> str | None:
    """Return the split that a folder's or file's own name says (``Train_Folder``, ``Test Set``)."""
    found = _SPLIT.findall(path.name.lower())
    return found[0] if found else None


def clean_mask(masks: Sequence[Path], made: Path, name: str) -> Path:
    """Return one binary mask: the file itself where it is one, else a picture made of it.

    Published masks hold values between black and white where they were resized or packed as
    JPEG; from half of the range on counts as drawn. Several masks of one picture are united.

    Args:
        masks: files.
        made: folder for a new picture.
        name: of a new picture, without an ending.
    """
    arrays = [read_labels(path)[0] for path in masks]
    if len(masks) == 1 and len(np.unique(arrays[0])) <= 2 and arrays[0].min() == 0:
        return masks[0]
    if len({array.shape for array in arrays}) > 1:
        raise InputError(f"The masks of '{name}' differ in size.")
    top = max(255 if array.max() > 1 else 1 for array in arrays)
    drawn = np.logical_or.reduce([array >= (top + 1) / 2 for array in arrays])
    return write_png(made / f"{name}.png", drawn.astype(np.uint8) * 255)


def write_png(path: Path, array: np.ndarray) -> Path:
    """Write a grey picture (H, W) of uint8 or uint16 and return its path.

    Raises:
        OutputError: when it cannot be written.
    """
    from PIL import Image

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(path, "PNG")
    except OSError as error:
        raise OutputError(f"'{path}' cannot be written ({error.strerror}).") from error
    return path


def below(root: Path, depth: int) -> Iterable[Path]:
    """Yield a folder and those below it, by name, without hidden ones and what was made."""
    yield root
    if depth:
        for folder in sorted(f for f in root.iterdir() if f.is_dir()):
            if not folder.name.startswith(".") and folder.name != MADE:
                yield from below(folder, depth - 1)

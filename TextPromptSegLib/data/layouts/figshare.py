"""Jun Cheng's brain tumors: 3064 contrast-enhanced T1 slices of 233 patients, as MATLAB files.

https://figshare.com/articles/dataset/brain_tumor_dataset/1512427: ``1.mat`` ... ``3064.mat`` (in
four archives) hold ``cjdata`` with ``image``, ``tumorMask``, ``label`` and ``PID``; ``cvind.mat``
holds ``cvind``, the fold (1 to 5) of each slice. All are MATLAB 7.3, which is HDF5.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...outcome import DependencyError, InputError
from .index import Choices, Found
from .pictures import MADE, below, write_png

LABELS = {1: "meningioma", 2: "glioma", 3: "pituitary tumor"}
PIXEL_MM = 0.49  # of the pictures of 512 x 512


def find_figshare(folder: Path, choices: Choices) -> list[Found]:
    """Make pictures of the slices; the first published fold is the test, val is drawn by patient.

    Args:
        folder: holds the unpacked files, or the folders of the archives.
        choices: ``fold`` is another one; a ``test`` share draws the test by patient, too.

    Raises:
        InputError: when there are no such files, or one is damaged.
        DependencyError: when h5py is not installed.
    """
    files = {int(f.stem): f for place in below(folder, 2) for f in place.glob("[0-9]*.mat")}
    if not files:
        raise InputError(f"'{folder}' holds no 1.mat, 2.mat, ...; unpack the archives first.")
    folds = None if choices.test is not None else _folds(folder, max(files), choices)
    fold = choices.fold or 1
    made = folder / MADE
    cases: list[dict[str, Any]] = []
    for number, file in sorted(files.items()):
        image, mask, value, patient = _slice(file)
        case: dict[str, Any] = {
            "id": f"fig_{number:04d}",
            "patient": patient,
            "split": "test" if folds is not None and folds[number - 1] == fold else None,
            "image": write_png(made / "images" / f"{number}.png", image),
            "label": write_png(made / "labels" / f"{number}.png", mask * np.uint8(value)),
        }
        if image.shape == (512, 512):
            case["spacing_mm"] = [PIXEL_MM, PIXEL_MM]
        cases.append(case)
    notes = []
    if folds is None and choices.test is None:
        notes.append("cvind.mat is not there: the test is drawn by patient, not a published fold.")
    facts = {
        "name": "mr_brain_tumor_figshare",
        "modality": "MR",
        "licence": "figshare 1512427 (Jun Cheng), CC BY 4.0",
        "redistributable": True,
        "label_quality": "expert: outlined by three radiologists",
        "caution": "Axial, coronal and sagittal slices; left and right are not known.",
        "labels": LABELS,
        "groups": {},
    }
    return [Found(folder, facts, cases, test=0.2 if folds is None else 0.0, notes=notes)]


def _folds(folder: Path, last: int, choices: Choices) -> np.ndarray | None:
    """Return the fold of each slice, or None where the file is missing.

    Raises:
        InputError: when a fold is wanted that is not there.
    """
    file = next((p / "cvind.mat" for p in below(folder, 2) if (p / "cvind.mat").is_file()), None)
    if file is None:
        if choices.fold is not None:
            raise InputError(f"'{folder}' holds no cvind.mat, so that there is no --fold.")
        return None
    folds = np.asarray(_values(file, "cvind")["cvind"]).ravel()
    if len(folds) < last:
        raise InputError(f"'{file.name}' names {len(folds)} slices, and there is a {last}.mat.")
    if (choices.fold or 1) not in folds:
        raise InputError(f"There is no fold {choices.fold}; use 1 to {int(folds.max())}.")
    return folds


def _slice(file: Path) -> tuple[np.ndarray, np.ndarray, int, str]:
    """Return image (H, W) uint16, mask (H, W) uint8, label and patient of one file."""
    found = _values(file, "cjdata/image", "cjdata/tumorMask", "cjdata/label", "cjdata/PID")
    # MATLAB stores columns first
    image = np.asarray(found["cjdata/image"]).astype(np.int32).T
    mask = (np.asarray(found["cjdata/tumorMask"]) > 0).astype(np.uint8).T
    label = np.asarray(found["cjdata/label"]).ravel()
    letters = np.asarray(found["cjdata/PID"]).ravel()
    if len(label) != 1 or int(label[0]) not in LABELS or image.ndim != 2:
        raise InputError(f"'{file.name}' is no slice with a label from 1 to 3.")
    grey = (image - min(0, int(image.min()))).clip(0, 65535).astype(np.uint16)
    return grey, mask, int(label[0]), "".join(chr(int(c)) for c in letters).strip()


def _values(file: Path, *names: str) -> dict[str, Any]:
    """Return arrays of a MATLAB 7.3 file by their paths."""
    try:
        import h5py
    except ImportError as error:
        raise DependencyError(
            "MATLAB files need h5py; install the extra: pip install 'textpromptseg[train]'."
        ) from error
    try:
        with h5py.File(file, "r") as stored:
            return {name: stored[name][()] for name in names}
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            f"'{file.name}' is no MATLAB 7.3 file with {', '.join(names)}; unpack it again."
        ) from error

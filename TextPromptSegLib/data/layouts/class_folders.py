"""Folders that are named after what their pictures show, each picture beside its ``_mask``.

The form of https://www.kaggle.com/datasets/indk214/brain-tumor-dataset-segmentation-and-classification
(``Glioma/enh_1.png`` with ``Glioma/enh_1_mask.png``, ``No Tumor`` without masks) and of
https://www.kaggle.com/datasets/aryashah2k/breast-ultrasound-images-dataset (``_mask_1`` for more).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ...outcome import InputError
from .index import Choices, Found
from .pictures import MADE, PICTURES, below, clean_mask, pictures_in, split_named

_MASK = re.compile(r"(?P<picture>.+)_mask(_\d+)?", re.IGNORECASE)
NOTHING = ("no tumor", "notumor", "no tumour", "normal", "healthy")
_NAMES = {"pituitary": "pituitary tumor"}


def find_class_folders(folder: Path, choices: Choices) -> list[Found]:
    """Find pictures with masks by class; a picture without one is left out, except of "No Tumor".

    The split is that of a folder ``Train`` or ``Test`` above the classes, else drawn by picture:
    patients are not known.

    Args:
        folder: anything above the classes' folders.
        choices: ``modality`` (default MR).

    Raises:
        InputError: when there is no mask, or one without its picture.
    """
    notes: list[str] = []
    cases: list[dict[str, Any]] = []
    empty: list[Path] = []
    parents: set[Path] = set()
    bare = 0
    for place in below(folder, 4):
        if _class_of(place) in NOTHING:
            empty.append(place)
            continue
        if not any(f.name.lower().endswith(PICTURES) for f in place.iterdir()):
            continue
        found, without = _cases(folder, place)
        cases += found
        bare += without if found else 0
        parents |= {place.parent} if found else set()
    names = sorted({name for case in cases for name in case["label"]})
    if not names:
        raise InputError(f"'{folder}' holds no picture X.png with a mask X_mask.png beside it.")
    for place in (p for p in empty if p.parent in parents):
        for image in pictures_in(place):
            if not _MASK.fullmatch(image.stem):
                cases.append(_case(folder, place, image, {}))
    if bare:
        notes.append(f"Pictures of the classes without a mask, left out: {bare}.")
    notes.append("Patients are not known: one may have pictures in two splits.")
    facts = {
        "name": "mr_brain_tumor_kaggle" if "glioma" in names else folder.resolve().name,
        "modality": choices.modality or "MR",
        "licence": "see the data set's page",
        "redistributable": False,
        "label_quality": "as published",
        "labels": dict(enumerate(names, 1)),
        "groups": {},
    }
    test = 0.0 if any(case["split"] == "test" for case in cases) else 0.2
    return [Found(folder, facts, cases, test=test, notes=notes)]


def _cases(root: Path, place: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the pictures of one class with their masks, and how many have none."""
    masks: dict[str, list[Path]] = {}
    pictures: dict[str, Path] = {}
    for file in pictures_in(place):
        if match := _MASK.fullmatch(file.stem):
            masks.setdefault(match["picture"].lower(), []).append(file)
        else:
            pictures[file.stem.lower()] = file
    if lonely := sorted(set(masks) - set(pictures)):
        raise InputError(f"The mask '{masks[lonely[0]][0].name}' in '{place.name}' has no picture.")
    made = root / MADE / "labels" / place.relative_to(root)
    return [
        _case(root, place, image, {_class_of(place): clean_mask(masks[key], made, image.stem)})
        for key, image in pictures.items()
        if key in masks
    ], len(set(pictures) - set(masks))


def _case(root: Path, place: Path, image: Path, label: dict[str, Path]) -> dict[str, Any]:
    above = place.relative_to(root).parts[:-1]
    split = next((s for s in map(split_named, map(Path, above)) if s), None)
    name = "/".join([*(part for part in above if part), place.name, image.stem])
    return {
        "id": re.sub(r"[^\w/.-]+", "_", name),
        "patient": None,
        "split": split if split in ("val", "test") else None,
        "image": image,
        "label": label,
    }


def _class_of(place: Path) -> str:
    """Return what a folder's pictures show."""
    words = re.sub(r"[_\W]+", " ", place.name).strip().lower()
    return _NAMES.get(words, words)

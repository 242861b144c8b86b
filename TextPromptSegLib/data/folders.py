"""Folders of pictures, masks and a table of texts, made readable as one `Dataset`.

QaTa-COV19 and MosMedData+ come in this form, with one sentence of report for each picture.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..outcome import InputError
from .datasets import read_labels

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".nii", ".nii.gz", ".nrrd", ".mha")


@dataclass(frozen=True)
class Part:
    """One split.

    Attributes:
        images: folder of pictures, below the data set's folder.
        masks: folder of masks, more than 0 inside; named like the pictures, with or without
            ``mask_`` in front.
        table: CSV or TSV file whose first column names a picture or mask and whose second one
            holds the text, with a line of headings; None when there are no texts.
    """

    images: str
    masks: str
    table: str | None = None


def index_folders(
    root: str | Path, parts: Mapping[str, Part], label: str, info: Mapping[str, Any]
) -> Path:
    """Write ``dataset.json`` for folders of pictures and masks of one structure.

    Args:
        root: the data set's folder.
        parts: split (``train``, ``val``, ``test``) -> where it lies below ``root``.
        label: what the masks show, for example ``COVID-19 infection``.
        info: further facts: ``name``, ``modality``, ``licence``, ``redistributable``,
            ``non_commercial``, ``label_quality``.

    Returns:
        The file.

    Raises:
        InputError: when a folder or table is missing, a picture has no mask, or a text no picture.
    """
    root = Path(root)
    cases: list[dict[str, Any]] = []
    for split, part in parts.items():
        masks = {_key(file): file for file in _pictures(root / part.masks)}
        texts = {} if part.table is None else texts_of(root / part.table)
        for image in _pictures(root / part.images):
            key = _key(image)
            if key not in masks:
                raise InputError(f"The picture '{image.name}' has no mask in '{part.masks}'.")
            case: dict[str, Any] = {
                "id": f"{split}-{key}",
                "patient": None,
                "split": split,
                "image": image.relative_to(root).as_posix(),
                "label": {label: masks[key].relative_to(root).as_posix()},
                "present": [label] if (read_labels(masks[key]) > 0).any() else [],
            }
            if text := texts.pop(key, None):
                case["text"] = text
            cases.append(case)
        if texts:
            raise InputError(
                f"The table '{part.table}' names {len(texts)} pictures that are not in "
                f"'{part.images}', the first is '{next(iter(texts))}'."
            )
    values = {"name": root.name, **info, "labels": {"1": label}, "cases": cases}
    path = root / "dataset.json"
    path.write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'.")
    found = sorted(f for f in folder.iterdir() if f.name.lower().endswith(PICTURES))
    if not found:
        raise InputError(f"The folder '{folder}' holds no pictures.")
    return found


def _key(file: Path) -> str:
    """Return the name that picture, mask and line of the table share."""
    name = file.name.lower()
    ending = max((e for e in PICTURES if name.endswith(e)), key=len, default="")
    return name[: len(name) - len(ending)].removeprefix("mask_")


def texts_of(table: Path) -> dict[str, str]:
    """Return name (lower case, without ending) -> text of a table; see `Part`.

    Raises:
        InputError: when it cannot be read.
    """
    if table.suffix.lower() not in (".csv", ".tsv"):
        raise InputError(f"'{table.name}' is no CSV or TSV file; save the table as CSV.")
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.reader(stream, delimiter="\t" if table.suffix == ".tsv" else ","))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The table '{table}' cannot be read: {error}.") from error
    return {_key(Path(row[0].strip())): row[1].strip() for row in rows[1:] if len(row) > 1}


def index_volumes(
    root: str | Path,
    labels: Mapping[int, str],
    info: Mapping[str, Any],
    *,
    images: str = "img",
    masks: str = "label",
    test: int = 6,
    val: int = 3,
    seed: int = 0,
    groups: Mapping[str, tuple[str, ...]] | None = None,
) -> Path:
    """Write ``dataset.json`` for volumes and label maps in two folders, as BTCV comes.

    ``img/img0001.nii.gz`` belongs to ``label/label0001.nii.gz``: the number decides. Each volume
    is a patient; the split is drawn once with the seed and stored in the file.

    Args:
        root: the data set's folder.
        labels: value in the label maps -> structure (BTCV: 12 right, 13 left adrenal gland).
        info: further facts: ``name``, ``modality``, ``licence``, ``label_quality``, ...
        images: folder of the volumes, below ``root``.
        masks: folder of the label maps.
        test: volumes that are kept for the test (the patch paper's setting: 6 of 30).
        val: further volumes to choose settings on.
        seed: of the split.
        groups: names of unions.

    Returns:
        The file.

    Raises:
        InputError: when a folder is missing, a volume has no label map, or too few are there.
    """
    import numpy as np

    root = Path(root)
    maps = {_number(file): file for file in _pictures(root / masks)}
    volumes = {_number(file): file for file in _pictures(root / images)}
    if missing := sorted(set(volumes) - set(maps)):
        raise InputError(f"The volume '{volumes[missing[0]].name}' has no label map in '{masks}'.")
    if len(volumes) <= test + val:
        raise InputError(f"'{images}' holds {len(volumes)} volumes; {test + val + 1} are needed.")
    order = np.random.default_rng(seed).permutation(sorted(volumes)).tolist()
    split = {
        n: "test" if i < test else "val" if i < test + val else "train" for i, n in enumerate(order)
    }
    cases = []
    for number, image in sorted(volumes.items()):
        there = set(np.unique(read_labels(maps[number])).tolist())
        cases.append(
            {
                "id": number,
                "patient": number,
                "split": split[number],
                "image": image.relative_to(root).as_posix(),
                "label": maps[number].relative_to(root).as_posix(),
                "present": [name for value, name in labels.items() if value in there],
            }
        )
    values = {
        "name": root.name,
        **info,
        "labels": {str(value): name for value, name in labels.items()},
        "groups": {name: list(parts) for name, parts in (groups or {}).items()},
        "cases": cases,
    }
    path = root / "dataset.json"
    path.write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def _number(file: Path) -> str:
    """Return the digits at the end of a file's name, or the whole name without its ending."""
    key = _key(file)
    digits = key[len(key.rstrip("0123456789")) :]
    return digits or key

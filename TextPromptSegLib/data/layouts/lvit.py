"""QaTa-COV19 and MosMedData+ with the texts and splits that LViT publishes.

Pictures: https://www.kaggle.com/datasets/aysendegerli/qatacov19-dataset (``Train Set`` and ``Test
Set`` with ``Images`` and ``Ground-truths``), https://www.kaggle.com/datasets/maedemaftouni
(``frames`` and ``masks``). Tables: https://github.com/HUANGLIZI/LViT, as XLSX: ``Train_ID``,
``Val_ID``, ``Train_text_for_Covid19``, ...; sorted by its script into ``Train_Folder``,
``Val_Folder`` and ``Test_Folder`` with ``img``, ``labelcol`` and ``Train_text.xlsx``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...outcome import InputError
from .index import Choices, Found
from .pictures import MADE, below, clean_mask, key_of, pictures_in, split_named
from .tables import ENDINGS, read_table

IMAGES = ("images", "image", "img", "imgs", "frames")
MASKS = ("ground-truths", "labelcol", "masks", "mask", "labels", "label", "gts")
# What names of one patient's pictures have in common; the others stand for themselves.
_PATIENT = re.compile(r"(sub-s\d+)|(morozov_study_\d+)|(jun_.*?case_?\d+)")


@dataclass
class _Pool:
    """Pictures that share their tables: those to learn from, or those of the test.

    Attributes:
        folders: split that a folder's name says (or None) -> key -> (picture, mask).
        deciding: split -> keys that a table of this split names.
        texts: key -> text.
    """

    folders: dict[str | None, dict[str, tuple[Path, Path]]] = field(default_factory=dict)
    deciding: dict[str, set[str]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def keys(self) -> set[str]:
        """Return the names of all pictures."""
        return {key for pictures in self.folders.values() for key in pictures}


def find_qata(folder: Path, choices: Choices) -> list[Found]:
    """Find QaTa-COV19's pictures, masks and texts; without a table a fifth of Train is val."""
    facts = {
        "name": "qata_cov19",
        "modality": "CXR",
        "licence": "QaTa-COV19 (Kaggle), research only; texts of LViT (MIT)",
        "label_quality": "radiologist-reviewed human-machine collaboration",
    }
    return [_find(folder, "COVID-19 infection", facts)]


def find_mosmed(folder: Path, choices: Choices) -> list[Found]:
    """Find MosMedData+'s slices, masks and texts; without tables 8:1:1 by study."""
    facts = {
        "name": "mosmed_plus",
        "modality": "CT",
        "licence": "MosMedData (CC BY-NC-ND 3.0) and further sources; texts of LViT (MIT)",
        "label_quality": "expert-checked",
    }
    return [_find(folder, "infection", facts)]


def _find(root: Path, label: str, facts: dict[str, Any]) -> Found:
    """Find pictures, masks, texts and splits below a folder.

    Raises:
        InputError: when a picture has no mask, a table names what is not there, or two tables (or
            folders) claim a picture.
    """
    learn, test = _pools(root)
    notes = _read_tables(root, learn, test)
    cases: list[dict[str, Any]] = []
    for pool, fixed in ((learn, None), (test, "test")):
        splits = _splits(pool, fixed, notes)
        for role, pictures in pool.folders.items():
            for key, (image, mask) in pictures.items():
                if (role, key) not in splits:
                    continue
                name = f"test-{key}" if fixed else key
                patient = _PATIENT.search(key)
                case = {
                    "id": name,
                    "patient": patient[0] if patient else None,
                    "split": splits[role, key],
                    "image": image,
                    "label": {label: clean_mask([mask], root / MADE / "labels", name)},
                    "text": pool.texts.get(key) or None,
                }
                cases.append(case)
    more = {"redistributable": False, "non_commercial": True, "labels": {1: label}, "groups": {}}
    has_test = any(case["split"] == "test" for case in cases)
    val, test_share = (0.2, 0.0) if has_test else (0.1, 0.1)
    return Found(root, {**facts, **more}, cases, val, test_share, notes=notes)


def _pools(root: Path) -> tuple[_Pool, _Pool]:
    """Return the pictures to learn from (and those of no named split), and those of the test."""
    learn, test = _Pool(), _Pool()
    for place in below(root, 2):
        parts = {f.name.lower(): f for f in sorted(place.iterdir()) if f.is_dir()}
        images = next((parts[name] for name in IMAGES if name in parts), None)
        masks = next((parts[name] for name in MASKS if name in parts), None)
        if images is None or masks is None:
            continue
        by_key = {key_of(f.name): f for f in pictures_in(masks)}
        role = None if place == root else split_named(place)
        here = (test if role == "test" else learn).folders.setdefault(role, {})
        for image in pictures_in(images):
            key = key_of(image.name)
            if key not in by_key:
                raise InputError(f"The picture '{image.name}' has no mask in '{masks.name}'.")
            pool = test if role == "test" else learn
            if other := next((p[key][0] for p in pool.folders.values() if key in p), None):
                raise InputError(
                    f"'{image.parent}' and '{other.parent}' both hold a picture '{image.name}'; "
                    "take it out of one."
                )
            here[key] = (image, by_key[key])
    if not learn.folders:
        raise InputError(
            f"'{root}' holds no folder with pictures ({', '.join(IMAGES[:4])}) beside their masks "
            f"({', '.join(MASKS[:3])})."
        )
    return learn, test


def _read_tables(root: Path, learn: _Pool, test: _Pool) -> list[str]:
    """Give the pools their texts and the pictures that tables assign to a split; return notes.

    A table that only names pictures (``Val_ID``) says their split; the others do where there is
    none such: LViT's text table of Train holds Val's texts as well.
    """
    notes: list[str] = []
    read: list[tuple[Path, str | None, dict[str, str]]] = []
    for place in below(root, 2):
        for table in sorted(f for f in place.iterdir() if f.suffix.lower() in ENDINGS):
            if table.name.startswith((".", "~")):
                continue
            inside = None if place == root else split_named(place)
            role, lines = split_named(table) or inside, read_table(table)
            if role or (learn.keys() | test.keys()) & set(lines):
                read.append((table, role, lines))
            else:
                notes.append(f"The table '{table.name}' names no picture and was not used.")
    for table, role, lines in read:
        pool = test if role == "test" and test.folders else learn
        known = pool.keys() if role else learn.keys() | test.keys()
        if missing := sorted(set(lines) - known):
            raise InputError(
                f"The table '{table.name}' names {len(missing)} pictures that are not there, the "
                f"first is '{missing[0]}'."
            )
        for each in (pool,) if role else (learn, test):
            each.texts.update({key: text for key, text in lines.items() if text})
    lists = [(role, lines) for _, role, lines in read if role and not any(lines.values())]
    if not {"train", "val"} & {role for role, _ in lists}:
        lists = [(role, lines) for _, role, lines in read if role]
    for role, lines in lists:
        pool = test if role == "test" and test.folders else learn
        pool.deciding.setdefault(role, set()).update(lines)
    return notes


def _splits(
    pool: _Pool, fixed: str | None, notes: list[str]
) -> Mapping[tuple[str | None, str], str | None]:
    """Return (folder's split, key) -> split; None is drawn, what is missing is left out."""
    apart = {"train", "val"} <= set(pool.folders)
    by_table = bool(set(pool.deciding) - {"train"}) and not apart and fixed is None
    found: dict[tuple[str | None, str], str | None] = {}
    left: list[str] = []
    for role, pictures in pool.folders.items():
        for key, (image, _) in pictures.items():
            named = sorted(split for split, keys in pool.deciding.items() if key in keys)
            if by_table and len(named) > 1:
                raise InputError(
                    f"The picture '{image.name}' is in {' and in '.join(named)}: two tables name "
                    "it; take its line out of one."
                )
            if not by_table:
                found[role, key] = fixed or (role if apart or role == "val" else None)
            elif named or "train" not in pool.deciding:
                found[role, key] = named[0] if named else "train"
            else:
                left.append(image.name)
    if left:
        notes.append(
            f"Pictures that no table assigns to a split, left out: {len(left)}, the first is "
            f"'{left[0]}'."
        )
    return found

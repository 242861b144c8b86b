"""BraTS: a folder for each patient with four MR sequences and a label map, in both spellings.

2018 to 2021 (https://www.med.upenn.edu/cbica/brats2021): ``BraTS2021_00000_t1ce.nii.gz``, label
``_seg`` with 4 for enhancing tumor. From 2023 on (https://www.synapse.org/brats2023):
``BraTS-GLI-00000-000-t1c.nii.gz``, label ``-seg`` with 3 for it, and a time point in the name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ...outcome import InputError
from .index import Choices, Found
from .pictures import below

SEQUENCES = {
    "flair": ("flair", "t2f"),
    "t1ce": ("t1ce", "t1c"),
    "t1": ("t1", "t1n"),
    "t2": ("t2", "t2w"),
}
_FILE = re.compile(r"(?P<case>.+)(?P<mark>[_-])(?P<what>[a-z0-9]+)\.nii(\.gz)?", re.IGNORECASE)
_OLD = {1: "necrosis", 2: "edema", 4: "enhancing tumor"}
_NEW = {1: "necrosis", 2: "edema", 3: "enhancing tumor", 4: "resection cavity"}
GROUPS = {
    "whole tumor": ["necrosis", "edema", "enhancing tumor"],
    "tumor core": ["necrosis", "enhancing tumor"],
}


def find_brats(folder: Path, choices: Choices) -> list[Found]:
    """Find the labelled patients of a BraTS training set; sequences become channels.

    Args:
        folder: holds the patients' folders, or ``HGG`` and ``LGG`` with them.
        choices: ``sequences`` chooses among flair, t1ce, t1 and t2, in this order.

    Raises:
        InputError: when there is no patient, a sequence is missing, or both spellings are mixed.
    """
    wanted = choices.sequences or tuple(SEQUENCES)
    if unknown := [name for name in wanted if name not in SEQUENCES]:
        raise InputError(f"BraTS has no sequence '{unknown[0]}'; use {', '.join(SEQUENCES)}.")
    cases, marks, bare = [], set(), []
    for place in below(folder, 3):
        files = _files(place)
        if "seg" not in files:
            bare += [place.name] if set(files) & {*SEQUENCES, "t2f", "t2w"} else []
            continue
        label, mark, name = files["seg"]
        images = [_sequence(files, word, name) for word in wanted]
        marks.add(mark)
        patient = re.sub(r"-\d{3}$", "", name) if mark == "-" else name
        cases.append({"id": name, "patient": patient, "image": images, "label": label})
    if not cases:
        raise InputError(f"'{folder}' holds no BraTS patient: a folder with sequences and a seg.")
    if len(marks) > 1:
        raise InputError(f"'{folder}' mixes years of BraTS whose label values differ; part them.")
    labels = _NEW if marks == {"-"} else _OLD
    facts = {
        "name": _name(str(cases[0]["id"])),
        "modality": "MR",
        "licence": "BraTS terms (research)",
        "redistributable": False,
        "non_commercial": True,
        "label_quality": "expert",
        "channels": list(wanted),
        "labels": labels,
        "groups": GROUPS,
    }
    notes = []
    if bare:
        notes.append(
            f"Patients without a seg file, left out: {len(bare)}, the first is '{bare[0]}'."
        )
    return [Found(folder, facts, cases, notes=notes)]


def _files(folder: Path) -> dict[str, tuple[Path, str, str]]:
    """Return what a file shows -> (file, mark before the word, case) of one folder."""
    matches = [(f, _FILE.fullmatch(f.name)) for f in sorted(folder.iterdir()) if f.is_file()]
    return {m["what"].lower(): (f, m["mark"], m["case"]) for f, m in matches if m}


def _sequence(files: Mapping[str, tuple[Path, str, str]], word: str, name: str) -> Path:
    for spelling in SEQUENCES[word]:
        if spelling in files:
            return files[spelling][0]
    raise InputError(f"The BraTS case '{name}' has no {word} image.")


def _name(case: str) -> str:
    """Return the name of the data set: brats2021, brats2020, brats_gli, ..."""
    start = re.split(r"[_-]\d|_Training|_TCIA|_CBICA", case)[0].lower().replace("-", "_")
    return re.sub(r"^brats(1\d|20)$", r"brats20\1", start)

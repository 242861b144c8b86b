"""The ten tasks of the Medical Segmentation Decathlon.

http://medicaldecathlon.com: ``Task03_Liver`` holds ``imagesTr``, ``labelsTr`` with files of the
same names, and a ``dataset.json`` of its own with ``labels`` and ``modality``. Prostate and brain
tumors are four-dimensional: a frame is a sequence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...files.text import read_json
from ...outcome import InputError
from .index import Choices, Found
from .pictures import VOLUMES, key_of, pictures_in

# Task -> value -> structure. The organ around a tumor is "parenchyma", the organ is the union.
LABELS: Mapping[int, Mapping[int, str]] = {
    1: {1: "edema", 2: "non-enhancing tumor", 3: "enhancing tumor"},
    2: {1: "left atrium of heart"},
    3: {1: "liver parenchyma", 2: "liver tumor"},
    4: {1: "anterior hippocampus", 2: "posterior hippocampus"},
    5: {1: "peripheral zone of prostate", 2: "transition zone of prostate"},
    6: {1: "lung tumor"},
    7: {1: "pancreatic parenchyma", 2: "pancreas tumor"},
    8: {1: "liver vessels", 2: "liver tumor"},
    9: {1: "spleen"},
    10: {1: "colon tumor"},
}
GROUPS: Mapping[int, Mapping[str, list[str]]] = {
    1: {
        "whole tumor": ["edema", "non-enhancing tumor", "enhancing tumor"],
        "tumor core": ["non-enhancing tumor", "enhancing tumor"],
    },
    3: {"liver": ["liver parenchyma", "liver tumor"]},
    4: {"hippocampus": ["anterior hippocampus", "posterior hippocampus"]},
    5: {"prostate": ["peripheral zone of prostate", "transition zone of prostate"]},
    7: {"pancreas": ["pancreatic parenchyma", "pancreas tumor"]},
}


def find_msd(folder: Path, choices: Choices) -> list[Found]:
    """Find the labelled volumes of one task; 7:1:2 by volume, as the SVP-CVAE's paper divides.

    Args:
        folder: of the task, with the publisher's ``dataset.json``.
        choices: ``sequences`` chooses among the names of ``modality`` in that file.

    Raises:
        InputError: when it is no task, a label is missing, or its names are unknown.
    """
    facts = _published(folder)
    task, name = _task(folder, facts)
    sequences = [str(facts["modality"][key]) for key in sorted(facts["modality"], key=int)]
    wanted = list(choices.sequences) or sequences
    if unknown := [word for word in wanted if word not in sequences]:
        raise InputError(f"'{name}' has no sequence '{unknown[0]}'; use {', '.join(sequences)}.")
    labels = {key_of(file.name): file for file in pictures_in(folder / "labelsTr", VOLUMES)}
    frames = [sequences.index(word) for word in wanted]
    cases: list[dict[str, Any]] = []
    for image in pictures_in(folder / "imagesTr", VOLUMES):
        key = key_of(image.name)
        if key not in labels:
            raise InputError(f"The volume '{image.name}' has no label of its name in 'labelsTr'.")
        case = {
            "id": key,
            "patient": None if task == 4 else key,  # both sides of a patient, without ids
            "image": [image] * len(wanted) if len(sequences) > 1 else image,
            "label": labels[key],
        }
        cases.append({**case, "frames": frames} if len(sequences) > 1 else case)
    values = {
        "name": f"msd_{name}",
        "modality": "CT" if "CT" in sequences[0].upper() else "MR",
        "licence": "CC BY-SA 4.0",
        "redistributable": True,
        "label_quality": "expert",
        "labels": dict(LABELS[task]),
        "groups": dict(GROUPS.get(task, {})),
        **({"channels": wanted} if len(sequences) > 1 else {}),
    }
    notes = []
    if task == 4:
        notes.append("Patients are not known: both sides of one may lie in different splits.")
    return [Found(folder, values, cases, notes=notes)]


def _published(folder: Path) -> Mapping[str, Any]:
    """Return what the publisher says of the task."""
    try:
        facts = read_json(folder / "dataset.json")
        if not isinstance(facts["labels"], Mapping) or not isinstance(facts["modality"], Mapping):
            raise ValueError("labels and modality are no objects")
        [int(key) for key in facts["modality"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"'{folder}' holds no dataset.json of the Medical Segmentation Decathlon; name the "
            "folder of a task, for example Task03_Liver."
        ) from error
    return facts


def _task(folder: Path, facts: Mapping[str, Any]) -> tuple[int, str]:
    """Return the number and the name of a task.

    Raises:
        InputError: when the folder does not say which, or its labels are not those of the task.
    """
    match = re.match(r"Task0?(\d+)_(\w+)", folder.resolve().name)
    if match is None or int(match[1]) not in LABELS:
        raise InputError(
            f"'{folder}' does not say which task it is; keep its name, for example Task03_Liver."
        )
    task = int(match[1])
    if {int(value) for value in facts["labels"]} - {0} != set(LABELS[task]):
        raise InputError(f"The labels in the dataset.json of '{folder}' are not those of its task.")
    return task, match[2].lower()

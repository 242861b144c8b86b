"""The challenges FLARE 2021 and 2022: abdominal CT.

https://flare.grand-challenge.org (361 training CTs, four labels) and
https://flare22.grand-challenge.org (50 labelled training CTs, thirteen labels). Volumes are called
``NAME_0000.nii.gz``, label maps ``NAME.nii.gz``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...outcome import InputError
from .index import Choices, Found
from .pictures import VOLUMES, key_of, pictures_in

FLARE_2021 = {1: "liver", 2: "kidneys", 3: "spleen", 4: "pancreas"}
FLARE_2022 = {
    1: "liver",
    2: "right kidney",
    3: "spleen",
    4: "pancreas",
    5: "aorta",
    6: "inferior vena cava",
    7: "right adrenal gland",
    8: "left adrenal gland",
    9: "gallbladder",
    10: "esophagus",
    11: "stomach",
    12: "duodenum",
    13: "left kidney",
}
LABELS: Mapping[int, Mapping[int, str]] = {2021: FLARE_2021, 2022: FLARE_2022}
GROUPS: Mapping[int, Mapping[str, list[str]]] = {
    2021: {},
    2022: {
        "kidneys": ["right kidney", "left kidney"],
        "adrenal glands": ["right adrenal gland", "left adrenal gland"],
    },
}
FOLDERS = (
    ("images", "labels"),
    ("imagesTr", "labelsTr"),
    ("TrainingImg", "TrainingMask"),
    ("train_images", "train_mask"),
)
CHANNEL = "_0000"


def find_flare21(folder: Path, choices: Choices) -> list[Found]:
    """Find FLARE 2021's volumes; 20 % are kept for the test, as OMT-SAM's paper does."""
    return _find(folder, 2021)


def find_flare22(folder: Path, choices: Choices) -> list[Found]:
    """Find FLARE 2022's labelled volumes; thirteen organs, sides apart."""
    return _find(folder, 2022)


def _find(root: Path, year: int) -> list[Found]:
    """Find volumes and label maps of a year; volumes without a label map are left out.

    Raises:
        InputError: when folders are missing, or a label map has no volume.
    """
    for images, masks in FOLDERS:
        if (root / images).is_dir() and (root / masks).is_dir():
            break
    else:
        ways = ", ".join(f"{a} with {b}" for a, b in FOLDERS)
        raise InputError(f"'{root}' holds none of FLARE's pairs of folders: {ways}.")
    files = pictures_in(root / images, VOLUMES)
    volumes = {key_of(f.name).removesuffix(CHANNEL): f for f in files}
    cases = []
    for mask in pictures_in(root / masks, VOLUMES):
        name = mask.name.removesuffix(".gz").removesuffix(".nii")
        if key_of(mask.name) not in volumes:
            raise InputError(f"The label map '{mask.name}' has no volume in '{images}'.")
        image = volumes[key_of(mask.name)]
        cases.append({"id": name, "patient": name, "image": image, "label": mask})
    facts = {
        "name": f"flare{year}",
        "modality": "CT",
        "label_quality": f"as published by FLARE {year}",
        "licence": "research only (the challenge's terms)",
        "redistributable": False,
        "non_commercial": True,
        "labels": dict(LABELS[year]),
        "groups": dict(GROUPS[year]),
    }
    return [Found(root, facts, cases, val=0.05, seed=2023)]

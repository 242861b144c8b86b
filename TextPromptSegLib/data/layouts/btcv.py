"""BTCV, Beyond the Cranial Vault: 30 labelled abdominal CTs of the MICCAI 2015 challenge.

https://www.synapse.org/Synapse:syn3193805: ``RawData/Training/img/img0001.nii.gz`` belongs to
``RawData/Training/label/label0001.nii.gz``; the testing part has no labels.
"""

from __future__ import annotations

from pathlib import Path

from ...outcome import InputError
from .index import Choices, Found
from .pictures import VOLUMES, key_of, pictures_in

LABELS = {
    1: "spleen",
    2: "right kidney",
    3: "left kidney",
    4: "gallbladder",
    5: "esophagus",
    6: "liver",
    7: "stomach",
    8: "aorta",
    9: "inferior vena cava",
    10: "portal and splenic vein",
    11: "pancreas",
    12: "right adrenal gland",
    13: "left adrenal gland",
}
GROUPS = {
    "kidneys": ["right kidney", "left kidney"],
    "adrenal glands": ["right adrenal gland", "left adrenal gland"],
}


def find_btcv(folder: Path, choices: Choices) -> list[Found]:
    """Find BTCV's labelled volumes; a fifth is kept for the test (the patch paper: 6 of 30).

    Args:
        folder: the download, its ``RawData`` or ``Training``.
        choices: none of its own.

    Raises:
        InputError: when a folder is missing or a volume has no label map.
    """
    places = [folder, folder / "Training", folder / "RawData" / "Training"]
    root = next((p for p in places if (p / "img").is_dir() and (p / "label").is_dir()), None)
    if root is None:
        raise InputError(f"'{folder}' holds no folders img and label, nor RawData/Training.")
    labels = {_number(file): file for file in pictures_in(root / "label", VOLUMES)}
    cases = []
    for image in pictures_in(root / "img", VOLUMES):
        number = _number(image)
        if number not in labels:
            raise InputError(f"The volume '{image.name}' has no label map in 'label'.")
        cases.append(
            {
                "id": f"btcv_{number}",
                "patient": f"btcv_{number}",
                "image": image,
                "label": labels[number],
            }
        )
    facts = {
        "name": "ct_abdomen_btcv",
        "modality": "CT",
        "licence": "BTCV challenge data (Synapse syn3193805, registration)",
        "redistributable": False,
        "non_commercial": True,
        "label_quality": "expert: drawn by two trained raters, checked by a radiologist",
        "labels": LABELS,
        "groups": GROUPS,
    }
    return [Found(root, facts, cases)]


def _number(file: Path) -> str:
    """Return the digits at the end of a file's name, or the name."""
    key = key_of(file.name)
    return key[len(key.rstrip("0123456789")) :] or key

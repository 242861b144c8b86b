"""The folders of the FLARE challenges of 2021 and 2022, made readable as one `Dataset`.

https://flare.grand-challenge.org (361 training CTs, four labels) and
https://flare22.grand-challenge.org (50 labelled training CTs, thirteen labels). Volumes are called
``NAME_0000.nii.gz``, label maps ``NAME.nii.gz``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..outcome import InputError
from .datasets import read_labels

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
GROUPS: Mapping[int, Mapping[str, Sequence[str]]] = {
    2021: {},
    2022: {
        "kidneys": ["right kidney", "left kidney"],
        "adrenal glands": ["right adrenal gland", "left adrenal gland"],
    },
}
FOLDERS = (("images", "labels"), ("imagesTr", "labelsTr"), ("TrainingImg", "TrainingMask"))
CHANNEL = "_0000"
_ENDINGS = (".nii.gz", ".nii")


def index_flare(
    root: str | Path,
    year: int = 2021,
    info: Mapping[str, Any] | None = None,
    *,
    shares: Sequence[float] = (0.75, 0.05, 0.2),
    seed: int = 2023,
) -> Path:
    """Write ``dataset.json`` for FLARE's volumes and label maps.

    Each volume is a patient; the split is drawn once with the seed and stored in the file.
    Volumes without a label map (most of FLARE 2022) are left out.

    Args:
        root: holds ``images`` and ``labels``, ``imagesTr`` and ``labelsTr``, or ``TrainingImg``
            and ``TrainingMask``; the recipe finds it by its name.
        year: 2021 (liver, kidneys, spleen, pancreas) or 2022 (thirteen organs, sides apart).
        info: further facts: ``licence``, ``label_quality``, ...
        shares: of train, val and test; the paper keeps 20 % for the test.
        seed: of the split (the paper's).

    Returns:
        The file.

    Raises:
        InputError: when folders are missing, a label map has no volume or a value that the year
            does not have, or a ``dataset.json`` of another program lies there.
    """
    root = Path(root)
    if year not in LABELS:
        raise InputError(f"FLARE {year} is not known; use {' or '.join(map(str, LABELS))}.")
    labels = LABELS[year]
    pairs = _pairs(root)
    order = np.random.default_rng(seed).permutation(len(pairs)).tolist()
    bounds = np.round(np.cumsum(shares) / np.sum(shares) * len(pairs)).astype(int)
    place = {number: int(np.searchsorted(bounds, i, "right")) for i, number in enumerate(order)}
    cases = []
    for number, (name, image, mask) in enumerate(pairs):
        found = set(np.unique(read_labels(mask)).tolist()) - {0}
        if strange := sorted(found - set(labels)):
            raise InputError(
                f"'{mask.name}' holds the value {strange[0]}, which FLARE {year} does not have; "
                "say the year of the data."
            )
        cases.append(
            {
                "id": name,
                "patient": name,
                "split": ("train", "val", "test")[place[number]],
                "image": image.relative_to(root).as_posix(),
                "label": mask.relative_to(root).as_posix(),
                "present": [labels[value] for value in sorted(found)],
            }
        )
    values = {
        "name": root.name,
        "modality": "CT",
        "label_quality": f"as published by FLARE {year}",
        "licence": "research only (the challenge's terms)",
        "redistributable": False,
        "non_commercial": True,
        **(info or {}),
        "labels": {str(value): name for value, name in labels.items()},
        "groups": {name: list(parts) for name, parts in GROUPS[year].items()},
        "cases": cases,
    }
    path = root / "dataset.json"
    if path.is_file() and '"cases"' not in path.read_text(encoding="utf-8", errors="replace"):
        raise InputError(f"'{path}' belongs to another program; move it away first.")
    path.write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def _pairs(root: Path) -> list[tuple[str, Path, Path]]:
    """Return (name, volume, label map) of every label map, in the order of the names."""
    for images, masks in FOLDERS:
        if (root / images).is_dir() and (root / masks).is_dir():
            break
    else:
        ways = ", ".join(f"{a} with {b}" for a, b in FOLDERS)
        raise InputError(f"'{root}' holds none of FLARE's pairs of folders: {ways}.")
    volumes = {_stem(f).removesuffix(CHANNEL): f for f in _volumes(root / images)}
    pairs = []
    for mask in _volumes(root / masks):
        name = _stem(mask)
        if name not in volumes:
            raise InputError(f"The label map '{mask.name}' has no volume in '{images}'.")
        pairs.append((name, volumes[name], mask))
    if len(pairs) < 3:
        raise InputError(f"'{root / masks}' holds {len(pairs)} label maps; 3 are the least.")
    return pairs


def _volumes(folder: Path) -> list[Path]:
    """Return a folder's NIfTI files, by name."""
    found = (f for f in folder.iterdir() if f.name.lower().endswith(_ENDINGS))
    return sorted(f for f in found if not f.name.startswith("."))


def _stem(file: Path) -> str:
    return file.name.removesuffix(".gz").removesuffix(".nii")

"""Labelled volumes cut into axial pictures, as the SVP-CVAE's paper uses BraTS and MSD liver.

BraTS 2021 gives one T2 slice a patient (875, 125 and 251 of them), MSD liver five slices a volume
(92, 13 and 26 volumes). The texts were made by a language model; they come in as a table here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..image.volume import Volume
from ..outcome import InputError
from .datasets import read_labels
from .folders import texts_of

SPLITS = ("train", "val", "test")
_ENDINGS = (".nii.gz", ".nii")


@dataclass(frozen=True)
class VolumePair:
    """One labelled volume: its name, the image and the label file."""

    id: str
    image: Path
    label: Path


def find_brats(root: str | Path, sequence: str = "t2") -> list[VolumePair]:
    """Find BraTS-style cases: a folder for each patient with ``*_t2.nii.gz`` and ``*_seg.nii.gz``.

    Args:
        root: holds the patients' folders.
        sequence: ``t2``, ``flair``, ``t1`` or ``t1ce``; also the newer ``-t2w`` spelling.

    Raises:
        InputError: when there is no such case.
    """
    found = []
    for folder in sorted(p for p in Path(root).iterdir() if p.is_dir()):
        image = _one(folder, (f"_{sequence}", f"-{sequence}", f"-{sequence}w"))
        label = _one(folder, ("_seg", "-seg"))
        if image is not None and label is not None:
            found.append(VolumePair(folder.name, image, label))
    if not found:
        raise InputError(f"'{root}' holds no folder with a {sequence} image and a seg label.")
    return found


def find_msd(root: str | Path) -> list[VolumePair]:
    """Find the cases of a Medical Segmentation Decathlon task: ``imagesTr`` and ``labelsTr``.

    Raises:
        InputError: when there is no such case.
    """
    images, labels = Path(root) / "imagesTr", Path(root) / "labelsTr"
    found = []
    for image in sorted(images.glob("*.nii*")) if images.is_dir() else []:
        if not image.name.startswith(".") and (labels / image.name).is_file():
            found.append(VolumePair(_stem(image), image, labels / image.name))
    if not found:
        raise InputError(f"'{root}' holds no imagesTr with labels of the same names in labelsTr.")
    return found


def cut_slices(
    cases: Sequence[VolumePair],
    out: str | Path,
    label: str,
    info: Mapping[str, Any],
    *,
    values: Sequence[int] | None = None,
    per_volume: int = 1,
    shares: Sequence[float] = (0.7, 0.1, 0.2),
    window: tuple[float, float] | None = None,
    table: str | Path | None = None,
    seed: int = 0,
) -> Path:
    """Write axial slices of labelled volumes as pictures with a ``dataset.json``.

    All slices of a volume lie in one split. A volume without the structure is left out.

    Args:
        cases: of `find_brats` or `find_msd`.
        out: folder to write to.
        label: what is drawn, for example ``whole tumor``.
        info: further facts: ``name``, ``modality``, ``licence``, ...
        values: label values that belong to it; None = all but 0.
        per_volume: 1 takes the slice with most of it, more are spread over its range.
        shares: of train, val and test.
        window: lowest and highest value shown (HU); None takes the percentiles 0.5 and 99.5 of
            what is above 0.
        table: CSV or TSV file, slice name (``<case>-<slice number>``) and text.
        seed: of the split.

    Returns:
        The ``dataset.json``.

    Raises:
        InputError: when no volume shows the structure, or a file cannot be read.
    """
    from PIL import Image

    out = Path(out)
    for folder in ("images", "labels"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    texts = {} if table is None else texts_of(Path(table))
    order = np.random.default_rng(seed).permutation(len(cases))
    bounds = np.round(np.cumsum(shares) / np.sum(shares) * len(cases)).astype(int)
    split_of = {
        int(n): SPLITS[int(np.searchsorted(bounds, i, "right"))] for i, n in enumerate(order)
    }
    listed: list[dict[str, Any]] = []
    for number, case in enumerate(cases):
        volume = Volume.read(case.image)
        drawn = read_labels(case.label)
        mask = drawn > 0 if values is None else np.isin(drawn, values)
        if mask.shape != volume.shape:
            raise InputError(f"Image and label of '{case.id}' differ in size.")
        axes = volume.orientation("LPS")
        image, mask = axes.apply(volume.array), axes.apply(mask)
        grey = _grey(image, window)
        for k in _chosen(mask, per_volume):
            name = f"{case.id}-{k}"
            Image.fromarray(grey(image[k])).save(out / "images" / f"{name}.png")
            Image.fromarray(mask[k].astype(np.uint8)).save(out / "labels" / f"{name}.png")
            entry: dict[str, Any] = {
                "id": name,
                "patient": case.id,
                "split": split_of[number],
                "image": f"images/{name}.png",
                "label": f"labels/{name}.png",
                "present": [label],
            }
            if text := texts.get(name.lower()):
                entry["text"] = text
            listed.append(entry)
    if not listed:
        raise InputError(f"None of the volumes shows '{label}'.")
    path = out / "dataset.json"
    written = {"name": out.name, **info, "labels": {"1": label}, "cases": listed}
    path.write_text(json.dumps(written, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def _chosen(mask: np.ndarray, count: int) -> list[int]:
    """Return slice numbers: the largest one, or several spread over the range."""
    areas = mask.reshape(len(mask), -1).sum(1)
    inside = np.flatnonzero(areas)
    if not len(inside):
        return []
    if count == 1:
        return [int(areas.argmax())]
    spread = np.linspace(0, len(inside) - 1, min(count, len(inside)) + 2)[1:-1]
    return sorted({int(inside[round(float(place))]) for place in spread})


def _grey(image: np.ndarray, window: tuple[float, float] | None) -> Any:
    """Return a function from a slice to 8-bit grey."""
    low, high = window or (0.0, 0.0)
    if window is None:
        inside = image[image > 0] if (image > 0).any() else image
        low, high = (float(v) for v in np.percentile(inside, (0.5, 99.5)))
    width = max(high - low, 1e-6)

    def grey(plane: np.ndarray) -> np.ndarray:
        scaled = (plane.astype(np.float32) - low) / width
        return (scaled.clip(0, 1) * 255).round().astype(np.uint8)

    return grey


def _one(folder: Path, words: Sequence[str]) -> Path | None:
    """Return the file of a folder whose name ends with one of the words."""
    for file in sorted(folder.iterdir()):
        if file.name.lower().endswith(_ENDINGS) and _stem(file).lower().endswith(tuple(words)):
            return file
    return None


def _stem(file: Path) -> str:
    return file.name.removesuffix(".gz").removesuffix(".nii")

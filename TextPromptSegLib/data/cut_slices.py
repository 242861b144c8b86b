"""Labelled volumes cut into axial pictures, as the SVP-CVAE's paper uses BraTS and MSD liver.

BraTS 2021 gives one T2 slice a patient (875, 125 and 251 of them), MSD liver five slices a volume
(92, 13 and 26 volumes). The texts were made by a language model; they come in as a table here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..files.text import write_json
from ..outcome import InputError
from .datasets import INDEX, Dataset
from .layouts.pictures import write_png
from .layouts.tables import read_table

_KEPT = ("modality", "licence", "redistributable", "non_commercial", "label_quality", "caution")


def cut_slices(
    dataset: Dataset,
    label: str,
    name: str,
    *,
    per_volume: int = 1,
    channel: int = 0,
    window: tuple[float, float] | None = None,
    table: str | Path | None = None,
) -> Path:
    """Write axial slices of a data set's volumes as pictures with an index of their own.

    All slices of a volume lie in its split. A volume without the structure is left out.

    Args:
        dataset: of volumes.
        label: what is drawn, a label or a group, for example ``whole tumor``.
        name: of the new data set, and of its folder beside the volumes' index.
        per_volume: 1 takes the slice with most of it, more are spread over its range.
        channel: which of a case's channels is shown.
        window: lowest and highest value shown (HU); None takes the percentiles 0.5 and 99.5 of
            what is above 0.
        table: CSV, TSV or XLSX file, slice name (``<case>-<slice number>``) and text.

    Returns:
        The index.

    Raises:
        InputError: when no volume shows the structure, a file cannot be read, or a text has no
            slice.
        OutputError: when the pictures cannot be written.
    """
    if label not in {*dataset.labels.values(), *dataset.groups}:
        known = ", ".join([*dataset.labels.values(), *dataset.groups])
        raise InputError(f"'{dataset.name}' labels no '{label}', but {known}.")
    out = dataset.path.parent / name
    texts = {} if table is None else read_table(Path(table))
    listed: list[dict[str, Any]] = []
    for case in dataset.cases:
        if not case.is_present(label):
            continue
        volume, mask = case.volume(channel), case.mask(label)
        if mask.shape != volume.shape:
            raise InputError(f"Image and label of '{case.id}' differ in size.")
        axes = volume.orientation("LPS")
        image, mask = axes.apply(volume.array), axes.apply(mask)
        grey = _grey(image, window)
        for k in _chosen(mask, per_volume):
            slice_name = f"{case.id}-{k}"
            write_png(out / "images" / f"{slice_name}.png", grey(image[k]))
            write_png(out / "labels" / f"{slice_name}.png", mask[k].astype(np.uint8))
            entry: dict[str, Any] = {
                "id": slice_name,
                "patient": case.patient,
                "split": case.split,
                "image": f"images/{slice_name}.png",
                "label": f"labels/{slice_name}.png",
                "present": [label],
            }
            if text := texts.pop(slice_name.lower(), None):
                entry["text"] = text
            listed.append(entry)
    if not listed:
        raise InputError(f"None of the volumes shows '{label}'.")
    if texts:
        raise InputError(
            f"The table names {len(texts)} slices that were not cut, the first is "
            f"'{next(iter(texts))}'; the names are like '{listed[0]['id']}'."
        )
    facts: Mapping[str, Any] = {key: dataset.info.get(key) for key in _KEPT}
    write_json(out / INDEX, {"name": name, **facts, "labels": {"1": label}, "cases": listed})
    Dataset.read(out)
    return out / INDEX


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

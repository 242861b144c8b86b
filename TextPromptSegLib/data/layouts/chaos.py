"""CHAOS: abdominal CT (liver) and MR (liver, kidneys, spleen) as DICOM slices with PNG masks.

https://zenodo.org/records/3431873: ``Train_Sets/CT/1/DICOM_anon/*.dcm`` with
``Train_Sets/CT/1/Ground/liver_GT_000.png``, ``Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase`` and
``OutPhase`` with ``T1DUAL/Ground``, and ``T2SPIR/DICOM_anon`` with ``T2SPIR/Ground``. Slices and
masks belong together in the order of their names; the test sets have no masks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...image.volume import Volume
from ...outcome import InputError, OutputError
from ..datasets import read_labels
from .index import Choices, Found
from .pictures import MADE

SEQUENCES = {
    "T1-DUAL in": ("T1DUAL/DICOM_anon/InPhase", "T1DUAL/Ground"),
    "T1-DUAL out": ("T1DUAL/DICOM_anon/OutPhase", "T1DUAL/Ground"),
    "T2-SPIR": ("T2SPIR/DICOM_anon", "T2SPIR/Ground"),
}
MR_LABELS = {1: "liver", 2: "right kidney", 3: "left kidney", 4: "spleen"}
# Grey of the MR masks: above the first and up to the second number.
_MR_GREY = {1: (55, 70), 2: (110, 135), 3: (175, 200), 4: (240, 255)}
_CT_GREY = {1: (0, 255)}


def find_chaos(folder: Path, choices: Choices) -> list[Found]:
    """Find MR and CT, a data set each; in- and out-phase are cases of one patient.

    Args:
        folder: the download, ``Train_Sets``, or its ``MR`` or ``CT``.
        choices: ``sequences`` chooses among T1-DUAL in, T1-DUAL out and T2-SPIR.

    Raises:
        InputError: when there are no patients, or slices and masks do not fit.
    """
    wanted = choices.sequences or tuple(SEQUENCES)
    by_name = {name.lower(): name for name in SEQUENCES}
    if unknown := [name for name in wanted if name.lower() not in by_name]:
        raise InputError(f"CHAOS has no sequence '{unknown[0]}'; use {', '.join(SEQUENCES)}.")
    places = [folder, folder / "Train_Sets", folder / "CHAOS_Train_Sets" / "Train_Sets"]
    root = next((p for p in places if (p / "MR").is_dir() or (p / "CT").is_dir()), None)
    found = []
    for modality in ("MR", "CT"):
        place = (root or folder) / modality
        if folder.resolve().name == modality:
            place = folder
        cases: list[dict[str, Any]] = []
        for patient in _patients(place):
            if modality == "CT":
                cases += _case(place, patient, "", ("DICOM_anon", "Ground"))
            else:
                for name in (by_name[word.lower()] for word in wanted):
                    cases += _case(place, patient, name, SEQUENCES[name])
        if cases:
            found.append(Found(place, _facts(modality), cases))
    if not found:
        raise InputError(
            f"'{folder}' holds no MR/1/T2SPIR/Ground or CT/1/Ground; name the folder Train_Sets."
        )
    return found


def _facts(modality: str) -> dict[str, Any]:
    return {
        "name": "mr_abdomen_chaos" if modality == "MR" else "ct_liver_chaos",
        "modality": modality,
        "licence": "CHAOS challenge, CC BY-NC-SA 4.0",
        "redistributable": False,
        "non_commercial": True,
        "label_quality": "expert: radiologists",
        "labels": MR_LABELS if modality == "MR" else {1: "liver"},
        "groups": {"kidneys": ["right kidney", "left kidney"]} if modality == "MR" else {},
    }


def _patients(place: Path) -> list[Path]:
    if not place.is_dir():
        return []
    return sorted((p for p in place.iterdir() if p.name.isdigit()), key=lambda p: int(p.name))


def _case(
    place: Path, patient: Path, sequence: str, parts: tuple[str, str]
) -> list[dict[str, Any]]:
    """Return one series as a case, with its label map made; nothing where there are no masks."""
    slices, ground = (patient / part for part in parts)
    if not slices.is_dir() or not ground.is_dir():
        return []
    kind = "mr" if sequence else "ct"
    name = "_".join([f"chaos_{kind}_{patient.name}", *sequence.lower().replace("-", "").split()])
    files = sorted(f for f in slices.iterdir() if f.suffix.lower() == ".dcm")
    masks = sorted(f for f in ground.iterdir() if f.suffix.lower() == ".png")
    if len(files) != len(masks) or not files:
        raise InputError(
            f"CHAOS {kind.upper()} {patient.name} {sequence}: {len(files)} slices and {len(masks)} "
            "masks; unpack it again."
        )
    volume, planes = _read(slices, files)
    image = slices
    if volume.meta.get("format") != "DICOM":
        image = _write(volume, place / MADE / "images" / f"{name}.nii.gz")
    label = np.zeros(volume.shape, np.uint8)
    for file, mask in zip(files, masks, strict=True):
        grey = read_labels(mask)[0]
        if grey.shape != volume.shape[1:]:
            raise InputError(f"'{mask.name}' of '{patient.name}' is not of its slice's size.")
        label[planes[file]] = _values(grey, mask, _MR_GREY if sequence else _CT_GREY)
    target = place / MADE / "labels" / f"{name}.nii.gz"
    case = {
        "id": name,
        "patient": f"chaos_{kind}_{patient.name}",
        "image": image,
        "label": _write(volume.with_array(label), target),
        "sequence": sequence or None,
    }
    return [case]


def _read(folder: Path, files: Sequence[Path]) -> tuple[Volume, dict[Path, int]]:
    """Return a series and the slice (along k) of each file.

    Every file is taken for one slice of one series, also where anonymising gave each a series of
    its own; then the slices are put together here, in the order of their places.
    """
    try:
        volume = Volume.read(folder)
        listed = [Path(name) for name in volume.meta["dicom_files"]]
        if len(listed) == len(files) == volume.shape[0]:
            slices = volume.meta["dicom_slices"]
            return volume, {f: round(k) for f, k in zip(listed, slices, strict=True)}
    except InputError:
        pass  # what is wrong with a single file is said below
    single = {file: Volume.read(file) for file in files}
    first = next(iter(single.values()))
    normal = first.ijk_to_ras[:3, 2] / np.linalg.norm(first.ijk_to_ras[:3, 2])
    order = sorted(files, key=lambda f: float(single[f].ijk_to_ras[:3, 3] @ normal))
    if len({single[f].shape for f in files}) > 1 or first.shape[0] != 1:
        raise InputError(f"The slices in '{folder}' are not of one size; unpack them again.")
    matrix = single[order[0]].ijk_to_ras.copy()
    if len(order) > 1:
        last = single[order[-1]].ijk_to_ras[:3, 3]
        matrix[:3, 2] = (last - matrix[:3, 3]) / (len(order) - 1)
    array = np.concatenate([single[f].array for f in order])
    return Volume(array, matrix, first.modality), {file: k for k, file in enumerate(order)}


def _values(grey: np.ndarray, mask: Path, greys: Mapping[int, tuple[int, int]]) -> np.ndarray:
    """Return label values for a mask's grey.

    Raises:
        InputError: for a grey that stands for nothing.
    """
    label = np.zeros(grey.shape, np.uint8)
    for value, (low, high) in greys.items():
        label[(grey > low) & (grey <= high)] = value
    if strange := np.unique(grey[(label == 0) & (grey > 0)]).tolist():
        raise InputError(f"'{mask}' holds the grey {strange[0]}, which is no organ of CHAOS.")
    return label


def _write(volume: Volume, path: Path) -> Path:
    """Write a NIfTI file in the place of the volume."""
    import SimpleITK as sitk

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(volume.to_sitk(), str(path))
    except (OSError, RuntimeError) as error:
        raise OutputError(f"'{path}' cannot be written: {error}.") from error
    return path

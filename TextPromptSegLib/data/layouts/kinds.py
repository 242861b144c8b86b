"""The layouts that `textpromptseg data index` knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...outcome import InputError
from .brats import find_brats
from .btcv import find_btcv
from .chaos import find_chaos
from .class_folders import find_class_folders
from .figshare import find_figshare
from .flare import find_flare21, find_flare22
from .index import Choices, Found, Indexed, Progress, write_index
from .lvit import find_mosmed, find_qata
from .msd import find_msd


@dataclass(frozen=True)
class Kind:
    """A layout: what it is, and its reader."""

    title: str
    find: Callable[[Path, Choices], list[Found]]


KINDS: Mapping[str, Kind] = {
    "btcv": Kind("BTCV abdominal CT: RawData/Training with img and label", find_btcv),
    "brats": Kind("BraTS 2018-2025: a folder with sequences and seg for each patient", find_brats),
    "chaos": Kind("CHAOS Train_Sets: MR and CT as DICOM with PNG masks", find_chaos),
    "figshare": Kind("Cheng's brain tumors: 1.mat ... 3064.mat, cvind.mat", find_figshare),
    "flare21": Kind("FLARE 2021: TrainingImg and TrainingMask", find_flare21),
    "flare22": Kind("FLARE 2022: images and labels of 13 organs", find_flare22),
    "kaggle": Kind("folders named after classes, X.png beside X_mask.png", find_class_folders),
    "mosmed": Kind("MosMedData+ with LViT's tables (xlsx)", find_mosmed),
    "msd": Kind("a task of the Medical Segmentation Decathlon", find_msd),
    "qata": Kind("QaTa-COV19 with LViT's tables (xlsx)", find_qata),
}


def index_layout(
    kind: str,
    folder: str | Path,
    choices: Choices | None = None,
    progress: Progress | None = None,
) -> list[Indexed]:
    """Write the index of a public data set as it was downloaded and unpacked.

    Args:
        kind: a name of `KINDS`.
        folder: where it lies.
        choices: name, shares, seed, ...
        progress: called before every case; False cancels.

    Returns:
        One index, or two for a download with two modalities.

    Raises:
        InputError: with one sentence, for another layout or what may not be in a data set.
        OutputError: when the folder cannot be written to.
        DependencyError: when a reader's package is missing.
        Cancelled: when ``progress`` answered False.
    """
    folder, choices = Path(folder), choices or Choices()
    if kind not in KINDS:
        raise InputError(f"There is no layout '{kind}'; use {', '.join(KINDS)}.")
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'.")
    try:
        found = KINDS[kind].find(folder, choices)
    except OSError as error:
        raise InputError(f"'{error.filename}' cannot be read ({error.strerror}).") from error
    if choices.name and len(found) > 1:
        raise InputError(f"'{folder}' holds {len(found)} data sets; leave out --name.")
    return [write_index(one, choices, progress) for one in found]

"""From the cases of a layout to a ``dataset.json``: splits, presence, and what may not be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...files.text import write_json
from ...outcome import Cancelled, InputError
from ..datasets import BESIDE, INDEX, Dataset, is_index, read_labels
from .copies import Copies

Progress = Callable[[int, int, str], bool]
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Choices:
    """What a person may choose; None is the layout's own.

    Attributes:
        name: of the data set.
        val: share of the drawn patients to choose settings on.
        test: share of them that is kept for the test.
        seed: of the draw.
        fold: which published fold is the test, from 1.
        sequences: sequences to take, where a patient has several.
        modality: of pictures that may be anything.
        allow_copies: pictures of equal content may lie in two splits; it is written down.
    """

    name: str | None = None
    val: float | None = None
    test: float | None = None
    seed: int | None = None
    fold: int | None = None
    sequences: tuple[str, ...] = ()
    modality: str | None = None
    allow_copies: bool = False

    def __post_init__(self) -> None:
        """Refuse shares that leave nothing to train on.

        Raises:
            InputError: with one sentence.
        """
        val, test = self.val or 0.0, self.test or 0.0
        if min(val, test) < 0 or val + test >= 1:
            raise InputError("The shares --val and --test are at least 0 and together below 1.")


@dataclass
class Found:
    """What a reader found.

    Attributes:
        root: folder that gets the index; every file lies in it.
        facts: ``name``, ``modality``, ``labels`` (value -> name), ``groups``, ``licence``, ...
        cases: ``id``, ``patient``, ``image`` (a path or several), ``label`` (a path, or a path for
            each name), optional ``split`` (None is drawn), ``text``, ...
        val: share of the drawn patients.
        test: share of the drawn patients.
        seed: of the draw.
        notes: sentences for the person.
    """

    root: Path
    facts: dict[str, Any]
    cases: list[dict[str, Any]]
    val: float = 0.1
    test: float = 0.2
    seed: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Indexed:
    """A written index, and what is to be said of it."""

    path: Path
    dataset: Dataset
    notes: tuple[str, ...]


def write_index(found: Found, choices: Choices, progress: Progress | None = None) -> Indexed:
    """Draw the splits that a layout leaves open, check everything, and write the index.

    Args:
        found: of a reader.
        choices: of the person.
        progress: called before every case; False cancels, and nothing is written.

    Returns:
        The file and its data set. It is ``textpromptseg.json`` where the publisher's own
        ``dataset.json`` lies in the folder.

    Raises:
        InputError: for a picture that is its own mask or is in two splits, values that are no
            label, images and labels of different sizes, or too few patients.
        Cancelled: when ``progress`` answered False.
    """
    copies = Copies(path for case in found.cases for path in _images(case))
    _draw(found, choices, copies)
    names = [str(name) for name in found.facts["labels"].values()]
    cases = []
    for number, case in enumerate(found.cases):
        if progress is not None and not progress(number, len(found.cases), f"case {case['id']}"):
            raise Cancelled("indexing")
        present = _present(case, found.facts["labels"])
        _check_own_mask(case, present)
        _check_sizes(case)
        cases.append(_entry(case, found.root, [n for n in names if n in present]))
    notes = [*found.notes, *_leaks(found, choices, copies)]
    facts = {**found.facts, "labels": {str(v): n for v, n in found.facts["labels"].items()}}
    if choices.name:
        facts["name"] = choices.name
    cautions = [str(facts["caution"])] if facts.get("caution") else []
    facts["caution"] = " ".join([*cautions, *notes]) or None
    path = found.root / INDEX
    if path.is_file() and not is_index(path):
        path = found.root / BESIDE
    write_json(path, {**facts, "cases": cases})
    return Indexed(path, Dataset.read(path), tuple(notes))


def _draw(found: Found, choices: Choices, copies: Copies) -> None:
    """Give every case without a split one; a patient, and copies of a picture, stay together."""
    open_cases = [case for case in found.cases if case.get("split") is None]
    if not open_cases:
        return
    groups = {id(case): str(case.get("patient") or f"#{case['id']}") for case in open_cases}
    parent = {group: group for group in groups.values()}

    def top(group: str) -> str:
        while parent[group] != group:
            group = parent[group]
        return group

    first: dict[Path, str] = {}
    for case in open_cases:
        for path in _images(case):
            group = first.setdefault(copies.first(path), groups[id(case)])
            parent[top(groups[id(case)])] = top(group)
    names = sorted({top(group) for group in groups.values()})
    val = found.val if choices.val is None else choices.val
    test = found.test if choices.test is None else choices.test
    seed = found.seed if choices.seed is None else choices.seed
    kept = [max(1, round(share * len(names))) if share > 0 else 0 for share in (test, val)]
    if sum(kept) >= len(names):
        raise InputError(
            f"'{found.root}' holds {len(names)} patients or pictures to divide, too few for train, "
            "val and test; choose smaller shares with --val and --test."
        )
    order = np.random.default_rng(seed).permutation(len(names)).tolist()
    split = {names[n]: _place(i, kept) for i, n in enumerate(order)}
    for case in open_cases:
        case["split"] = split[top(groups[id(case)])]


def _place(number: int, kept: Sequence[int]) -> str:
    return "test" if number < kept[0] else "val" if number < sum(kept) else "train"


def _images(case: Mapping[str, Any]) -> list[Path]:
    image = case["image"]
    return [image] if isinstance(image, Path) else list(dict.fromkeys(image))


def _labels(case: Mapping[str, Any]) -> list[Path]:
    label = case["label"]
    return list(label.values()) if isinstance(label, Mapping) else [label]


def _present(case: Mapping[str, Any], labels: Mapping[int, str]) -> set[str]:
    """Return the names of what is drawn."""
    label = case["label"]
    if isinstance(label, Mapping):
        return {name for name, path in label.items() if (read_labels(path) > 0).any()}
    values = set(np.unique(read_labels(label)).tolist()) - {0}
    if strange := sorted(values - set(labels)):
        raise InputError(
            f"'{label.name}' holds the value {strange[0]:g}, which is none of the layout's labels "
            f"({', '.join(f'{v} {n}' for v, n in labels.items())}); is it this kind of data?"
        )
    return {labels[int(value)] for value in values}


def _check_own_mask(case: Mapping[str, Any], present: set[str]) -> None:
    """Refuse a picture that is its own mask.

    Raises:
        InputError: naming it.
    """
    for image in _images(case):
        for label in _labels(case):
            if image == label or (present and Copies([image, label]).first(label) != label):
                raise InputError(f"The picture '{image.name}' is its own mask; put the mask right.")


def _check_sizes(case: Mapping[str, Any]) -> None:
    """Refuse a label that is not of its image's size; headers only are read.

    Raises:
        InputError: naming the case.
    """
    sizes = {size for path in [*_images(case), *_labels(case)] for size in _size(path)}
    if len(sizes) > 1:
        raise InputError(f"Image and label of '{case['id']}' differ in size.")


def _size(path: Path) -> Iterator[tuple[int, ...]]:
    """Yield the size of an image file; of a folder with slices nothing."""
    import SimpleITK as sitk

    if path.is_dir():
        return
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(f"'{path.name}' cannot be read; copy or download it again.") from error
    size = tuple(reader.GetSize())[:3]
    yield size if len(size) == 3 else (*size, 1)


def _entry(case: Mapping[str, Any], root: Path, present: list[str]) -> dict[str, Any]:
    """Return a case as the index holds it."""

    def inside(path: Path) -> str:
        return path.relative_to(root).as_posix()

    image, label = case["image"], case["label"]
    entry = {key: value for key, value in case.items() if value is not None or key == "patient"}
    entry["image"] = inside(image) if isinstance(image, Path) else [inside(p) for p in image]
    if isinstance(label, Mapping):
        entry["label"] = {name: inside(path) for name, path in label.items()}
    else:
        entry["label"] = inside(label)
    return {**entry, "present": present}


def _leaks(found: Found, choices: Choices, copies: Copies) -> list[str]:
    """Refuse a picture in two splits; tell of patients whose published splits share them.

    Raises:
        InputError: naming the picture.
    """
    seen: dict[Path, tuple[str, Path]] = {}
    patients: dict[str, set[str]] = {}
    equal = 0
    for case in found.cases:
        if case.get("patient") is not None:
            patients.setdefault(str(case["patient"]), set()).add(case["split"])
        for path in _images(case):
            split, other = seen.setdefault(copies.first(path), (case["split"], path))
            if split == case["split"]:
                continue
            if path != other and choices.allow_copies:
                equal += 1
                continue
            same = f"'{path.name}'"
            if path != other:
                same += f" (the same as '{other.name}')"
            raise InputError(
                f"The picture {same} is in {split} and in {case['split']}; take it out of one"
                + ("." if path == other else ", or say --allow-copies.")
            )
    notes = []
    if equal:
        notes.append(f"Equal pictures in two splits under two names (--allow-copies): {equal}.")
    if shared := sum(len(splits) > 1 for splits in patients.values()):
        notes.append(
            f"Patients with pictures in more than one split, as published: {shared}; numbers on "
            "val and test are too good."
        )
    return notes

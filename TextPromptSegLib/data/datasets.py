"""Data sets in the form of ``dataset.json``: images, label files, and what is known of each.

The form: ``labels`` (value -> name), ``groups`` (name -> names), ``cases`` with ``image``,
``label`` (a file, or {name: file} for overlaps), ``present``, optional ``annotated`` and ``frames``
(of a four-dimensional file, one for each channel). Paths are relative to the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..files.text import read_json
from ..image.volume import Volume
from ..outcome import InputError

INDEX = "dataset.json"
BESIDE = "textpromptseg.json"
"""Name of the file where a publisher's own ``dataset.json`` lies in the folder."""


@dataclass(frozen=True)
class Case:
    """One labelled image.

    Attributes:
        dataset: the data set it belongs to.
        id: name within the data set.
        patient: patient id, or None where patients are not known.
        split: "train", "val" or "test".
        image_paths: one file or folder per channel.
        label: a label picture, or one binary picture per structure.
        present: label names that occur.
        annotated: label names that were looked for.
        extra: the further fields of the case (text, plane, spacing_mm, ...).
    """

    dataset: Dataset = field(repr=False)
    id: str
    patient: str | None
    split: str
    image_paths: tuple[Path, ...]
    label: Path | Mapping[str, Path]
    present: tuple[str, ...]
    annotated: tuple[str, ...]
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def volume(self, channel: int = 0) -> Volume:
        """Read the image (one channel of it) with the data set's modality."""
        frames = self.extra.get("frames")
        frame = frames[channel] if frames else None
        volume = Volume.read(self.image_paths[channel], frame=frame)
        if volume.modality is None:
            volume = replace(volume, modality=self.dataset.modality)
        return volume

    def members(self, name: str) -> tuple[str, ...]:
        """Return the labels that make up a label or group name."""
        return tuple(self.dataset.groups.get(name, (name,)))

    def known_names(self) -> tuple[str, ...]:
        """Return labels and groups whose presence or absence is known here.

        A label outside ``annotated`` is unknown, and so is a group with such a member.
        """
        known = set(self.annotated)
        names = [name for name in self.dataset.labels.values() if name in known]
        names += [g for g, parts in self.dataset.groups.items() if known.issuperset(parts)]
        return tuple(names)

    def is_present(self, name: str) -> bool:
        """Return whether a label or any member of a group occurs."""
        return any(part in self.present for part in self.members(name))

    def label_arrays(self) -> dict[str, np.ndarray]:
        """Return {label name: (K, J, I) bool} of the labels present, in the file's order."""
        if isinstance(self.label, Mapping):
            return {n: read_labels(p) > 0 for n, p in self.label.items()}
        values = read_labels(self.label)
        wanted = {name: value for value, name in self.dataset.labels.items()}
        return {name: values == wanted[name] for name in self.present}

    def mask(self, name: str) -> np.ndarray:
        """Return the mask (K, J, I) uint8 of a label or group, in the file's order.

        Raises:
            InputError: when the name is not known in this case.
        """
        if name not in self.known_names():
            raise InputError(f"'{name}' was not annotated in case '{self.id}'.")
        if isinstance(self.label, Mapping):
            parts = [read_labels(self.label[n]) > 0 for n in self.members(name) if n in self.label]
            if parts:
                return np.logical_or.reduce(parts).astype(np.uint8)
            return np.zeros(self.volume().shape, np.uint8)
        wanted = [v for v, n in self.dataset.labels.items() if n in self.members(name)]
        return np.isin(read_labels(self.label), wanted).astype(np.uint8)


@dataclass(frozen=True)
class Dataset:
    """A ``dataset.json`` and its folder.

    Attributes:
        path: the file.
        name: name of the data set.
        modality: "CT", "MR" or "CXR".
        labels: value in the label picture -> structure.
        groups: name -> names of labels, the union.
        cases: all cases.
        info: the file without its cases (licence, caution, label_quality, ...).
    """

    path: Path
    name: str
    modality: str | None
    labels: Mapping[int, str]
    groups: Mapping[str, tuple[str, ...]]
    cases: tuple[Case, ...]
    info: Mapping[str, Any]

    @classmethod
    def read(cls, path: str | Path) -> Dataset:
        """Read a ``dataset.json`` (or the folder that holds one).

        Raises:
            InputError: with one sentence, when the file is missing or not of the form, or when a
                picture is in two splits or its own mask.
        """
        path = index_of(Path(path))
        try:
            values = read_json(path)
        except OSError as error:
            raise InputError(f"The data set '{path}' cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise InputError(f"'{path}' is not valid JSON; see the README for the form.") from error
        try:
            return cls._from_values(path, values)
        except KeyError as error:
            raise InputError(
                f"'{path}' is not a data set: it lacks {error}; it needs name, labels and cases."
            ) from error
        except (TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"'{path}' is not a data set: {error}; it needs name, labels and cases."
            ) from error

    @classmethod
    def _from_values(cls, path: Path, values: Any) -> Dataset:
        if not isinstance(values, Mapping):
            raise ValueError("it is no JSON object")
        cases: list[Case] = []
        info = {key: value for key, value in values.items() if key != "cases"}
        labels = {int(value): _text(name) for value, name in values["labels"].items()}
        groups = {g: _texts(parts) for g, parts in (values.get("groups") or {}).items()}
        known = set(labels.values())
        for group, parts in groups.items():
            _check_names(parts, known, f"the group '{group}'")
        modality = values.get("modality")
        if modality is not None:
            modality = _text(modality)
        dataset = cls(path, _text(values["name"]), modality, labels, groups, (), info)
        root = path.parent
        if not isinstance(values["cases"], list):
            raise ValueError("'cases' is no list")
        taken = {"id", "patient", "split", "image", "label", "present", "annotated"}
        for item in values["cases"]:
            if not isinstance(item, Mapping):
                raise ValueError(f"{item!r:.60} is no case")
            images = item["image"] if isinstance(item["image"], list) else [item["image"]]
            where = f"the case '{item['id']}'"
            if not images:
                raise ValueError(f"{where} has no image")
            frames = item.get("frames")
            if frames is not None and (
                not isinstance(frames, list)
                or len(frames) != len(images)
                or not all(type(frame) is int and frame >= 0 for frame in frames)
            ):
                raise ValueError(f"{where} does not have one frame for each image")
            present = _texts(item["present"])
            annotated = _texts(item.get("annotated", list(labels.values())))
            _check_names([*present, *annotated], known, where)
            label: Path | dict[str, Path]
            if isinstance(item["label"], Mapping):
                label = {name: _inside(root, file) for name, file in item["label"].items()}
                _check_names(label, known, where)
            else:
                label = _inside(root, item["label"])
            cases.append(
                Case(
                    dataset=dataset,
                    id=str(item["id"]),
                    patient=None if item.get("patient") is None else str(item["patient"]),
                    split=_text(item["split"]),
                    image_paths=tuple(_inside(root, file) for file in images),
                    label=label,
                    present=present,
                    annotated=annotated,
                    extra={key: value for key, value in item.items() if key not in taken},
                )
            )
        object.__setattr__(dataset, "cases", tuple(cases))
        _check_leaks(cases)
        return dataset

    def renamed(self, name: str) -> Dataset:
        """Return the data set under another name; its cases belong to the new one."""
        if name == self.name:
            return self
        other = replace(self, name=name, cases=())
        cases = tuple(replace(case, dataset=other) for case in self.cases)
        object.__setattr__(other, "cases", cases)
        return other

    def split(self, name: str) -> list[Case]:
        """Return the cases of one split."""
        return [case for case in self.cases if case.split == name]

    def training_facts(self) -> dict[str, Any]:
        """Return what a checkpoint says of a data set that it was trained on, JSON-ready."""
        return {
            "name": self.name,
            "licence": self.info.get("licence"),
            "label_quality": self.info.get("label_quality"),
            "synthetic": self.is_synthetic,
            "non_commercial": bool(self.info.get("non_commercial")),
        }

    @property
    def is_synthetic(self) -> bool:
        """Whether the images were drawn by a program instead of scanned.

        The field ``synthetic`` says so, or the caution in its first words.
        """
        stated = self.info.get("synthetic")
        if stated is not None:
            return bool(stated)
        caution = str(self.info.get("caution") or "").lower()
        return caution.startswith(("the images are synthetic", "synthetic images"))

    @property
    def is_open(self) -> bool:
        """Whether the data may be passed on and used for anything."""
        return bool(self.info.get("redistributable")) and not self.info.get("non_commercial")


def index_of(path: Path) -> Path:
    """Return the index in a folder (`BESIDE` or `INDEX`), or the path of anything else."""
    if not path.is_dir():
        return path
    beside = path / BESIDE
    return beside if beside.is_file() else path / INDEX


def is_index(path: Path) -> bool:
    """Return whether a file is an index of this form; publishers call other files so, too."""
    try:
        values = read_json(path)
    except (OSError, ValueError):
        return False
    return isinstance(values, Mapping) and isinstance(values.get("cases"), list)


def read_labels(path: str | Path) -> np.ndarray:
    """Return the label values (K, J, I) of a label file, in the file's order.

    Raises:
        InputError: when the file cannot be read.
    """
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(f"The label file '{path}' cannot be read.") from error
    array = sitk.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        array = array[..., 0]
    return array if array.ndim == 3 else array[None]


def _check_leaks(cases: Iterable[Case]) -> None:
    """Refuse a picture in two splits, and one that is its own mask.

    Raises:
        InputError: naming the picture.
    """
    split_of: dict[Path, str] = {}
    for case in cases:
        labels = case.label.values() if isinstance(case.label, Mapping) else [case.label]
        for image in case.image_paths:
            if image in labels:
                raise InputError(f"The picture '{image.name}' is its own mask; put the mask right.")
            other = split_of.setdefault(image, case.split)
            if other != case.split:
                raise InputError(
                    f"The picture '{image.name}' is in {other} and in {case.split}; take it out of "
                    "one."
                )


def _text(value: Any) -> str:
    """Return a text as it is.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.60} is no text")
    return value


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list | tuple):
        raise ValueError(f"{values!r:.60} is no list of names")
    return tuple(map(_text, values))


def _check_names(names: Iterable[str], known: set[str], where: str) -> None:
    """Refuse names without a label, which would fail in the middle of a run."""
    unknown = sorted(set(names) - known)
    if unknown:
        raise ValueError(f"{where} names '{unknown[0]}', which is none of the labels")


def _inside(root: Path, file: Any) -> Path:
    """Return the path of a file of the data set; it may not leave the folder.

    Raises:
        ValueError: for a path that points elsewhere.
    """
    if not _text(file) or "\0" in file:
        raise ValueError("a file has no name")
    if not file.isprintable():  # what is no UTF-8 ends the process inside ITK
        raise ValueError(f"{file!r:.60} is no name of a file that can be used")
    if Path(file).is_absolute() or ".." in Path(file).parts:
        raise ValueError(f"'{file}' points outside the data set")
    return root / file

"""Which images a batch works on, what their results are called, and whether they have changed."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..files.text import read_json
from ..formats.dicom_series import image_series
from ..formats.kinds import DICOM_SUFFIXES, IMAGE_SUFFIXES, kind_of
from ..formats.members import input_files, is_dicom, is_dicom_index
from ..outcome import InputError

LIST_SUFFIXES = (".txt", ".list", ".lst", ".csv")
RECORD_SUFFIX = ".report.json"
_RESERVED = {"summary"}
_LONGEST_ID = 180  # bytes of one part of a case's name; endings and side files need the rest


class _Source(NamedTuple):
    """An image that was found; UID and label of a series where there are several."""

    path: Path
    series: str | None = None
    label: str = ""


@dataclass(frozen=True)
class Case:
    """One image of a batch.

    Attributes:
        id: name of its results below the output folder, with "/" between folders.
        source: a file, or a folder with DICOM files.
        series: UID of the DICOM series, where the folder holds several.
    """

    id: str
    source: Path
    series: str | None = None


def find_cases(
    inputs: str | Path | Iterable[str | Path], output_dir: str | Path | None = None
) -> list[Case]:
    """Return the images of a folder (with its subfolders), of a text list, or of an iterable.

    A folder with DICOM files gives one case per series. Results of earlier runs, hidden files and
    the output folder itself are passed over. A list holds one path per line, relative to the
    list; empty lines and lines that begin with # do not count. Paths that do not exist stay in:
    they become cases that fail with a sentence.

    Args:
        inputs: a folder, a list file, one image, or paths.
        output_dir: where the results go.

    Raises:
        InputError: when there is nothing to work on.
    """
    if isinstance(inputs, str | Path):
        path = Path(inputs)
        if path.is_file() and path.name.lower().endswith(LIST_SUFFIXES):
            sources = list(_read_list(path))
        elif path.is_dir():
            exclude = None if output_dir is None else Path(os.path.abspath(output_dir))
            if exclude == Path(os.path.abspath(path)):
                exclude = None  # results lie beside the images
            return _named(list(_walk(path, exclude)), path)
        elif path.exists():
            sources = [path]
        else:
            raise InputError(f"There is no file or folder {path}.")
    else:
        sources = [Path(item) for item in inputs]
    expanded: list[_Source] = []
    for source in sources:
        several = is_folder(source) or is_dicom_index(source)
        expanded.extend(_folder_series(source) if several else [_Source(source)])
    if not expanded:
        raise InputError("The list names no image; write one path per line.")
    absolute = [Path(os.path.abspath(found.path)).parent for found in expanded]
    return _named(expanded, Path(os.path.commonpath(absolute)))


def inputs_around(cases: Iterable[Case], output_dir: Path) -> list[Path]:
    """Return those files of the images that results below a folder could replace.

    Folders of images far from the results are not listed: they may hold very many files.
    """
    out = os.path.join(os.path.realpath(output_dir), "")
    found: dict[Path, None] = {}
    for case in cases:
        folder = os.path.join(os.path.realpath(case.source), "")
        if not is_folder(case.source) or folder.startswith(out) or out.startswith(folder):
            # What cannot be read shows when its turn comes.
            with contextlib.suppress(OSError, ValueError, InputError):
                found.update(dict.fromkeys(input_files(case.source)))
    return list(found)


def fingerprint(case: Case, job: Mapping[str, Any], files: Iterable[Path] | None = None) -> str:
    """Return a digest that changes when the image or anything that was asked of it changes.

    Args:
        case: the image; path, size and time of change of all its files count.
        job: prompts, model, options, JSON-ready.
        files: those of the image, where they are known.

    Raises:
        InputError: when the image is not there.
    """
    try:
        stamps = [
            (str(path.resolve()), stat.st_size, stat.st_mtime_ns)
            for path in (input_files(case.source) if files is None else files)
            for stat in [path.stat()]
        ]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{case.source} cannot be read ({reason}).") from error
    content = json.dumps([case.series, stamps, job], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def _read_list(path: Path) -> Iterator[Path]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is no text list with one path per line.") from error
    for line in text.splitlines():
        entry = line.strip().strip('"').strip()
        if entry and not entry.startswith("#"):
            yield path.parent / _expanded(entry)


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder; one that cannot be a path is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _expanded(entry: str) -> Path:
    """Return a path of a list; ~ stands for the home folder where there is one."""
    try:
        return Path(entry).expanduser()
    except (RuntimeError, ValueError):
        return Path(entry)


def _walk(root: Path, exclude: Path | None) -> Iterator[_Source]:
    """Every image and DICOM series below a folder, in a fixed order; links are followed once."""
    visited: set[Path] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        here = Path(folder)
        real = here.resolve()
        if real in visited or (exclude is not None and Path(os.path.abspath(here)) == exclude):
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        dicom = False
        results = _results(here, names)
        for name in sorted(names):
            if name.startswith(".") or name.lower().endswith(".seg.nrrd") or name in results:
                continue
            kind = _kind(here / name)
            if kind == "image":
                yield _Source(here / name)
            dicom = dicom or kind == "dicom"
        if dicom:
            yield from _folder_series(here)


def _results(folder: Path, names: list[str]) -> set[str]:
    """Files that an earlier batch put beside the images, by its records."""
    found: set[str] = set()
    for name in names:
        if name.endswith(RECORD_SUFFIX):
            try:
                record = read_json(folder / name)
                found.update(Path(file).name for file in record["files"])
            except (OSError, ValueError, KeyError, TypeError):
                continue
    return found


def _kind(path: Path) -> str:
    """Return "image", "dicom" or "": names that images have count, and else what a file holds.

    A name is enough, so that a damaged image becomes a case that fails with a sentence.
    """
    name = path.name.lower()
    if name == "dicomdir":
        return ""
    if not path.is_file():  # a link that leads nowhere fails as a case, where it cannot be missed
        return "image" if name.endswith(IMAGE_SUFFIXES) and path.is_symlink() else ""
    if is_dicom(path):
        return "dicom"
    if name.endswith(IMAGE_SUFFIXES):
        return "image"
    try:
        with path.open("rb") as stream:
            start = stream.read(352)
        if start[:2] == b"\x1f\x8b":
            with gzip.open(path) as unpacked:
                start = unpacked.read(352)
    except (OSError, EOFError, zlib.error):
        return ""
    return "image" if kind_of(start) else ""


def _folder_series(folder: Path) -> list[_Source]:
    """The series of a folder; a UID and a label are given only where there are several."""
    series = image_series(folder)
    if len(series) < 2:
        return [_Source(folder)]
    labels = [_label(facts, place) for place, facts in enumerate(series, 1)]
    for place, label in enumerate(labels):
        if label in labels[:place]:
            labels[place] = f"{label}-{place + 1}"
    return [
        _Source(folder, facts["uid"], label) for facts, label in zip(series, labels, strict=True)
    ]


def _label(facts: Mapping[str, str], place: int) -> str:
    """Return what a series is called in the names of its results: its number and description."""
    words = re.sub(r"[^\w]+", "-", facts["description"]).strip("-_")[:40]
    return "-".join(part for part in (f"series{facts['number'] or place}", words) if part)


def _named(sources: list[_Source], root: Path) -> list[Case]:
    """Give every image a short name of its own."""
    if not sources:
        raise InputError(
            f"There is no readable image in {root}; NIfTI, NRRD, MetaImage, DICOM, PNG and JPEG "
            "are looked for."
        )
    base = Path(os.path.abspath(root))
    unique = dict.fromkeys(
        _Source(Path(os.path.abspath(found.path)), found.series, found.label) for found in sources
    )
    rows = []
    for source, series, label in unique:
        relative = source.relative_to(base)
        name = source.name if relative == Path() else relative.as_posix()
        plain = name if is_folder(source) else _without_suffix(name)
        plain, name = _short(plain), _short(name)
        if series is not None:
            plain = name = f"{plain}-{label}"
        rows.append((plain, name, source, series))
    count = Counter(plain.lower() for plain, *_ in rows)
    cases, used = [], set(_RESERVED)
    for plain, name, source, series in rows:
        # Two files that differ only in their ending keep it; whatever still clashes is numbered.
        chosen = plain if count[plain.lower()] == 1 else name.replace(".", "_")
        candidate, number = chosen, 2
        while candidate.lower() in used:
            candidate, number = f"{chosen}-{number}", number + 1
        used.add(candidate.lower())
        cases.append(Case(candidate, source, series))
    return cases


def _short(name: str) -> str:
    """Cut the parts of a case's name that no file system would take; their digest tells them apart.

    Bytes that are no UTF-8 stay as they are.
    """
    parts = []
    for part in name.split("/"):
        data = os.fsencode(part)
        if len(data) > _LONGEST_ID:
            digest = hashlib.sha256(data).hexdigest()[:10]
            start = data[: _LONGEST_ID - 11].decode("utf-8", "ignore").rstrip()
            part = f"{start}-{digest}"
        parts.append(part)
    return "/".join(parts)


def _without_suffix(name: str) -> str:
    for suffix in sorted((*IMAGE_SUFFIXES, *DICOM_SUFFIXES), key=len, reverse=True):
        if name.lower().endswith(suffix) and len(name.rpartition("/")[2]) > len(suffix):
            return name[: -len(suffix)]
    return name

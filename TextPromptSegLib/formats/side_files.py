"""Which files may lie beside a segmentation, and which of them an earlier run left."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ..files.text import read_json

ENDINGS = (".seg.nrrd", ".nii.gz", ".nii", ".dcm")
LONGEST_SIDE = 70
"""Bytes that the longest name beside a segmentation has more than its own name without ending."""


def divided(name: str) -> tuple[str, str]:
    """Return the name of a segmentation without its ending, and the ending as it is written."""
    length = next((len(e) for e in ENDINGS if name.lower().endswith(e)), 0)
    return name[: len(name) - length], name[len(name) - length :]


def side_names(segmentation: Path) -> re.Pattern[str]:
    """Return what the names of files beside a segmentation look like (capitals do not count)."""
    base, ending = divided(segmentation.name)
    kinds = [r"\.candidates\.seg\.nrrd", r"\.(uncertainty|heat-map)(-\d+-[a-z0-9-]*)?\.nii\.gz"]
    if ending.lower() in (".nii", ".nii.gz"):
        kinds += [rf"_layer\d+{re.escape(ending)}", r"\.labels\.json"]
    return re.compile(f"{re.escape(base)}({'|'.join(kinds)})", re.IGNORECASE)


def stale_files(segmentation: Path, written: Iterable[Path] = ()) -> list[Path]:
    """Return files of an earlier run under the same name that the new one does not replace.

    Layers count only where the earlier run's own list names them.

    Args:
        segmentation: where the new segmentation goes.
        written: all files of the new run.
    """
    new = {path.name for path in written}
    base, ending = divided(segmentation.name)
    found: list[Path] = []
    if segmentation.is_file():
        names = side_names(segmentation)
        maps = [p for p in _folder(segmentation) if names.fullmatch(p.name)]
        found += [p for p in maps if p.name.startswith(f"{base}.") and p.suffix != ".json"]
    if ending.lower() in (".nii", ".nii.gz"):
        try:
            listed = read_json(segmentation.with_name(f"{base}.labels.json"))["files"]
        except (OSError, ValueError, KeyError, TypeError):
            listed = []
        layer = re.compile(rf"{re.escape(base)}_layer\d+\.nii(\.gz)?", re.IGNORECASE)
        for name in listed if isinstance(listed, list) else []:
            if isinstance(name, str) and layer.fullmatch(name):
                found.append(segmentation.with_name(name))
    return [p for p in dict.fromkeys(found) if p.name not in new and p.is_file()]


def _folder(segmentation: Path) -> list[Path]:
    try:
        return sorted(segmentation.parent.iterdir())
    except OSError:
        return []

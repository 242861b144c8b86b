"""Every reader of images: how an input of bytes gets to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import seeds
from hypothesis import strategies as st
from mutations import damaged

from TextPromptSegLib.image.volume import Volume

Read = Callable[[bytes, Path], object]


@dataclass(frozen=True)
class Reader:
    """What is fuzzed.

    Attributes:
        inputs: strategy of inputs.
        read: reads one; an own exception is a refusal, any other a finding.
    """

    inputs: Callable[[], st.SearchStrategy[bytes]]
    read: Read


def _file(name: str) -> Read:
    def read(data: bytes, folder: Path) -> object:
        (folder / name).write_bytes(data)
        return _looked_at(Volume.read(folder / name))

    return read


def _beside(name: str) -> Read:
    """The header is the input; its voxels are whole."""

    def read(data: bytes, folder: Path) -> object:
        for other in ("voxels.raw", "v1.raw", "v2.raw", "v3.raw", "v4.raw"):
            (folder / other).write_bytes(seeds.voxels())
        (folder / name).write_bytes(data)
        return _looked_at(Volume.read(folder / name))

    return read


def _series(data: bytes, folder: Path) -> object:
    """A folder of three slices, one of which is the input; and what a batch makes of it."""
    from TextPromptSegLib.formats.members import input_files
    from TextPromptSegLib.jobs.cases import find_cases

    for number, whole in enumerate(seeds_of(seeds.neighbours)):
        (folder / f"IM{number}").write_bytes(whole)
    (folder / "IM2").write_bytes(data)
    for case in find_cases(folder):
        input_files(case.source)
    return _looked_at(Volume.read(folder))


def _looked_at(volume: Volume) -> object:
    """What every run asks of an image."""
    return (
        volume.canonical().array.sum(), volume.spacing, volume.bounds, volume.axcodes, volume.notes,
        volume.voxel_ml,
    )  # fmt: skip


_made: dict[Any, list[bytes]] = {}


def seeds_of(make: Callable[[], list[bytes]]) -> list[bytes]:
    """Return seeds, made once."""
    if make not in _made:
        _made[make] = make()
    return _made[make]


def _damaged(make: Callable[[], list[bytes]], head: int) -> Callable[[], st.SearchStrategy[bytes]]:
    return lambda: damaged(seeds_of(make), head)


IMAGES: dict[str, Reader] = {
    "nifti": Reader(_damaged(seeds.nifti, 352), _file("a.nii")),
    "nifti-gz": Reader(_damaged(seeds.packed_nifti, 64), _file("a.nii.gz")),
    "nrrd": Reader(_damaged(seeds.nrrd, 400), _file("a.nrrd")),
    "nhdr": Reader(_damaged(seeds.detached_nrrd, 400), _beside("a.nhdr")),
    "mha": Reader(_damaged(seeds.metaimage, 400), _file("a.mha")),
    "mhd": Reader(_damaged(seeds.detached_metaimage, 400), _beside("a.mhd")),
    "dicom": Reader(_damaged(seeds.dicom, 1400), _file("a.dcm")),
    "dicom-folder": Reader(_damaged(seeds.dicom, 1400), _series),
    "picture": Reader(_damaged(seeds.pictures, 120), _file("a.png")),
}

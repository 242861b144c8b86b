"""Where the files that ship with the extension are."""

from __future__ import annotations

from pathlib import Path

from .outcome import InputError

VERSION = "0.1.0"


def resources_dir() -> Path:
    """Return the folder ``Resources``: beside the package (checkout, Slicer) or inside a wheel.

    Raises:
        InputError: when the installation lost its resources.
    """
    here = Path(__file__).resolve().parent
    for folder in (here.parent / "Resources", here / "_resources"):
        if (folder / "Anatomy.json").is_file():
            return folder
    raise InputError(
        "The folder Resources of TextPromptSeg is missing; install the extension again."
    )


def resource_path(name: str) -> Path:
    """Return the path of one shipped file, for example ``Anatomy.json``."""
    return resources_dir() / name


def checkpoints_dir() -> Path:
    """Return the folder of the checkpoints that ship with the extension."""
    return resources_dir() / "Checkpoints"

"""Weights that others publish, in their own layouts: how to get them, and what they become."""

from __future__ import annotations

import os
from pathlib import Path

from ..checkpoints import catalogue
from ..checkpoints.layout import CONFIG
from ..checkpoints.model_info import (
    ModelInfo,
)
from ..files.text import read_json
from ..outcome import CheckpointError, Progress
from .registry import foreign_weights


def instructions(name: str) -> str | None:
    """Return how to get a model that neither ships nor can be downloaded by us; None = no such."""
    found = foreign_weights().get(name)
    return None if found is None else found.how_to_get


def import_path(
    path: str | os.PathLike[str], overwrite: bool = False, progress: Progress | None = None
) -> ModelInfo:
    """Import a checkpoint, or published weights as a checkpoint made of them.

    Args:
        path: folder or ``.zip`` of a checkpoint, or weights that a system can start from.
        overwrite: replace a checkpoint of the same name.
        progress: called while the weights are checked.

    Raises:
        CheckpointError: see `catalogue.import_path`.
        Cancelled: when ``progress`` returns False; nothing is left behind.
    """
    return catalogue.import_path(path, overwrite, progress, convert=as_checkpoint)


def as_checkpoint(path: Path, stage: Path) -> Path:
    """Return a checkpoint's folder or zip as it is, published weights as a checkpoint made of them.

    Args:
        path: what the user gave.
        stage: an empty folder for what has to be made.

    Raises:
        CheckpointError: for a file of weights that no system knows.
    """
    if path.suffix == ".zip" or _is_ours(path):
        return path
    known = foreign_weights()
    for weights in known.values():
        if not weights.fits(path):
            continue
        try:
            return weights.convert(path, stage / "converted")
        except CheckpointError as error:
            titles = " and ".join(w.title for w in known.values())
            raise CheckpointError(
                f"'{path.name}' cannot be imported: {error} Weights of {titles} are known; any "
                "other checkpoint is a folder or zip with config.json and model.safetensors."
            ) from error
    return path


def _is_ours(folder: Path) -> bool:
    """Whether a folder's configuration names one of our systems."""
    try:
        return "system" in read_json(folder / CONFIG)
    except (OSError, ValueError, TypeError):
        return False

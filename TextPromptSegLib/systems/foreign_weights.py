"""Weights that others publish, in their own layouts: how to get them, and what they become."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from ..checkpoints import catalogue
from ..checkpoints.layout import CONFIG
from ..checkpoints.model_info import ModelInfo
from ..files.text import read_json
from ..outcome import CheckpointError, Progress
from .registry import foreign_weights
from .stored_tensors import read_tensors, weights_file


def instructions(name: str) -> str | None:
    """Return how to get a model that neither ships nor can be downloaded by us; None = no such."""
    for system, weights in foreign_weights().items():
        if name == system or name in weights.kinds:
            return weights.how_to_get
    return None


def kinds() -> dict[str, str]:
    """Return what may be said of published weights (``--as``) -> whose they are."""
    return {kind: whose for w in foreign_weights().values() for kind, whose in w.kinds.items()}


def import_path(
    path: str | os.PathLike[str],
    overwrite: bool = False,
    progress: Progress | None = None,
    kind: str | None = None,
) -> ModelInfo:
    """Import a checkpoint, or published weights as a checkpoint made of them.

    Args:
        path: folder or ``.zip`` of a checkpoint, or weights that a system can start from.
        overwrite: replace a checkpoint of the same name.
        progress: called while the weights are checked.
        kind: whose weights they are, one of `kinds`; None = a checkpoint, or weights that say it
            themselves.

    Raises:
        CheckpointError: see `catalogue.import_path`.
        Cancelled: when ``progress`` returns False; nothing is left behind.
    """
    convert = partial(as_checkpoint, kind=kind)
    return catalogue.import_path(path, overwrite, progress, convert=convert)


def download(name: str, overwrite: bool = False, progress: Progress | None = None) -> ModelInfo:
    """Download a checkpoint, or the weights that others publish for a row of the catalogue.

    Raises:
        CheckpointError: see `catalogue.download`.
        Cancelled: when ``progress`` returns False; what came so far is kept for resuming.
    """
    convert = partial(as_checkpoint, kind=name)
    return catalogue.download(name, overwrite, progress, convert=convert)


def as_checkpoint(path: Path, stage: Path, kind: str | None = None) -> Path:
    """Return a checkpoint's folder or zip as it is, published weights as a checkpoint made of them.

    Args:
        path: what the user gave.
        stage: an empty folder for what has to be made.
        kind: whose weights they are, one of `kinds`.

    Raises:
        CheckpointError: for weights that no system knows, or of which nobody said whose they are.
    """
    if path.suffix == ".zip" or _is_ours(path):
        if kind is not None:
            raise CheckpointError(
                f"'{path.name}' is a checkpoint and says itself what it is; leave --as out."
            )
        return path
    known = foreign_weights()
    if kind is not None and kind not in kinds():
        raise CheckpointError(f"Nothing is known as '{kind}'; --as takes {', '.join(kinds())}.")
    file = weights_file(path)
    if file is None:
        if kind is None:
            return path
        raise CheckpointError(f"'{path}' is no file of weights, and no folder with one.")
    names = list(read_tensors(file))
    for weights in known.values():
        if kind in weights.kinds if kind is not None else weights.fits(names):
            return weights.convert(path, stage / "converted", kind)
    if path.is_dir():
        return path  # the catalogue says what is wrong with it
    titles = ", ".join(sorted(w.title for w in known.values()))
    raise CheckpointError(
        f"'{path.name}' cannot be imported: weights of {titles} are known; any other checkpoint is "
        "a folder or zip with config.json and model.safetensors."
    )


def _is_ours(folder: Path) -> bool:
    """Whether a folder's configuration names one of our systems."""
    try:
        return "system" in read_json(folder / CONFIG)
    except (OSError, ValueError, TypeError):
        return False

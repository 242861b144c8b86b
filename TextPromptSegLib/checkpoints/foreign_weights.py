"""Weights that others publish, in their own layouts: how to get them, and what they become."""

from __future__ import annotations

from pathlib import Path

from ..outcome import CheckpointError


def instructions(name: str) -> str | None:
    """Return how to get a model that neither ships nor can be downloaded by us; None = no such."""
    if name == "omt-sam":
        from ..systems.omt_sam.convert import HOW_TO_GET

        return HOW_TO_GET
    return None


def as_checkpoint(path: Path, stage: Path) -> Path:
    """Return a checkpoint's folder or zip as it is, published weights as a checkpoint made of them.

    Args:
        path: what the user gave.
        stage: an empty folder for what has to be made.

    Raises:
        CheckpointError: for a file of weights that no system knows.
    """
    from ..systems.omt_sam.convert import convert_sam, is_sam_file

    if (path / "config.json").is_file() and not is_sam_file(path):
        return path
    if not is_sam_file(path):
        return path
    try:
        return convert_sam(path, stage / "converted")
    except CheckpointError as error:
        raise CheckpointError(
            f"'{path.name}' cannot be imported: {error} Weights of SAM and MedSAM are known; any "
            "other checkpoint is a folder or zip with config.json and model.safetensors."
        ) from error

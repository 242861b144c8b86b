"""The frozen encoders that ship with the extension: no segmenters, but they can be verified."""

from __future__ import annotations

from pathlib import Path

from ..files.text import read_json
from ..outcome import CheckpointError, Progress
from .layout import sha256_of

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"


def shipped_encoders(root: Path) -> dict[str, Path]:
    """Return name -> folder of the encoders in ``Resources/Checkpoints``."""
    folders = sorted(root.iterdir()) if root.is_dir() else []
    return {folder.name: folder for folder in folders if (folder / CONFIG).is_file()}


def verify_encoder(name: str, folder: Path, progress: Progress | None = None) -> None:
    """Compare the sha256 of an encoder's weights with its configuration.

    Raises:
        CheckpointError: when they are missing or others.
        Cancelled: when ``progress`` returns False.
    """
    try:
        config = read_json(folder / CONFIG)
        expected = str(config["weights_sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"'{name}' is damaged; install the extension again.") from error
    if not (folder / WEIGHTS).is_file():
        raise CheckpointError(f"'{name}' lacks {WEIGHTS}; install the extension again.")
    if sha256_of(folder / WEIGHTS, progress) != expected:
        raise CheckpointError(
            f"The weights of '{name}' are damaged or of another version (sha256 differs); "
            "install the extension again."
        )

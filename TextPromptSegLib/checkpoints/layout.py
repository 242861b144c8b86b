"""A checkpoint's folder: ``config.json`` + ``model.safetensors`` + ``README.md`` (the model card).

The weights are checked against the configuration's sha256 before anything reads them.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..files.leftovers import owned_prefix, sweep
from ..files.text import read_json
from ..image.intensity import InputSpec
from ..outcome import Cancelled, CheckpointError, Progress
from .quality import check_entry

logger = logging.getLogger(__name__)

FORMAT, FORMAT_INT8 = 1, 2
"""Of a checkpoint; the second has weights that versions which read only the first do not know."""
CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
PLOT = "calibration.png"
"""Beside a card that was made with an evaluation: how far the probabilities can be believed."""
PENDING = CONFIG + ".new"
ANYTHING = "*"
"""Among a checkpoint's ``trained_prompts``: anything may be asked, in any words."""
REQUIRED = ("name", "system", "config", "input", "text_encoder", "trained_prompts", "licence")


def sha256_of(path: str | os.PathLike[str], progress: Progress | None = None) -> str:
    """Return the sha256 of a file, hexadecimal, lower case.

    Raises:
        CheckpointError: when the file cannot be read.
        Cancelled: when ``progress`` returns False.
    """
    path = Path(path)
    digest = hashlib.sha256()
    try:
        total, done = path.stat().st_size, 0
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
                done += len(block)
                if progress is not None and not progress(done, total, f"checking {path.name}"):
                    raise Cancelled(f"checking {path.name}")
    except OSError as error:
        raise CheckpointError(f"'{path}' cannot be read: {error.strerror or error}.") from error
    return digest.hexdigest()


def read_config(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the checked content of a checkpoint's ``config.json``.

    Raises:
        CheckpointError: when it is missing, unreadable, of a newer format or incomplete.
    """
    folder = Path(folder)
    _finish_interrupted_save(folder)
    path = folder / CONFIG
    try:
        config = read_json(path)
    except FileNotFoundError as error:
        raise CheckpointError(f"'{folder}' is not a checkpoint: it has no {CONFIG}.") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"'{path}' is damaged; get the checkpoint again.") from error
    check_config(config, str(path))
    return config


def check_config(config: Any, where: str) -> None:
    """Refuse a configuration that this version cannot use.

    Raises:
        CheckpointError: naming what is wrong.
    """
    if not isinstance(config, dict):
        raise CheckpointError(f"'{where}' is not a checkpoint configuration.")
    if config.get("format") not in (FORMAT, FORMAT_INT8):
        raise CheckpointError(
            f"'{where}' has format {config.get('format')!r}; this version reads formats {FORMAT} "
            f"and {FORMAT_INT8}: update TextPromptSeg or the checkpoint."
        )
    missing = [key for key in REQUIRED if key not in config]
    if missing:
        raise CheckpointError(f"'{where}' lacks {', '.join(missing)}; get the checkpoint again.")
    for key in ("config", "input", "text_encoder", "trained_prompts", "licence"):
        if not isinstance(config[key], dict):
            raise CheckpointError(f"'{where}' is damaged: '{key}' is not a table.")
    for name, entry in config["trained_prompts"].items():
        try:
            check_entry(entry)
        except ValueError as error:
            raise CheckpointError(
                f"'{where}' is damaged: the trained prompt '{name}' {error}."
            ) from error
    for key in ("name", "system", "title", "weights_sha256", "weights_dtype"):
        if not isinstance(config.get(key, ""), str):
            raise CheckpointError(f"'{where}' is damaged: '{key}' is not a text.")
    for key in ("modalities", "planes", "takes"):
        values = config.get(key, [])
        if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
            raise CheckpointError(f"'{where}' is damaged: '{key}' is not a list of texts.")


def verify_weights(
    folder: str | os.PathLike[str],
    config: Mapping[str, Any],
    progress: Progress | None = None,
) -> Path:
    """Return the path of the weights after comparing their sha256 with the configuration's.

    Raises:
        CheckpointError: when they are missing or are not the ones that the configuration names.
        Cancelled: when ``progress`` returns False.
    """
    path = Path(folder) / WEIGHTS
    if not path.is_file():
        raise CheckpointError(f"The checkpoint '{config['name']}' lacks {WEIGHTS}; get it again.")
    expected = str(config.get("weights_sha256", "")).lower()
    if not expected:
        raise CheckpointError(f"The checkpoint '{config['name']}' names no sha256; get it again.")
    if sha256_of(path, progress) != expected:
        raise CheckpointError(
            f"The weights of '{config['name']}' are damaged or of another version "
            "(sha256 differs); get the checkpoint again."
        )
    return path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file under a temporary name in the same folder, then put it in place."""
    hidden = f".{path.name}-"
    sweep(path.parent, hidden)
    handle, temporary = tempfile.mkstemp(
        prefix=owned_prefix(hidden), suffix=".tmp", dir=path.parent
    )
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if os.path.getsize(temporary) != len(content):
            raise OSError(errno.ENOSPC, "it was cut off while it was written", str(path))
        os.chmod(temporary, 0o644)  # mkstemp makes it private
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _finish_interrupted_save(folder: Path) -> None:
    """Put a waiting configuration in place when the weights beside it are already its own."""
    pending, weights = folder / PENDING, folder / WEIGHTS
    if not (pending.is_file() and weights.is_file()):
        return
    try:
        expected = read_json(pending)["weights_sha256"]
        if sha256_of(weights) == expected:
            os.replace(pending, folder / CONFIG)
    except (OSError, ValueError, KeyError, TypeError):
        logger.warning("An interrupted save in %s could not be finished.", folder.name)


def input_spec(config: Mapping[str, Any]) -> InputSpec:
    """Return a checkpoint's description of its input.

    Raises:
        CheckpointError: when it cannot be used.
    """
    try:
        return InputSpec.from_dict(config["input"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"The checkpoint's input description is unusable: {error}."
        ) from error

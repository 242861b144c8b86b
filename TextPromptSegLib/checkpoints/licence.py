"""Remembers which checkpoints' licences the user has acknowledged; non-permissive ones ask once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.text import read_json
from ..outcome import OutputError
from .layout import write_atomically
from .user_folder import user_home

if TYPE_CHECKING:
    from .model_info import (
        ModelInfo,
    )


def needs_acknowledgement(model: ModelInfo) -> bool:
    """Return whether the user still has to agree to the licence before the first use."""
    return not model.permissive and _key(model) not in _agreed()


def acknowledge(model: ModelInfo) -> None:
    """Remember that the user has read the licence line of a checkpoint.

    Raises:
        OutputError: when the user's folder cannot be written.
    """
    keys = sorted({*_agreed(), _key(model)})
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(keys, indent=1).encode())
    except OSError as error:
        raise OutputError(f"'{path}' cannot be written: {error.strerror or error}.") from error


def _path() -> Path:
    """Return the file that remembers."""
    return user_home() / "acknowledged.json"


def _key(model: ModelInfo) -> str:
    """Name the licence text that was agreed to: a changed one asks again."""
    return f"{model.name}|{model.licence}|{model.licence_line}"


def _agreed() -> list[str]:
    """Read the remembered keys; a damaged file means none."""
    try:
        keys = read_json(_path())
    except (OSError, ValueError):
        return []
    return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []

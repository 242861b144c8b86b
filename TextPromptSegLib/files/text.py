"""Text and JSON files: written whole, read so that hostile content is an error like any other."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..outcome import OutputError
from .leftovers import owned_prefix

STAGING_PREFIX = ".textpromptseg-"
_LARGEST_JSON = 256 << 20  # bytes


def parse_json(text: str | bytes) -> Any:
    """Return what a JSON text says.

    Raises:
        ValueError: when it is no JSON, or nested so deeply that Python gives up.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_json(path: str | os.PathLike[str]) -> Any:
    """Return what a JSON file says.

    Raises:
        OSError: when it cannot be opened.
        ValueError: when it is no JSON, nested too deeply, or far too large for one.
    """
    with Path(path).open("rb") as stream:
        content = stream.read(_LARGEST_JSON + 1)
    if len(content) > _LARGEST_JSON:
        raise ValueError(f"it is larger than {_LARGEST_JSON >> 20} MB")
    return parse_json(content.decode("utf-8-sig"))


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write JSON as a whole file: it is there complete, or the earlier one still is.

    Raises:
        OutputError: when it cannot be written.
    """
    write_text(path, json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) as a whole: it is there complete, or the earlier one still is.

    What is no UTF-8 (in names of files) is written as an escape that JSON reads back.

    Raises:
        OutputError: when it cannot be written.
    """
    content = text.encode("utf-8", errors="backslashreplace")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_name(f"{owned_prefix(STAGING_PREFIX)}{uuid.uuid4().hex}")
        try:
            with staged.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            if staged.stat().st_size != len(content):
                raise OutputError(f"{path} was cut off while it was written; free some disk space.")
            os.replace(staged, path)
        finally:
            staged.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}).") from error


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()

"""Files of equal content, found by size and then by checksum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from ...files.text import file_sha256
from ...outcome import InputError


class Copies:
    """Which files of a set are copies of an earlier one; only those of equal size are read.

    Args:
        paths: files; folders count as what they are and are never read.

    Raises:
        InputError: when a file cannot be read.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._first: dict[Path, Path] = {}
        sizes: dict[int, list[Path]] = defaultdict(list)
        try:
            for path in dict.fromkeys(paths):
                if not path.is_dir():
                    sizes[path.stat().st_size].append(path)
            for same in sizes.values():
                seen: dict[str, Path] = {}
                for path in same if len(same) > 1 else ():
                    self._first[path] = seen.setdefault(file_sha256(path), path)
        except OSError as error:
            raise InputError(f"'{error.filename}' cannot be read ({error.strerror}).") from error

    def first(self, path: Path) -> Path:
        """Return the first file of the same content, the file itself where it is alone."""
        return self._first.get(path, path)

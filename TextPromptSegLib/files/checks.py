"""Outputs that cannot be written, or that would destroy an input, are refused before anything runs.

Files are compared as files (device and number, folders with their links followed), not as names.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..outcome import OutputError
from .text import STAGING_PREFIX

LONGEST_NAME = 255
"""Bytes that the usual file systems take for one name."""

_Place = tuple[str, str]


class KnownFiles:
    """A set of files, there or not, that can be asked whether another path means one of them.

    Args:
        paths: the files.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._numbers: dict[tuple[int, int], Path] = {}
        self._places: dict[_Place, Path] = {}
        self._folders: dict[str, list[Path]] = {}
        for path in paths:
            if number := _number(path):
                self._numbers.setdefault(number, path)
            place = _place(path)
            self._places.setdefault(place, path)
            self._folders.setdefault(place[0], []).append(path)

    def same(self, path: Path) -> Path | None:
        """Return the file of the set that ``path`` means, or None."""
        number = _number(path)
        if number is not None and number in self._numbers:
            return self._numbers[number]
        return self._places.get(_place(path))

    def matching(self, folder: Path, names: re.Pattern[str]) -> Path | None:
        """Return a file of the set that lies in ``folder`` under a name like ``names``, or None.

        A file of the folder that is a link to one of the set counts as well.
        """
        real = os.path.realpath(folder)
        for path in self._folders.get(real, ()):
            if names.fullmatch(path.name):
                return path
        with contextlib.suppress(OSError):
            for name in os.listdir(real):
                if names.fullmatch(name) and (found := self.same(Path(real, name))):
                    return found
        return None


def _number(path: Path) -> tuple[int, int] | None:
    """Return what the system calls a file by, None where there is no file."""
    with contextlib.suppress(OSError, ValueError):
        found = path.stat()
        if found.st_ino:
            return found.st_dev, found.st_ino
    return None


def _place(path: Path) -> _Place:
    return os.path.realpath(path.parent), os.path.normcase(path.name)


def check_outputs(
    targets: Mapping[str, Path | None],
    inputs: KnownFiles | None = None,
    side_files: Mapping[str, re.Pattern[str]] | None = None,
) -> None:
    """Make sure, before anything runs, that every output can be written and destroys no input.

    Args:
        targets: what the user calls the output (for example "--report") -> where it goes.
        inputs: all files of the input, which are never overwritten.
        side_files: what the user calls an output -> names of the files that may appear beside it.

    Raises:
        OutputError: with the first reason why one of them cannot be written.
    """
    inputs = inputs or KnownFiles([])
    wanted = {option: target for option, target in targets.items() if target is not None}
    for option, target in wanted.items():
        _check_name(option, target)
        if (member := inputs.same(target)) is not None:
            raise OutputError(
                f"{option} would overwrite the input {member.name}; choose another name."
            )
        for earlier, other in wanted.items():
            if earlier == option:
                break
            if KnownFiles([other]).same(target):
                raise OutputError(f"{earlier} and {option} both name {target}; give each its own.")
        _check_kind(option, target)
        check_folder(target.parent, option)
    for option, names in (side_files or {}).items():
        if (side_of := wanted.get(option)) is None:
            continue
        if (member := inputs.matching(side_of.parent, names)) is not None:
            raise OutputError(
                f"{option} {side_of.name} may write further files beside it, which would overwrite "
                f"the input {member.name}; choose another name or folder."
            )
        for other_option, other in wanted.items():
            if other_option != option and KnownFiles([other]).matching(side_of.parent, names):
                raise OutputError(
                    f"{other_option} {other.name} has a name that {option} {side_of.name} needs "
                    "for the files beside it; choose another."
                )


def _check_name(option: str, target: Path) -> None:
    length = len(os.fsencode(target.name))
    if length > LONGEST_NAME:
        raise OutputError(
            f"{option} names a file with {length} bytes in its name, and file systems take "
            f"{LONGEST_NAME}; choose a shorter name."
        )
    if not target.name or "\0" in str(target):
        raise OutputError(f"{option} is no name of a file; choose another.")


def _check_kind(option: str, target: Path) -> None:
    """Refuse a folder, a device and a pipe: the finished file takes the place of what is there."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        # A parent that is a file gets a sentence of its own from `check_folder`.
        if isinstance(error, NotADirectoryError):
            return
        raise OutputError(
            f"{option} cannot be written to {target} ({error.strerror}); choose another name."
        ) from error
    if stat.S_ISDIR(mode):
        raise OutputError(f"{option} names the folder {target}; give the name of a file.")
    if not stat.S_ISREG(mode):
        raise OutputError(f"{option} names {target}, which is no ordinary file; choose another.")


def check_folder(folder: Path, option: str = "-o") -> None:
    """Make sure that files can be made in a folder, which may not exist yet.

    Raises:
        OutputError: when a parent is a file or the place is not writable.
    """
    existing = Path(os.path.abspath(folder))
    try:
        while not os.path.lexists(existing) and existing != existing.parent:
            existing = existing.parent
        if not existing.is_dir():
            raise OutputError(
                f"{option} cannot be written to {folder}: {existing} is not a folder; "
                "choose another."
            )
        if any(len(os.fsencode(part)) > LONGEST_NAME for part in Path(folder).parts):
            raise OutputError(f"{option} names a folder with too long a name; choose another.")
        # Access bits lie for administrators and network drives; trying does not.
        with tempfile.TemporaryFile(dir=existing, prefix=STAGING_PREFIX):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"{option} cannot be written to {folder} ({reason}); choose another folder."
        ) from error

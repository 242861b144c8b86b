"""Files that appear whole or not at all: checked before the run, staged, then moved into place."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..outcome import OutputError

STAGING_PREFIX = ".textpromptseg-"


def check_outputs(targets: Mapping[str, Path | None], source: Path | None = None) -> None:
    """Make sure, before anything runs, that every output can be written.

    Args:
        targets: what the user calls the output (for example "--report") -> where it goes.
        source: the input, which is never overwritten.

    Raises:
        OutputError: with the first reason why one of them cannot be written.
    """
    seen: dict[Path, str] = {}
    for option, target in targets.items():
        if target is None:
            continue
        absolute = Path(os.path.abspath(target))
        if absolute in seen:
            raise OutputError(
                f"{seen[absolute]} and {option} both name {target}; give each its own."
            )
        seen[absolute] = option
        if source is not None and absolute == Path(os.path.abspath(source)):
            raise OutputError(
                f"{option} would overwrite the input {target.name}; choose another name."
            )
        if target.is_dir():
            raise OutputError(f"{option} names the folder {target}; give the name of a file.")
        check_folder(target.parent, option)


def check_folder(folder: Path, option: str = "-o") -> None:
    """Make sure that files can be made in a folder, which may not exist yet.

    Raises:
        OutputError: when a parent is a file or the place is not writable.
    """
    existing = Path(os.path.abspath(folder))
    while not os.path.lexists(existing) and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise OutputError(
            f"{option} cannot be written to {folder}: {existing} is not a folder; choose another."
        )
    try:
        # Access bits lie for administrators and network drives; trying does not.
        with tempfile.TemporaryFile(dir=existing, prefix=STAGING_PREFIX):
            pass
    except OSError as error:
        raise OutputError(
            f"{option} cannot be written to {folder} ({error.strerror}); choose another folder."
        ) from error


class StagedOutputs:
    """Collects the files of one result out of sight and moves them into place together.

    Use it as a context manager; without `commit` nothing is left behind, not even new folders.

    Args:
        targets: the files that will appear. Further files that a writer puts beside a staged file
            (names of labels, for example) appear beside the target as well.
    """

    def __init__(self, targets: Sequence[Path]) -> None:
        self._targets = list(targets)
        self._staging: dict[Path, Path] = {}
        self._created: list[Path] = []
        self._committed = False

    def __enter__(self) -> StagedOutputs:
        try:
            for folder in dict.fromkeys(target.parent for target in self._targets):
                self._make(folder)
                self._staging[folder] = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=folder))
        except OSError as error:
            self._clean()
            raise OutputError(
                f"Nothing can be written to {error.filename} ({error.strerror}); "
                "choose another folder."
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._clean()

    def path(self, target: Path) -> Path:
        """Return where to write the file that will become ``target``; it has the same name."""
        return self._staging[target.parent] / target.name

    def staged(self) -> dict[Path, Path]:
        """Return target -> staged path of every file that was written so far."""
        return {
            folder / path.name: path
            for folder, staging in self._staging.items()
            for path in sorted(staging.iterdir())
        }

    def commit(self, last: Path | None = None) -> list[Path]:
        """Move everything into place, ``last`` last, and return the files.

        Raises:
            OutputError: when the disk refuses.
        """
        files = self.staged()
        order = sorted(files, key=lambda target: (target == last, str(target)))
        try:
            for path in files.values():
                _flush_to_disk(path)
            with _uninterrupted():
                for target in order:
                    os.replace(files[target], target)
                self._committed = True
        except OSError as error:
            raise OutputError(
                f"The results cannot be written to {error.filename} ({error.strerror})."
            ) from error
        return order

    def _make(self, folder: Path) -> None:
        missing = [p for p in (folder, *folder.parents) if not p.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        self._created.extend(missing)

    def _clean(self) -> None:
        for staging in self._staging.values():
            shutil.rmtree(staging, ignore_errors=True)
        if not self._committed:
            for folder in sorted(self._created, key=lambda p: len(p.parts), reverse=True):
                with contextlib.suppress(OSError):
                    folder.rmdir()  # only when empty


def sweep(folder: Path, older_than: float = 3600.0) -> None:
    """Remove what a killed run left in its hidden staging folders.

    Args:
        folder: searched with its subfolders.
        older_than: s; younger ones may belong to a run that is still at work.
    """
    limit = time.time() - older_than
    for path in list(folder.rglob(f"{STAGING_PREFIX}*")) if folder.is_dir() else []:
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < limit:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write JSON as a whole file: it is there complete, or the earlier one still is.

    Raises:
        OutputError: when it cannot be written.
    """
    write_text(path, json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) as a whole: it is there complete, or the earlier one still is.

    Raises:
        OutputError: when it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_name(f"{STAGING_PREFIX}{uuid.uuid4().hex}")
        try:
            with staged.open("x", encoding="utf-8", newline="") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
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


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as stream, contextlib.suppress(OSError):
        os.fsync(stream.fileno())


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back for the moment in which several files move into place."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = [signal.SIGINT, signal.SIGTERM]
    before = {number: signal.getsignal(number) for number in signals}
    held: list[int] = []
    for number, handler in before.items():
        if handler is not None:  # None: set outside Python, leave it alone
            signal.signal(number, lambda number, _frame: held.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])  # the files are complete; whatever comes next is cancelled

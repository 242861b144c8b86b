"""Files that appear whole or not at all: staged out of sight, then moved into place together."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..outcome import OutputError
from .leftovers import owned_prefix, sweep
from .text import STAGING_PREFIX

_OLD = ".old"  # subfolder for what is replaced, until all is in place
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EBADF, errno.EROFS}


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
                sweep(folder, STAGING_PREFIX)
                prefix = owned_prefix(STAGING_PREFIX)
                self._staging[folder] = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
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
            if path.name != _OLD
        }

    def commit(self, last: Path | None = None, stale: Iterable[Path] = ()) -> list[Path]:
        """Move everything into place, ``last`` last, and return the files.

        When one of them cannot be moved, those that were there before are put back.

        Args:
            last: the file that vouches for the others (the report); its earlier version goes
                first, so that a kill in between never leaves it beside other files.
            stale: files of an earlier run in the targets' folders that no longer belong to it.

        Raises:
            OutputError: when the disk refuses.
        """
        files = self.staged()
        order = sorted(files, key=lambda target: (target == last, str(target)))
        gone = list(dict.fromkeys([*stale, *([last] if last else [])]))
        kept: dict[Path, Path] = {}
        try:
            for path in files.values():
                _flush_to_disk(path)
            with _uninterrupted():
                try:
                    for target in gone:
                        if os.path.lexists(target):
                            kept[target] = self._aside(target, len(kept))
                    for target in order:
                        if target not in kept and os.path.lexists(target):
                            kept[target] = self._aside(target, len(kept), keep=True)
                        os.replace(files[target], target)
                except OSError:
                    _put_back(kept, order)
                    raise
                self._committed = True
        except OSError as error:
            raise OutputError(
                f"The results cannot be written to {error.filename} ({error.strerror})."
            ) from error
        return order

    def _aside(self, target: Path, number: int, keep: bool = False) -> Path:
        """Move what is there out of sight; ``keep`` leaves it in place too, where links exist."""
        staging = self._staging.get(target.parent) or next(iter(self._staging.values()))
        place = staging / _OLD / str(number)
        place.parent.mkdir(exist_ok=True)
        if not keep:
            os.replace(target, place)
        else:
            as_it_is = {"follow_symlinks": False} if os.link in os.supports_follow_symlinks else {}
            with contextlib.suppress(OSError):  # some file systems know no links
                os.link(target, place, **as_it_is)
        return place

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


def _put_back(kept: dict[Path, Path], order: Sequence[Path]) -> None:
    """Undo half a commit: the earlier files return, new ones without an earlier one go."""
    for target in order:
        if target not in kept:
            with contextlib.suppress(OSError):
                target.unlink(missing_ok=True)
    for target, place in kept.items():
        with contextlib.suppress(OSError):
            if os.path.lexists(place):
                os.replace(place, target)


def _flush_to_disk(path: Path) -> None:
    """Wait until a file is on the disk; what the disk could not take shows here at the latest."""
    with path.open("r+b") as stream:
        try:
            os.fsync(stream.fileno())
        except OSError as error:
            if error.errno not in _NO_SYNC:
                error.filename = str(path)
                raise


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

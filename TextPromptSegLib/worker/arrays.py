"""Voxels between two processes: memory-mapped files in a folder that both processes know.

On Linux the folder lies in ``/dev/shm`` where there is room, which makes the files shared memory;
elsewhere, and when shared memory is nearly full, it is the ordinary temporary folder.
A file belongs to its reader: once mapped it is unlinked, so nothing is left after a crash
except the folder itself, which client and worker both remove. What neither could remove is swept
a day later, by whoever starts next. A folder in use is locked by its maker, because the number in
its name says nothing to a process of another container that shares the same memory.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from ..files.messages import ProtocolError
from ..outcome import OutputError

try:
    import fcntl
except ImportError:  # Windows, where a mapped file cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

PREFIX = "textpromptseg-"
_SHARED_MEMORY = Path("/dev/shm")
_STALE_SECONDS = 24 * 3600.0
_CLOSINGS = 3
"""How often a folder is removed in which another thread may still be writing."""
_log = logging.getLogger(__name__)


class ArrayMissing(ProtocolError):
    """A file that was named is gone, or shorter than was said; whoever wrote it can do so again."""


class ArrayStore:
    """A folder (or two) of raw array files shared by client and worker.

    Args:
        folders: existing folders to use, as the other side announced them; None makes new ones.

    Raises:
        OutputError: when no temporary folder can be made.
    """

    def __init__(self, folders: list[str] | None = None) -> None:
        self._own, self._closed, self._guard = folders is None, False, threading.Lock()
        self._locks: list[int] = []
        if folders is None:
            sweep()
            folders = _new_folders()
            for folder in folders:
                self._locks += _lock(folder)
        self.folders = [Path(f) for f in folders]
        self._count = 0
        self._pending: list[Path] = []

    def put(self, array: np.ndarray) -> dict[str, Any]:
        """Copy ``array`` into a new file and return its reference (JSON-ready).

        Raises:
            OutputError: when neither folder has room.
        """
        array = np.asarray(array)
        if array.dtype.hasobject:
            raise OutputError(
                "This image holds Python objects instead of numbers; convert it first."
            )
        folder = self._folder_with_room(array.nbytes)
        self._count += 1
        path = folder / f"{os.getpid()}-{self._count}.bin"
        if array.size:
            target = np.memmap(path, dtype=array.dtype, mode="w+", shape=array.shape)
            target[...] = array
            del target
        return {"path": str(path), "dtype": array.dtype.str, "shape": list(array.shape)}

    def take(self, reference: dict[str, Any]) -> np.ndarray:
        """Map the array of ``reference`` and unlink its file; its pages are private, so writable.

        Raises:
            ProtocolError: when the reference points outside the shared folders.
            ArrayMissing: when the file is not there.
        """
        try:
            path = Path(reference["path"])
            shape, dtype = tuple(int(n) for n in reference["shape"]), np.dtype(reference["dtype"])
            if min(shape, default=0) < 0 or len(shape) > 4 or dtype.hasobject:
                raise ValueError("an impossible shape or type")
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ProtocolError(f"The worker named an array that cannot be: {error}.") from error
        if path.parent not in self.folders:
            raise ProtocolError("The worker named a file outside its own folder; it was refused.")
        if not math.prod(shape):
            return np.zeros(shape, dtype)
        try:
            array = np.memmap(path, dtype=dtype, mode="c", shape=shape)
        except (OSError, ValueError) as error:
            raise ArrayMissing(f"An array of the worker is not there ({error}).") from error
        self._unlink(path)
        return array

    def discard(self, reference: dict[str, Any]) -> None:
        """Remove the file of an answer that nobody wants any more."""
        path = Path(str(reference.get("path", "")))
        if path.parent in self.folders:
            self._unlink(path)

    def close(self) -> None:
        """Remove the folders and what is left in them; mapped arrays stay readable on POSIX."""
        with self._guard:
            self._closed = True  # no other thread makes a folder from now on
        for folder in self.folders:
            for _ in range(_CLOSINGS):
                shutil.rmtree(folder, ignore_errors=True)
                if not folder.exists():
                    break
        while self._locks:
            os.close(self._locks.pop())

    def _unlink(self, path: Path) -> None:
        """Unlink now where the system allows it (POSIX), otherwise with a later call (Windows)."""
        waiting, self._pending = [*self._pending, path], []
        for item in waiting:
            try:
                item.unlink(missing_ok=True)
            except OSError:
                self._pending.append(item)

    def _have(self, folder: Path) -> None:
        """Make a folder again that something else has cleared; the end of a login session does."""
        with self._guard:
            if not self._closed and not folder.is_dir():
                folder.mkdir(mode=0o700)
                if self._own:
                    self._locks += _lock(folder)

    def _folder_with_room(self, nbytes: int) -> Path:
        for folder in self.folders:
            try:
                self._have(folder)
                # Half of the room stays free: shared memory is everybody's memory.
                if shutil.disk_usage(folder).free // 2 > nbytes:
                    return folder
            except OSError:
                continue
        raise OutputError(
            f"The temporary folder has no room for {nbytes / 2**20:.0f} MiB of voxels; "
            "free some disk space or choose a smaller region."
        )


def _new_folders() -> list[str]:
    """Make a folder in every parent that can be written.

    Raises:
        OutputError: when there is none.
    """
    made, reasons = [], ["there is no temporary folder"]
    for parent in _parents():
        try:
            made.append(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
        except OSError as error:
            reasons.append(str(error.strerror or error))
    if not made:
        raise OutputError(
            f"There is no room for temporary files ({reasons[-1]}); free some disk space, or name "
            "a folder that can be written with the environment variable TMPDIR."
        )
    return made


def _parents() -> list[str]:
    """Return the parent folders to try, the fastest first."""
    parents = []
    with contextlib.suppress(OSError):  # raised where no folder can be written at all
        parents.append(tempfile.gettempdir())
    if os.name == "posix" and _SHARED_MEMORY.is_dir() and os.access(_SHARED_MEMORY, os.W_OK):
        parents.insert(0, str(_SHARED_MEMORY))
    return parents


def sweep(now: float | None = None) -> int:
    """Remove folders that a crashed session left more than a day ago; return how many."""
    removed = 0
    for parent in _parents():
        for folder in Path(parent).glob(f"{PREFIX}*-*"):
            try:
                int(folder.name[len(PREFIX) :].split("-")[0])
                age = (time.time() if now is None else now) - folder.stat().st_mtime
            except (OSError, ValueError):
                continue
            if age > _STALE_SECONDS and not _in_use(folder):
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
    if removed:
        _log.info("Removed %d temporary folders of ended sessions", removed)
    return removed


def _lock(folder: str | Path) -> list[int]:
    """Mark a folder as one in use while the returned descriptor is open; none without locks."""
    if fcntl is None:
        return []
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return []
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # a file system that has no locks
        os.close(descriptor)
        return []
    return [descriptor]


def _in_use(folder: Path) -> bool:
    """Whether a living process holds the lock of a folder, or nobody can tell."""
    if fcntl is None:
        return False  # what a living process of Windows has mapped stays where it is
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False

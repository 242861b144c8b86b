"""Hidden work files carry the name of their process, so that those of a killed one are swept."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import shutil
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_SHARED_AFTER = 3600.0
_OWNER = re.compile(r"([0-9a-f]{8})-(\d+)-")


def owned_prefix(prefix: str) -> str:
    """Return ``prefix`` followed by the machine and process that the hidden file belongs to."""
    return f"{prefix}{_machine()}-{os.getpid()}-"


def sweep(
    folder: Path, prefix: str, older_than: float = _SHARED_AFTER, *, below: bool = False
) -> list[Path]:
    """Remove hidden files and folders of processes that are gone; return what was removed.

    Args:
        folder: where they lie.
        prefix: how their names begin.
        older_than: s; what another machine (or an older version) made goes when it is older.
        below: whether subfolders are searched too.
    """
    removed: list[Path] = []
    for path in _named(folder, prefix, below):
        with contextlib.suppress(OSError):
            if _is_abandoned(path, prefix, older_than):
                is_folder = path.is_dir() and not path.is_symlink()
                shutil.rmtree(path) if is_folder else path.unlink()
                removed.append(path)
    return removed


def _named(folder: Path, prefix: str, below: bool) -> Iterable[Path]:
    try:
        found = folder.rglob(f"{prefix}*") if below else folder.glob(f"{prefix}*")
        return list(found) if folder.is_dir() else []
    except OSError:
        return []


def _is_abandoned(path: Path, prefix: str, older_than: float) -> bool:
    """Whether nobody works with a hidden file any more."""
    owner = _OWNER.match(path.name[len(prefix) :])
    if owner is not None and owner[1] == _machine() and os.name == "posix":
        return not alive(int(owner[2]))
    return time.time() - path.lstat().st_mtime > older_than


@cache
def _machine() -> str:
    """Name the machine, and on Linux the space in which process numbers count, in 8 digits."""
    with contextlib.suppress(OSError):
        space = str(Path("/proc/self/ns/pid").stat().st_ino)
        return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:8]
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def alive(pid: int) -> bool:
    """Return whether a process of this machine still runs; only for POSIX."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True

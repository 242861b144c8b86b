"""Where the user's own files are kept: checkpoints, and which licences were accepted."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_home() -> Path:
    """Return the user's folder: ``TEXTPROMPTSEG_HOME``, else the platform's cache folder."""
    if chosen := os.environ.get("TEXTPROMPTSEG_HOME"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "TextPromptSeg"

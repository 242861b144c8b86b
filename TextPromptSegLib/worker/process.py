"""How the worker process is started."""

from __future__ import annotations

import sys


def default_command(python: str | None = None) -> list[str]:
    """Return the command line of a worker.

    Args:
        python: the interpreter; by default the running one. Inside 3D Slicer ``sys.executable``
            is the launcher ``PythonSlicer``, which is what must be started.
    """
    return [python or sys.executable, "-m", "TextPromptSegLib.worker"]

"""How the worker process is started."""

from __future__ import annotations

import sys

OTHER_VERSION = (
    "The worker belongs to another version of TextPromptSeg than this window; restart the "
    "application, or install one version of the package."
)
# What an answer raises that is not of the form.
UNUSABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, MemoryError)


def default_command(python: str | None = None) -> list[str]:
    """Return the command line of a worker.

    Args:
        python: the interpreter; by default the running one. Inside 3D Slicer ``sys.executable``
            is the launcher ``PythonSlicer``, which is what must be started.
    """
    return [python or sys.executable, "-m", "TextPromptSegLib.worker"]

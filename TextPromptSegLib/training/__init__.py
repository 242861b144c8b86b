"""Training: from a recipe to a checkpoint, with its thresholds."""

from __future__ import annotations

from typing import Any


def train(*args: Any, **kwargs: Any) -> Any:
    """Train from a recipe; see `TextPromptSegLib.training.run.train`."""
    from .run import train as run

    return run(*args, **kwargs)

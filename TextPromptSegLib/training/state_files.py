"""Files of where a training stands: replaced as a whole, read without running anything."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..checkpoints.layout import write_atomically
from ..outcome import InputError

LAST = "last.ckpt"


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write a state in place of the one before; a kill in between leaves that one whole."""
    content = io.BytesIO()
    torch.save(dict(state), content)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.getvalue())


def read_state(path: Path) -> dict[str, Any]:
    """Read a state file; tensors and plain values only, nothing in it can run.

    Raises:
        InputError: when it is missing, damaged or of another kind.
    """
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except FileNotFoundError as error:
        raise InputError(f"There is no state '{path}'; train first.") from error
    except Exception as error:  # torch raises many kinds for a file that is not its own
        raise InputError(
            f"'{path}' is not a state that `textpromptseg train` wrote; start the run anew."
        ) from error

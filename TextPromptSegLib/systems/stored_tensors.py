"""Files of tensors that others publish: which one a folder means, and what it holds."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..outcome import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

KINDS = (".safetensors", ".pt", ".pth", ".bin")
_HUB = ("model.safetensors", "pytorch_model.bin")


def weights_file(path: Path) -> Path | None:
    """Return the file of weights that a path means; None where there is none.

    Args:
        path: a file, or a folder of the hub.

    Raises:
        CheckpointError: when a folder holds several, none of them under the hub's usual name.
    """
    if path.is_file():
        return path if path.suffix.lower() in KINDS else None
    for name in _HUB:
        if (path / name).is_file():
            return path / name
    found = [p for p in sorted(path.glob("*")) if p.suffix.lower() in KINDS]
    if len(found) > 1:
        names = ", ".join(p.name for p in found[:4])
        raise CheckpointError(f"'{path}' holds several files of weights ({names}); give one.")
    return found[0] if found else None


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a file of weights without running anything that it might hold.

    Args:
        path: ``.safetensors``, or ``.pth``, ``.pt``, ``.bin`` (read with ``weights_only``).

    Raises:
        CheckpointError: when it is no such file, or holds anything but tensors.
    """
    import pickle

    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix.lower() == ".safetensors":
            return load_file(str(path))
        # left on the disk until they are needed; files of torch before 1.6 are read whole
        mapped = zipfile.is_zipfile(path)
        stored: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"'{path.name}' is not a plain file of weights; it was not opened, because it could "
            "run code: have somebody who trusts its source save the tensors alone, with "
            "torch.save(torch.load(FILE, weights_only=False)['model'], NEW_FILE), and import that."
        ) from error
    except SafetensorError as error:
        raise CheckpointError(
            f"'{path.name}' is not a plain file of weights; it was not opened."
        ) from error
    except (OSError, ValueError, RuntimeError, EOFError, KeyError) as error:
        raise CheckpointError(f"The weights '{path.name}' are damaged; get them again.") from error
    for table in ("model", "state_dict"):  # as trainings write it
        if isinstance(stored, Mapping) and isinstance(stored.get(table), Mapping):
            stored = stored[table]
    if not isinstance(stored, Mapping) or not all(torch.is_tensor(v) for v in stored.values()):
        raise CheckpointError(f"'{path.name}' holds no table of tensors.")
    return dict(stored)

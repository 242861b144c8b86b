"""Weights as tensors: safetensors, or PyTorch files that hold nothing else."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ..outcome import CheckpointError


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file: safetensors, or a PyTorch file that holds tensors only.

    Raises:
        CheckpointError: when it is damaged or holds anything else.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(str(path))
        stored = torch.load(path, map_location="cpu", weights_only=True)
        stored = stored.get("state_dict", stored)
        if all(isinstance(value, Tensor) for value in stored.values()):
            return {key.removeprefix("module."): value for key, value in stored.items()}
    except (
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        AttributeError,
        EOFError,
        SafetensorError,
        UnpicklingError,
    ) as error:
        raise CheckpointError(
            f"'{path}' is damaged or holds more than tensors; get it again."
        ) from error
    raise CheckpointError(f"'{path}' holds more than tensors; get it again.")

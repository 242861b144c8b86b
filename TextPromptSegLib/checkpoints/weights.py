"""Trained tensors in and out of a checkpoint folder: every one accounted for, no pickle."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..outcome import CheckpointError, OutputError
from .layout import (
    CARD,
    CONFIG,
    FORMAT,
    FORMAT_INT8,
    PENDING,
    WEIGHTS,
    check_config,
    write_atomically,
)
from .stored_weights import INT8, Stored, pack

if TYPE_CHECKING:
    import torch


def load_weights(model: torch.nn.Module, path: Path, name: str) -> None:
    """Copy the tensors of a safetensors file into a model; every tensor is accounted for.

    Tensors under the model's ``frozen_prefixes`` (named encoders) are not expected in the file.

    Raises:
        CheckpointError: when the file is damaged or does not fit the model.
    """
    import torch

    stored = Stored(path, name)
    wanted, there = trained_tensors(model), stored.shapes
    missing, extra = sorted(set(wanted) - set(there)), sorted(set(there) - set(wanted))
    wrong = sorted(k for k in wanted.keys() & there.keys() if wanted[k].shape != there[k])
    for what, keys in (("missing", missing), ("unknown", extra), ("of another size", wrong)):
        if keys:
            raise CheckpointError(
                f"The weights of '{name}' do not fit its configuration: {len(keys)} tensors are "
                f"{what}, the first is {keys[0]}."
            )
    with torch.no_grad():  # one by one: all of them at once would be as large as the network
        for key, place in wanted.items():
            place.copy_(stored[key])


def trained_tensors(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return the tensors that belong into the checkpoint's file."""
    frozen = tuple(getattr(model, "frozen_prefixes", ()))
    return {k: v for k, v in model.state_dict().items() if not (frozen and k.startswith(frozen))}


def save(
    folder: str | os.PathLike[str],
    model: torch.nn.Module,
    config: Mapping[str, Any],
    dtype: str = "float16",
    card: str | None = None,
) -> Path:
    """Write a checkpoint folder; a kill at any moment leaves the old or the new one, whole.

    Args:
        folder: where to; made when missing, other files in it stay.
        model: the network; its frozen encoders (``frozen_prefixes``) are not written.
        config: content of ``config.json``; ``format``, ``weights_dtype`` and ``weights_sha256``
            are set here.
        dtype: ``float16``, ``bfloat16``, ``float32`` or ``int8`` of the stored matrices (see
            `stored_weights`); vectors (normalisation statistics, biases) stay float32.
        card: text of the model card ``README.md``; None leaves the one that is there.

    Returns:
        The folder.

    Raises:
        CheckpointError: for a configuration that could not be loaded again.
        OutputError: when the folder cannot be written.
    """
    weights = pack(trained_tensors(model), dtype, {key for key, _ in model.named_parameters()})
    content = {
        "format": FORMAT_INT8 if dtype == INT8 else FORMAT,
        **{key: value for key, value in config.items() if key != "format"},
        "weights_dtype": dtype,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    check_config(content, CONFIG)
    try:
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"The configuration is not JSON: {error}.") from error
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Both files must change together: the new configuration waits under another name until
        # the weights are in place; a reader that finds it there finishes the step.
        write_atomically(folder / PENDING, text.encode())
        write_atomically(folder / WEIGHTS, weights)
        with contextlib.suppress(FileNotFoundError):  # a reader has finished the step
            os.replace(folder / PENDING, folder / CONFIG)
        if card is not None:
            write_atomically(folder / CARD, card.encode())
    except OSError as error:
        raise OutputError(f"'{folder}' cannot be written: {error.strerror or error}.") from error
    return folder

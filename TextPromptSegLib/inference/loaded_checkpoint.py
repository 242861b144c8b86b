"""A checkpoint into memory: network, configuration and text encoder."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..checkpoints.catalogue import resolve
from ..checkpoints.layout import CARD, read_config, verify_weights
from ..checkpoints.stored_weights import INT8
from ..checkpoints.weights import load_weights, save, trained_tensors
from ..outcome import CheckpointError
from ..resources import checkpoints_dir
from ..systems.base import PromptedSegmenter
from ..systems.registry import create, outline
from ..text import load_text_encoder
from .device import resolve_device

logger = logging.getLogger(__name__)

_MOST_PER_BYTE, _MOST_NUMBERS = 4, 4 << 30


@dataclass(frozen=True)
class LoadedCheckpoint:
    """A checkpoint in memory.

    Attributes:
        model: the network, in evaluation mode, on its device.
        config: what ``config.json`` says.
        text_encoder: the frozen text encoder that the weights were trained with.
        folder: where it was read from.
    """

    model: PromptedSegmenter
    config: Mapping[str, Any]
    text_encoder: Any
    folder: Path

    @property
    def name(self) -> str:
        """Return the checkpoint's name."""
        return str(self.config["name"])


def load(
    source: str | os.PathLike[str],
    device: torch.device | str = "cpu",
    text_encoder: Any = None,
) -> LoadedCheckpoint:
    """Load a checkpoint by name, folder or hub id; nothing is downloaded.

    Args:
        source: name in the catalogue, folder, or ``owner/name`` of a hub download.
        device: where the network goes.
        text_encoder: encoder to use in place of the one that the configuration names.

    Raises:
        CheckpointError: when it is missing, damaged, incomplete or of an unknown system.
        DeviceError: when the device is not there.
    """
    folder = resolve(source)
    config = read_config(folder)
    path = verify_weights(folder, config)
    target = resolve_device(device)
    if folder.parent != checkpoints_dir():  # what ships has been tried
        _check_size(config, path)
    model = create(config["system"], config["config"])
    load_weights(model, path, str(config["name"]))
    if text_encoder is None:
        text_encoder = model.own_text_encoder(config["text_encoder"])
    if text_encoder is None:
        text_encoder = load_text_encoder(config["text_encoder"])
    model.attach_text_encoder(text_encoder)
    model.eval().requires_grad_(False).to(target)
    logger.info("Loaded checkpoint %s (%s).", config["name"], config["system"])
    return LoadedCheckpoint(model, config, text_encoder, folder)


def _check_size(config: Mapping[str, Any], weights: Path) -> None:
    """Refuse sizes that the weights cannot fill, before any memory is taken for them.

    Raises:
        CheckpointError: when the configuration describes a far larger network.
    """
    model = outline(config["system"], config["config"])
    if model is None:
        return
    trained = sum(value.numel() for value in trained_tensors(model).values())
    every = sum(value.numel() for value in model.state_dict().values())
    size = weights.stat().st_size
    if trained > _MOST_PER_BYTE * size or every > _MOST_NUMBERS:
        raise CheckpointError(
            f"The configuration of '{config['name']}' describes a network of {every:,} numbers, "
            f"which its weights of {size:,} bytes cannot fill; get the checkpoint again."
        )


def convert(
    source: str | os.PathLike[str], folder: str | os.PathLike[str], dtype: str = INT8
) -> Path:
    """Write a checkpoint again with its numbers stored in another way; the card is copied.

    Args:
        source: name, folder or hub id of the checkpoint.
        folder: where to; may be the same folder.
        dtype: see `save`.

    Raises:
        CheckpointError: when the checkpoint is missing or damaged.
        OutputError: when the folder cannot be written.
    """
    place = resolve(source)
    config = read_config(place)
    path = verify_weights(place, config)
    model = create(config["system"], config["config"])
    load_weights(model, path, str(config["name"]))
    card = place / CARD
    text = card.read_text(encoding="utf-8") if card.is_file() else None
    return save(folder, model, config, dtype, text)

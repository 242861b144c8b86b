"""A segmenter that needs no training: it finds voxels by their intensity; for tests only.

Every trained prompt has a place between 0 and 1; the toy marks the voxels whose scaled intensity
lies there, so the right answer on a phantom is known exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.loaded_checkpoint import LoadedCheckpoint
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.systems.base import PromptedSegmenter
from TextPromptSegLib.text.features import TextFeatures

SPEC = {"size": 64, "multiple": 8, "in_channels": 1, "ct_windows": [[0, 1000]]}
HALF_WIDTH = 0.04


class ToyEncoder:
    """Turns names into their place between 0 and 1."""

    dim = 1

    def __init__(self, places: Mapping[str, float]) -> None:
        self.places = dict(places)
        self.encoded: list[str] = []

    def encode(self, prompts: Sequence[str]) -> TextFeatures:
        self.encoded += prompts
        pooled = torch.tensor([[self.places.get(p, -1.0)] for p in prompts], dtype=torch.float32)
        return TextFeatures(pooled[:, None], torch.ones(len(prompts), 1, dtype=torch.bool), pooled)


class ToySegmenter(PromptedSegmenter):
    """Marks the pixels whose intensity is the prompt's; counts what it was asked."""

    def __init__(self, sharpness: float = 400.0) -> None:
        super().__init__()
        self.sharpness = torch.nn.Parameter(torch.tensor(sharpness))
        self.encoded_slices = 0
        self.decoded_pairs = 0
        self.largest_pass = 0
        self.memory_for = 10**9  # pairs or slices that fit into "memory"

    def _room(self, rows: int) -> None:
        self.largest_pass = max(self.largest_pass, rows)
        if rows > self.memory_for:
            raise torch.OutOfMemoryError("toy: out of memory")

    def encode_image(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        self._room(len(images))
        self.encoded_slices += len(images)
        return (images[:, :1].float(), images.float().mean((2, 3)))

    def _logits(self, features: tuple[torch.Tensor, ...], text: TextFeatures) -> torch.Tensor:
        distance = (features[0] - text.pooled[:, :, None, None]).abs()
        return self.sharpness * (HALF_WIDTH - distance)

    def decode(
        self, features: tuple[torch.Tensor, ...], text: TextFeatures, boxes: Any = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self._room(len(features[0]))
        self.decoded_pairs += len(features[0])
        return self._logits(features, text), self.presence(features, text)

    def presence(self, features: tuple[torch.Tensor, ...], text: TextFeatures) -> torch.Tensor:
        return self._logits(features, text).flatten(1).amax(1)

    def loss(self, batch: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        raise NotImplementedError


def toy_checkpoint(
    places: Mapping[str, float],
    presence: float | None = 0.5,
    model: ToySegmenter | None = None,
    **changes: Any,
) -> LoadedCheckpoint:
    """Return a checkpoint that knows the names of ``places``."""
    config = {
        "format": 1,
        "name": "toy",
        "system": "toy",
        "config": {},
        "input": dict(SPEC),
        "text_encoder": {"id": "toy"},
        "planes": ["axial"],
        "trained_prompts": {n: {"modalities": ["CT"], "threshold": 0.5} for n in places},
        "modalities": ["CT"],
        "presence_threshold": presence,
        "licence": {"spdx": "CC0-1.0", "line": "free", "permissive": True},
        "weights_sha256": "0" * 64,
    }
    config.update(changes)
    encoder = ToyEncoder(places)
    return LoadedCheckpoint(model or ToySegmenter(), config, encoder, Path("toy"))


def toy_predictor(
    places: Mapping[str, float], *, batch: int = 4, cache_bytes: int | None = None, **options: Any
) -> SlicePredictor:
    """Return a predictor over `toy_checkpoint` in float32 on the CPU."""
    checkpoint = toy_checkpoint(places, **options)
    return SlicePredictor(checkpoint, "cpu", "float32", batch=batch, cache_bytes=cache_bytes)


def phantom(
    boxes: Mapping[float, Sequence[tuple[slice, slice, slice]]],
    shape: tuple[int, int, int] = (24, 48, 64),
    spacing: tuple[float, float, float] = (1.0, 1.0, 2.0),
    body: bool = True,
) -> Volume:
    """Return a CT in LPS order: air, a body of 20 HU, boxes (k, j, i) of ``place`` * 1000 HU."""
    array = np.full(shape, -1000, np.int16)
    if body:
        array[:, 6:-6, 8:-8] = 20
    for place, parts in boxes.items():
        for part in parts:
            array[part] = round(place * 1000)
    return Volume.from_array(array, spacing, modality="CT")

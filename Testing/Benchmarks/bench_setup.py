"""What the benchmarks share: the compact network in its real size, a CT, a plain loop to beat.

The weights are random unless the trained checkpoint is there; cost does not depend on them. Which
slices hold which structure does matter, so it is given: a profile like that of an abdominal CT.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from torch.nn import functional as F

from TextPromptSegLib.cli.demo import IMAGE, sample_folder
from TextPromptSegLib.formats.reading import read_volume
from TextPromptSegLib.image.intensity import InputSpec
from TextPromptSegLib.image.slice_stack import SliceStack
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.engines.slice_engine import SliceEngine
from TextPromptSegLib.inference.loaded_checkpoint import LoadedCheckpoint, load
from TextPromptSegLib.outcome import TextPromptSegError
from TextPromptSegLib.systems.registry import create
from TextPromptSegLib.text.features import TextFeatures

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "TextPromptSegLib" / "systems" / "film_unet" / "recipe_compact.json"

PROFILE = {
    "liver": (0.40, 0.85),
    "spleen": (0.50, 0.80),
    "left kidney": (0.25, 0.60),
    "right kidney": (0.22, 0.57),
    "pancreas": (0.40, 0.60),
    "stomach": (0.45, 0.80),
    "gallbladder": (0.40, 0.55),
    "aorta": (0.15, 1.00),
    "inferior vena cava": (0.15, 0.85),
    "left adrenal gland": (0.50, 0.65),
}
"""Share of the slices' way from feet to head between which a structure lies."""


class HashEncoder:
    """Sentence vectors without a language model: as long as MiniLM's, different for each text."""

    dim = 384

    def encode(self, prompts: Sequence[str]) -> TextFeatures:
        rows = []
        for text in prompts:
            seed = int.from_bytes(text.encode()[:6].ljust(6), "little")
            rows.append(torch.randn(self.dim, generator=torch.Generator().manual_seed(seed)))
        pooled = torch.stack(rows)
        return TextFeatures(pooled[:, None], torch.ones(len(rows), 1, dtype=torch.bool), pooled)


def stand_in() -> LoadedCheckpoint:
    """Return the compact network of the recipe, untrained."""
    recipe = json.loads(RECIPE.read_text(encoding="utf-8"))
    torch.manual_seed(0)
    model = create(recipe["system"], {**recipe["config"], "text_dim": HashEncoder.dim})
    config = {
        "name": "stand-in",
        "system": recipe["system"],
        "config": {},
        "input": recipe["input"],
        "text_encoder": {"id": "hash"},
        "planes": ["axial"],
        "trained_prompts": {name: {"modalities": ["CT"]} for name in PROFILE},
        "presence_threshold": 0.5,
        "licence": {},
    }
    return LoadedCheckpoint(model.eval(), config, HashEncoder(), ROOT)


def trained() -> LoadedCheckpoint:
    """Return the shipped checkpoint; skips where there is none."""
    try:
        return load("film-unet-compact")
    except TextPromptSegError as error:
        pytest.skip(f"needs the trained checkpoint: {error}")


def ct(shape: tuple[int, int, int]) -> Volume:
    """Return a smooth CT-like volume of int16."""
    rng = np.random.default_rng(0)
    k, j, i = shape
    coarse = rng.normal(40, 150, (1, 1, max(2, k // 8), max(2, j // 16), max(2, i // 16)))
    size = (1, 1, *coarse.shape[2:])
    small = torch.from_numpy(coarse.reshape(size)).float()
    array = np.empty(shape, np.int16)
    fine = F.interpolate(small, (k, j // 4, i // 4), mode="trilinear")[0, 0]
    for index in range(k):
        plane = F.interpolate(fine[index][None, None], (j, i), mode="bilinear")[0, 0]
        array[index] = plane.clamp(-1000, 1500).to(torch.int16).numpy()
    array[:, : j // 12] = -1000
    return Volume.from_array(array, (0.8, 0.8, 2.0), modality="CT")


def give_presence(monkeypatch: Any) -> None:
    """Make presence follow `PROFILE`; the head still runs and its time still counts."""
    asked = SliceEngine._presence

    def presence(engine: SliceEngine, batch: Any, text: Any) -> np.ndarray:
        values = asked(engine, batch, text)
        count = engine._facts.presence.shape[1]
        for row, name in enumerate(list(PROFILE)[: len(text)]):
            low, high = PROFILE[name]
            place = (batch.first + np.arange(batch.count)) / count
            values[row] = (place >= low) & (place < high)
        return values

    monkeypatch.setattr(SliceEngine, "_presence", presence)


@torch.inference_mode()
def plain_loop(checkpoint: LoadedCheckpoint, volume: Volume, name: str) -> np.ndarray:
    """Segment one structure the obvious way: slice by slice, float32, every slice decoded.

    What presence says is only used at the end, by the predictor's rule: slices over the
    threshold and their neighbours stay.
    """
    spec = InputSpec.from_dict(checkpoint.config["input"])
    stack = SliceStack(volume, "axial", spec, volume.modality)
    text = checkpoint.text_encoder.encode([name])
    mask = np.zeros(volume.shape, np.uint8)
    view = stack.view(mask)
    there = np.zeros(len(stack) + 2, bool)
    for index in range(len(stack)):
        image = stack.images(index, index + 1).contiguous()
        logits, presence = checkpoint.model.decode(checkpoint.model.encode_image(image), text)
        there[index + 1] = torch.sigmoid(presence).item() >= checkpoint.config["presence_threshold"]
        view[index] = stack.probabilities(logits)[0] >= 0.5
    view[~(there[:-2] | there[1:-1] | there[2:])] = 0
    return mask


def clock() -> float:
    """Return the time, s: of the processor with one thread, of the wall with several.

    With one thread (``OMP_NUM_THREADS=1``) a busy machine changes little of what is measured.
    """
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def best_of(run: Callable[[], Any], rounds: int = 3, clock: Callable[[], float] = clock) -> float:
    """Return the shortest time of some rounds, s."""
    times = []
    for _ in range(rounds):
        started = clock()
        run()
        times.append(clock() - started)
    return min(times)


CHEST_NAMES = (
    "heart",
    "aorta",
    "trachea",
    "right lung",
    "left lung",
    "liver",
    "spleen",
    "esophagus",
    "vertebrae",
    "pulmonary artery",
)
"""What may be asked in `chest_ct`."""


def chest_ct(slices: int = 113) -> Volume:
    """Return a real chest CT of 512 x 512 px: the one of `make demo`, four times as fine.

    Args:
        slices: into which its 340 mm are cut; 113 makes them 3 mm.
    """
    coarse = read_volume(sample_folder() / IMAGE).canonical("LPS")
    k, j, i = coarse.shape
    small = torch.from_numpy(coarse.array.astype(np.float32))[None, None]
    thin = F.interpolate(small, (slices, j, i), mode="trilinear")[0, 0]
    fine = np.empty((slices, 4 * j, 4 * i), np.int16)
    for number, plane in enumerate(thin):
        large = F.interpolate(plane[None, None], fine.shape[1:], mode="bilinear")
        fine[number] = large[0, 0].round().to(torch.int16).numpy()
    x, y, z = coarse.spacing
    return Volume.from_array(fine, (x / 4, y / 4, z * k / slices), modality="CT")


def write_cases(folder: Path, count: int, volume: Volume) -> Path:
    """Write a CT so often, each with its own noise: equal ones would be found in the cache."""
    folder.mkdir()
    for number in range(count):
        noise = np.random.default_rng(number).integers(-20, 20, volume.shape, dtype=np.int16)
        image = sitk.GetImageFromArray(volume.array + noise)
        image.SetSpacing(volume.spacing)
        sitk.WriteImage(image, str(folder / f"case{number}.nii.gz"))
    return folder

"""A predictor without a network, for the tests of worker, panel and effect.

Every structure is a ball at a fixed place of the volume (in patient directions, so that a wrong
orientation shows); the probability falls off smoothly, so that a threshold changes the mask.
Some prompts misbehave on purpose, see `FakePredictor.segment`.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace

import numpy as np

from TextPromptSegLib.checkpoints.quality import quality_of, warning
from TextPromptSegLib.image.modality import taken_for, with_modality
from TextPromptSegLib.inference import answers
from TextPromptSegLib.inference.hints import Hints
from TextPromptSegLib.outcome import Cancelled, InputError
from TextPromptSegLib.prompting.segmentation import Segmentation

# name: centre as a fraction of the volume towards (left, posterior, superior), radius fraction
BALLS = {
    "liver": ((0.30, 0.45, 0.60), 0.22),
    "spleen": ((0.74, 0.60, 0.62), 0.14),
    "left kidney": ((0.66, 0.68, 0.40), 0.13),
    "right kidney": ((0.34, 0.68, 0.40), 0.13),
    "stomach": ((0.62, 0.35, 0.62), 0.16),
    "gallbladder": ((0.36, 0.40, 0.50), 0.07),
}
ABSENT = ("urinary bladder", "prostate")
MEASURED = {
    "liver": {"tier": "good", "measured": {"test": {"CT": {"dice": 0.93, "n": 31}}}},
    "spleen": {"tier": "experimental"},
}
"""What the model "measured" says of itself."""
POINT_MM = 20.0


class FakePredictor:
    """Offers what the worker uses of `SlicePredictor`."""

    def __init__(self, model: str, device: str) -> None:
        self.model, self.device = model, "cpu" if device == "auto" else device
        self.config = {
            "name": model,
            "title": "Fake",
            "trained_prompts": {name: {"threshold": 0.5} for name in [*BALLS, *ABSENT]},
            "planes": ["axial"],
        }
        if model == "measured":
            self.config["trained_prompts"] |= MEASURED
        self.seconds = {"load": 0.0, "text": 0.0, "image": 0.0, "decode": 0.0}
        self.volumes_set = 0
        self.hints = Hints()

    @classmethod
    def load(cls, model: str, device: str = "auto") -> FakePredictor:
        if model == "missing":
            raise InputError("There is no checkpoint 'missing'.")
        return cls(model, device)

    def set_volume(self, volume, roi=None, slices=None, plane=None, modality=None) -> None:
        volume = with_modality(volume, modality)
        self.volume, self.roi, self.slices, self.plane = volume, roi, slices, plane
        self.volumes_set += 1

    def unload(self) -> None:
        self.volume = None

    def segment(
        self, prompts, threshold=None, samples=None, progress=None, heat_map=False, **hints
    ):
        """Answer; ``hints`` show: a box cuts, a mask adds, a point adds or takes away a ball."""
        self.hints = Hints.from_dict(hints)
        results = []
        for prompt in prompts:
            word = prompt.text.split()[0] if prompt.text else ""
            if word == "crash":
                sys.stderr.write("about to crash\n")
                sys.stderr.flush()
                os._exit(7)
            if word == "kill":
                os.kill(os.getpid(), 9)
            if word == "memory":
                raise MemoryError
            if word == "bug":
                raise ZeroDivisionError("a mistake")
            if word == "noise":
                print("a library prints", flush=True)
                os.write(1, b"even a C library\n")
            if word == "deaf":
                if progress is not None:
                    progress(1, 60, "deaf from now on")
                time.sleep(60)
            if word == "slow":
                self._slowly(60, progress)
            found = self._one(prompt, 0.5 if threshold is None else threshold, samples)
            if heat_map and found.probability is not None:
                warm = np.sqrt(self._ball(prompt.name)).astype(np.float16)
                found = replace(found, heat_map=np.where(self._searched(warm.shape), warm, 0))
            results.append(found)
            if progress is not None and not progress(len(results), len(prompts), prompt.name):
                raise Cancelled
        return results

    @staticmethod
    def _slowly(steps: int, progress) -> None:
        for step in range(steps):
            time.sleep(0.015)
            if progress is not None and not progress(step, steps, "slice"):
                raise Cancelled

    def _one(self, prompt, threshold: float, samples: int | None = None) -> Segmentation:
        volume = self.volume
        facts = {
            "taken_for": taken_for(self.volume).sentence,
            "model": self.model,
            "device": self.device,
            "voxels": self.volumes_set,
            "spacing_mm": list(volume.spacing),
            "voxel_ml": volume.voxel_ml,
            "slice_axis": 0,
            "slices": self._range(),
            "postprocess": {},
            "notes": [name for name in ("two_pass", "propagate") if getattr(self.hints, name)],
            "memory_steps": ["moved from cuda:0 to the CPU"] if self.model == "large" else [],
        }
        trained = self.config["trained_prompts"]
        if quality := quality_of([prompt.name], trained):
            facts["quality"] = quality.to_dict()
            facts["notes"] += warning([prompt.name], quality)
        if prompt.name not in trained:
            text = f"this checkpoint was not trained on '{prompt.name}'"
            return answers.refuse(prompt, text, volume.shape, threshold, facts)
        ball = self._hinted(self._ball(prompt.name))
        probability = np.where(self._searched(volume.shape), ball, 0).astype(np.float16)
        found = answers.answer(prompt, probability, threshold, 0.01, facts)
        if not samples:
            return found
        masks = tuple(
            (probability >= level).astype(np.uint8) for level in np.linspace(0.3, 0.7, samples)
        )
        spread = (probability * (1 - probability)).astype(np.float16)
        return replace(found, uncertainty=spread, candidates=masks)

    rethreshold = staticmethod(answers.rethreshold)

    def _hinted(self, ball: np.ndarray) -> np.ndarray:
        if self.hints.box is not None:
            inside = np.zeros(ball.shape, bool)
            inside[self.volume.box_to_slices(*self.hints.box)] = True
            ball = np.where(inside, ball, 0)
        k, j, i = np.indices(ball.shape)
        matrix = self.volume.ijk_to_ras
        world = [row[0] * i + row[1] * j + row[2] * k + row[3] for row in matrix[:3]]
        if self.hints.mask is not None:
            ball = np.where(self.hints.mask.whole(), 0.9, ball)
        for *point, label in self.hints.points:
            squares = sum((w - p) ** 2 for w, p in zip(world, point, strict=True))
            ball = np.where(squares < POINT_MM**2, 0.9 * label, ball)
        return ball

    def _ball(self, name: str) -> np.ndarray:
        shape = self.volume.array.shape
        if name in ABSENT:
            return np.full(shape, 0.07, np.float32)
        (centre, radius), matrix = BALLS[name], self.volume.ijk_to_ras
        low_high = self.volume.bounds
        low = np.minimum(low_high[:, 0] * [-1, -1, 1], low_high[:, 1] * [-1, -1, 1])
        size = low_high[:, 1] - low_high[:, 0]
        middle = (low + np.array(centre) * size) * [-1, -1, 1]
        k, j, i = np.ogrid[: shape[0], : shape[1], : shape[2]]
        squares = np.zeros(shape, np.float32)
        for row in range(3):
            along = matrix[row, 0] * i + matrix[row, 1] * j + matrix[row, 2] * k + matrix[row, 3]
            squares += (along - middle[row]).astype(np.float32) ** 2
        edge = radius * float(size[:2].max())
        slope = np.clip((np.sqrt(squares) - edge) / (0.075 * edge), -30, 30)
        return 0.98 / (1 + np.exp(slope))

    def _range(self) -> list[int]:
        count = self.volume.array.shape[0]
        if self.slices is None or self.plane not in (None, "axial"):
            return [0, count]
        return [self.slices.start or 0, count if self.slices.stop is None else self.slices.stop]

    def _searched(self, shape) -> np.ndarray:
        searched = np.ones(shape, bool)
        if self.slices is not None:
            axis = {"axial": 0, "coronal": 1, "sagittal": 2}[self.plane or "axial"]
            searched[...] = False
            view = np.moveaxis(searched, axis, 0)
            view[self.slices] = True
        if self.roi is not None:
            searched = searched.copy()
            box = self.volume.box_to_slices(*self.roi)
            inside = np.zeros(shape, bool)
            inside[box] = True
            searched &= inside
        return searched

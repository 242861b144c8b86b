"""Several plausible masks for one prompt: drawing them, their mean, spread and diversity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .answers import answer
from .outcome import Progress, Segmentation

if TYPE_CHECKING:
    import torch

    from .systems.base import Features, PromptedSegmenter
    from .text.features import TextFeatures

SEED = 0
"""The same request gives the same candidates."""


class OneSample:
    """A network that draws samples, seen as one that always draws the same.

    One noise serves every slice, so that a candidate is one shape through the whole volume.

    Args:
        model: with ``draws_samples``.
        noise: standard normal (Z,).
    """

    def __init__(self, model: PromptedSegmenter, noise: torch.Tensor) -> None:
        self.model, self.noise = model, noise
        self.encode_image, self.presence = model.encode_image, model.presence
        self.index_features = model.index_features

    def decode(
        self,
        features: Features,
        text: TextFeatures,
        boxes: torch.Tensor | None = None,
        points: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (B, 1, H, W) and presence (B,) for this noise."""
        return self.model.decode_sample(features, text, self.noise)

    def to(self, device: torch.device) -> OneSample:
        """Move the network."""
        self.model.to(device)
        return self


def draw_noise(count: int, size: int, seed: int = SEED) -> torch.Tensor:
    """Return standard normal noise (count, size); the first rows do not depend on ``count``."""
    import torch

    rows = [np.random.default_rng((seed, row)).standard_normal(size) for row in range(count)]
    return torch.tensor(np.stack(rows), dtype=torch.float32)


def part_of(progress: Progress | None, number: int, count: int) -> Progress | None:
    """Return the callback of one of ``count`` equal parts of a run."""
    if progress is None:
        return None

    def tell(done: int, total: int, message: str) -> bool:
        return progress(
            number * total + done, count * total, f"candidate {number + 1} of {count}: {message}"
        )

    return tell


class Spread:
    """Mean and standard deviation of probabilities, voxel by voxel, one sample after the other.

    Args:
        shape: (K, J, I).
    """

    def __init__(self, shape: Sequence[int]) -> None:
        self.count = 0
        self._mean = np.zeros(shape, np.float32)
        self._squares = np.zeros(shape, np.float32)

    def add(self, probability: np.ndarray) -> None:
        """Take one sample (K, J, I)."""
        self.count += 1
        for mean, squares, part in zip(self._mean, self._squares, probability, strict=True):
            values = part.astype(np.float32)
            before = values - mean
            mean += before / self.count
            squares += before * (values - mean)

    def mean(self) -> np.ndarray:
        """Return the mean (K, J, I) float16."""
        return self._mean.astype(np.float16)

    def deviation(self) -> np.ndarray:
        """Return the standard deviation of the population (K, J, I) float16; 0 for one sample."""
        return np.sqrt(self._squares / max(1, self.count)).astype(np.float16)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return 1 - IoU of two masks, 0 when both are empty."""
    union = int(np.count_nonzero((a != 0) | (b != 0)))
    return 1.0 - int(np.count_nonzero((a != 0) & (b != 0))) / union if union else 0.0


def diversity(masks: Sequence[np.ndarray]) -> float:
    """Return E[d(S, S')] over all pairs of candidates, also of one with itself, d = 1 - IoU."""
    count = len(masks)
    pairs = sum(distance(masks[a], masks[b]) for a in range(count) for b in range(a))
    return 2.0 * pairs / max(1, count * count)


def energy_distance(masks: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> float:
    """Return the squared generalised energy distance of candidates and reference masks.

    ``2 E[d(S, Y)] - E[d(S, S')] - E[d(Y, Y')]`` with d = 1 - IoU
    (Kohl et al. 2018, https://arxiv.org/abs/1806.05034).

    Args:
        masks: candidates S (K, J, I).
        truths: one mask per reader Y.
    """
    across = [distance(s, y) for s in masks for y in truths]
    return 2.0 * sum(across) / len(across) - diversity(masks) - diversity(truths)


def facts(masks: Sequence[np.ndarray], voxel_ml: float) -> dict[str, Any]:
    """Return what a report says of candidates: their number, volumes in ml and diversity."""
    volumes = [round(int(np.count_nonzero(m)) * voxel_ml, 4) for m in masks]
    return {
        "count": len(masks),
        "seed": SEED,
        "volumes_ml": volumes,
        "diversity": round(diversity(masks), 4),
    }


def segment_samples(
    once: Callable[[Any, Progress | None], list[Segmentation]],
    model: PromptedSegmenter,
    count: int,
    progress: Progress | None = None,
) -> list[Segmentation]:
    """Answer prompts ``count`` times and put the candidates together.

    Args:
        once: answers all prompts with a network, ``once(network, progress)``.
        model: with ``draws_samples``.
        count: K.
        progress: of the whole run.

    Returns:
        The answers on the mean probability, with ``uncertainty``, ``candidates`` and the fact
        ``samples`` in their provenance.
    """
    spreads: list[Spread | None] = []
    masks: list[list[np.ndarray]] = []
    last: list[Segmentation] = []
    seconds: list[float] = []
    for number, noise in enumerate(draw_noise(count, model.latent_size)):
        last = once(OneSample(model, noise), part_of(progress, number, count))
        if not spreads:
            spreads = [None if s.probability is None else Spread(s.mask.shape) for s in last]
            masks, seconds = [[] for _ in last], [0.0] * len(last)
        for row, (made, spread) in enumerate(zip(last, spreads, strict=True)):
            seconds[row] += made.seconds
            if spread is not None and made.probability is not None:
                spread.add(made.probability)
                masks[row].append(made.mask)
    result = []
    for row, (made, spread) in enumerate(zip(last, spreads, strict=True)):
        if spread is None:
            result.append(made)
            continue
        described = facts(masks[row], float(made.provenance["voxel_ml"]))
        provenance = {**made.provenance, "samples": described}
        whole = answer(made.prompt, spread.mean(), made.threshold, seconds[row], provenance)
        said = f"{whole.message}; {count} candidates, diversity {described['diversity']:.2f}"
        result.append(
            replace(
                whole,
                message=said,
                uncertainty=spread.deviation(),
                candidates=tuple(masks[row]),
            )
        )
    return result

"""Several masks for one prompt: draws with their mean and spread, or instances one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.cores import on_cores
from ..outcome import Progress
from ..prompting.boxed import Boxed, BoxedArrays, all_kept, kept_of, nothing
from ..prompting.segmentation import Segmentation
from .answers import answer

if TYPE_CHECKING:
    import torch

    from ..systems.base import Features, PromptedSegmenter
    from ..text.features import TextFeatures

Mask = np.ndarray | Boxed
"""A mask (K, J, I), whole or boxed."""

SEED = 0
"""The same request gives the same candidates."""

MOST_BYTES = 2 * 1024**3
"""Candidates of one pass may take so much; more are made in further passes over the slices."""


class Samples:
    """A network that draws samples, seen as one whose logits have a channel for each of K noises.

    One noise serves every slice, so that a candidate is one shape through the whole volume.

    Args:
        model: with ``draws_samples``, or with ``shows_instances``: then a channel for each of the
            K best instances.
        noises: standard normal (K, Z).
    """

    def __init__(self, model: PromptedSegmenter, noises: torch.Tensor) -> None:
        self.model, self.noises = model, noises
        self.encode_image, self.presence = model.encode_image, model.presence
        self.index_features = model.index_features

    @property
    def count(self) -> int:
        """Return K."""
        return len(self.noises)

    def presence_and_rest(
        self, features: Features, text: TextFeatures
    ) -> tuple[torch.Tensor, None]:
        """Return presence (B,); what it begins serves one answer, not K."""
        return self.presence(features, text), None

    def decode(
        self,
        features: Features,
        text: TextFeatures,
        boxes: torch.Tensor | None = None,
        points: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (B, K, H, W) and presence (B,)."""
        if self.model.shows_instances:
            return self.model.instances(features, text, self.count, boxes)
        return self.model.decode_samples(features, text, self.noises)

    def to(self, device: torch.device) -> Samples:
        """Move the network."""
        self.model.to(device)
        return self


def draw_noise(count: int, size: int, seed: int = SEED) -> torch.Tensor:
    """Return standard normal noise (count, size); the first rows do not depend on ``count``."""
    import torch

    rows = [np.random.default_rng((seed, row)).standard_normal(size) for row in range(count)]
    return torch.tensor(np.stack(rows), dtype=torch.float32)


def part_of(progress: Progress | None, first: int, last: int, count: int) -> Progress | None:
    """Return the callback of a pass over the slices that makes the candidates first to last - 1."""
    if progress is None:
        return None
    which = f"{first + 1} to {last} of {count}" if last - first > 1 else f"{last} of {count}"
    which = f"all {count}" if (first, last) == (0, count) and count > 1 else which

    def tell(done: int, total: int, message: str) -> bool:
        at = first * total + done * (last - first)
        return progress(at, count * total, f"candidates, {which}: {message}")

    return tell


def per_pass(count: int, voxels: int, prompts: int) -> int:
    """Return how many candidates are made in one pass over the slices, for memory's sake.

    Args:
        count: K.
        voxels: of the volume.
        prompts: structures that are asked for.
    """
    return max(1, min(count, MOST_BYTES // max(1, 3 * voxels * prompts)))


class Spread:
    """Mean and standard deviation of probabilities, voxel by voxel, one sample after the other.

    Kept for the box around all samples; outside of it every sample is zero.

    Args:
        shape: (K, J, I).
    """

    def __init__(self, shape: Sequence[int]) -> None:
        self.count = 0
        self._mean, self._squares = nothing(shape, np.float32), nothing(shape, np.float32)

    def add(self, probability: Boxed) -> None:
        """Take one sample (K, J, I) float16."""
        import torch

        self.count += 1
        self._mean, self._squares = self._mean.grown(probability), self._squares.grown(probability)
        sample = nothing(self._mean.shape, np.float16).grown(self._mean)
        sample.shared(probability)[0][...] = probability.shared(sample)[0]
        arrays = (self._mean.values, self._squares.values, sample.values)
        for mean, squares, part in zip(*map(torch.from_numpy, arrays), strict=True):
            values = part.float()
            before = values - mean
            mean += before / self.count
            squares += before * (values - mean)

    def mean(self) -> Boxed:
        """Return the mean (K, J, I) float16."""
        return _halves(self._mean, self._mean.values)

    def deviation(self) -> Boxed:
        """Return the standard deviation of the population (K, J, I) float16; 0 for one sample."""
        return _halves(self._squares, np.sqrt(self._squares.values / max(1, self.count)))


def _halves(kept: Boxed, values: np.ndarray) -> Boxed:
    """Return numbers of a box as float16 (torch turns them ten times faster than numpy)."""
    import torch

    return Boxed(kept.shape, kept.start, torch.from_numpy(values).half().numpy()).trimmed()


class Whole:
    """What instances make up together, voxel by voxel, one after the other.

    Args:
        shape: (K, J, I).
    """

    def __init__(self, shape: Sequence[int]) -> None:
        self._largest = nothing(shape, np.float16)

    def add(self, probability: Boxed) -> None:
        """Take one instance (K, J, I) float16, not negative."""
        self._largest = self._largest.grown(probability)
        ours, new = (part.view(np.uint16) for part in self._largest.shared(probability))
        np.maximum(ours, new, out=ours)  # bits of non-negative halves are in order

    def mean(self) -> Boxed:
        """Return the answer (K, J, I) float16: the largest of the instances."""
        return self._largest

    def deviation(self) -> None:
        """Return nothing: instances are parts of one answer, not draws of it."""
        return None


def linked(masks: Sequence[Mask], axis: int) -> list[Boxed]:
    """Return instances that keep their number from slice to slice, those with any voxel.

    Each slice ranks its instances by their own scores. Along the stack they are put into the order
    in which they overlap most with what was drawn so far.

    Args:
        masks: K masks (K, J, I).
        axis: of the slices.
    """
    from scipy.optimize import linear_sum_assignment

    kept = all_kept(masks)
    around = kept[0]
    for mask in kept[1:]:
        around = around.grown(mask)
    drawn = [nothing(mask.shape, mask.values.dtype).grown(around) for mask in kept]
    for own, mask in zip(drawn, kept, strict=True):
        own.shared(mask)[0][...] = mask.values
    stacks = [np.moveaxis(own.values, axis, 0) for own in drawn]
    last = np.zeros((len(stacks), *stacks[0].shape[1:]), bool)
    for n in range(stacks[0].shape[0]):
        here = np.stack([stack[n] != 0 for stack in stacks])
        shared = (last[:, None] & here[None]).sum((2, 3))
        order = linear_sum_assignment(-shared)[1]
        here = here[order]
        for stack, mask in zip(stacks, here, strict=True):
            stack[n] = mask
        there = here.any((1, 2))
        last[there] = here[there]  # one that is missing in a slice may come again
    return [own.trimmed() for own in drawn if own.values.any()]


def distance(a: Mask, b: Mask) -> float:
    """Return 1 - IoU of two masks, 0 when both are empty."""
    return _distances([a], [b])[0][0]


def _distances(some: Sequence[Mask], others: Sequence[Mask]) -> list[list[float]]:
    """Return 1 - IoU of each mask with each other one."""
    ours, theirs = (
        [Boxed(m.shape, m.start, m.values != 0) for m in all_kept(masks)]
        for masks in (some, others)
    )
    sizes, their_sizes = (
        [int(np.count_nonzero(mask.values)) for mask in masks] for masks in (ours, theirs)
    )

    def row(number: int) -> list[float]:
        found = []
        for mask, size in zip(theirs, their_sizes, strict=True):
            one, other = ours[number].shared(mask)
            both = int(np.count_nonzero(one & other))
            union = sizes[number] + size - both
            found.append(1.0 - both / union if union else 0.0)
        return found

    return on_cores(row, range(len(ours)))


def diversity(masks: Sequence[Mask]) -> float:
    """Return E[d(S, S')] over all pairs of candidates, also of one with itself, d = 1 - IoU."""
    masks = all_kept(masks)
    count = len(masks)
    between = _distances(masks, masks)
    pairs = sum(between[a][b] for a in range(count) for b in range(a))
    return 2.0 * pairs / max(1, count * count)


def energy_distance(masks: Sequence[Mask], truths: Sequence[Mask]) -> float:
    """Return the squared generalised energy distance of candidates and reference masks.

    ``2 E[d(S, Y)] - E[d(S, S')] - E[d(Y, Y')]`` with d = 1 - IoU
    (Kohl et al. 2018, https://arxiv.org/abs/1806.05034).

    Args:
        masks: candidates S (K, J, I).
        truths: one mask per reader Y.
    """
    masks, truths = all_kept(masks), all_kept(truths)
    across = [value for row in _distances(masks, truths) for value in row]
    return 2.0 * sum(across) / len(across) - diversity(masks) - diversity(truths)


def facts(masks: Sequence[Mask], voxel_ml: float) -> dict[str, Any]:
    """Return what a report says of candidates: their number, volumes in ml and diversity."""
    kept = all_kept(masks)
    volumes = [round(int(np.count_nonzero(m.values)) * voxel_ml, 4) for m in kept]
    return {
        "count": len(masks),
        "seed": SEED,
        "volumes_ml": volumes,
        "diversity": round(diversity(kept), 4),
    }


def segment_samples(
    once: Callable[[Any, Progress | None], list[list[Segmentation]]],
    model: PromptedSegmenter,
    count: int,
    progress: Progress | None = None,
    together: int | None = None,
) -> list[Segmentation]:
    """Answer prompts ``count`` times and put the candidates together.

    Args:
        once: answers all prompts with a network of K channels, ``once(network, progress)``: one
            list of answers for each channel.
        model: with ``draws_samples`` or ``shows_instances``.
        count: K.
        progress: of the whole run.
        together: candidates in one pass over the slices; None = all, and so for instances, which
            a pass ranks together.

    Returns:
        The answers on the mean probability, with ``uncertainty``, ``candidates`` and the fact
        ``samples`` in their provenance; of instances on what they make up, with the instances.
    """
    parts = model.shows_instances
    together = None if parts else together
    spreads: list[Spread | Whole | None] = []
    masks: list[list[Boxed]] = []
    last: list[Segmentation] = []
    seconds: list[float] = []
    noises = draw_noise(count, max(1, model.latent_size))
    step = together or count
    for first in range(0, count, step):
        some = noises[first : first + step]
        drawn = once(Samples(model, some), part_of(progress, first, first + len(some), count))
        last = drawn[-1]
        if not spreads:
            collect = Whole if parts else Spread
            spreads = [None if s.probability is None else collect(s.shape) for s in last]
            masks, seconds = [[] for _ in last], [0.0] * len(last)
        for row, spread in enumerate(spreads):
            seconds[row] += drawn[0][row].seconds
            for sample in drawn:
                made = sample[row]
                if spread is not None and made.probability is not None:
                    probability, mask = kept_of(made, "probability"), kept_of(made, "mask")
                    assert probability is not None and mask is not None
                    spread.add(probability)
                    masks[row].append(mask)
    result = []
    for row, (made, spread) in enumerate(zip(last, spreads, strict=True)):
        if spread is None:
            result.append(made)
            continue
        if parts:
            masks[row] = linked(masks[row], int(made.provenance["slice_axis"]))
        described = facts(masks[row], float(made.provenance["voxel_ml"]))
        provenance = {**made.provenance, "samples": described}
        whole = answer(made.prompt, spread.mean(), made.threshold, seconds[row], provenance)
        said = f"{whole.message}; {count} candidates, diversity {described['diversity']:.2f}"
        deviation = spread.deviation()
        if parts:
            said = f"{whole.message}; {len(masks[row])} of at most {count} instances"
        result.append(
            whole.changed(
                message=said,
                uncertainty=None if deviation is None else deviation.unless_small(),
                candidates=BoxedArrays(masks[row]),
            )
        )
    return result

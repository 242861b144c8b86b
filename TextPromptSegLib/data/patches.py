"""Patches of slices around small organs: centred on the organ, or where it is not.

The paper trains on "localized image-mask pairs". Here a patch is centred on the mask's centroid
with a jitter; a share of the patches misses the organ: beyond its last slice, anywhere else in
the body, or in a picture of another part of the body.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from .artefacts import AugmentConfig
from .augment import jitter_intensity, random_affine, warp
from .slices import TrainingSlice

if TYPE_CHECKING:
    from .phrases import PhraseBook

BODY = 26
"""Grey value (of 255) from which a pixel is taken to belong to the body."""


PeakKey = tuple[str, str, str]
"""Data set, key of the slice, structure."""

PeakPlaces = Mapping[PeakKey, Sequence[tuple[int, int]]]
"""Row and column of the localiser's peaks in a slice, px, at least one."""


@dataclass(frozen=True)
class PatchPlan:
    """How patches are drawn.

    Attributes:
        size: side of a patch, px.
        jitter: largest shift of the centre off the mask's centroid along each axis, px.
        batch: real patches of a batch.
        empty: share of the patches that miss the organ.
        beyond: share of those that lie just beyond the organ's last slices.
        confused: share of those that are centred on another one of the structures, for example
            the other side's (a corner of the one that is asked may then be in sight).
        foreign: share of those that show another part of the body.
        reach: how far beyond, slices.
        margin: the patch is cut so much larger before it is turned and zoomed, px.
        peaks: share of all patches that are cut where the localiser points (the paper: all of
            them), with the mask that lies there, empty where it points beside the organ; the rest
            follows the plan above.
    """

    size: int = 64
    jitter: int = 16
    batch: int = 32
    empty: float = 0.25
    beyond: float = 0.35
    confused: float = 0.2
    foreign: float = 0.1
    reach: int = 4
    margin: int = 16
    peaks: float = 0.0


@dataclass(frozen=True)
class Place:
    """A patch: a slice, a structure that is asked there, and the patch's middle (row, column)."""

    item: TrainingSlice
    name: str
    centre: tuple[int, int]


@dataclass
class _Case:
    """The slices of one case in order, and in which of them each structure lies."""

    slices: list[TrainingSlice] = field(default_factory=list)
    where: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


class PatchSampler:
    """Draws patches of the structures that are asked.

    Args:
        slices: slices of one split, the slices of a case in their order.
        names: the structures.
        weights: data set -> share of the draws.
        plan: how.
        name_weights: further factor of a name.
        peaks: where the localiser points, for a plan that uses its peaks.
    """

    def __init__(
        self,
        slices: Sequence[TrainingSlice],
        names: Sequence[str],
        weights: Mapping[str, float],
        plan: PatchPlan,
        name_weights: Mapping[str, float] | None = None,
        peaks: PeakPlaces | None = None,
    ) -> None:
        self.plan = plan
        self._peaks = peaks or {}
        self._cases: dict[tuple[str, str], _Case] = defaultdict(_Case)
        for item in slices:
            case = self._cases[item.dataset, _case_of(item)]
            for name in names:
                if name in item.masks:
                    case.where[name].append(len(case.slices))
            case.slices.append(item)
        self._places: list[tuple[_Case, int, str]] = []
        groups: list[tuple[str, str]] = []
        for (dataset, _), case in self._cases.items():
            for name, numbers in case.where.items():
                self._places += [(case, number, name) for number in numbers]
                groups += [(dataset, name)] * len(numbers)
        if not self._places:
            raise ValueError(f"none of {', '.join(names)} is in any slice")
        # every data set has its share, divided evenly over its structures
        names_of: dict[str, set[str]] = defaultdict(set)
        for dataset, name in groups:
            names_of[dataset].add(name)
        size = {group: groups.count(group) for group in set(groups)}
        factor = name_weights or {}
        share = {
            (dataset, name): weights.get(dataset, 1.0)
            / len(names_of[dataset])
            * factor.get(name, 1.0)
            for dataset, name in size
        }
        weight = np.array([share[group] / size[group] for group in groups])
        self._probability = weight / weight.sum()
        #: modality -> slices of other modalities, for questions that have no place here
        modalities = {item.modality for item in slices}
        self._foreign = {
            m: [case for case in self._cases.values() if case.slices[0].modality != m]
            for m in modalities
        }

    @property
    def count(self) -> int:
        """Number of pairs (slice, structure in it)."""
        return len(self._places)

    def draw(self, count: int, rng: np.random.Generator) -> list[Place]:
        """Return ``count`` patches, the plan's share of them without the organ."""
        chosen = rng.choice(len(self._places), size=count, p=self._probability)
        result = []
        for index in chosen:
            case, number, name = self._places[index]
            if self.plan.peaks and rng.random() < self.plan.peaks:
                result.append(self._at_peak(case.slices[number], name, rng))
            elif rng.random() < self.plan.empty:
                result.append(self._empty(case, name, rng))
            else:
                result.append(self._centred(case.slices[number], name, rng))
        return result

    def fixed(self, seed: int = 0) -> list[Place]:
        """Return one centred patch of every structure in every slice, always the same ones."""
        rng = np.random.default_rng(seed)
        return [self._centred(c.slices[number], name, rng) for c, number, name in self._places]

    def _centred(self, item: TrainingSlice, name: str, rng: np.random.Generator) -> Place:
        centre = np.rint(_centroid(item, name)).astype(int)
        low, high = -self.plan.jitter, self.plan.jitter + 1
        row, column = (centre + rng.integers(low, high, 2)).tolist()
        return Place(item, name, (row, column))

    def _at_peak(self, item: TrainingSlice, name: str, rng: np.random.Generator) -> Place:
        """Return a patch at one of the slice's peaks, with the plan's jitter."""
        centres = self._peaks[peak_key(item, name)]
        low, high = -self.plan.jitter, self.plan.jitter + 1
        row, column = rng.integers(low, high, 2) + centres[int(rng.integers(len(centres)))]
        return Place(item, name, (int(row), int(column)))

    def _empty(self, case: _Case, name: str, rng: np.random.Generator) -> Place:
        """Return a patch that misses the structure; a last resort may still touch it."""
        kind = rng.random()
        numbers = case.where[name]
        if kind < self.plan.foreign:
            elsewhere = self._foreign[case.slices[0].modality]
            if elsewhere:
                there = elsewhere[rng.integers(len(elsewhere))]
                item = there.slices[rng.integers(len(there.slices))]
                return Place(item, name, _in_body(item, rng))
        elif kind < self.plan.foreign + self.plan.beyond:
            first, last = numbers[0], numbers[-1]
            step = int(rng.integers(1, self.plan.reach + 1))
            for number, end in rng.permutation([(first - step, first), (last + step, last)]):
                if 0 <= number < len(case.slices):
                    centre = self._centred(case.slices[end], name, rng).centre
                    return Place(case.slices[number], name, centre)
        elif kind < self.plan.foreign + self.plan.beyond + self.plan.confused:
            others = [(n, i) for n, where in case.where.items() if n != name for i in where]
            if others:
                other, number = others[rng.integers(len(others))]
                item = case.slices[number]
                return Place(item, name, self._centred(item, other, rng).centre)
        half = self.plan.size // 2
        for _ in range(20):
            item = case.slices[rng.integers(len(case.slices))]
            row, column = _in_body(item, rng)
            if name not in item.masks:
                break
            box = item.unpack(name)[
                max(row - half, 0) : row + half, max(column - half, 0) : column + half
            ]
            if not box.any():
                break
        return Place(item, name, (row, column))


def peak_key(item: TrainingSlice, name: str) -> PeakKey:
    """Return under which key the peaks of a structure in a slice are kept."""
    return item.dataset, item.key, name


def cut(places: Sequence[Place], size: int) -> tuple[Tensor, Tensor]:
    """Return images (N, C, size, size) in [0, 1] and masks (N, 1, size, size) in {0, 1}.

    What lies outside a slice is black and empty.
    """
    channels = places[0].item.image.shape[0]
    images = np.zeros((len(places), channels, size, size), np.uint8)
    masks = np.zeros((len(places), 1, size, size), np.uint8)
    for row, place in enumerate(places):
        height, width = place.item.canvas
        source, target = [], []
        for middle, length in zip(place.centre, (height, width), strict=True):
            start = middle - size // 2
            low, high = max(start, 0), min(start + size, length)
            source.append(slice(low, max(low, high)))
            target.append(slice(low - start, max(low, high) - start))
        images[row][:, target[0], target[1]] = place.item.image[:, source[0], source[1]]
        if place.name in place.item.masks:
            mask = place.item.unpack(place.name)
            masks[row, 0, target[0], target[1]] = mask[source[0], source[1]]
    return torch.from_numpy(images).float().div_(255), torch.from_numpy(masks).float()


def augmented(
    places: Sequence[Place], plan: PatchPlan, config: AugmentConfig | None, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return what `cut` does, turned, zoomed and with other grey values; never mirrored."""
    if config is None:
        return cut(places, plan.size)
    images, masks = cut(places, plan.size + 2 * plan.margin)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    matrices = random_affine(len(places), config, [False] * len(places), generator)
    inner = slice(plan.margin, plan.margin + plan.size)
    images = warp(images, matrices)[:, :, inner, inner]
    masks = warp(masks, matrices, nearest=True)[:, :, inner, inner]
    is_ct = [place.item.modality == "CT" for place in places]
    return jitter_intensity(images, is_ct, config, generator), masks


class PatchStream(IterableDataset):
    """An endless stream of batches of real patches for `PatchUNetVAE.loss`.

    Args:
        sampler: draws patches.
        phrases: wording of the prompts.
        encode: texts -> features (cached by the encoder).
        augment: ranges, or None for none.
        seed: of the first batch.
        skip: batches already used.
    """

    def __init__(
        self,
        sampler: PatchSampler,
        phrases: PhraseBook,
        encode: Any,
        augment: AugmentConfig | None,
        seed: int,
        skip: int = 0,
    ) -> None:
        self.sampler, self.phrases, self.encode = sampler, phrases, encode
        self.augment, self.seed, self.skip = augment, seed, skip

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield batches; the stream depends on seed and skip only."""
        number = self.skip
        plan = self.sampler.plan
        while True:
            rng = np.random.default_rng((self.seed, number))
            places = self.sampler.draw(plan.batch, rng)
            images, masks = augmented(places, plan, self.augment, rng)
            words = [self.phrases.draw(place.name, rng) for place in places]
            yield patch_batch(images, masks, self.encode(words))
            number += 1


def patch_batch(images: Tensor, masks: Tensor, text: Any) -> dict[str, Any]:
    """Return a batch of patches, one pair each."""
    return {
        "image": images.contiguous(memory_format=torch.channels_last),
        "index": torch.arange(len(images)),
        "text": text,
        "mask": masks,
        "present": masks.flatten(1).any(1).float(),
    }


def fixed_batches(places: Sequence[Place], encode: Any, size: int) -> list[dict[str, Any]]:
    """Return centred patches in batches; ``names`` and ``datasets`` say what each one is."""
    result = []
    for start in range(0, len(places), 32):
        chunk = places[start : start + 32]
        images, masks = cut(chunk, size)
        batch = patch_batch(images, masks, encode([place.name for place in chunk]))
        batch["names"] = [place.name for place in chunk]
        batch["datasets"] = [place.item.dataset for place in chunk]
        result.append(batch)
    return result


def _case_of(item: TrainingSlice) -> str:
    """Return case, plane and channel of a slice's key ``case/plane12/c1``."""
    case, _, rest = item.key.partition("/")
    return f"{case}/{rest.rstrip('0123456789')}" if "/c" not in rest else f"{case}/{rest[-1]}"


def _centroid(item: TrainingSlice, name: str) -> np.ndarray:
    return np.argwhere(item.unpack(name)).mean(0)


def _in_body(item: TrainingSlice, rng: np.random.Generator) -> tuple[int, int]:
    """Return a random pixel of the body (of the canvas, when there is none)."""
    top, left, height, width = item.valid
    for _ in range(20):
        row = int(rng.integers(top, top + height))
        column = int(rng.integers(left, left + width))
        if item.image[0, row, column] >= BODY:
            break
    return row, column

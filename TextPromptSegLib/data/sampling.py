"""Which slices, which prompts: weighted slices, and pairs of slice and prompt with known truth.

A prompt becomes a negative only where its absence is known: it was looked for in the case, or it
belongs to another region of the body. A structure that nobody labelled is never a negative.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .slices import TrainingSlice


@dataclass(frozen=True)
class ForeignNames:
    """Names that cannot be in a picture of another region of the body.

    Attributes:
        places: name -> regions of the body where it is labelled.
        image_regions: data set -> region of its pictures.
        excluded: pairs (region of the picture, region of the name) that exclude each other.
    """

    places: Mapping[str, frozenset[str]] = field(default_factory=dict)
    image_regions: Mapping[str, str] = field(default_factory=dict)
    excluded: frozenset[tuple[str, str]] = frozenset()

    def of(self, dataset: str) -> list[str]:
        """Return the names all of whose places exclude the pictures of a data set."""
        here = self.image_regions.get(dataset)
        if here is None:
            return []
        return [
            name
            for name, places in sorted(self.places.items())
            if places and all((here, place) in self.excluded for place in places)
        ]


@dataclass(frozen=True)
class Pair:
    """A slice of the batch and a structure.

    Attributes:
        row: index of the slice in the batch.
        name: the structure.
        present: whether it is in the slice.
    """

    row: int
    name: str
    present: bool


class SliceSampler:
    """Draws slices and pairs.

    Args:
        slices: all slices of one canvas size.
        dataset_weights: data set -> share of the draws.
        foreign: names known to be absent by the region of the body.
        empty_weight: weight of a slice without any structure, beside 1 of a usual one.
        absent: share of pairs whose structure is not in the slice.
        rarity: exponent of 1 / frequency that favours rare structures, 0 = none.
        name_weights: further factor of a name.
    """

    def __init__(
        self,
        slices: Sequence[TrainingSlice],
        dataset_weights: Mapping[str, float],
        *,
        foreign: ForeignNames | None = None,
        empty_weight: float = 0.25,
        absent: float = 0.25,
        rarity: float = 0.5,
        name_weights: Mapping[str, float] | None = None,
    ) -> None:
        self.slices = list(slices)
        self.absent = absent
        foreign = foreign or ForeignNames()
        counts = Counter((s.dataset, n) for s in self.slices for n in s.masks)
        largest = Counter[str]()
        for (dataset, _), count in counts.items():
            largest[dataset] = max(largest[dataset], count)
        extra = name_weights or {}
        self._name_weight = {
            key: (largest[key[0]] / count) ** rarity * extra.get(key[1], 1.0)
            for key, count in counts.items()
        }
        self._foreign = {s.dataset: foreign.of(s.dataset) for s in self.slices}
        weight = np.array([self._slice_weight(s, empty_weight) for s in self.slices])
        sets = np.array([s.dataset for s in self.slices])
        for dataset in set(sets.tolist()):
            here = sets == dataset
            weight[here] *= dataset_weights.get(dataset, 1.0) / weight[here].sum()
        self.total = float(weight.sum())
        self._probability = weight / weight.sum()
        self._asked = self._asked_weights()

    def _slice_weight(self, item: TrainingSlice, empty_weight: float) -> float:
        if not item.masks:
            return empty_weight
        return float(np.mean([self._name_weight[item.dataset, n] for n in item.masks]))

    def draw(self, count: int, rng: np.random.Generator) -> list[TrainingSlice]:
        """Return ``count`` slices."""
        index = rng.choice(len(self.slices), size=count, p=self._probability)
        return [self.slices[i] for i in index]

    def pairs(
        self, batch: Sequence[TrainingSlice], count: int, rng: np.random.Generator
    ) -> list[Pair]:
        """Return exactly ``count`` pairs to decode, spread over the slices.

        One structure a slice in turn, rare ones first; in a share `absent` of the turns a
        structure that is not there.
        """
        queues = [self._shuffled(item, rng) for item in batch]
        result: list[Pair] = []
        while len(result) < count:
            progress = False
            for row, item in enumerate(batch):
                if len(result) == count:
                    break
                if queues[row] and rng.random() >= self.absent:
                    result.append(Pair(row, queues[row].pop(0), True))
                    progress = True
                elif rng.random() < 0.5 or not any(queues):
                    name = self._absent_name(item, rng)
                    if name is not None:
                        result.append(Pair(row, name, False))
                        progress = True
            if not progress and not any(queues):
                # nothing is left to ask: ask the same again
                queues = [self._shuffled(item, rng) for item in batch]
                if not any(queues) and all(self._absent_name(i, rng) is None for i in batch):
                    raise ValueError("no structure is known in any slice of the batch")
        return result

    def foreign_names(self, dataset: str) -> list[str]:
        """Return the names that cannot be in the pictures of a data set."""
        return self._foreign.get(dataset, [])

    def questions(
        self, batch: Sequence[TrainingSlice], per_slice: int, rng: np.random.Generator
    ) -> list[Pair]:
        """Return ``per_slice`` pairs a slice for the presence head.

        Half of them are absent as far as both kinds are known, and half of the absent ones are
        names of other regions. A slice of which nothing is known asks nothing: another slice's
        questions are asked again in its place.
        """
        result: list[Pair] = []
        for row, item in enumerate(batch):
            queue: list[str] = []
            for _ in range(per_slice):
                gone = self._absent_name(item, rng)
                if gone is not None and (not item.masks or rng.random() < 0.5):
                    result.append(Pair(row, gone, False))
                elif item.masks:
                    queue = queue or [str(n) for n in rng.permutation(list(item.masks))]
                    result.append(Pair(row, queue.pop(), True))
        missing = len(batch) * per_slice - len(result)
        if missing and not result:
            raise ValueError("no structure is known in any slice of the batch")
        return result + [result[rng.integers(len(result))] for _ in range(missing)]

    def _shuffled(self, item: TrainingSlice, rng: np.random.Generator) -> list[str]:
        names = list(item.masks)
        if len(names) < 2:
            return names
        weight = np.array([self._name_weight.get((item.dataset, n), 1.0) for n in names])
        order = rng.choice(len(names), size=len(names), replace=False, p=weight / weight.sum())
        return [names[i] for i in order]

    def _absent_name(self, item: TrainingSlice, rng: np.random.Generator) -> str | None:
        """Return a name known to be absent: of this case or of another region, in equal shares."""
        foreign = self._foreign[item.dataset]
        names = foreign if foreign and (not item.absent or rng.random() < 0.5) else item.absent
        if not names:
            return None
        total = np.cumsum([self._asked[n] for n in names])
        return names[int(np.searchsorted(total, rng.random() * total[-1], side="right"))]

    def _asked_weights(self) -> dict[str, float]:
        """Return name -> weight among the absent names of a slice.

        The square root of how often a name is asked where it is present, never less than a
        twentieth of the largest: a frequent name needs as many negatives as it has positives,
        and a rare one may not be asked as absent only.
        """
        rate: dict[str, float] = defaultdict(float)
        for item, probability in zip(self.slices, self._probability, strict=True):
            for name in item.masks:
                rate[name] += float(probability) / len(item.masks)
        names = {n for s in self.slices for n in s.absent}.union(rate)
        names.update(n for listed in self._foreign.values() for n in listed)
        largest = max(rate.values(), default=1.0) ** 0.5
        return {name: max(rate[name] ** 0.5, 0.05 * largest) for name in names}

"""Training batches: slices, pairs, texts and masks, augmented together."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from .artefacts import AugmentConfig, degrade
from .augment import places, random_affine, resample, retone, share_in_view, swap_sides
from .mixing import MixConfig, Mixer
from .phrases import PhraseBook
from .sampling import Pair, SliceSampler
from .slices import TrainingSlice
from .synthesis import Synthesiser


@dataclass(frozen=True)
class BatchPlan:
    """Sizes of a batch.

    Attributes:
        slices: B, slices of the large canvas.
        pairs: N, pairs to decode.
        questions: pairs a slice that only train the presence head.
        small_factor: how many times more slices and pairs fit in a batch of small canvases.
        texts: share of the pairs with a text of their own that are asked by it.
    """

    slices: int = 12
    pairs: int = 32
    questions: int = 16
    small_factor: int = 3
    texts: float = 0.5


class BatchStream(IterableDataset):
    """An endless stream of batches; each batch has one canvas size.

    Args:
        samplers: one per canvas size, large first.
        phrases: wording of the prompts.
        encode: texts -> features (cached by the encoder).
        plan: sizes.
        augment: ranges, or None for none.
        mirror: data sets whose slices may be mirrored (with left and right words swapped).
        upturn: data sets whose slices are turned upside down in half of the draws.
        synthesis: data set -> share of its slices that are drawn in a fresh contrast.
        mix: how slices are mixed with others, or None for not.
        regions: data set -> region of the body, within which slices are mixed.
        seed: of the first batch; `skip` continues a stream after a restart.
        skip: batches already used.
    """

    def __init__(
        self,
        samplers: Sequence[SliceSampler],
        phrases: PhraseBook,
        encode: Any,
        plan: BatchPlan,
        *,
        augment: AugmentConfig | None = None,
        mirror: Sequence[str] = (),
        upturn: Sequence[str] = (),
        mix: MixConfig | None = None,
        synthesis: Mapping[str, float] | None = None,
        regions: Mapping[str, str] | None = None,
        seed: int = 0,
        skip: int = 0,
    ) -> None:
        self.samplers = [s for s in samplers if s.slices]
        self.mixers = [
            None
            if mix is None
            else Mixer(s.slices, mix, regions=regions or {}, foreign=s.foreign_names)
            for s in self.samplers
        ]
        everything = [item for s in self.samplers for item in s.slices]
        self.synthesise = Synthesiser(everything, synthesis) if synthesis else None
        self.phrases = phrases
        self.encode = encode
        self.plan = plan
        self.augment = augment
        self.mirror = frozenset(mirror)
        self.upturn = frozenset(upturn)
        self.seed = seed
        self.skip = skip

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield batches for `PromptedSegmenter.loss`; the stream depends on seed and skip only."""
        number = self.skip
        share = np.array([s.total for s in self.samplers])
        # a small batch holds more slices, so it is drawn less often for the same share
        share = share / np.array([self._factor(s) for s in self.samplers])
        share = share / share.sum()
        while True:
            rng = np.random.default_rng((self.seed, number))
            which = int(rng.choice(len(self.samplers), p=share))
            sampler, mixer = self.samplers[which], self.mixers[which]
            factor = self._factor(sampler)
            slices = sampler.draw(self.plan.slices * factor, rng)
            slices = [self._changed(item, mixer, rng) for item in slices]
            pairs = sampler.pairs(slices, self.plan.pairs * factor, rng)
            asked = sampler.questions(slices, self.plan.questions, rng)
            yield self.make(slices, pairs, asked, rng)
            number += 1

    def _changed(
        self, item: TrainingSlice, mixer: Mixer | None, rng: np.random.Generator
    ) -> TrainingSlice:
        """Return a slice in a fresh contrast, or mixed with another one, or as it is."""
        drawn = item if self.synthesise is None else self.synthesise(item, rng)
        return mixer(item, rng) if drawn is item and mixer is not None else drawn

    def _factor(self, sampler: SliceSampler) -> int:
        largest = max(s.slices[0].canvas[0] for s in self.samplers)
        return 1 if sampler.slices[0].canvas[0] == largest else self.plan.small_factor

    def make(
        self,
        slices: Sequence[TrainingSlice],
        pairs: Sequence[Pair],
        asked: Sequence[Pair],
        rng: np.random.Generator,
    ) -> dict[str, Any]:
        """Return one batch (see `PromptedSegmenter.loss`), augmented."""
        levels = torch.from_numpy(np.stack([s.channels() for s in slices]))
        # the whole canvas counts: outside air and padding are taught to be no structure
        valid = torch.ones(len(slices), 1, *slices[0].canvas)
        index = torch.tensor([p.row for p in pairs])
        masks = torch.zeros(len(pairs), 1, *slices[0].canvas)
        for row, pair in enumerate(pairs):
            if pair.present:
                masks[row, 0] = torch.from_numpy(slices[pair.row].unpack(pair.name))
        flip = [False] * len(slices)
        asked_present = [float(p.present) for p in asked]
        if self.augment is None:
            images = levels.float().div_(255)
        else:
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            flip = [s.dataset in self.mirror and bool(rng.random() < 0.5) for s in slices]
            upturn = [s.dataset in self.upturn and bool(rng.random() < 0.5) for s in slices]
            matrices = random_affine(len(slices), self.augment, flip, generator, upturn)
            own = len(slices[0].image)
            is_ct = [s.modality == "CT" for s in slices]
            grid = places(matrices, slices[0].canvas)
            images = resample(retone(levels, is_ct, self.augment, generator, own), grid)
            images = degrade(images, is_ct, self.augment, generator)
            masks = resample(masks, grid[index], nearest=True)
            asked, asked_present = still_asked(slices, asked, matrices)

        def words(items: Sequence[Pair]) -> list[str]:
            return [self._words(p, slices[p.row], flip[p.row], rng) for p in items]

        return {
            "image": images.contiguous(memory_format=torch.channels_last),
            "index": index,
            "text": self.encode(words(pairs)),
            "mask": masks,
            "present": masks.flatten(1).any(1).float(),
            "valid": valid,
            "asked_index": torch.tensor([p.row for p in asked]),
            "asked_text": self.encode(words(asked)),
            "asked_present": torch.tensor(asked_present),
        }

    def _words(
        self, pair: Pair, item: TrainingSlice, mirrored: bool, rng: np.random.Generator
    ) -> str:
        """Return the case's own text, or a wording of the structure's name."""
        said = item.texts.get(pair.name) if pair.present else None
        if said and rng.random() < self.plan.texts:
            return swap_sides(said.lower()) if mirrored else said
        return self.phrases.draw(swap_sides(pair.name) if mirrored else pair.name, rng)


SEEN = 0.1
"""Share of a structure that must be in sight for a question to count as present."""


def still_asked(
    slices: Sequence[TrainingSlice], asked: Sequence[Pair], matrices: Tensor
) -> tuple[list[Pair], list[float]]:
    """Return the questions and what is true of them after the change of the view.

    A structure out of sight is absent; where only a rim of it is left, a question that is certain
    stands in.
    """
    views = matrices.numpy()
    shares: dict[tuple[int, str], float] = {}
    for pair in asked:
        key = (pair.row, pair.name)
        if pair.present and key not in shares:
            item = slices[pair.row]
            shares[key] = share_in_view(item.unpack(pair.name), views[pair.row])
    truth = [shares[p.row, p.name] if p.present else 0.0 for p in asked]
    certain = [i for i, share in enumerate(truth) if not 0 < share < SEEN]
    turn = itertools.cycle(certain or range(len(asked)))
    chosen = [next(turn) if 0 < share < SEEN else i for i, share in enumerate(truth)]
    return [asked[i] for i in chosen], [float(truth[i] > 0) for i in chosen]


def _valid(slices: Sequence[TrainingSlice]) -> Tensor:
    """Return (B, 1, H, W), 1 inside the pictures and 0 on the padding of their canvas."""
    valid = torch.zeros(len(slices), 1, *slices[0].canvas)
    for row, item in enumerate(slices):
        top, left, height, width = item.valid
        valid[row, 0, top : top + height, left : left + width] = 1
    return valid


def validation_batches(
    slices: Sequence[TrainingSlice], encode: Any, *, per_batch: int = 8, texts: bool = False
) -> list[dict[str, Any]]:
    """Return fixed batches: every structure present in each slice, and as many absent ones.

    Each batch has one canvas size; ``names`` and ``dataset`` say what each pair is. With ``texts``
    a structure is asked by the case's own text where there is one.
    """
    result = []
    by_canvas: dict[tuple[int, int], list[TrainingSlice]] = {}
    for item in slices:
        by_canvas.setdefault(item.canvas, []).append(item)
    rng = np.random.default_rng(0)
    for items in by_canvas.values():
        for start in range(0, len(items), per_batch):
            chunk = items[start : start + per_batch]
            pairs = []
            for row, item in enumerate(chunk):
                pairs += [Pair(row, n, True) for n in item.masks]
                gone = list(rng.permutation(list(item.absent)))[: max(1, len(item.masks) // 2)]
                pairs += [Pair(row, str(n), False) for n in gone]
            if pairs:
                result.append(_plain_batch(chunk, pairs, encode, texts))
    return result


def _plain_batch(
    chunk: Sequence[TrainingSlice], pairs: Sequence[Pair], encode: Any, texts: bool
) -> dict[str, Any]:
    canvas = chunk[0].canvas
    masks: Tensor = torch.zeros(len(pairs), 1, *canvas, dtype=torch.uint8)
    for row, pair in enumerate(pairs):
        if pair.present:
            masks[row, 0] = torch.from_numpy(chunk[pair.row].unpack(pair.name))
    info: Mapping[str, Any] = {
        "names": [p.name for p in pairs],
        "dataset": [chunk[p.row].dataset for p in pairs],
    }
    return {
        "image": torch.from_numpy(np.stack([s.channels() for s in chunk])),
        "index": torch.tensor([p.row for p in pairs]),
        "text": encode(
            [
                chunk[p.row].texts.get(p.name, p.name) if texts and p.present else p.name
                for p in pairs
            ]
        ),
        "mask": masks,
        "present": torch.tensor([float(p.present) for p in pairs]),
        "valid": _valid(chunk),
        **info,
    }

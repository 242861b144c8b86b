"""Puts answers together from the network's: unions, sides, thirds, subtraction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..checkpoints.layout import ANYTHING
from ..image.boxes import turned
from ..image.modality import finite_sample, is_in_hu
from ..image.regions import Region, half, nearer_side, thirds
from ..image.slice_stack import Block, SliceStack, voxel_size
from ..prompting.boxed import Boxed, Layers
from ..prompting.clinical_text import name_of
from .agreement import disagreements
from .answers import BELOW
from .dividing import divide, needed_for
from .evidence import evidence_of, logit, rule_of
from .hints import Hints
from .lung_air import FILLED, LungAir
from .piles import Pile
from .postprocess import over_threshold, rule_for
from .targets import Target

Group = tuple[str, ...]

COMPLETED = "edges and ends follow the lung's air"
NOT_COMPLETED = "the lung's air could not be told from the image, so edges and ends are rough"
CALLED, LUNG = 1, 2
"""What a mask says of a voxel: the network calls it lung; it is lung by its air. Or both: 3."""
DROPPED = 0.8
"""What is no lung gets this share of what would count as "present but below threshold"."""
FREE_PRESENCE = 0.8
"""Least presence in the best slice of a thing that is asked for in a person's own words."""


class Composer:
    """Collects the probabilities of trained names and makes the answers of the targets.

    Every set of names whose union is needed gets one `Pile` of slices, each kept only around what
    is in it. One whole array at a time is made of them, in the file's own order.

    Args:
        stack: the image.
        block: the part that was asked for. A third by height is one of the whole structure, so
            the whole image is searched for it (``searched``), and the answer cut to the block.
        modality: of the image.
        targets: what is to be answered.
        thresholds: trained name -> its threshold.
        wholes: part -> the whole that it divides, see `dividing`.
    """

    def __init__(
        self,
        stack: SliceStack,
        block: Block,
        modality: str | None,
        targets: Sequence[Target],
        thresholds: Mapping[str, float],
        wholes: Mapping[str, str] | None = None,
    ) -> None:
        self._wholes = wholes or {}
        self._stack, self._asked, self._modality = stack, block, modality
        self._block = stack.block() if any(map(_divided, targets)) else block
        self._thresholds = thresholds
        asked = {group for target in targets for group in target.groups()}
        groups = sorted(asked | needed_for(asked, self._wholes))
        # A pile is given back after the last answer that it serves; sides may be asked for later.
        self._uses = Counter(group for target in targets for group in target.groups())
        self._asked_later = {g for target in targets for g in (target.left, target.right)}
        self.names = list(dict.fromkeys(name for group in groups for name in group))
        self.ceilings = [
            min(self._limit(group) for group in groups if name in group) for name in self.names
        ]
        self._notes: dict[Group, str] = {}
        self._piles: dict[Group, Pile] = {group: Pile(stack) for group in groups}
        self._sinks = [
            [(self._piles[group], len(group) > 1) for group in groups if name in group]
            for name in self.names
        ]

    @property
    def searched(self) -> Block:
        """The part of the image that the network has to see."""
        return self._block

    def _limit(self, group: Group) -> float:
        """Return the threshold of a union: the lowest of its members."""
        return min(self._thresholds[name_of(name)] for name in group)

    def write(self, row: int, first: int, probability: np.ndarray) -> None:
        """Take the probabilities (n, H, W) float16 of one name on slices first, first + 1, ..."""
        rows, columns = self._block.rows, self._block.columns
        top, left = rows.start or 0, columns.start or 0
        for number, part in enumerate(probability[:, rows, columns], first):
            for pile, several in self._sinks[row]:
                (pile.join if several else pile.put)(number, top, left, part)

    def quiet(self, shares: Mapping[Group, float]) -> None:
        """Cap what is not there as a whole, so that it is answered "not found".

        Args:
            shares: of `missing`.
        """
        for group, share in shares.items():
            self._piles[group].cap(self._limit(group) * min(share, 0.99) * BELOW)

    def missing(
        self, presence: np.ndarray, trained: Mapping[str, Mapping[str, Any]]
    ) -> dict[Group, float]:
        """Return the unions that are not there, and how near they came: a share below 1.

        A union of several names stays as long as one of them is there. The mask of a union speaks
        for each of its names, whose own mask is not known any more.

        Args:
            presence: (P, S) probabilities that each name is in each slice.
            trained: the checkpoint's ``trained_prompts``.
        """
        by_head = not_there(self.names, presence, trained)
        best = dict(zip(self.names, presence.max(axis=1, initial=0.0).tolist(), strict=True))
        searched = (len(self._block.slices), *self._stack.slices.shape[1:])
        missing: dict[Group, float] = {}
        for group, pile in self._piles.items():
            seen = None
            shares = []
            for name in group:
                rule = rule_of(trained.get(name_of(name), {}), self._modality)
                if rule is not None and np.isfinite(best[name]) and seen is None:
                    view = self._stack.view(pile.boxed().values)
                    seen = evidence_of(view, best[name], searched)
                if rule is None or seen is None:
                    shares.append(by_head.get(name, 1.0))
                else:
                    found = rule.probability(replace(seen, head=logit(best[name])))
                    shares.append(min(1.0, found / rule.gate))
            if max(shares) < 1.0:
                missing[group] = max(shares)
        return missing

    def settle(
        self, presence: np.ndarray, hints: Hints, trained: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Silence what is not there, divide wholes, complete lungs: once every slice was seen.

        Args:
            presence: (P, S) probabilities that each name is in each slice.
            hints: what was asked beside the text. Who shows a structure says that it is there; a
                box bounds it and a point says which part is meant.
            trained: the checkpoint's ``trained_prompts``.
        """
        silent = {} if hints.geometric else self.missing(presence, trained)
        self.quiet(silent)
        if not hints:
            divide(self._piles, self._wholes, silent)
            self._complete_lungs(trained)
        for group in self._piles.keys() - self._uses.keys():  # they only helped others
            self._piles[group].clear()

    def _complete_lungs(self, trained: Mapping[str, Mapping[str, Any]]) -> None:
        """Complete the lungs of names whose rule asks for it by the air of a CT in HU."""
        groups = [g for g in self._piles if rule_for(tuple(map(name_of, g)), trained).lung_air]
        groups = [g for g in groups if self._piles[g].largest() >= self._limit(g)]
        volume, turn = self._stack.volume, self._stack.axis_map.apply
        if not groups or self._modality != "CT" or not is_in_hu(finite_sample(volume.array)):
            return
        block, axes = self._block, self._stack.axis_map
        inside = self._stack.file_box(block.slices, block.rows, block.columns)
        box = turned(inside, volume.shape, axes.source, axes.flipped)
        air = LungAir(turn(volume.array)[box[0]], voxel_size(volume, "axial"))
        for group in groups:
            limit, pile = self._limit(group), self._piles[group]
            called = pile.mask(limit)
            lung = air.complete(turn(called)[box[0]].view(bool))
            self._notes[group] = NOT_COMPLETED if lung is None else COMPLETED
            if lung is not None:
                part = turn(called)[box]
                part += lung[:, box[1], box[2]].view(np.uint8) * np.uint8(LUNG)
                pile.change(called, {LUNG: max(FILLED, limit), CALLED: limit * BELOW * DROPPED})

    def finish(self, target: Target) -> tuple[Boxed | Layers, tuple[str, ...]]:
        """Return the probability (K, J, I) float16 in the file's order, and notes for the user."""
        notes = [self._notes[target.names]] if target.names in self._notes else []
        if target.is_plain and self._block is self._asked:
            last = self._uses[target.names] == 1 and target.names not in self._asked_later
            layers = self._piles[target.names].layers(last)
            self._used({target.names})
            return layers, tuple(notes)
        kept = self._kept(target, notes)
        self._used({target.names} if target.is_plain else target.groups())
        if self._block is not self._asked:
            asked = self._asked
            kept = kept.within(self._stack.file_box(asked.slices, asked.rows, asked.columns))
        return kept if target.is_plain else kept.trimmed(), tuple(notes)

    def _kept(self, target: Target, notes: list[str]) -> Boxed:
        """Return the probability of a target before it is cut to the block."""
        kept = self._piles[target.names].boxed()
        if not target.is_plain:
            turn, shape = self._stack.axis_map, self._stack.volume.shape
            start = [part.start for part in turned(kept.box, shape, turn.source, turn.flipped)]
            for region in self._regions(target, notes):
                region.cut(turn.apply(kept.values), start)
            for part in target.minus:
                here, there = kept.shared(self._mask_of(part))
                here[there != 0] = 0
        return kept

    def disagreements(self, target: Target, mask: np.ndarray) -> tuple[str, ...]:
        """Return what a report says of the finding and its mask (K, J, I) does not show."""
        volume, turn = self._stack.volume, self._stack.axis_map.apply
        lungs = None
        if target.left and target.right:
            lungs = {"left": self._mask(target.left), "right": self._mask(target.right)}
        return disagreements(
            target.prompt,
            turn(mask),
            turn(volume.array),
            self._modality,
            lungs,
            volume.canonical("LPS").ijk_to_ras,
            self._stack.is_picture(self._modality),
        )

    def _used(self, groups: set[Group]) -> None:
        """Count down what an answer needed; a pile's memory goes back after its last use."""
        for group in groups:
            self._uses[group] -= 1
            if self._uses[group] <= 0 and group not in self._asked_later:
                self._piles[group].clear()

    def _mask(self, group: Group) -> np.ndarray:
        """Return the canonical mask of a union."""
        mask = over_threshold(self._piles[group].whole(), self._limit(group))
        return self._stack.axis_map.apply(mask)

    def _mask_of(self, target: Target) -> Boxed:
        """Return the mask of a target that is taken away, in the file's order."""
        kept = self._kept(target, [])
        return Boxed(kept.shape, kept.start, over_threshold(kept.values, target.threshold))

    def _regions(self, target: Target, notes: list[str]) -> list[Region]:
        """Return where the structure may lie, and say what was not certain."""
        regions: list[Region] = []
        volume = self._stack.volume
        if target.side:
            region = None
            if target.left and target.right:
                region = nearer_side(self._mask(target.left), self._mask(target.right), target.side)
            if region is None:
                canonical = self._stack.axis_map.apply(volume.array)
                region = half(canonical, self._modality, target.side)
                notes.append(
                    f"the {target.side} side was cut at the middle of the body in the image"
                )
            else:
                notes.append(
                    f"the {target.side} side is what lies nearer to {target.left[0]}"
                    f" or {target.right[0]}"
                )
            regions.append(region)
        if target.thirds:
            third = thirds(
                [self._mask(target.container)],
                target.thirds,
                volume.canonical("LPS").ijk_to_ras,
                self._stack.is_picture(self._modality),
            )
            if third is not None:
                regions.append(third)
                notes.append(f"the {' and '.join(target.thirds)} third by height")
        return regions


def _divided(target: Target) -> bool:
    """Return whether a target, or what it takes away, needs to know how high a structure is."""
    return bool(target.thirds) or any(map(_divided, target.minus))


def not_there(
    names: Sequence[str], presence: np.ndarray, trained: Mapping[str, Mapping[str, Any]]
) -> dict[str, float]:
    """Return how near the names came whose best slice is below their own presence threshold.

    The common ``presence_threshold`` says which slices are decoded; a name's own, chosen where
    false alarms were frequent, says from which best slice on the structure is there at all. So an
    organ keeps its dim end slices and a lookalike in one slice is no organ.

    Args:
        names: trained names.
        presence: (P, S) probabilities that each name is in each slice.
        trained: the checkpoint's ``trained_prompts``.
    """
    missing = {}
    others = trained.get(ANYTHING, {"presence_threshold": FREE_PRESENCE})
    for row, name in enumerate(names):
        entry = trained.get(name_of(name), others)
        own = entry.get("presence_threshold")
        if own is not None and presence.size and presence[row].max() < float(own):
            missing[name] = float(presence[row].max()) / float(own)
    return missing

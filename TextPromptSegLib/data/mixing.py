"""New slices of two: CutMix within a region of the body, and copy-paste of small structures.

What is known stays true: a name is positive where its mask is left, absent only where it is known
to be absent from every pixel, and forgotten where one of the two slices says nothing of it.
Pasted organs keep their place beside the body's middle, so that left and right stay true.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import ndimage

from .slices import TrainingSlice

BODY = 26
"""Grey value (of 255) from which a pixel is taken to belong to the body."""

TRIES = 6
"""Partners or places looked at before a slice stays as it is."""


@dataclass(frozen=True)
class MixConfig:
    """How often slices are mixed, and what is pasted.

    Attributes:
        cutmix: probability that a slice gets a rectangle of another one.
        area: smallest and largest share of the picture that the rectangle covers.
        same: share of the partners that come from the same data set.
        paste: probability that a slice gets a structure of another one of its data set.
        pasted: data set -> names that are pasted there.
        roam: names that may be pasted anywhere in similar tissue; others keep their place.
        jitter: largest shift of those, px.
        margin: tissue around a structure that is pasted with it, px.
    """

    cutmix: float = 0.0
    area: tuple[float, float] = (0.1, 0.45)
    same: float = 0.7
    paste: float = 0.0
    pasted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    roam: Sequence[str] = ()
    jitter: int = 5
    margin: int = 3


class Mixer:
    """Mixes slices of one canvas size.

    Args:
        slices: where partners come from.
        config: how often and what.
        regions: data set -> region of the body; without one a data set is mixed with itself only.
        foreign: data set -> names that cannot be in its pictures.
    """

    def __init__(
        self,
        slices: Sequence[TrainingSlice],
        config: MixConfig,
        *,
        regions: Mapping[str, str],
        foreign: Callable[[str], Sequence[str]],
    ) -> None:
        self.config = config
        self._regions = regions
        self._foreign = {name: frozenset(foreign(name)) for name in {s.dataset for s in slices}}
        self._of_set: dict[str, list[TrainingSlice]] = defaultdict(list)
        self._of_region: dict[tuple[str, str | None], list[str]] = defaultdict(list)
        self._donors: dict[tuple[str, str], list[TrainingSlice]] = defaultdict(list)
        for item in slices:
            if not self._of_set[item.dataset]:
                self._of_region[self._place(item)].append(item.dataset)
            self._of_set[item.dataset].append(item)
            for name in config.pasted.get(item.dataset, ()):
                if name in item.masks:
                    self._donors[item.dataset, name].append(item)

    def __call__(self, item: TrainingSlice, rng: np.random.Generator) -> TrainingSlice:
        """Return the slice, mixed or as it is."""
        if rng.random() < self.config.paste:
            item = self.paste(item, rng)
        if rng.random() < self.config.cutmix:
            item = self.cut(item, rng)
        return item

    def _place(self, item: TrainingSlice) -> tuple[str, str | None]:
        return self._regions.get(item.dataset, item.dataset), item.modality

    def knows(self, item: TrainingSlice, name: str) -> bool:
        """Return whether a name is known to be in a slice or not to be there."""
        return name in item.masks or name in item.absent or name in self._foreign[item.dataset]

    def cut(self, item: TrainingSlice, rng: np.random.Generator) -> TrainingSlice:
        """Return the slice with a rectangle of another one, which says as much of its names."""
        other = self._partner(item, rng)
        if other is None:
            return item
        top, left, height, width = item.valid
        share = np.sqrt(rng.uniform(*self.config.area))
        aspect = np.exp(rng.uniform(-0.4, 0.4))
        rows = max(1, int(min(1.0, share * aspect) * height))
        columns = max(1, int(min(1.0, share / aspect) * width))
        y = top + int(rng.integers(height - rows + 1))
        x = left + int(rng.integers(width - columns + 1))
        box = slice(y, y + rows), slice(x, x + columns)
        take = np.ones((rows, columns), bool)
        image = item.channels().copy()
        image[:, box[0], box[1]] = other.channels()[:, box[0], box[1]]
        there = {name: other.unpack(name)[box] for name in other.masks}
        return self._joined(item, other, image, box, take, there, strict=True)

    def _partner(self, item: TrainingSlice, rng: np.random.Generator) -> TrainingSlice | None:
        """Return, of a few slices of the region that know its names, the one that shows most."""
        sets = self._of_region[self._place(item)]
        best: tuple[int, TrainingSlice] | None = None
        for _ in range(TRIES):
            dataset = item.dataset
            if len(sets) > 1 and rng.random() >= self.config.same:
                dataset = sets[rng.integers(len(sets))]
            others = self._of_set[dataset]
            other = others[rng.integers(len(others))]
            known = sum(self.knows(other, name) for name in item.masks)
            shared = len(item.masks.keys() & other.masks.keys())
            if other is item or 2 * known < max(1, len(item.masks)):
                continue
            if best is None or shared > best[0]:
                best = shared, other
        return None if best is None else best[1]

    def paste(self, item: TrainingSlice, rng: np.random.Generator) -> TrainingSlice:
        """Return the slice with a structure of another slice of its data set, edges softened."""
        names = [
            n
            for n in self.config.pasted.get(item.dataset, ())
            if self._donors.get((item.dataset, n)) and self.knows(item, n)
        ]
        if not names:
            return item
        name = names[rng.integers(len(names))]
        donors = self._donors[item.dataset, name]
        donor = donors[rng.integers(len(donors))]
        if donor is item or (name not in self.config.roam and not _same_level(item, donor, name)):
            return item
        mask = donor.unpack(name) > 0
        own = item.unpack(name) > 0 if name in item.masks else None
        found = (
            self._similar_place(item, donor, mask, rng)
            if name in self.config.roam
            else self._own_place(item, donor, rng)
        )
        if found is None:
            return item
        window = _window(mask, found, own if name not in self.config.roam else None, self.config)
        if window is None:
            return item
        box, source, core = window
        take = ndimage.binary_dilation(core, iterations=self.config.margin)
        soft = ndimage.uniform_filter(take.astype(np.float32), 2 * self.config.margin - 1)
        soft = np.where(core, 1.0, soft).astype(np.float32)
        patch = donor.channels()[:, source[0], source[1]].astype(np.float32)
        image = item.channels().copy()
        here = image[:, box[0], box[1]].astype(np.float32)
        if item.modality != "CT":
            patch = _matched(patch, here, take & ~core)
        image[:, box[0], box[1]] = (here + soft * (patch - here)).clip(0, 255).round()
        there = {n: donor.unpack(n)[source] for n in donor.masks}
        return self._joined(item, donor, image, box, take, there, strict=False)

    def _own_place(
        self, item: TrainingSlice, donor: TrainingSlice, rng: np.random.Generator
    ) -> tuple[int, int] | None:
        """Return the shift (rows, columns) that keeps a place beside the body's middle."""
        here, there = _middle(item), _middle(donor)
        if here is None or there is None:
            return None
        jitter = rng.integers(-self.config.jitter, self.config.jitter + 1, 2)
        return round(here[0] - there[0] + jitter[0]), round(here[1] - there[1] + jitter[1])

    def _similar_place(
        self,
        item: TrainingSlice,
        donor: TrainingSlice,
        mask: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[int, int] | None:
        """Return the shift to tissue most like the one around the structure, of a few tries."""
        rows, columns = np.nonzero(mask)
        height, width = mask.shape
        box = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
        around = _frame(donor.image[0], *box)
        best: tuple[float, tuple[int, int]] | None = None
        for _ in range(TRIES):
            dy = int(rng.integers(-box[0], height - box[1] + 1))
            dx = int(rng.integers(-box[2], width - box[3] + 1))
            frame = _frame(item.image[0], box[0] + dy, box[1] + dy, box[2] + dx, box[3] + dx)
            if (frame < BODY).mean() > (around < BODY).mean() + 0.1:
                continue
            off = abs(float(frame.mean()) - float(around.mean()))
            if best is None or off < best[0]:
                best = off, (dy, dx)
        return None if best is None else best[1]

    def _joined(
        self,
        item: TrainingSlice,
        other: TrainingSlice,
        image: np.ndarray,
        box: tuple[slice, slice],
        take: np.ndarray,
        there: Mapping[str, np.ndarray],
        *,
        strict: bool,
    ) -> TrainingSlice:
        """Return the slice whose pixels ``take`` of ``box`` are those of another one.

        Args:
            item: the slice.
            other: the other one.
            image: the mixed picture and its neighbours.
            box: rows and columns.
            take: pixels of the box that come from the other slice.
            there: its masks in the box.
            strict: a name is absent only if it is absent from both slices as a whole.
        """
        masks: dict[str, np.ndarray] = {}
        gone: set[str] = set()
        for name in dict.fromkeys([*item.masks, *there]):
            if not (self.knows(item, name) and self.knows(other, name)):
                continue
            full = item.unpack(name) if name in item.masks else np.zeros(item.canvas, np.uint8)
            before = int(full.sum()), int(there[name].sum()) if name in there else 0
            part = full[box]
            part[take] = there[name][take] if name in there else 0
            left = int(full.sum())
            # a rim of what was there is neither taught nor denied
            if left > max(3, 0.05 * max(before)):
                masks[name] = np.packbits(full, axis=1)
            elif left == 0 and not strict:
                gone.add(name)
        for name in item.absent:
            if name not in there and name not in other.masks and self.knows(other, name):
                gone.add(name)
        return replace(
            item,
            image=image[: len(item.image)],
            neighbours=tuple(image[len(item.image) :]),
            masks=masks,
            absent=tuple(sorted(gone)),
            key=f"{item.key}+{other.key}",
            extent={},
            texts={},
        )


def _middle(item: TrainingSlice) -> tuple[float, float] | None:
    """Return the middle (row, column) of the body's extent, None for an empty picture."""
    body = item.image[0] >= BODY
    rows, columns = np.flatnonzero(body.mean(1) > 0.05), np.flatnonzero(body.mean(0) > 0.05)
    if not len(rows) or not len(columns):
        return None
    return (rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2


def _same_level(item: TrainingSlice, donor: TrainingSlice, name: str) -> bool:
    """Return whether a slice shows at least half of what stands beside the donor's structure."""
    beside = donor.masks.keys() - {name}
    return 2 * len(beside & item.masks.keys()) >= len(beside)


def _frame(picture: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    """Return the pixels of a rim 3 px wide around a box, as far as the picture reaches."""
    outer = slice(max(0, top - 3), bottom + 3), slice(max(0, left - 3), right + 3)
    rim = np.ones(picture[outer].shape, bool)
    rim[3:-3, 3:-3] = False
    return picture[outer][rim]


def _window(
    mask: np.ndarray, shift: tuple[int, int], own: np.ndarray | None, config: MixConfig
) -> tuple[tuple[slice, slice], tuple[slice, slice], np.ndarray] | None:
    """Return where a shifted mask goes, where it comes from, and what is replaced there.

    Args:
        mask: (H, W) of the structure in its own slice.
        shift: rows and columns to the other slice.
        own: the other slice's own mask of it, which is replaced.
        config: with the margin.

    Returns:
        (box, box in the own slice, (h, w) bool), None where the structure would leave the canvas.
    """
    height, width = mask.shape
    dy, dx = shift
    rows, columns = np.nonzero(mask)
    rows, columns = rows + dy, columns + dx
    if rows.min() < 0 or columns.min() < 0 or rows.max() >= height or columns.max() >= width:
        return None
    moved = np.zeros(mask.shape, bool) if own is None else own.copy()
    moved[rows, columns] = True
    rows, columns = np.nonzero(moved)
    reach = config.margin + 2
    top, left = max(0, rows.min() - reach, dy), max(0, columns.min() - reach, dx)
    bottom = min(height, rows.max() + 1 + reach, height + dy)
    right = min(width, columns.max() + 1 + reach, width + dx)
    if rows.min() < top or rows.max() >= bottom or columns.min() < left or columns.max() >= right:
        return None
    box = slice(top, bottom), slice(left, right)
    return box, (slice(top - dy, bottom - dy), slice(left - dx, right - dx)), moved[box]


def _matched(patch: np.ndarray, here: np.ndarray, rim: np.ndarray) -> np.ndarray:
    """Return a patch (C, h, w) scaled so that its rim is as bright as the one it lies on."""
    if not rim.any():
        return patch
    ratio = (here[:, rim].mean(1) + 1) / (patch[:, rim].mean(1) + 1)
    scaled: np.ndarray = patch * ratio.clip(0.6, 1.6)[:, None, None]
    return scaled

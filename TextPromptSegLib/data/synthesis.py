"""Fresh contrasts drawn from labels: every tissue gets a new grey value, every time.

A network that never sees one contrast twice learns shapes instead of grey values. Tissues are the
labelled structures and, beside them, steps of the stored picture's own grey values (fat, muscle,
bone, air). Both sides of a paired structure look alike. Shading, lost resolution and noise follow
in the augmentation. A drawn picture counts as MR, whatever the stored one was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

from .augment import without_side
from .slices import TrainingSlice

AIR = {"CT": 30, "MR": 18}
"""Grey level below which a pixel is air; a CT clipped at -125 HU has its air at 22."""

STEPS = (60, 105, 150, 200)
"""Further grey levels between the tissues that nobody labelled."""

TEXTURE = 0.7
"""Largest share of the stored picture's own texture within a tissue, with either sign."""


class Synthesiser:
    """Draws pictures of labelled slices in contrasts of their own.

    Args:
        slices: where the neighbours of a slice are found.
        shares: data set -> share of its draws that get a fresh contrast.
    """

    def __init__(self, slices: Sequence[TrainingSlice], shares: Mapping[str, float]) -> None:
        self.shares = shares
        self._by_image = {id(s.image): s for s in slices if s.dataset in shares}

    def __call__(self, item: TrainingSlice, rng: np.random.Generator) -> TrainingSlice:
        """Return the slice in a fresh contrast, or as it is."""
        if rng.random() >= self.shares.get(item.dataset, 0.0):
            return item
        look = Look(rng)
        image = np.broadcast_to(look.draw(item, rng), item.image.shape)
        around = []
        for plane in item.neighbours:
            other = self._by_image.get(id(plane.base))
            if other is None or other is item:
                around.append(image[0])
            else:
                around.append(look.draw(other, rng))
        return replace(item, image=image, neighbours=tuple(around), modality="MR")


class Look:
    """The grey values of one drawn picture and its neighbours.

    Args:
        rng: source of randomness.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._values: dict[str, tuple[float, float, float]] = {}
        self._smooth = float(rng.uniform(0.4, 1.1))

    def draw(self, item: TrainingSlice, rng: np.random.Generator) -> np.ndarray:
        """Return a picture (H, W) uint8 of the slice's tissues."""
        stored = item.image[0]
        tissues, names = tissue_map(item)
        values = np.array([self._tissue(name, rng) for name in names], np.float32)
        mean, spread, texture = values.T[:, tissues]
        where = tissues.ravel()
        count = np.bincount(where, minlength=len(names)).clip(min=1)
        middle = np.bincount(where, stored.ravel(), minlength=len(names)) / count
        own = stored - middle.astype(np.float32)[tissues]
        grain = rng.standard_normal(stored.shape, np.float32)
        picture = mean + texture * own + spread * grain
        # where tissues meet, their values mix
        smooth = ndimage.gaussian_filter(picture, self._smooth, truncate=2.5)
        # air and the canvas stay as dark as they are
        smooth[(stored == 0) & (tissues == 0)] = 0
        drawn: np.ndarray = smooth.clip(0, 255).round().astype(np.uint8)
        return drawn

    def _tissue(self, name: str, rng: np.random.Generator) -> tuple[float, float, float]:
        """Return (level, spread, share of the stored texture) of a tissue, once drawn the same."""
        if name not in self._values:
            low, high = (0.0, 12.0) if name == "air" else (15.0, 245.0)
            level = float(rng.uniform(low, high))
            spread = float(rng.uniform(1.0, 12.0)) if name != "air" else 2.0
            self._values[name] = level, spread, float(rng.uniform(-TEXTURE, TEXTURE))
        return self._values[name]


def tissue_map(item: TrainingSlice) -> tuple[np.ndarray, list[str]]:
    """Return (H, W) numbers of tissues and the name of each number.

    Unlabelled pixels are steps of the stored picture; smaller structures lie over larger ones, so
    that unions (kidneys) are shown by their parts. Names lose their side.
    """
    steps = (AIR.get(item.modality or "MR", AIR["MR"]), *STEPS)
    names = ["air", *(f"tissue {step}" for step in range(len(steps)))]
    calm = np.asarray(Image.fromarray(item.image[0]).filter(ImageFilter.MedianFilter(3)))
    tissues = np.searchsorted(steps, np.arange(256), side="right")[calm]
    areas = {name: item.unpack(name) > 0 for name in item.masks}
    for name in sorted(areas, key=lambda n: -int(areas[n].sum())):
        tissue = without_side(name)
        if tissue not in names:
            names.append(tissue)
        tissues[areas[name]] = names.index(tissue)
    return tissues, names

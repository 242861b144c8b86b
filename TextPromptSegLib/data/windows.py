"""Windows of slices with what is at their centre: the pictures that a CLIP is trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..image.intensity import InputSpec
from ..nn.windows import cut_windows
from .artefacts import AugmentConfig
from .augment import jitter_intensity, swap_sides
from .sampling import SliceSampler
from .slices import TrainingSlice

if TYPE_CHECKING:
    from ..image.volume import Volume

HERE, GONE, UNKNOWN = 1, 0, -1


@dataclass(frozen=True)
class WindowPlan:
    """What a window is, and what a batch of them holds.

    Attributes:
        size: side of a window, px.
        pixel_mm: of the slices, mm.
        cell: side of the middle part that decides what a window shows, px.
        views: channels: the window and its surroundings at multiples of its field.
        slices: slices a batch.
        per_slice: windows a slice; some on structures, some near them, some anywhere.
        whole: share of the slices that are shown whole too, as one grey picture.
        grey: share of the windows without surroundings, as one grey picture.
        share: a structure is there when it covers this share of the cell ...
        held: ... or when this share of it (in the slice) lies in the cell.
        rotation: largest angle, degrees.
        scale: smallest and largest zoom.
    """

    size: int = 64
    pixel_mm: float = 1.2
    cell: int = 21
    views: tuple[int, ...] = (1, 2, 4)
    slices: int = 16
    per_slice: int = 9
    whole: float = 0.25
    grey: float = 0.1
    share: float = 0.3
    held: float = 0.5
    rotation: float = 10.0
    scale: tuple[float, float] = (0.87, 1.15)


@dataclass(frozen=True)
class WindowBatch:
    """Windows and what is known of them.

    Attributes:
        images: (B, V, size, size) in [0, 1].
        labels: (B, T) int8 of the names: `HERE`, `GONE` or `UNKNOWN`.
    """

    images: Tensor
    labels: Tensor


def metric_spec(
    pixel_mm: float, field_mm: float | None, base: InputSpec, volume: Volume
) -> InputSpec:
    """Return the spec that brings a volume's axial slices to a pixel size.

    Args:
        pixel_mm: wanted, mm.
        field_mm: length of the long side, where the file's spacing is not to be trusted.
        base: windows and percentiles.
        volume: what is read.
    """
    source = volume.orientation("LPS").source
    lengths = [volume.shape[axis] * volume.spacing[2 - axis] for axis in source[1:]]
    size = max(8, round((field_mm or max(lengths)) / pixel_mm))
    values = {**base.to_dict(), "size": size, "multiple": 1, "canvases": ()}
    return InputSpec.from_dict({**values, "max_upsampling": 64.0})


class WindowSampler:
    """Draws batches of windows.

    Args:
        slices: of all sizes, one channel.
        sampler: which slices.
        names: T names, the columns of the labels.
        plan: sizes.
        mirror: data sets whose slices may be mirrored, with the words left and right swapped.
        augment: change of grey values, None = none (and no rotation or zoom).
        name_weights: further factor of a name, when a window is put on a structure.
        seed: of the first batch; each batch depends on the seed and its number only.
        skip: batches already used.
    """

    def __init__(
        self,
        slices: Sequence[TrainingSlice],
        sampler: SliceSampler,
        names: Sequence[str],
        plan: WindowPlan,
        *,
        mirror: Sequence[str] = (),
        augment: AugmentConfig | None = None,
        name_weights: Mapping[str, float] | None = None,
        seed: int = 0,
        skip: int = 0,
    ) -> None:
        self.sampler = sampler
        self.names = list(names)
        self.plan = plan
        self.mirror = frozenset(mirror)
        self.augment = augment
        self.seed, self.skip = seed, skip
        self._column = {name: column for column, name in enumerate(self.names)}
        counts = Counter(name for item in slices for name in item.masks)
        extra = name_weights or {}
        self._rarity = {n: extra.get(n, 1.0) * count**-0.5 for n, count in counts.items()}

    def __iter__(self) -> Iterator[WindowBatch]:
        """Yield batches without end."""
        number = self.skip
        while True:
            yield self.batch(np.random.default_rng((self.seed, number)))
            number += 1

    def batch(self, rng: np.random.Generator) -> WindowBatch:
        """Return one batch."""
        images: list[Tensor] = []
        labels: list[np.ndarray] = []
        ct: list[bool] = []
        for item in self.sampler.draw(self.plan.slices, rng):
            seen, known = self._of_slice(item, rng)
            images.append(seen)
            labels.append(known)
            ct += [item.modality == "CT"] * len(seen)
        result = torch.cat(images)
        if self.augment is not None:
            generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
            result = jitter_intensity(result, ct, self.augment, generator)
        return WindowBatch(result, torch.from_numpy(np.concatenate(labels)))

    def _of_slice(self, item: TrainingSlice, rng: np.random.Generator) -> tuple[Tensor, np.ndarray]:
        image = torch.from_numpy(item.image[0]).float().div_(255)
        masks = {name: item.unpack(name) for name in item.masks}
        centres = self._centres(item, masks, rng)
        mirrored = self.augment is not None and item.dataset in self.mirror and rng.random() < 0.5
        matrices = self._matrices(len(centres), mirrored, rng)
        place = torch.from_numpy(centres).float()
        seen = cut_windows(image, place, self.plan.size, self.plan.views, matrices)
        for row in np.flatnonzero(rng.random(len(seen)) < self.plan.grey):
            seen[row] = seen[row, :1].clone()
        labels = self.cell_labels(item, masks, centres, mirrored)
        if rng.random() < self.plan.whole:
            seen = torch.cat([seen, self._whole(image, mirrored)])
            labels = np.concatenate([labels, self._slice_labels(item, masks, mirrored)])
        return seen, labels

    def _matrices(self, count: int, mirrored: bool, rng: np.random.Generator) -> Tensor | None:
        if self.augment is None:
            return None
        angle = torch.from_numpy(rng.uniform(-1, 1, count)).float()
        angle = angle * self.plan.rotation * torch.pi / 180
        low, high = np.log(self.plan.scale)
        zoom = torch.from_numpy(np.exp(-rng.uniform(low, high, count))).float()
        cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
        side = -1.0 if mirrored else 1.0
        return torch.stack(
            [torch.stack([cos, sin * side], 1), torch.stack([-sin, cos * side], 1)], 1
        )

    def _centres(
        self, item: TrainingSlice, masks: dict[str, np.ndarray], rng: np.random.Generator
    ) -> np.ndarray:
        """Return (N, 2) centres: half on structures, a fifth near them, the rest in the body."""
        total, cell = self.plan.per_slice, self.plan.cell
        chosen: list[np.ndarray] = []
        if masks:
            names = list(masks)
            weight = np.array([self._rarity.get(name, 1.0) for name in names])
            picks = rng.choice(len(names), size=round(0.7 * total), p=weight / weight.sum())
            for turn, pick in enumerate(picks):
                points = np.argwhere(masks[names[pick]])
                point = points[rng.integers(len(points))] + rng.uniform(-0.3, 0.3, 2) * cell
                if turn >= round(0.5 * total):  # near, not on it
                    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(1.0, 3.0) * cell
                    point = point + far * np.array([np.sin(angle), np.cos(angle)])
                chosen.append(point)
        height, width = item.canvas
        inside = np.argwhere(item.image[0, ::4, ::4] > 12) * 4
        if not len(inside):
            inside = np.array([[height // 2, width // 2]])
        while len(chosen) < total:
            chosen.append(inside[rng.integers(len(inside))] + rng.uniform(0, 4, 2))
        return np.clip(np.stack(chosen), 0, np.array([height, width]))

    def cell_labels(
        self,
        item: TrainingSlice,
        masks: dict[str, np.ndarray],
        centres: np.ndarray,
        mirrored: bool = False,
    ) -> np.ndarray:
        """Return (N, T) int8: what lies in the middle cell of windows at these centres."""
        labels = self._absent(item, len(centres), mirrored)
        half = self.plan.cell / 2
        height, width = item.canvas
        low = np.clip(np.floor(centres - half + 0.5).astype(int), 0, (height, width))
        high = np.clip(np.floor(centres + half + 0.5).astype(int), 0, (height, width))
        for name, mask in masks.items():
            sums = np.zeros((height + 1, width + 1), np.int64)
            sums[1:, 1:] = mask.cumsum(0, dtype=np.int64).cumsum(1)
            inside = (
                sums[high[:, 0], high[:, 1]]
                - sums[low[:, 0], high[:, 1]]
                - sums[high[:, 0], low[:, 1]]
                + sums[low[:, 0], low[:, 1]]
            )
            there = inside >= self.plan.share * self.plan.cell**2
            there |= inside >= max(4.0, self.plan.held * sums[-1, -1])
            found = np.where(there, HERE, np.where(inside == 0, GONE, UNKNOWN))
            labels[:, self._name_column(name, mirrored)] = found
        return labels

    def _slice_labels(
        self, item: TrainingSlice, masks: dict[str, np.ndarray], mirrored: bool
    ) -> np.ndarray:
        labels = self._absent(item, 1, mirrored)
        enough = 0.002 * item.canvas[0] * item.canvas[1]
        for name, mask in masks.items():
            there = mask.sum() >= enough
            labels[0, self._name_column(name, mirrored)] = HERE if there else UNKNOWN
        return labels

    def _absent(self, item: TrainingSlice, count: int, mirrored: bool) -> np.ndarray:
        labels = np.full((count, len(self.names)), UNKNOWN, np.int8)
        gone = [*item.absent, *self.sampler.foreign_names(item.dataset)]
        columns = [self._name_column(name, mirrored) for name in gone if name in self._column]
        labels[:, columns] = GONE
        return labels

    def _name_column(self, name: str, mirrored: bool) -> int:
        other = swap_sides(name) if mirrored else name
        return self._column.get(other, self._column[name])

    def _whole(self, image: Tensor, mirrored: bool) -> Tensor:
        """Return the slice as one grey picture (1, V, size, size), its shape kept."""
        size, longest = self.plan.size, max(image.shape)
        shape = [max(1, round(side * size / longest)) for side in image.shape]
        small = F.interpolate(
            image[None, None], shape, mode="bilinear", align_corners=False, antialias=True
        )
        top, left = (size - shape[0]) // 2, (size - shape[1]) // 2
        whole = F.pad(small, (left, size - shape[1] - left, top, size - shape[0] - top))
        whole = whole.flip(-1) if mirrored else whole
        return whole.expand(1, len(self.plan.views), size, size)

"""Geometric prompts on slices: patient mm to pixels of the canvas, and boxes from masks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from ...outcome import InputError
from ...prompting.boxed import Boxed
from ..hints import Hints

if TYPE_CHECKING:
    from ...image.slice_stack import SliceStack

PixelBox = tuple[float, float, float, float]
"""x0, y0, x1, y1 in px of the canvas."""

GROW = 0.1
"""A box made from a mask is this share of its sides larger on each side (SPEC 4.2)."""
MASK_LOGIT = 10.0
"""What a mask's pixels say, as logits: sure, as SAM's own answers to a clear structure are."""
LEAST_PART = 0.25
"""Parts of a mask smaller than this share of the largest one do not stretch its box."""


class SliceHints:
    """The box and the points of `Hints`, slice by slice.

    Args:
        hints: in patient RAS, mm.
        stack: the slices of the image.
        masks: whether the network takes a mask; else each slice gets the box around it.

    Raises:
        InputError: when the box or a point lies outside the image, or the mask is of another one.
    """

    def __init__(self, hints: Hints, stack: SliceStack, masks: bool = False) -> None:
        self.hints = hints
        self.masks: dict[int, np.ndarray] = {}  # logits (H, W) on the canvas
        self.boxes: dict[int, PixelBox] = {}
        self.frames: dict[int, tuple[slice, slice]] = {}  # rows and columns that a box touches
        self.points: dict[int, list[tuple[float, float, int]]] = {}
        if hints.box is not None:
            self._set_box(hints.box, stack)
        for x, y, z, label in hints.points:
            (n, row, column), *_ = stack_coordinates(stack, [(x, y, z)])
            number, (_, height, width) = round(n), stack.slices.shape
            inside = 0 <= number < len(stack) and -0.5 <= row <= height - 0.5
            if not inside or not -0.5 <= column <= width - 0.5:
                raise InputError(f"The point {x:g},{y:g},{z:g} (RAS, mm) lies outside the image.")
            place = canvas_pixels(stack, row, column)
            self.points.setdefault(number, []).append((*place, label))
        if hints.mask is not None:
            self._set_mask(hints.mask, stack, masks)

    def _set_mask(self, mask: Boxed, stack: SliceStack, masks: bool) -> None:
        if mask.shape != stack.volume.shape:
            raise InputError(
                f"The mask to start from has {mask.shape} voxels and the image "
                f"{tuple(stack.volume.shape)}; it must lie on the grid of the image."
            )
        for number, plane in enumerate(stack.view(mask.whole())):
            if not plane.any() or number in self.boxes:
                continue  # a box that the user drew says more
            if masks:
                self.masks[number] = _mask_logits(plane > 0, stack)
                continue
            x0, y0, x1, y1 = box_of(plane > 0) or (0.0, 0.0, 0.0, 0.0)
            low, high = canvas_pixels(stack, y0, x0), canvas_pixels(stack, y1, x1)
            # A point on the structure may lie where the mask has not been yet.
            shown = [p[:2] for p in self.points.get(number, ()) if p[2]]
            places = np.array([low, high, *shown])
            self.boxes[number] = (*places.min(axis=0).tolist(), *places.max(axis=0).tolist())

    def _set_box(self, box: Sequence[float], stack: SliceStack) -> None:
        block = stack.block(box)  # the slices that it touches, and whether it touches any
        corners = [(x, y, z) for x in box[:2] for y in box[2:4] for z in box[4:]]
        placed = np.array(stack_coordinates(stack, corners))
        _, height, width = stack.slices.shape
        low, high = placed[:, 1:].min(axis=0), placed[:, 1:].max(axis=0)
        low, high = np.maximum(low, -0.5), np.minimum(high, (height - 0.5, width - 0.5))
        x0, y0 = canvas_pixels(stack, *low)
        x1, y1 = canvas_pixels(stack, *high)
        self.boxes = dict.fromkeys(block.slices, (x0, y0, x1, y1))
        self.frames = dict.fromkeys(block.slices, (block.rows, block.columns))

    def add_box(self, number: int, box: PixelBox, stack: SliceStack) -> None:
        """Show a box x0, y0, x1, y1, px of the slice itself, on one slice."""
        x0, y0, x1, y1 = box
        low, high = canvas_pixels(stack, y0, x0), canvas_pixels(stack, y1, x1)
        self.boxes[number] = (*low, *high)
        self.frames[number] = (_touched(y0, y1), _touched(x0, x1))

    def bound(self, first: int, probability: np.ndarray) -> np.ndarray:
        """Return probabilities (n, H, W) of the slices from ``first`` on, 0 outside their boxes.

        A box that a person gives bounds the structure: pixels that it does not touch are not of
        it. (On validation volumes of BTCV and CHAOS a wider margin never helped, neither with the
        reference's boxes nor with ones drawn up to 8 % too large or 3 % too small.)
        """
        if not self.frames:
            return probability
        inside = np.zeros_like(probability)
        for row in range(len(probability)):
            place = (row, *self.frames.get(first + row, (slice(None), slice(None))))
            inside[place] = probability[place]
        return inside

    def slices(self) -> set[int]:
        """Return the slices on which the user showed the structure itself."""
        shown = {n for n, points in self.points.items() if any(p[2] for p in points)}
        return shown | set(self.boxes) | set(self.masks)

    def extent(self) -> set[int]:
        """Return the slices that bound the search: those of a box, or of a mask and its points."""
        if self.frames:
            return set(self.frames)
        return self.slices() if self.hints.mask is not None else set()

    def mask_tensor(self, numbers: Sequence[int], device: torch.device) -> torch.Tensor | None:
        """Return logits (B, 1, H, W) of the masks of some slices, NaN rows without; or None."""
        known = [self.masks.get(number) for number in numbers]
        shape = next((mask.shape for mask in known if mask is not None), None)
        if shape is None:
            return None
        nothing = np.full(shape, np.nan, np.float32)
        rows = np.stack([nothing if mask is None else mask for mask in known])
        return torch.from_numpy(rows[:, None]).to(device)

    def tensors(
        self, numbers: Sequence[int], device: torch.device
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Return what `PromptedSegmenter.decode` takes for some slices.

        Returns:
            Boxes (B, 4), rows of NaN without one, and points (B, N, 3) of x, y, label with
            label -1 on the padding; None where no row has any.
        """
        boxes = points = None
        if any(n in self.boxes for n in numbers):
            boxes = box_tensor([self.boxes.get(n) for n in numbers], device)
        most = max((len(self.points.get(n, ())) for n in numbers), default=0)
        if most:
            points = torch.zeros(len(numbers), most, 3, device=device)
            points[:, :, 2] = -1
            for row, number in enumerate(numbers):
                for column, point in enumerate(self.points.get(number, ())):
                    points[row, column] = torch.tensor(point, device=device)
        return boxes, points


def _mask_logits(mask: np.ndarray, stack: SliceStack) -> np.ndarray:
    """Return a mask (H, W) of a slice as logits on the canvas."""
    (top, left), (height, width) = stack.offset, stack.inner
    small = torch.from_numpy(mask[None, None].astype(np.float32))
    inner = torch.nn.functional.interpolate(small, (height, width), mode="nearest-exact")
    logits = np.full(stack.canvas, -MASK_LOGIT, np.float32)
    logits[top : top + height, left : left + width] = MASK_LOGIT * (2 * inner[0, 0].numpy() - 1)
    return logits


def _touched(low: float, high: float) -> slice:
    """Return the pixels that a range touches; pixel n reaches from n - 0.5 to n + 0.5."""
    start = max(0, math.floor(low + 0.5 + 1e-6))
    return slice(start, max(start + 1, math.ceil(high + 0.5 - 1e-6)))


def stack_coordinates(
    stack: SliceStack, points: Sequence[Sequence[float]]
) -> list[tuple[float, float, float]]:
    """Return (slice, row, column) of points in patient RAS, mm; voxel centres are whole numbers."""
    canonical = stack.volume.canonical("LPS")
    last = canonical.shape[0] - 1
    placed = []
    for i, j, k in canonical.ras_to_index(np.asarray(points, np.float64)):
        upright = last - k
        placed.append(
            {"axial": (k, j, i), "coronal": (j, upright, i), "sagittal": (i, upright, j)}[
                stack.plane
            ]
        )
    return [(float(n), float(row), float(column)) for n, row, column in placed]


def canvas_pixels(stack: SliceStack, row: float, column: float) -> tuple[float, float]:
    """Return (x, y) px on the canvas of a place in a slice; pixel centres are whole numbers."""
    _, height, width = stack.slices.shape
    (top, left), (h, w) = stack.offset, stack.inner
    x = (float(column) + 0.5) * w / width - 0.5 + left
    y = (float(row) + 0.5) * h / height - 0.5 + top
    return x, y


def box_tensor(boxes: Sequence[PixelBox | None], device: torch.device) -> torch.Tensor:
    """Return boxes (B, 4); rows of NaN where there is none."""
    nothing = (float("nan"),) * 4
    return torch.tensor([b or nothing for b in boxes], dtype=torch.float32, device=device)


def box_of(mask: np.ndarray, grow: float = GROW, least_part: float = LEAST_PART) -> PixelBox | None:
    """Return the box x0, y0, x1, y1 around a mask (H, W), larger by a share; None when empty.

    Specks far from the structure do not stretch it: parts smaller than ``least_part`` of the
    largest one.
    """
    from scipy import ndimage

    if not mask.any():
        return None
    labels, count = ndimage.label(mask)
    if count > 1 and least_part > 0:
        sizes = np.bincount(labels.reshape(-1))[1:]
        mask = np.isin(labels, 1 + np.flatnonzero(sizes >= least_part * sizes.max()))
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    y0, y1, x0, x1 = rows[0] - 0.5, rows[-1] + 0.5, columns[0] - 0.5, columns[-1] + 0.5
    dx, dy = grow * (x1 - x0), grow * (y1 - y0)
    height, width = mask.shape
    return (
        float(max(-0.5, x0 - dx)),
        float(max(-0.5, y0 - dy)),
        float(min(width - 0.5, x1 + dx)),
        float(min(height - 0.5, y1 + dy)),
    )


def boxes_of(logits: torch.Tensor) -> list[PixelBox | None]:
    """Return the box of each mask, logits (B, 1, H, W) > 0."""
    return [box_of(mask) for mask in (logits[:, 0].float() > 0).cpu().numpy()]


def march(
    seeds: Sequence[int],
    allowed: set[int],
    decode: Callable[[int, PixelBox | None], PixelBox | None],
) -> None:
    """Decode slices outwards from the seeds, each with the box of its neighbour's mask.

    A box makes the network draw something wherever it lies, so only slices on which the text
    alone found the structure are entered: a structure ends where the text says that it ends.

    Args:
        seeds: slices that are decoded with their own box.
        allowed: slices that may be entered.
        decode: ``decode(slice, box)`` answers with the box of the mask that it found.
    """
    done: set[int] = set()
    fronts = []
    for seed in seeds:
        if seed not in done:
            done.add(seed)
            fronts.append((seed, decode(seed, None)))
    for start, box in fronts:
        for step in (1, -1):
            number, known = start + step, box
            while known is not None and number in allowed and number not in done:
                done.add(number)
                known = decode(number, known)
                number += step

"""A volume as a stack of slices for the network, and the way back to the file's voxel order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from ..outcome import InputError
from .boxes import Box, unturned
from .cores import on_cores
from .intensity import InputSpec, canvas_offset, fit_slice_size, neighbour_step, scale_parameters
from .resizing import resize_bicubic

if TYPE_CHECKING:
    from .volume import Volume

PLANES = ("axial", "coronal", "sagittal")


def plane_view(array: np.ndarray, plane: str) -> np.ndarray:
    """Return the slices (..., N, H, W) of a canonical LPS array (..., K, J, I), as a view.

    Axial slices have anterior at the top, coronal and sagittal ones superior; writing into the
    view writes into the array.
    """
    if plane == "axial":
        return array
    return np.moveaxis(array, -2 if plane == "coronal" else -1, -3)[..., ::-1, :]


def voxel_size(volume: Volume, plane: str) -> tuple[float, float, float]:
    """Return distance of the slices, height and width of their pixels, mm."""
    spacing = volume.spacing[::-1]  # in the order of the file's array axes
    depth, rows, columns = (spacing[axis] for axis in volume.orientation("LPS").source)
    return {
        "axial": (depth, rows, columns),
        "coronal": (rows, depth, columns),
        "sagittal": (columns, depth, rows),
    }[plane]


def pixel_size(volume: Volume, plane: str) -> tuple[float, float] | None:
    """Return height and width of a slice's pixels, mm; None for a picture of unknown size."""
    if volume.meta.get("geometry") == "assumed":
        return None
    return voxel_size(volume, plane)[1:]


def slice_distance(volume: Volume, plane: str) -> float | None:
    """Return the distance of a volume's slices, mm; None where it is not known."""
    if volume.meta.get("geometry") == "assumed":
        return None
    return voxel_size(volume, plane)[0]


def choose_plane(shape: Sequence[int], trained: Sequence[str], wanted: str | None) -> str:
    """Return the plane whose slices the network sees.

    Args:
        shape: (K, J, I) of the canonical volume.
        trained: planes that the checkpoint was trained on.
        wanted: what the user asked for, None for "as trained".

    Raises:
        InputError: for an unknown plane, or one that the checkpoint was not trained on.
    """
    if wanted is not None and wanted not in PLANES:
        raise InputError(f"'{wanted}' is not a plane; use axial, coronal or sagittal.")
    if min(shape) == 1 and wanted is None:
        return PLANES[list(shape).index(1)]  # a picture is looked at as it is
    if wanted is not None and min(shape) > 1 and wanted not in trained:
        raise InputError(
            f"This checkpoint was trained on {' and '.join(trained)} slices, not on {wanted} ones; "
            "leave the plane out."
        )
    return wanted or (trained[0] if trained else "axial")


@dataclass(frozen=True)
class Block:
    """The part of a stack that is searched: slices n0..n1, rows and columns inside."""

    slices: range
    rows: slice
    columns: slice

    def cut(self, stack: np.ndarray) -> None:
        """Set an array of slices (S, H, W) to zero outside this part, in place."""
        stack[: self.slices.start] = stack[self.slices.stop :] = 0
        inside = stack[self.slices.start : self.slices.stop]
        inside[:, : self.rows.start] = inside[:, self.rows.stop :] = 0
        inside[:, :, : self.columns.start] = inside[:, :, self.columns.stop :] = 0


class SliceStack:
    """Slices of one volume along one plane.

    Args:
        volume: in the file's own voxel order.
        plane: ``axial``, ``coronal`` or ``sagittal``.
        spec: the checkpoint's input.
        modality: ``CT``, ``MR``, ``CXR`` or None.
        in_hu: whether a CT is known to be in HU.
        padding: value of voxels outside the picture.
    """

    def __init__(
        self,
        volume: Volume,
        plane: str,
        spec: InputSpec,
        modality: str | None = None,
        in_hu: bool = False,
        padding: float | None = None,
    ) -> None:
        self.volume, self.plane, self.spec = volume, plane, spec
        self.axis_map = volume.orientation("LPS")
        self.slices = plane_view(self.axis_map.apply(volume.array), plane)
        how: dict[str, Any] = {"in_hu": in_hu, "padding": padding}
        self.scale = scale_parameters(volume.array, modality, spec, **how)
        _, height, width = self.slices.shape
        self.inner, self.canvas = fit_slice_size(height, width, spec, pixel_size(volume, plane))
        self.offset = canvas_offset(self.inner, self.canvas)
        self.step = neighbour_step(spec, slice_distance(volume, plane), len(self.slices))
        self._made: tuple[int, torch.Tensor] = (0, torch.empty(0))

    def __len__(self) -> int:
        """Return the number of slices."""
        return len(self.slices)

    @property
    def file_axis(self) -> int:
        """Axis (0 K, 1 J, 2 I) of the file's array along which the slices lie."""
        return self.axis_map.source[PLANES.index(self.plane)]

    def is_picture(self, modality: str | None) -> bool:
        """Whether the top of the one slice is up: an X-ray, or a picture without a geometry."""
        assumed = self.volume.meta.get("geometry") == "assumed"
        return self._canonical_depth == 1 and (modality == "CXR" or assumed)

    def has_vertical(self, modality: str | None) -> bool:
        """Whether the image has an upper and a lower part."""
        return self._canonical_depth > 1 or self.is_picture(modality)

    @property
    def _canonical_depth(self) -> int:
        """Number of voxels from feet to head."""
        return self.volume.shape[self.axis_map.source[0]]

    def file_numbers(self, first: int, last: int) -> tuple[int, int]:
        """Return the slices first..last-1 of the stack, counted as in the file."""
        if self.axis_map.flipped[PLANES.index(self.plane)]:
            return len(self) - last, len(self) - first
        return first, last

    def empty(self) -> tuple[np.ndarray, np.ndarray]:
        """Return a float16 array of zeros in the file's order and its view as a stack."""
        array = np.zeros(self.volume.shape, np.float16)
        return array, self.view(array)

    def view(self, array: np.ndarray) -> np.ndarray:
        """Return a file-order array (K, J, I) as a stack (N, H, W), a view."""
        return plane_view(self.axis_map.apply(array), self.plane)

    def file_box(self, slices: range, rows: slice, columns: slice) -> Box:
        """Return where consecutive slices, rows and columns of them lie in the file's array."""
        depth, part = self._canonical_depth, slice(slices.start, slices.stop)
        upright = slice(depth - rows.stop, depth - rows.start)
        box = {
            "axial": (part, rows, columns),
            "coronal": (upright, part, columns),
            "sagittal": (upright, columns, part),
        }[self.plane]
        return unturned(box, self.volume.shape, self.axis_map.source, self.axis_map.flipped)

    def block(
        self,
        roi: Sequence[float] | None = None,
        numbers: slice | tuple[int, int] | None = None,
    ) -> Block:
        """Return what is searched.

        Args:
            roi: x0, x1, y0, y1, z0, z1 in RAS, mm; None for everything.
            numbers: first slice and the one after the last, counted as in the file.

        Raises:
            InputError: when nothing of the volume is left.
        """
        count, height, width = self.slices.shape
        low, high = 0, count
        rows, columns = slice(0, height), slice(0, width)
        if numbers is not None:
            low, high = self._slice_range(numbers)
        if roi is not None:
            if len(roi) != 6:
                raise InputError("The region needs six numbers x0,x1,y0,y1,z0,z1 (RAS, mm).")
            k, j, i = self.volume.canonical("LPS").box_to_slices(*roi)
            upright = slice(self._canonical_depth - k.stop, self._canonical_depth - k.start)
            along, rows, columns = {
                "axial": (k, j, i),
                "coronal": (j, upright, i),
                "sagittal": (i, upright, j),
            }[self.plane]
            low, high = max(low, along.start), min(high, along.stop)
        if low >= high:
            raise InputError("The slice range and the region have no slice in common.")
        return Block(range(low, high), rows, columns)

    def _slice_range(self, numbers: slice | tuple[int, int]) -> tuple[int, int]:
        """Turn slice numbers of the file into those of the stack."""
        count = len(self)
        if not isinstance(numbers, slice):
            numbers = slice(*numbers)
        first = 0 if numbers.start is None else int(numbers.start)
        last = count if numbers.stop is None else int(numbers.stop)
        if first < 0 or last > count or first >= last or numbers.step not in (None, 1):
            raise InputError(
                f"The slices {first}:{last} are not in the image, whose {self.plane} slices "
                f"are 0:{count}."
            )
        return self.file_numbers(first, last)  # the map is its own inverse

    def images(self, first: int, last: int) -> torch.Tensor:
        """Return the slices first..last-1 as network input (n, C, H, W) float32 in [0, 1].

        C is `InputSpec.channels`: the slice's own channels, then, where the checkpoint wants
        neighbours, the first channel of the slice below and of the one above.
        """
        if self.spec.neighbour_mm is None:
            return self._slices(first, last).expand(-1, self.spec.in_channels, -1, -1)
        low, high = max(0, first - self.step), min(len(self), last + self.step)
        around = self._sliding(low, high)
        own = around[first - low : last - low].expand(-1, self.spec.in_channels, -1, -1)
        at = torch.arange(first, last)
        below = (at - self.step).clamp_min(0) - low
        above = (at + self.step).clamp_max(len(self) - 1) - low
        return torch.cat([own, around[below, :1], around[above, :1]], dim=1)

    def _sliding(self, first: int, last: int) -> torch.Tensor:
        """Return the same as `_slices`; what the call before has made already is not made again.

        Batches follow each other and share the neighbours at their ends: of slices of 3 mm a third
        of all would be made twice.
        """
        start, before = self._made
        stop = start + len(before)
        if not start <= first < stop < last:
            made = self._slices(first, last)
        else:
            made = torch.cat([before[first - start :], self._slices(stop, last)])
        self._made = first, made
        return made

    def _slices(self, first: int, last: int) -> torch.Tensor:
        """Return the slices' own channels (n, C, H, W), one where all windows are the same."""
        windows = self.scale[:1] if len(set(self.scale)) == 1 else self.scale
        lowest, highest = min(w[0] for w in windows), max(w[1] for w in windows)
        (top, left), (h, w) = self.offset, self.inner
        make = np.empty if self.inner == self.canvas else np.zeros
        images = make((last - first, len(windows), *self.canvas), np.float32)

        def fill(number: int) -> None:
            image = images[number - first]
            values = self.slices[number]
            if values.dtype.itemsize > 2 or values.dtype.kind == "f":
                values = np.asarray(values, dtype=np.float32)
            if values.dtype.kind == "f":
                values = np.nan_to_num(values, nan=lowest, posinf=highest, neginf=lowest)
            # One slice at a time: its windows stay in the processor's cache until resized.
            clipped = np.empty((len(windows), *values.shape), np.float32)
            for (low, high), plane in zip(windows, clipped, strict=True):
                np.clip(values, np.float32(low), np.float32(high), out=plane)
            inner = image[:, top : top + h, left : left + w]
            resized = self.inner != clipped.shape[1:]
            inner[...] = resize_bicubic(clipped, self.inner) if resized else clipped
            # The weights of a resized pixel add up to one: scaling may as well come afterwards.
            for (low, high), plane in zip(windows, inner, strict=True):
                plane -= np.float32(low)
                plane *= np.float32(1.0 / (high - low))
            np.clip(inner, 0.0, 1.0, out=inner)

        on_cores(fill, range(first, last))
        return torch.from_numpy(images)

    def probabilities(self, logits: torch.Tensor, least: float = 0.0) -> np.ndarray:
        """Return float16 (n, H, W) of the slices' own size for logits (n, 1, H', W').

        Args:
            logits: of the canvas.
            least: beyond the box around what reaches this probability it may be 0 instead.
        """
        (top, left), (h, w) = self.offset, self.inner
        inner = logits[:, :, top : top + h, left : left + w].float()
        size = self.slices.shape[1:]
        if least <= 0.0:
            return _resized(inner, size)
        # A little less, for what rounding to float16 may add.
        hot = inner[:, 0] > math.log(least / (1.0 - least)) - 0.01
        sides = [hot.any(2).any(0), hot.any(1).any(0)]
        rows, columns = (
            _blocks(side.numpy(force=True), count) for side, count in zip(sides, size, strict=True)
        )
        made = np.zeros((len(inner), *size), np.float16)
        if rows is not None and columns is not None:
            ((a, b), (c, d)), ((e, f), (g, i)) = rows, columns
            made[:, c:d, g:i] = _resized(inner[:, :, a:b, e:f], (d - c, i - g))
        return made


def _resized(logits: torch.Tensor, size: tuple[int, int]) -> np.ndarray:
    """Return probabilities (n, H, W) float16 of logits (n, 1, h, w)."""
    if tuple(logits.shape[2:]) != tuple(size):
        logits = F.interpolate(logits, size, mode="bilinear", align_corners=False)
    return torch.sigmoid(logits).to(torch.float16)[:, 0].cpu().numpy()


def _blocks(filled: np.ndarray, after: int) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the part of an axis around what is filled, before and after resizing.

    It is cut where a pixel begins before and after, with one pixel more each way: so what is
    resized alone equals the part of what is resized as a whole. None where nothing is filled.

    Args:
        filled: (n,) bool.
        after: pixels of the axis once it is resized.
    """
    places = np.flatnonzero(filled)
    if not places.size:
        return None
    count = math.gcd(len(filled), after)
    old, new = len(filled) // count, after // count
    first = max(0, int(places[0]) - 1) // old
    last = min(count, -(-(int(places[-1]) + 2) // old))
    return (first * old, last * old), (first * new, last * new)

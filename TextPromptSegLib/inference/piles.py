"""Probabilities as they come from the network: a pile of slices, each only where something is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..image.cores import on_cores
from ..image.slice_stack import SliceStack
from ..prompting.boxed import Boxed, Layers, nothing, zeros
from .device import trim

MUCH = 32 << 20
"""Bytes of a pile that are worth asking the system to take them back."""
FLOOR = float(2.0**-7)
"""Around what reaches this probability a slice is kept; what is less and lies outside is zero. It
lies below every threshold that a window offers (0.01 and more), which stays exact."""
_FLOOR_BITS = np.float16(FLOOR).view(np.uint16)  # bits of non-negative halves are in order


class Pile:
    """The probability of one union of names over a volume.

    Ten prompts on 600 slices of 512 x 512 are 3 GB as whole float16 arrays, almost all of it zero.

    Args:
        stack: the image's slices.
    """

    def __init__(self, stack: SliceStack) -> None:
        self._stack = stack
        self._slices: dict[int, tuple[int, int, np.ndarray]] = {}

    def put(self, number: int, row: int, column: int, part: np.ndarray) -> None:
        """Take (h, w) float16 from (row, column) on, in place of what a slice held."""
        box = _box(part)
        if box is None:
            self._slices.pop(number, None)
            return
        rows, columns = box
        kept = part[rows, columns].copy()
        self._slices[number] = (row + rows.start, column + columns.start, kept)

    def join(self, number: int, row: int, column: int, part: np.ndarray) -> None:
        """Take the larger of what a slice holds and ``part`` (h, w) float16, voxel by voxel."""
        if number not in self._slices:
            self.put(number, row, column, part)
            return
        box = _box(part)
        if box is None:
            return
        rows, columns = box
        new = part[rows, columns]
        r, c = row + rows.start, column + columns.start
        r_old, c_old, old = self._slices[number]
        top, left = min(r, r_old), min(c, c_old)
        bottom = max(r + new.shape[0], r_old + old.shape[0])
        right = max(c + new.shape[1], c_old + old.shape[1])
        both = np.zeros((bottom - top, right - left), np.float16)
        both[r_old - top :, c_old - left :][: old.shape[0], : old.shape[1]] = old
        place = both[r - top :, c - left :][: new.shape[0], : new.shape[1]].view(np.uint16)
        np.maximum(place, new.view(np.uint16), out=place)
        self._slices[number] = (top, left, both)

    def cap(self, limit: float) -> None:
        """Bring every probability down to ``limit`` where it is larger."""
        bits = np.float16(limit).view(np.uint16)
        for _, _, part in self._slices.values():
            np.minimum(part.view(np.uint16), bits, out=part.view(np.uint16))

    def largest(self) -> float:
        """Return the largest probability."""
        tops = [part.view(np.uint16).max() for _, _, part in self._slices.values()]
        return float(np.uint16(max(tops, default=0)).view(np.float16))

    def whole(self) -> np.ndarray:
        """Return a new array (K, J, I) float16 in the file's order."""
        array = zeros(self._stack.volume.shape, np.float16)
        view = self._stack.view(array)
        for number, (row, column, part) in self._slices.items():
            view[number, row : row + part.shape[0], column : column + part.shape[1]] = part
        return array

    def boxed(self) -> Boxed:
        """Return a new array (K, J, I) float16 in the file's order, kept around all slices."""
        held = self._slices.values()
        if not held:
            return nothing(self._stack.volume.shape, np.float16)
        numbers = range(min(self._slices), max(self._slices) + 1)
        top = min(row for row, _, _ in held)
        left = min(column for _, column, _ in held)
        bottom = max(row + part.shape[0] for row, _, part in held)
        right = max(column + part.shape[1] for _, column, part in held)
        rows, columns = slice(top, bottom), slice(left, right)
        box = self._stack.file_box(numbers, rows, columns)
        values = zeros([side.stop - side.start for side in box], np.float16)
        view = self._stack.view(values)
        for number, (row, column, part) in self._slices.items():
            place = view[number - numbers.start, row - top :, column - left :]
            place[: part.shape[0], : part.shape[1]] = part
        return Boxed(self._stack.volume.shape, [side.start for side in box], values)

    def layers(self, last: bool = False) -> Layers:
        """Return a copy of what is kept, in the file's order.

        Args:
            last: nothing is asked of the pile any more: each slice goes as its copy is made.
        """
        pieces = []
        for number in sorted(self._slices):
            row, column, part = self._slices.pop(number) if last else self._slices[number]
            rows, columns = (
                slice(start, start + size)
                for start, size in zip((row, column), part.shape, strict=True)
            )
            box = self._stack.file_box(range(number, number + 1), rows, columns)
            values = np.empty([side.stop - side.start for side in box], np.float16)
            self._stack.view(values)[0] = part
            pieces.append(([side.start for side in box], values))
        return Layers(self._stack.volume.shape, np.float16, pieces)

    def held(self) -> Mapping[int, tuple[int, int, np.ndarray]]:
        """Return slice -> its first row and column and the probabilities (h, w) there."""
        return self._slices

    def plane(self, number: int, row: int, column: int, shape: tuple[int, ...]) -> np.ndarray:
        """Return the probabilities (h, w) of a part of a slice, 0 where nothing is kept."""
        made = np.zeros(shape, np.float16)
        if number in self._slices:
            r, c, part = self._slices[number]
            top, left = max(row, r), max(column, c)
            bottom = min(row + shape[0], r + part.shape[0])
            right = min(column + shape[1], c + part.shape[1])
            if top < bottom and left < right:
                inside = part[top - r : bottom - r, left - c : right - c]
                made[top - row : bottom - row, left - column : right - column] = inside
        return made

    def take(self, slices: Mapping[int, tuple[int, int, np.ndarray]]) -> None:
        """Take slices as `held` gives them instead of what was there."""
        self._slices.clear()
        for number, (row, column, part) in slices.items():
            self.put(number, row, column, part)

    def mask(self, threshold: float) -> np.ndarray:
        """Return a new mask (K, J, I) uint8 in the file's order of what reaches a threshold."""
        array = zeros(self._stack.volume.shape, np.uint8)
        view, least = self._stack.view(array), np.float16(threshold).view(np.uint16)
        for number, (row, column, part) in self._slices.items():
            place = view[number, row : row + part.shape[0], column : column + part.shape[1]]
            np.greater_equal(part.view(np.uint16), least, out=place.view(bool))
        return array

    def change(self, codes: np.ndarray, values: Mapping[int, float]) -> None:
        """Give every voxel with a code in ``values`` that code's probability.

        Args:
            codes: (K, J, I) uint8 in the file's order.
            values: code -> probability.
        """
        view = self._stack.view(codes)

        def one(number: int) -> None:
            where = {code: view[number] == code for code in values}
            if not any(some.any() for some in where.values()):
                return
            plane = self.plane(number, 0, 0, view.shape[1:])
            for code, some in where.items():
                plane[some] = np.float16(values[code])
            self.put(number, 0, 0, plane)

        on_cores(one, range(len(view)))

    def clear(self) -> None:
        """Give the memory back, to the system where it is much."""
        size = sum(part.nbytes for _, _, part in self._slices.values())
        self._slices.clear()
        if size > MUCH:
            trim()


def _box(part: np.ndarray) -> tuple[slice, slice] | None:
    """Return rows and columns around what reaches the floor in (h, w) float16."""
    filled = part.view(np.uint16) >= _FLOOR_BITS
    rows = np.flatnonzero(filled.any(1))
    if not rows.size:
        return None
    columns = np.flatnonzero(filled.any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)

"""Voxel arrays that are kept only where something is in them, and made whole when asked for."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from mmap import mmap
from typing import Any, TypeVar, overload

import numpy as np

T = TypeVar("T")

SMALL_BYTES = 1 << 20
"""Arrays up to this size are kept as they are: nothing is to be gained."""
SPARSE_BYTES = 4 << 20
"""Larger arrays of zeros get memory of their own from the system."""
FULL = 0.8
"""Share of the array from which on its box is no gain either."""


def zeros(shape: Sequence[int], dtype: Any) -> np.ndarray:
    """Return zeros of which a large array takes memory only where it is written to.

    What ``np.zeros`` returns may lie in memory that the process kept for its network, all of it
    filled with zeros; and when it is freed, the process keeps it again.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size <= SPARSE_BYTES:
        return np.zeros(shape, dtype)
    return np.frombuffer(mmap(-1, size), dtype).reshape(shape)


def content_box(array: np.ndarray) -> tuple[slice, slice, slice]:
    """Return the smallest box (k, j, i) around what is not zero; an empty one for nothing.

    Args:
        array: (K, J, I); non-negative where it is float16.
    """
    bits = array.view(np.uint16) if array.dtype == np.float16 else array
    k = np.flatnonzero([bool(plane.any()) for plane in bits])
    if not k.size:
        return slice(0, 0), slice(0, 0), slice(0, 0)
    rows = np.zeros(array.shape[1], bool)
    columns = np.zeros(array.shape[2], bool)
    for plane in bits[k[0] : k[-1] + 1]:
        filled = plane != 0
        rows |= filled.any(1)
        columns |= filled.any(0)
    j, i = np.flatnonzero(rows), np.flatnonzero(columns)
    return (
        slice(int(k[0]), int(k[-1]) + 1),
        slice(int(j[0]), int(j[-1]) + 1),
        slice(int(i[0]), int(i[-1]) + 1),
    )


class Boxed:
    """A (K, J, I) array that is zero outside a box, of which only the box is kept.

    Args:
        shape: of the whole array.
        start: (k, j, i) of the box's first voxel.
        values: what the box holds; not copied.
    """

    def __init__(self, shape: Sequence[int], start: Sequence[int], values: np.ndarray) -> None:
        self.shape = tuple(int(n) for n in shape)
        self.start = tuple(int(n) for n in start)
        self.values = values
        self._whole: weakref.ref[np.ndarray] | None = None
        ends = [a + n for a, n in zip(self.start, values.shape, strict=True)]
        if values.ndim != len(self.shape) or any(
            a < 0 or b > n for a, b, n in zip(self.start, ends, self.shape, strict=True)
        ):
            raise ValueError(f"a box {values.shape} at {start} does not lie in {shape}")

    @classmethod
    def of(cls, array: np.ndarray) -> Boxed:
        """Keep the part of an array (K, J, I) that is not zero: a copy, unless that is most."""
        box = content_box(array)
        part = array[box]
        if part.size >= FULL * array.size:
            return cls(array.shape, (0, 0, 0), array)
        return cls(array.shape, [s.start for s in box], part.copy())

    @property
    def size(self) -> int:
        """Numbers that are kept."""
        return int(self.values.size)

    @property
    def nbytes(self) -> int:
        """Bytes that are kept."""
        return int(self.values.nbytes)

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """The box in the whole array."""
        ends = zip(self.start, self.values.shape, strict=True)
        k, j, i = (slice(a, a + n) for a, n in ends)
        return k, j, i

    def whole(self) -> np.ndarray:
        """Return the array (K, J, I); the same one as long as somebody holds it."""
        if self.values.shape == self.shape:
            return self.values
        found = None if self._whole is None else self._whole()
        if found is None:
            found = np.zeros(self.shape, self.values.dtype)
            found[self.box] = self.values
            self._whole = weakref.ref(found)
        return found

    def trimmed(self) -> Boxed:
        """Return the same array, kept for the box around what is in it."""
        tight = self.tight()
        if tight.size >= FULL * self.size:
            return self
        return Boxed(self.shape, tight.start, tight.values.copy())

    def within(self, box: Sequence[slice]) -> Boxed:
        """Return the array with zero outside of a box too; nothing is copied."""
        low = [max(a, s.start) for a, s in zip(self.start, box, strict=True)]
        high = [min(s.stop, part.stop) for s, part in zip(self.box, box, strict=True)]
        if any(a >= b for a, b in zip(low, high, strict=True)):
            return Boxed(self.shape, (0, 0, 0), self.values[:0, :0, :0])
        inside = tuple(slice(a - s, b - s) for a, b, s in zip(low, high, self.start, strict=True))
        return Boxed(self.shape, low, self.values[inside])

    def tight(self) -> Boxed:
        """Return the same array for the box around what is in it; nothing is copied."""
        box = content_box(self.values)
        starts = [a + side.start for a, side in zip(self.start, box, strict=True)]
        part = self.values[box]
        return Boxed(self.shape, starts if part.size else (0, 0, 0), part)

    def grown(self, other: Boxed) -> Boxed:
        """Return the same array with a box that also holds another one's box: this or a copy."""
        if not other.size or self.within(other.box).values.shape == other.values.shape:
            return self
        own = self.box if self.size else other.box
        pairs = list(zip(own, other.box, strict=True))
        start = [min(a.start, b.start) for a, b in pairs]
        sides = [max(a.stop, b.stop) - low for (a, b), low in zip(pairs, start, strict=True)]
        result = Boxed(self.shape, start, np.zeros(sides, self.values.dtype))
        if self.size:
            result.shared(self)[0][...] = self.values
        return result

    def shared(self, other: Boxed) -> tuple[np.ndarray, np.ndarray]:
        """Return both arrays in the part that both boxes have in common, as views."""
        here, there = self.within(other.box), other.within(self.box)
        return here.values, there.values

    def unless_small(self) -> Any:
        """Return the whole array where it is small, else this: what a `BoxedField` takes."""
        small = int(np.prod(self.shape)) * self.values.dtype.itemsize <= SMALL_BYTES
        return self.whole() if small else self

    def slab(self, axis: int, number: int) -> np.ndarray:
        """Return slice ``number`` along ``axis``, of length 1 there, without making the rest."""
        shape = [1 if a == axis else n for a, n in enumerate(self.shape)]
        slab = np.zeros(shape, self.values.dtype)
        at = number - self.start[axis]
        if 0 <= at < self.values.shape[axis]:
            place = tuple(slice(None) if a == axis else s for a, s in enumerate(self.box))
            slab[place] = np.take(self.values, [at], axis=axis)
        return slab

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what is kept."""
        return Boxed, (self.shape, self.start, self.values)


class Layers:
    """A (K, J, I) array that is kept in pieces, as a rule one a slice, each around what is in it.

    Of a lung, or of haze that moves from slice to slice, a third of the one box around it all.

    Args:
        shape: of the whole array.
        dtype: of the whole array.
        pieces: (k, j, i) of the first voxel and the values of each; they do not overlap.
    """

    def __init__(
        self,
        shape: Sequence[int],
        dtype: Any,
        pieces: Sequence[tuple[Sequence[int], np.ndarray]],
    ) -> None:
        self.shape = tuple(int(n) for n in shape)
        self.dtype = np.dtype(dtype)
        self.pieces = tuple((tuple(map(int, start)), values) for start, values in pieces)
        self._whole: weakref.ref[np.ndarray] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes that are kept."""
        return sum(int(values.nbytes) for _, values in self.pieces)

    def boxed(self) -> Boxed:
        """Return a new array, kept for the one box around all pieces."""
        if not self.pieces:
            return nothing(self.shape, self.dtype)
        starts = np.array([start for start, _ in self.pieces])
        ends = starts + [values.shape for _, values in self.pieces]
        low = starts.min(0)
        box = zeros(ends.max(0) - low, self.dtype)
        for start, end, (_, values) in zip(starts - low, ends - low, self.pieces, strict=True):
            box[tuple(map(slice, start, end))] = values
        return Boxed(self.shape, low, box)

    def whole(self) -> np.ndarray:
        """Return the array (K, J, I); the same one as long as somebody holds it."""
        found = None if self._whole is None else self._whole()
        if found is None:
            found = self.boxed().whole()
            self._whole = weakref.ref(found)
        return found

    def unless_small(self) -> Any:
        """Return the whole array where it is small, else this: what a `BoxedField` takes."""
        small = math.prod(self.shape) * self.dtype.itemsize <= SMALL_BYTES
        return self.whole() if small else self

    def slab(self, axis: int, number: int) -> np.ndarray:
        """Return slice ``number`` along ``axis``, of length 1 there, without making the rest."""
        shape = [1 if a == axis else n for a, n in enumerate(self.shape)]
        slab = np.zeros(shape, self.dtype)
        for start, values in self.pieces:
            at = number - start[axis]
            if 0 <= at < values.shape[axis]:
                place = [slice(a, a + n) for a, n in zip(start, values.shape, strict=True)]
                place[axis] = slice(None)
                slab[tuple(place)] = np.take(values, [at], axis=axis)
        return slab

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what is kept."""
        return Layers, (self.shape, self.dtype, self.pieces)


def nothing(shape: Sequence[int], dtype: Any = np.uint8) -> Boxed:
    """Return an array (K, J, I) of zeros, of which nothing is kept."""
    return Boxed(shape, (0, 0, 0), np.zeros((0, 0, 0), dtype))


class BoxedArrays(Sequence[np.ndarray]):
    """Arrays (K, J, I) that are kept boxed; each is made whole when it is asked for.

    Args:
        arrays: whole or boxed.
    """

    def __init__(self, arrays: Sequence[np.ndarray | Boxed]) -> None:
        self.kept = tuple(a if isinstance(a, Boxed) else Boxed.of(a) for a in arrays)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.kept)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> BoxedArrays: ...
    def __getitem__(self, index: int | slice) -> np.ndarray | BoxedArrays:
        """Return one array, or some of them still boxed."""
        some = self.kept[index]
        return some.whole() if isinstance(some, Boxed) else BoxedArrays(some)


class BoxedField:
    """A field of a dataclass that keeps large arrays boxed and gives them back whole.

    Args:
        name: of the field; the instance's dictionary holds what is kept under it.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        """Return the whole array, several that are made whole one by one, or None."""
        if instance is None:
            return self
        kept = instance.__dict__[self.name]
        return kept.whole() if isinstance(kept, Boxed | Layers) else kept

    def __set__(
        self,
        instance: Any,
        value: np.ndarray | Boxed | Layers | Sequence[np.ndarray | Boxed] | None,
    ) -> None:
        """Keep an array (K, J, I), a `Boxed`, `Layers`, several arrays, or None."""
        if isinstance(value, np.ndarray) and value.ndim == 3 and value.nbytes > SMALL_BYTES:
            value = Boxed.of(value)
        elif isinstance(value, tuple | list) and value:
            value = BoxedArrays(value)
        instance.__dict__[self.name] = value


def boxed_fields(*names: str) -> Callable[[type[T]], type[T]]:
    """Return a decorator of a dataclass whose named fields keep large arrays boxed."""

    def decorate(owner: type[T]) -> type[T]:
        for name in names:
            setattr(owner, name, BoxedField(name))
        return owner

    return decorate


def kept_of(instance: Any, name: str) -> Boxed | None:
    """Return how the field ``name`` of an answer is kept, boxed in any case; None for None."""
    value = instance.__dict__[name]
    if isinstance(value, Layers):
        return value.boxed()
    return Boxed.of(value) if isinstance(value, np.ndarray) else value


def all_kept(arrays: Sequence[np.ndarray | Boxed]) -> tuple[Boxed, ...]:
    """Return how arrays of an answer are kept, boxed in any case."""
    return arrays.kept if isinstance(arrays, BoxedArrays) else BoxedArrays(arrays).kept

"""Image features of slices, kept between prompts and calls up to a number of bytes."""

from __future__ import annotations

import zlib
from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ...image.cores import on_cores
from ..device import free_memory

if TYPE_CHECKING:
    from ...systems.base import Features

DEFAULT_BYTES = 512 << 20


def cache_limit(device: torch.device) -> int:
    """Return how much memory image features may take on a device, bytes."""
    free = free_memory(device)
    if free is None:
        return DEFAULT_BYTES
    return min(DEFAULT_BYTES if device.type == "cpu" else 6 * DEFAULT_BYTES, free // 5)


def checksum(array: np.ndarray) -> int:
    """Return a checksum of the voxels, in their order of (k, j, i), of any memory layout."""
    parts = on_cores(lambda plane: zlib.crc32(np.ascontiguousarray(plane).data), list(array))
    return zlib.crc32(np.array(parts, np.uint32).data)


def size_of(features: Features) -> int:
    """Return the memory of features, bytes."""
    return sum(f.numel() * f.element_size() for f in features)


class FeatureCache:
    """Features by slice, all of one image; what does not fit is computed again when needed.

    Slices are asked for in order, again and again. Throwing out the oldest would then throw out
    each slice just before it is needed; so what is in stays, until another image comes.

    Args:
        limit: most bytes to keep; 0 keeps nothing.
    """

    def __init__(self, limit: int = DEFAULT_BYTES) -> None:
        self.limit = limit
        self.bytes = 0
        self._image: Hashable = None
        self._entries: list[tuple[int, Features]] = []
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        """Return the number of slices kept."""
        return len(self._places)

    @property
    def image(self) -> Hashable:
        """The image whose features are kept."""
        return self._image

    def use(self, image: Hashable) -> None:
        """Say which image is meant; the features of another one are dropped."""
        if image != self._image:
            self.clear()
            self._image = image

    def identify(self, array: np.ndarray) -> Hashable:
        """Return what tells the voxels (K, J, I) of one image from those of another."""
        return checksum(array)

    def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()
        self._places.clear()
        self._image, self.bytes = None, 0

    def put(self, first: int, features: Features) -> None:
        """Keep the features of the slices first, first + 1, ... if they fit."""
        size = size_of(features)
        if self.bytes + size > self.limit:
            return
        count = features[0].shape[0]
        self._entries.append((first, features))
        self._places.update({n: len(self._entries) - 1 for n in range(first, first + count)})
        self.bytes += size

    def get(self, first: int, most: int) -> Features | None:
        """Return the features of slice ``first`` and up to ``most - 1`` that follow, or None."""
        place = self._places.get(first)
        if place is None:
            return None
        start, features = self._entries[place]
        row = first - start
        if row == 0 and features[0].shape[0] <= most:
            return features
        return rows_of(features, row, row + most)

    def run_of_missing(self, first: int, most: int) -> int:
        """Return how many slices from ``first`` on are not here, at most ``most``."""
        count = 0
        while count < most and first + count not in self._places:
            count += 1
        return count


def rows_of(features: Features, first: int, last: int) -> Features:
    """Return the rows first..last-1, without copying."""
    return tuple(part[first:last] for part in features)


def move(features: Features, device: object) -> Features:
    """Return the features on a device."""
    return tuple(part.to(device) if isinstance(part, Tensor) else part for part in features)  # type: ignore[call-overload]

"""Image features on disk: for encoders that take long, so that a volume is encoded once for good.

Off unless somebody names a folder: features are made from a patient's image and are as private.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...outcome import OutputError
from .feature_cache import DEFAULT_BYTES, FeatureCache, rows_of

if TYPE_CHECKING:
    from ...systems.base import Features

logger = logging.getLogger(__name__)

FOLDER_VARIABLE = "TEXTPROMPTSEG_FEATURE_CACHE"
MOST_BYTES = 20 << 30


class DiskFeatureCache(FeatureCache):
    """A `FeatureCache` that also keeps features as safetensors files, one a slice.

    An image's files lie in a folder named by a hash of its voxels, its geometry, the weights and
    how they were run; the images that were used longest ago are removed when the room is used up.

    Args:
        folder: where the files go; it is made when needed.
        weights: what identifies the encoder and the way it runs.
        limit: most bytes in memory.
        disk_limit: most bytes on disk.

    Raises:
        OutputError: when the folder cannot be written.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        weights: str,
        limit: int = DEFAULT_BYTES,
        disk_limit: int = MOST_BYTES,
    ) -> None:
        super().__init__(limit)
        self.folder, self.weights, self.disk_limit = Path(folder), weights, disk_limit
        self._place: Path | None = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise OutputError(
                f"The folder for image features '{folder}' cannot be written "
                f"({error.strerror or error}); choose another one."
            ) from error

    def identify(self, array: np.ndarray) -> Hashable:
        """Return a hash of the voxels that no two images share."""
        return voxel_hash(array)

    def use(self, image: Hashable) -> None:
        """Say which image is meant: anything whose ``repr`` tells it from every other one."""
        super().use(image)
        name = hashlib.sha256(f"{self.weights}\0{image!r}".encode()).hexdigest()[:32]
        place = self.folder / name
        if place != self._place:
            self._make_room(place)
        self._place = place
        if place.is_dir():
            os.utime(place)

    def get(self, first: int, most: int) -> Features | None:
        """Return the features of slice ``first`` and some that follow, or None."""
        found = super().get(first, most)
        if found is not None or self._place is None:
            return found
        rows: list[Features] = []
        while len(rows) < most and super().run_of_missing(first + len(rows), 1):
            row = self._read(first + len(rows))
            if row is None:
                break
            rows.append(row)
        if not rows:
            return None
        whole = tuple(torch.cat(parts) for parts in zip(*rows, strict=True))
        super().put(first, whole)
        return whole

    def put(self, first: int, features: Features) -> None:
        """Keep the features of the slices first, first + 1, ... in memory and on disk."""
        super().put(first, features)
        if self._place is None:
            return
        try:
            self._place.mkdir(exist_ok=True)
            for row in range(features[0].shape[0]):
                self._write(first + row, rows_of(features, row, row + 1))
        except OSError as error:  # a full disk costs time, not the result
            logger.warning("Image features are not kept: %s", error.strerror or error)
            self._place = None

    def run_of_missing(self, first: int, most: int) -> int:
        """Return how many slices from ``first`` on are neither in memory nor on disk."""
        count = 0
        while count < most and super().run_of_missing(first + count, 1):
            if self._place is not None and self._file(first + count).is_file():
                break
            count += 1
        return max(count, 1)

    def _file(self, number: int) -> Path:
        assert self._place is not None
        return self._place / f"{number}.safetensors"

    def _read(self, number: int) -> Features | None:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = self._file(number)
        try:
            tensors = load_file(path)
            return tuple(tensors[str(n)] for n in range(len(tensors)))
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, KeyError):
            path.unlink(missing_ok=True)  # half a file is no file
            return None

    def _write(self, number: int, features: Features) -> None:
        from safetensors.torch import save

        data = save({str(n): part.detach().cpu().contiguous() for n, part in enumerate(features)})
        handle, name = tempfile.mkstemp(dir=self._place)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            os.replace(name, self._file(number))
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise

    def _make_room(self, keep: Path) -> None:
        """Remove the images used longest ago until the rest fits."""
        sizes = {p: _size(p) for p in self.folder.iterdir() if p.is_dir() and p != keep}
        total = sum(sizes.values()) + _size(keep)
        for place in sorted(sizes, key=lambda p: p.stat().st_mtime):
            if total <= self.disk_limit:
                break
            shutil.rmtree(place, ignore_errors=True)
            total -= sizes[place]


def voxel_hash(array: np.ndarray) -> str:
    """Return a hash of the voxels that no two images share."""
    digest = hashlib.blake2b(digest_size=20)
    for plane in array:
        digest.update(np.ascontiguousarray(plane).data)
    return f"{array.dtype.str}{digest.hexdigest()}"


def _size(place: Path) -> int:
    """Return the bytes of an image's files."""
    return sum(f.stat().st_size for f in place.iterdir()) if place.is_dir() else 0


def make_cache(
    folder: str | os.PathLike[str] | None, limit: int, config: Mapping[str, Any], precision: str
) -> FeatureCache:
    """Return the cache of a predictor: in memory, and on disk where a folder is named.

    Args:
        folder: for the files; None takes the environment's ``TEXTPROMPTSEG_FEATURE_CACHE``.
        limit: most bytes in memory.
        config: of the checkpoint.
        precision: number format of the network.

    Raises:
        OutputError: when the folder cannot be written.
    """
    folder = folder or os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return FeatureCache(limit)
    facts = [config.get("weights_sha256"), config["input"], config["text_encoder"], precision]
    return DiskFeatureCache(folder, json.dumps(facts, sort_keys=True, default=str), limit)

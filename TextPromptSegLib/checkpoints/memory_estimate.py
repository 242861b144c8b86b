"""How much memory a run needs, and how much is done at once; from the configuration alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..checkpoints.stored_weights import BYTES

LIBRARIES = 600_000_000
CPU_SLICES, GPU_SLICES, GPU_PAIRS = 8, 16, 64
VOXEL_BYTES = 8
"""An image takes so much a voxel, with slices on their way and answers in half precision."""
BATCH_IMAGES = 3
"""A batch holds so many at once: one is read, one answered, one written."""
WIDEST = 512
"""Slices up to this side, px, are encoded as many at once as the device likes."""


def slices_per_pass(device: str, size: int) -> tuple[int, int]:
    """Return how many slices are encoded, and how many pairs decoded, in one pass.

    Args:
        device: ``cpu``, ``cuda`` or ``mps``.
        size: side of the encoded slices, px; what a pass needs grows at least with its square.
    """
    most = CPU_SLICES if device == "cpu" else GPU_SLICES
    slices = max(1, int(most * min(1.0, (WIDEST / max(1, size)) ** 2)))
    return slices, slices if device == "cpu" else max(slices, GPU_PAIRS * slices // most)


def images_memory(voxels: int, batch: bool = False) -> int:
    """Return what images and their answers take beside `estimate_memory`, bytes.

    Args:
        voxels: of one image.
        batch: many images are worked on, several of them at once.
    """
    return VOXEL_BYTES * voxels * (BATCH_IMAGES if batch else 1)


def estimate_memory(
    config: Mapping[str, Any], weights_bytes: int, slices: int | None = None
) -> int:
    """Return an estimate of the memory that one run on a CPU needs, bytes.

    A figure measured for the checkpoint (``memory_mb``) is taken as it is; else weights in
    float32 (however they are stored) plus the widest activations of a pass plus the libraries.

    Args:
        config: the checkpoint's configuration.
        weights_bytes: size of the weights as stored.
        slices: in a pass; None = as many as a CPU gets.
    """
    if measured := config.get("memory_mb"):
        return int(measured) * 1_000_000
    sizes = config.get("config", {})
    size = int(config.get("input", {}).get("size", 256))
    stored = BYTES.get(str(config.get("weights_dtype")), 2)  # older ones do not say: two bytes
    rest = 4 * weights_bytes // stored + LIBRARIES
    if "patch" in sizes and "heads" in sizes:  # a ViT: attention between all its tokens
        tokens = (size // int(sizes["patch"])) ** 2
        attention = 3.5 * int(sizes["heads"]) * tokens**2 * 4
        passed = slices or slices_per_pass("cpu", size)[0]
        return rest + int(passed * (attention + 64 * size * size * 4))
    widths = sizes.get("channels") or (64,)
    return rest + 4 * 8 * size * size * max(int(widths[0]), 16) * 4

"""Voxel values to network input: windows for CT in HU, percentiles for everything else.

Preprocessing belongs to the weights: every number here comes from a checkpoint's `InputSpec`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from ..files.fields import check_fields
from .modality import finite_sample, guess_modality, is_in_hu, without_padding


@dataclass(frozen=True)
class InputSpec:
    """What a checkpoint wants to see.

    Attributes:
        size: long side of a slice, px.
        multiple: canvas sides are multiples of this, px (the network's stride).
        canvases: sides of square canvases, px; a slice lies on the smallest that holds it, as in
            training. Empty: the canvas is the slice, rounded up to `multiple`.
        max_upsampling: a slice is enlarged at most so much; tiny crops stay small and cheap.
        in_channels: channels of one slice; an image with one channel fills them all.
        ct_windows: (lowest, highest) HU of each channel, for CT in HU.
        percentiles: of all finite voxels, mapped to 0 and 1, for everything else.
        planes: slice directions that it was trained on.
        spacing_mm: side of a pixel as the network sees it; None: the slice's size in px decides.
            A slice that would be larger than `size` is reduced to it all the same.
        picture_mm: a picture without a known pixel size is taken to be so long on its long side.
        neighbour_mm: distance of the neighbouring slices whose first channel follows the slice's
            own channels, lower index first (see `neighbour_step`), mm; None: no neighbours.
    """

    size: int = 256
    multiple: int = 32
    canvases: tuple[int, ...] = ()
    max_upsampling: float = 2.0
    in_channels: int = 1
    ct_windows: tuple[tuple[float, float], ...] = ((-160.0, 240.0),)
    percentiles: tuple[float, float] = (0.5, 99.5)
    planes: tuple[str, ...] = ("axial",)
    spacing_mm: float | None = None
    picture_mm: float = 380.0
    neighbour_mm: float | None = None

    def __post_init__(self) -> None:
        """Make tuples of JSON lists.

        Raises:
            ValueError: when windows and channels do not match or a number is impossible.
        """
        windows = tuple((float(low), float(high)) for low, high in self.ct_windows)
        object.__setattr__(self, "ct_windows", windows)
        object.__setattr__(self, "percentiles", tuple(float(p) for p in self.percentiles))
        object.__setattr__(self, "planes", tuple(self.planes))
        object.__setattr__(self, "canvases", tuple(sorted(self.canvases)))
        if len(windows) != self.in_channels or any(high <= low for low, high in windows):
            raise ValueError("ct_windows needs one (low, high) pair per input channel")
        if self.size < 1 or self.multiple < 1 or self.size % self.multiple:
            raise ValueError("size must be a positive multiple of multiple")
        if self.canvases and (
            self.canvases[-1] != self.size or any(c % self.multiple for c in self.canvases)
        ):
            raise ValueError("canvases are multiples of multiple, the largest of them is size")
        if (self.spacing_mm is not None and self.spacing_mm <= 0) or self.picture_mm <= 0:
            raise ValueError("spacing_mm and picture_mm are positive")
        if self.neighbour_mm is not None and self.neighbour_mm <= 0:
            raise ValueError("neighbour_mm is positive or null")

    @property
    def channels(self) -> int:
        """Channels of the network's input."""
        return self.in_channels + (0 if self.neighbour_mm is None else 2)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> InputSpec:
        """Make one of a mapping; unknown keys are refused.

        Raises:
            ValueError: for an unknown key or an impossible value.
        """
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"unknown input keys: {', '.join(sorted(map(str, unknown)))}")
        check_fields(cls, values)
        return cls(**values)


def scale_parameters(
    array: np.ndarray,
    modality: str | None,
    spec: InputSpec,
    *,
    in_hu: bool = False,
    padding: float | None = None,
) -> tuple[tuple[float, float], ...]:
    """Return (low, high) of each channel: the values that become 0 and 1.

    A CT whose values show that it is not in HU (an 8-bit export) is treated by percentiles, of
    which voxels outside the picture are no part.

    Args:
        array: (K, J, I) voxel values of the whole volume.
        modality: "CT", "MR", "CXR" or None.
        spec: the checkpoint's input.
        in_hu: whether a CT is known to be in HU, whatever its values look like.
        padding: the value of voxels outside the picture, where it is known.
    """
    if modality == "CT" and in_hu:
        return spec.ct_windows
    sample = finite_sample(array)
    if modality == "CT" and is_in_hu(sample):
        return spec.ct_windows
    if modality is None and guess_modality(array) == "CT":
        return spec.ct_windows
    _, sample = without_padding(sample, padding)
    low, high = (0.0, 1.0) if not sample.size else np.percentile(sample, spec.percentiles).tolist()
    if high <= low:  # constant picture, or a tiny structure on nothing
        low, high = (float(sample.min()), float(sample.max())) if sample.size else (0.0, 1.0)
    if high <= low:
        high = low + 1.0
    return ((low, high),) * spec.in_channels


def apply_scale(array: np.ndarray, parameters: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Return float32 (C, ...) in [0, 1]; NaN becomes the lowest value, infinities the ends."""
    values = np.asarray(array, dtype=np.float32)
    channels = []
    for low, high in parameters:
        scaled = (values - np.float32(low)) * np.float32(1.0 / (high - low))
        scaled = np.nan_to_num(scaled, nan=0.0, posinf=1.0, neginf=0.0)
        channels.append(np.clip(scaled, 0.0, 1.0))
    return np.stack(channels)


def scale_intensity(array: np.ndarray, modality: str | None, spec: InputSpec) -> np.ndarray:
    """Return the network's input (C, K, J, I) float32 in [0, 1] of voxel values (K, J, I)."""
    return apply_scale(array, scale_parameters(array, modality, spec))


def fit_slice_size(
    height: int, width: int, spec: InputSpec, pixel_mm: tuple[float, float] | None = None
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the resized slice (h, w) and the canvas (H, W) it is padded to, px.

    The aspect ratio is kept; the slice lies in the middle of the canvas (see `canvas_offset`).

    Args:
        height: rows of the slice.
        width: columns of the slice.
        spec: the checkpoint's input.
        pixel_mm: height and width of a pixel, mm; None where they are not known. Only a spec
            with `spacing_mm` asks for them.
    """
    scales = [min(spec.size / max(height, width), spec.max_upsampling)] * 2
    if spec.spacing_mm is not None:
        pixel_mm = pixel_mm or (spec.picture_mm / max(height, width),) * 2
        scales = [mm / spec.spacing_mm for mm in pixel_mm]
        longest = max(height * scales[0], width * scales[1])
        scales = [scale * min(1.0, spec.size / longest) for scale in scales]
    h = max(1, min(spec.size, round(height * scales[0])))
    w = max(1, min(spec.size, round(width * scales[1])))
    if spec.canvases:
        side = next(c for c in spec.canvases if c >= max(h, w))
        return (h, w), (side, side)
    m = spec.multiple
    return (h, w), (-(-h // m) * m, -(-w // m) * m)


def neighbour_step(spec: InputSpec, distance_mm: float | None, count: int) -> int:
    """Return how many slices away the neighbours of a slice lie; 0: it is its own neighbour.

    The nearest number of slices to `InputSpec.neighbour_mm`, at least one; where the next slice
    is more than twice as far away it says little of this one, and a slice stands for its
    neighbours as a single picture does. The last slices of a stack take the end of it.

    Args:
        spec: the checkpoint's input.
        distance_mm: between two slices, None where it is not known.
        count: slices of the stack.
    """
    wanted = spec.neighbour_mm
    if wanted is None or count < 2 or not distance_mm or distance_mm > 2 * wanted:
        return 0
    return max(1, round(wanted / distance_mm))


def canvas_offset(inner: tuple[int, int], canvas: tuple[int, int]) -> tuple[int, int]:
    """Return (top, left) of the resized slice on its canvas, px."""
    return (canvas[0] - inner[0]) // 2, (canvas[1] - inner[1]) // 2

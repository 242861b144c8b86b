"""How often the localiser's region holds the organ, apart from any segmentation (issue's point 3).

The measure: the share of the structure's voxels inside the region, and how large the region is;
a region of the whole volume would always hit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..image.intensity import InputSpec, apply_scale, scale_parameters
from ..systems.patch_unet_vae.localiser import Localiser, Region, regions

if TYPE_CHECKING:
    from ..data.datasets import Case

MARGIN_MM = 12.8
"""Added on each side of a region within the slice, as the system does (16 px of 0.8 mm)."""

SLACK_MM = 5.0
"""Added along the slices."""


@dataclass(frozen=True)
class Hit:
    """One structure of one case.

    Attributes:
        case: id.
        name: prompt.
        found: whether there is a region.
        inside: share of the structure's voxels in the region with its margin.
        centre: whether the structure's centre of mass lies in it.
        size: share of the volume that the region fills.
        score: the localiser's evidence.
    """

    case: str
    name: str
    found: bool
    inside: float
    centre: bool
    size: float
    score: float


@dataclass(frozen=True)
class SeenCase:
    """What the localiser saw in a case.

    Attributes:
        case: id.
        logits: (K', P, h, w) of every `step`-th slice.
        cell_mm: side of a cell, mm.
        slice_mm: distance of the slices that were looked at, mm.
        size_mm: z, y, x extent of the volume, mm.
        voxels: name -> (N, 3) centres of the structure's voxels, mm from the volume's corner.
    """

    case: str
    logits: Tensor
    cell_mm: float
    slice_mm: float
    size_mm: tuple[float, float, float]
    voxels: dict[str, np.ndarray]


def look(
    localiser: Localiser,
    encoder: Any,
    case: Case,
    names: Sequence[str],
    spec: InputSpec,
    *,
    slice_mm: float = 3.0,
) -> SeenCase:
    """Look at a case's axial slices about every ``slice_mm`` through the localiser.

    Args:
        localiser: over the encoder's image tower.
        encoder: the CLIP.
        case: volume or picture, with labels.
        names: P prompts that are label or group names of the case.
        spec: intensity of the network's input.
        slice_mm: distance of the slices to look at; never less than the volume's own.
    """
    volume = case.volume()
    axis_map = volume.orientation("LPS")
    array = axis_map.apply(volume.array)
    sizes = [volume.spacing[2 - axis] for axis in axis_map.source]
    step = max(1, round(slice_mm / sizes[0]))
    pixel = localiser.spec.pixel_mm
    shape = [
        max(1, round(n * mm / pixel)) for n, mm in zip(array.shape[1:], sizes[1:], strict=True)
    ]
    scale = scale_parameters(array, volume.modality, spec)
    text = encoder.encode(list(names)).pooled
    logits = []
    for index in range(0, len(array), step):
        image = torch.from_numpy(apply_scale(array[index], scale))[None]
        image = F.interpolate(
            image, shape, mode="bilinear", align_corners=False, antialias=True
        ).clamp(0, 1)
        logits.append(localiser.similarity(localiser.embed(image), text)[0])
    voxels = {}
    for name in names:
        mask = axis_map.apply(case.mask(name))
        if mask.any():
            voxels[name] = (np.argwhere(mask) + 0.5) * np.array(sizes)
    extent = tuple(float(n * mm) for n, mm in zip(array.shape, sizes, strict=True))
    cell = localiser.spec.stride * pixel
    return SeenCase(case.id, torch.stack(logits), cell, step * sizes[0], extent, voxels)  # type: ignore[arg-type]


def judge(
    seen: SeenCase,
    names: Sequence[str],
    *,
    margin_mm: float = MARGIN_MM,
    slack_mm: float = SLACK_MM,
    **options: Any,
) -> Iterator[Hit]:
    """Yield one row per structure that is in the case.

    Args:
        seen: of `look`, with the same names.
        names: P prompts.
        margin_mm: see `MARGIN_MM`.
        slack_mm: see `SLACK_MM`.
        options: of `localiser.regions`.
    """
    found = regions(seen.logits, cell_mm=seen.cell_mm, slice_mm=seen.slice_mm, **options)
    for name, region in zip(names, found, strict=True):
        if name in seen.voxels:
            yield _hit(seen, name, region, np.array([slack_mm, margin_mm, margin_mm]))


def _hit(seen: SeenCase, name: str, region: Region, grow: np.ndarray) -> Hit:
    if region.box is None:
        return Hit(seen.case, name, False, 0.0, False, 0.0, region.score)
    low = np.maximum(np.array(region.box[0::2]) - grow, 0)
    high = np.minimum(np.array(region.box[1::2]) + grow, seen.size_mm)
    voxels = seen.voxels[name]
    inside = float(((voxels >= low) & (voxels <= high)).all(1).mean())
    middle = voxels.mean(0)
    centre = bool(((middle >= low) & (middle <= high)).all())
    size = float(np.prod((high - low) / np.array(seen.size_mm)))
    return Hit(seen.case, name, True, inside, centre, size, region.score)


def summary(hits: Iterable[Hit], enough: float = 0.9) -> dict[str, dict[str, float]]:
    """Return per structure: cases, hit rate, rate of centres, mean share inside, mean size.

    Args:
        hits: of any number of cases.
        enough: share of the structure inside the region that makes a hit.
    """
    rows: dict[str, list[Hit]] = {}
    for hit in hits:
        rows.setdefault(hit.name, []).append(hit)
    return {
        name: {
            "cases": len(group),
            "hit_rate": float(np.mean([h.inside >= enough for h in group])),
            "centre_rate": float(np.mean([h.centre for h in group])),
            "inside": float(np.mean([h.inside for h in group])),
            "size": float(np.mean([h.size for h in group])),
        }
        for name, group in rows.items()
    }


def as_rows(hits: Iterable[Hit]) -> list[dict[str, Any]]:
    """Return JSON-ready rows."""
    return [asdict(hit) for hit in hits]

"""Slices in memory for training: canonical, scaled, on one canvas, with what is known of each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from ..image.intensity import (
    InputSpec,
    apply_scale,
    canvas_offset,
    fit_slice_size,
    neighbour_step,
    scale_parameters,
)
from ..image.slice_stack import pixel_size, slice_distance
from .datasets import Case
from .derive import derived_masks

if TYPE_CHECKING:
    from ..image.volume import Volume
from .reports import infection_report

logger = logging.getLogger(__name__)


@dataclass
class TrainingSlice:
    """One slice and everything that may be asked of it.

    Attributes:
        image: (C, H, W) uint8, 255 = 1.0.
        valid: (top, left, height, width) of the picture on its canvas, px.
        masks: name -> (H, W) bool packed along the rows (`unpack`).
        absent: names that are known not to be here.
        dataset: name of the data set.
        modality: "CT", "MR" or "CXR".
        key: case id and slice number, for messages.
        texts: name -> the case's own sentence that asks for it.
        neighbours: first channels (H, W) uint8 of the slices below and above (see
            `InputSpec.neighbour_mm`), shared with those slices; empty where none are wanted.
    """

    image: np.ndarray
    valid: tuple[int, int, int, int]
    masks: dict[str, np.ndarray]
    absent: tuple[str, ...]
    dataset: str
    modality: str | None
    key: str
    extent: dict[str, float] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    neighbours: tuple[np.ndarray, ...] = ()

    def channels(self) -> np.ndarray:
        """Return the network's input (C, H, W) uint8, neighbours included."""
        if not self.neighbours:
            return self.image
        return np.concatenate([self.image, np.stack(self.neighbours)])

    @property
    def canvas(self) -> tuple[int, int]:
        """(H, W), px."""
        return int(self.image.shape[1]), int(self.image.shape[2])

    def unpack(self, name: str) -> np.ndarray:
        """Return the mask (H, W) uint8 of a structure."""
        height, width = self.canvas
        return np.unpackbits(self.masks[name], axis=1, count=width)[:height]


@dataclass(frozen=True)
class NameRules:
    """How label names become prompts' names.

    Attributes:
        aliases: label name -> name to train (for example kidney -> kidneys).
        positive_aliases: label name -> further names that are true of a positive mask but say
            nothing when it is empty.
        derive: names to derive in this data set, see `derive`.
        drop: names to leave out.
        text_for: names that the case's ``text`` asks for.
        describe: trained names of findings in the lungs that get a report sentence made from
            their mask, see `reports`.
    """

    aliases: Mapping[str, str] = field(default_factory=dict)
    positive_aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    derive: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    text_for: tuple[str, ...] = ()
    describe: tuple[str, ...] = ()


def case_slices(
    case: Case,
    spec: InputSpec,
    rules: NameRules,
    *,
    channels: Sequence[int] | None = None,
    planes: Sequence[str] = ("axial",),
    resize: Callable[[Volume], InputSpec] | None = None,
) -> list[TrainingSlice]:
    """Read a case and return its slices, resized and padded to the canvas of `fit_slice_size`.

    Args:
        case: what to read.
        spec: the network's input.
        rules: names.
        channels: which channels of a multi-channel case become slices of their own.
        planes: slice directions of volumes; pictures are taken as they are.
        resize: gives the spec of a volume, for sizes that depend on its spacing.
    """
    arrays = case.label_arrays()
    known = [n for n in case.known_names() if n not in rules.drop]
    said = str(case.extra.get("text") or "").strip()
    asked = {rules.aliases.get(n, n) for n in rules.text_for} if said else set()
    described = set(rules.describe)
    result: list[TrainingSlice] = []
    for channel in channels if channels is not None else range(len(case.image_paths)):
        if channel >= len(case.image_paths):
            continue
        volume = case.volume(channel)
        spec = spec if resize is None else resize(volume)
        axis_map = volume.orientation("LPS")
        canonical = axis_map.apply(volume.array)
        scale = scale_parameters(canonical, volume.modality, spec)
        masks = _name_masks(case, arrays, known, axis_map, rules)
        masks.update(derived_masks(rules.derive, canonical, masks))
        absent = {rules.aliases.get(n, n) for n in known} - set(masks)
        for plane in planes if min(canonical.shape) > 1 else ("axial",):
            axis = {"axial": 0, "coronal": 1, "sagittal": 2}[plane]
            step = _plane_view(canonical, axis)
            size = pixel_size(volume, plane)
            views = {name: _plane_view(mask, axis) for name, mask in masks.items()}
            lungs = lungs_of(case, axis_map) if described and plane == "axial" else None
            stack: list[TrainingSlice] = []
            for index in range(step.shape[0]):
                cut = {name: view[index] for name, view in views.items()}
                made = _make(apply_scale(step[index], scale), cut, spec, size)
                texts = {n: said for n in made[2] if n in asked}
                for name in described & set(made[2]):
                    about = None if lungs is None else {k: v[index] for k, v in lungs.items()}
                    texts[name] = infection_report(cut[name], about) or name
                gone = absent | {name for name in masks if name not in made[2]}
                stack.append(
                    TrainingSlice(
                        image=made[0],
                        valid=made[1],
                        masks=made[2],
                        absent=tuple(sorted(gone - _positive_only(rules))),
                        dataset=case.dataset.name,
                        modality=volume.modality,
                        key=f"{case.id}/{plane}{index}" + (f"/c{channel}" if channel else ""),
                        extent={n: float(m.sum()) for n, m in cut.items() if m.any()},
                        texts=texts,
                    )
                )
            _join_neighbours(stack, spec, slice_distance(volume, plane))
            result += stack
    return result


def _join_neighbours(
    stack: Sequence[TrainingSlice], spec: InputSpec, distance_mm: float | None
) -> None:
    """Give each slice of a stack its neighbours, as `SliceStack.images` does."""
    if spec.neighbour_mm is None:
        return
    step, last = neighbour_step(spec, distance_mm, len(stack)), len(stack) - 1
    for index, item in enumerate(stack):
        around = max(0, index - step), min(last, index + step)
        item.neighbours = tuple(stack[i].image[0] for i in around)


def lungs_of(case: Case, axis_map: Any = None) -> dict[str, np.ndarray] | None:
    """Return side -> lung (K, J, I) of the same picture, which may be labelled in another case.

    Args:
        case: whose lungs.
        axis_map: turns the file's axes into canonical ones; None leaves them.

    Returns:
        None where no case of the picture has both lungs.
    """
    wanted = {"left": "left lung", "right": "right lung"}
    for other in case.dataset.cases:
        if other.image_paths == case.image_paths and set(wanted.values()) <= set(other.present):
            arrays = other.label_arrays()
            turn = (lambda a: a) if axis_map is None else axis_map.apply
            return {side: turn(arrays[name]) for side, name in wanted.items()}
    return None


def _plane_view(array: np.ndarray, axis: int) -> np.ndarray:
    """Return slices first; coronal and sagittal slices show superior at the top."""
    if axis == 0:
        return array
    return np.moveaxis(array, axis, 0)[:, ::-1]


def _positive_only(rules: NameRules) -> set[str]:
    return {name for names in rules.positive_aliases.values() for name in names}


def _name_masks(
    case: Case,
    arrays: Mapping[str, np.ndarray],
    known: Sequence[str],
    axis_map: Any,
    rules: NameRules,
) -> dict[str, np.ndarray]:
    """Return {trained name: canonical mask} of everything present."""
    masks: dict[str, np.ndarray] = {}
    for name in known:
        parts = [axis_map.apply(arrays[p]) for p in case.members(name) if p in arrays]
        if not parts:
            continue
        mask = np.logical_or.reduce(parts)
        trained = rules.aliases.get(name, name)
        masks[trained] = mask | masks[trained] if trained in masks else mask
        for alias in rules.positive_aliases.get(name, ()):
            masks[alias] = mask | masks[alias] if alias in masks else mask
    return masks


def _resize(planes: np.ndarray, size: tuple[int, int], mode: str) -> np.ndarray:
    """Resize float32 planes (N, h, w) to ``size``, without aliasing when they shrink."""
    if planes.shape[1:] == size:
        return planes
    batch = torch.from_numpy(planes)[None]
    return F.interpolate(batch, size, mode=mode, align_corners=False, antialias=True)[0].numpy()


def _make(
    channels: np.ndarray,
    cut: Mapping[str, np.ndarray],
    spec: InputSpec,
    pixel_mm: tuple[float, float] | None,
) -> tuple[np.ndarray, tuple[int, int, int, int], dict[str, np.ndarray]]:
    """Resize a slice (C, h, w) and its masks and put them on their canvas."""
    inner, size = fit_slice_size(channels.shape[1], channels.shape[2], spec, pixel_mm)
    top, left = canvas_offset(inner, size)
    rows, columns = slice(top, top + inner[0]), slice(left, left + inner[1])
    canvas = np.zeros((channels.shape[0], *size), np.uint8)
    picture = _resize(channels, inner, "bicubic").clip(0, 1)
    canvas[:, rows, columns] = (picture * 255).round().astype(np.uint8)
    names = [name for name, mask in cut.items() if mask.any()]
    masks: dict[str, np.ndarray] = {}
    if names:
        planes = np.stack([cut[name] for name in names]).astype(np.float32)
        for name, area in zip(names, _resize(planes, inner, "bilinear"), strict=True):
            if (area >= 0.5).any():
                full = np.zeros(size, bool)
                full[rows, columns] = area >= 0.5
                masks[name] = np.packbits(full, axis=1)
    return canvas, (top, left, *inner), masks

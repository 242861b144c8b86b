"""The picture of a result: image, smooth coloured structures, sides, legend with outcomes."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.modality import guess_modality
from ..outcome import OutputError
from ..prompting.segmentation import Segmentation
from ..prompting.vocabulary import Vocabulary
from .overlay_panels import (
    BACKGROUND,
    DOTS_PER_INCH,
    Colour,
    View,
    draw_header,
    draw_legend,
    draw_view,
    legend_grid,
    panel_boxes,
)

if TYPE_CHECKING:
    from ..image.volume import Volume

LUNG_WINDOW = (-1050.0, 450.0)
SOFT_TISSUE_WINDOW = (-160.0, 240.0)
BONE_WINDOW = (-450.0, 1050.0)

_RIBBON = 7.0

# plane -> (axis of the canonical (K, J, I) array, row axis flipped?, (left, right, top, bottom))
_PLANES: Mapping[str, tuple[int, bool, tuple[str, str, str, str]]] = {
    "axial": (0, False, ("R", "L", "A", "P")),
    "coronal": (1, True, ("R", "L", "S", "I")),
    "sagittal": (2, True, ("A", "P", "S", "I")),
}


def render_overlay(
    volume: Volume,
    segmentations: Sequence[Segmentation],
    path: str | Path,
    vocabulary: Vocabulary | None = None,
    *,
    title: str | None = None,
    subtitle: str | None = None,
    window: tuple[float, float] | None = None,
) -> Path:
    """Draw the structures over the image and write the picture.

    A volume is shown as an axial, a coronal and a sagittal slice through the largest cross
    sections, with the right proportions in mm; a single slice or a radiograph is shown alone. The
    legend names every prompt with its outcome, also those that were not found.

    Args:
        volume: the image, in its own voxel order.
        segmentations: answers for that image; masks (K, J, I) in the same voxel order.
        path: where to write; .png, .jpg, .pdf or .svg.
        vocabulary: gives the colours; the default vocabulary when None.
        title: text at the upper left; the name of the volume when None.
        subtitle: text at the upper right, for example the model.
        window: (low, high) grey levels; chosen from the modality and the structures when None.

    Returns:
        The path that was written.

    Raises:
        OutputError: when the picture cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    target = Path(path)
    views = select_views(volume, segmentations)
    low, high = window or display_window(volume, segmentations)
    colours = structure_colours(segmentations, vocabulary)

    boxes, width, height = panel_boxes(views)
    rows, columns = legend_grid(segmentations, width)
    margin, header, gap = 0.18, 0.42, 0.10
    legend = rows * 0.50 + 0.10 if rows else 0.0
    total_width = width + 2 * margin
    total_height = header + height + gap + legend + margin
    figure = Figure(figsize=(total_width, total_height), dpi=DOTS_PER_INCH, facecolor=BACKGROUND)
    FigureCanvasAgg(figure)

    def axes(x: float, y: float, w: float, h: float) -> Any:
        """Axes at (x, y) inches from the upper left corner."""
        return figure.add_axes(
            (
                x / total_width,
                1 - (y + h) / total_height,
                w / total_width,
                h / total_height,
            )
        )

    for view, (x, y, w, h) in zip(views, boxes, strict=True):
        draw_view(axes(margin + x, header + y, w, h), view, (low, high), colours, views, w)
    draw_header(
        axes(margin, 0, width, header), volume.name if title is None else title, subtitle, width
    )
    if rows:
        draw_legend(
            axes(margin, header + height + gap, width, legend),
            segmentations,
            colours,
            (rows, columns),
            _area_text(volume),
        )
    try:
        figure.savefig(target, facecolor=BACKGROUND)
    except (OSError, ValueError) as error:
        raise OutputError(f"The picture {target.name} cannot be written: {error}.") from error
    return target


def select_views(volume: Volume, segmentations: Sequence[Segmentation]) -> list[View]:
    """Return the slices that show the structures best.

    Args:
        volume: the image, in its own voxel order.
        segmentations: answers for that image; masks (K, J, I) in the same voxel order.

    Returns:
        Axial, coronal and sagittal view of a volume; the one view of a single slice or of a
        stack of so few slices that the others would be ribbons.
    """
    canonical = volume.canonical()
    orientation = volume.orientation()
    pixels = canonical.array
    masks = [orientation.apply(s.mask) for s in segmentations]  # views: nothing is copied
    si, sj, sk = canonical.spacing
    spacing = (sk, sj, si)
    assumed = volume.meta.get("geometry") == "assumed"
    thin = [axis for axis in range(3) if pixels.shape[axis] == 1]

    views = []
    for plane, (axis, flipped, letters) in _PLANES.items():
        if thin and axis != thin[0]:
            continue
        index = _largest_section(masks, axis, pixels.shape[axis])
        row_axis, column_axis = (a for a in range(3) if a != axis)

        def cut(
            array: np.ndarray, axis: int = axis, index: int = index, flipped: bool = flipped
        ) -> np.ndarray:
            plane_pixels = np.take(array, index, axis=axis)
            return plane_pixels[::-1] if flipped else plane_pixels

        centre = [(n - 1) / 2 for n in pixels.shape]
        centre[axis] = index
        k, j, i = centre
        ras = canonical.ijk_to_ras @ np.array([i, j, k, 1.0])
        views.append(
            View(
                plane="image" if assumed else plane,
                pixels=cut(pixels),
                masks=tuple(cut(mask) > 0 for mask in masks),
                spacing=(spacing[row_axis], spacing[column_axis]),
                letters=("R", "L", "", "") if assumed else letters,
                label="" if assumed else f"{plane.capitalize()}   {_position(plane, ras)}",
                index=index,
            )
        )
    # A stack of three slices, seen from the side, is a ribbon that shows nothing.
    wide = [view for view in views if max(view.size_mm) <= _RIBBON * min(view.size_mm)]
    return wide or views[:1]


def display_window(volume: Volume, segmentations: Sequence[Segmentation]) -> tuple[float, float]:
    """Return (low, high) grey levels: for CT a window in HU by what was found, else percentiles."""
    array = volume.array
    sample = np.asarray(array.reshape(-1)[:: max(1, array.size // 2_000_000)], dtype=np.float32)
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return 0.0, 1.0
    if (volume.modality or guess_modality(array)) == "CT" and sample.min() < -200:
        medians = [float(np.median(array[s.mask > 0])) for s in segmentations if s.voxels]
        if medians:
            largest = float(np.median(medians))
        else:
            names = " ".join(
                s.prompt.name + " " + (s.prompt.container or "") for s in segmentations
            )
            largest = -800.0 if any(w in names for w in ("lung", "pulmonary", "trachea")) else 40.0
        if largest < -300:
            return LUNG_WINDOW
        return BONE_WINDOW if largest > 250 else SOFT_TISSUE_WINDOW
    inside = sample[sample > sample.min()]
    low, high = np.percentile(inside if inside.size else sample, (0.5, 99.7))
    low = min(float(low), float(sample.min())) if sample.min() >= 0 else float(low)
    return (low, float(high)) if high > low else (low, low + 1.0)


def structure_colours(
    segmentations: Sequence[Segmentation], vocabulary: Vocabulary | None = None
) -> list[Colour]:
    """Return one clear colour (r, g, b in [0, 1]) per segmentation.

    The hue is the vocabulary's; tissue colours are made more vivid, because they lie on grey, and
    of those that would look alike (right and left lung share one standard colour) all but the first
    get the hue that is farthest from all others.
    """
    if vocabulary is None:
        vocabulary = Vocabulary.load()
    wanted: list[Colour] = []
    for segmentation in segmentations:
        rgb: Sequence[float] = (0.55, 0.60, 0.66)
        terminology = vocabulary.terminology(segmentation.prompt)
        if terminology is not None:
            rgb = [c / 255 for c in terminology.colour]
        hue, saturation, value = colorsys.rgb_to_hsv(*rgb)
        wanted.append((hue, max(saturation, 0.62), max(value, 0.95)))
    taken: list[float] = []
    clash = [False] * len(wanted)
    for n, (hue, _, _) in enumerate(wanted):
        clash[n] = any(_hue_distance(hue, other) < 0.06 for other in taken)
        if not clash[n]:
            taken.append(hue)
    colours: list[Colour] = []
    for (hue, saturation, value), moved in zip(wanted, clash, strict=True):
        if moved:
            candidates = [(hue + step / 48) % 1.0 for step in range(48)]
            hue = max(candidates, key=lambda h: min(_hue_distance(h, other) for other in taken))
            taken.append(hue)
        colours.append(colorsys.hsv_to_rgb(hue, saturation, value))
    return colours


def _largest_section(masks: Sequence[np.ndarray], axis: int, length: int) -> int:
    """Slice number where the structures together are largest; each structure counts the same."""
    others = tuple(a for a in range(3) if a != axis)
    score = np.zeros(length)
    for mask in masks:
        area = np.count_nonzero(mask, axis=others)
        if area.max() > 0:
            score += area / area.max()
    return int(np.argmax(score)) if score.any() else length // 2


def _position(plane: str, ras: np.ndarray) -> str:
    """Where the slice is, with the letter of the side it lies on: "S 12 mm"."""
    axis = {"sagittal": 0, "coronal": 1, "axial": 2}[plane]
    return f"{('LR', 'PA', 'IS')[axis][int(ras[axis] >= 0)]} {abs(ras[axis]):.0f} mm"


def _hue_distance(a: float, b: float) -> float:
    return min(abs(a - b), 1 - abs(a - b))


def _area_text(volume: Volume) -> Callable[[Segmentation], str]:
    """How the size of a structure is written: ml, or pixels where the file has no spacing."""
    pixels = volume.array.size
    if volume.meta.get("geometry") == "assumed":
        return lambda s: f"{s.voxels:,} px ({100 * s.voxels / pixels:.1f} %)"
    return lambda s: f"{s.volume_ml:,.0f} ml" if s.volume_ml >= 100 else f"{s.volume_ml:.1f} ml"

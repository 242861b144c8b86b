"""How the panels and the legend of an overlay picture are drawn (matplotlib, no display needed)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..outcome import Outcome
from ..prompting.segmentation import Segmentation

Colour = tuple[float, float, float]
Box = tuple[float, float, float, float]

DOTS_PER_INCH = 160
BACKGROUND = "#0d1117"
TEXT = "#e6edf3"
MUTED = "#8b949e"
# Slicer's own slice colours: red axial, green coronal, yellow sagittal.
ACCENT = {"axial": "#ff6b6b", "coronal": "#5fd38d", "sagittal": "#f2cc4d", "image": "#8b949e"}

_OUTCOME_WORDS = {
    Outcome.FOUND: "found",
    Outcome.BELOW_THRESHOLD: "below threshold",
    Outcome.NOT_FOUND: "not found",
    Outcome.UNKNOWN_PROMPT: "unknown prompt",
}


@dataclass(frozen=True)
class View:
    """One slice as it is shown: pixels, masks, size in mm, and what its four edges are.

    Attributes:
        plane: "axial", "coronal", "sagittal" or "image".
        pixels: (H, W) array, row 0 at the top.
        masks: one (H, W) bool array per segmentation.
        spacing: (row, column) mm.
        letters: (left, right, top, bottom); empty text where the file does not say.
        label: "Axial  S 12 mm".
        index: slice number along the canonical axis.
    """

    plane: str
    pixels: np.ndarray
    masks: tuple[np.ndarray, ...]
    spacing: tuple[float, float]
    letters: tuple[str, str, str, str]
    label: str
    index: int

    @property
    def size_mm(self) -> tuple[float, float]:
        """(height, width) of the slice, mm."""
        height, width = self.pixels.shape
        return height * self.spacing[0], width * self.spacing[1]


def smooth_boundary(
    mask: np.ndarray, spacing: tuple[float, float], step: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return a fine signed distance map whose zero level is the smooth outline of a mask.

    The level lies half way between the last pixel inside and the first outside, so nothing that is
    one pixel thick disappears, and thick slices (10 mm) get a round outline instead of stairs.

    Args:
        mask: (H, W) bool.
        spacing: (row, column) mm.
        step: spacing of the result, mm.

    Returns:
        x (N,), y (M,) in mm from the upper left edge of the slice, and distance (M, N) in mm,
        positive inside; None for an empty mask.
    """
    from scipy import ndimage

    if not mask.any():
        return None
    padded = np.pad(mask, 2)
    rows, columns = np.flatnonzero(padded.any(axis=1)), np.flatnonzero(padded.any(axis=0))
    r0, c0 = max(rows[0] - 2, 0), max(columns[0] - 2, 0)
    crop = padded[r0 : rows[-1] + 3, c0 : columns[-1] + 3]
    inside = ndimage.distance_transform_edt(crop, sampling=spacing)
    outside = ndimage.distance_transform_edt(~crop, sampling=spacing)
    distance = (inside - outside).astype(np.float32)
    y = np.arange(0, (crop.shape[0] - 1) * spacing[0] + step / 2, step)
    x = np.arange(0, (crop.shape[1] - 1) * spacing[1] + step / 2, step)
    grid = np.meshgrid(y / spacing[0], x / spacing[1], indexing="ij")
    fine = ndimage.map_coordinates(distance, grid, order=3, mode="nearest", output=np.float32)
    fine = _soften(fine, sigma=tuple(0.6 * s / step for s in spacing))
    left = (c0 - 2 + 0.5) * spacing[1]
    top = (r0 - 2 + 0.5) * spacing[0]
    return x + left, y + top, fine


def _soften(distance: np.ndarray, sigma: tuple[float, ...]) -> np.ndarray:
    """Round the stairs of a distance map off, but keep every part, however thin."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(distance, sigma, mode="nearest")
    parts, count = ndimage.label(distance > 0)
    peaks = np.asarray(ndimage.maximum(smooth, parts, range(1, count + 1)))
    lost = np.isin(parts, 1 + np.flatnonzero(peaks <= 0))
    if lost.any():
        around = ndimage.binary_dilation(lost, iterations=3)
        smooth = np.where(around, distance, smooth)
    return smooth


def panel_boxes(
    views: Sequence[View],
) -> tuple[list[Box], float, float]:
    """Return the panels as (x, y, w, h) and the total width and height, all in inches."""
    gap = 0.10
    if len(views) == 1:
        height_mm, width_mm = views[0].size_mm
        scale = min(9.0 / width_mm, 7.5 / height_mm)
        w, h = width_mm * scale, height_mm * scale
        width = max(w, 5.2)
        return [((width - w) / 2, 0.0, w, h)], width, h
    aspects = [view.size_mm[1] / view.size_mm[0] for view in views]
    if max(aspects[1:]) < 1.9 or len(views) != 3:  # side by side, one height
        height = min(max((13.0 - 2 * gap) / sum(aspects), 2.5), 6.0)
        boxes: list[Box] = []
        x = 0.0
        for aspect in aspects:
            boxes.append((x, 0.0, aspect * height, height))
            x += aspect * height + gap
        return boxes, x - gap, height
    # Few slices: the axial one large, the two flat ones stacked beside it.
    flat = sum(1 / a for a in aspects[1:])
    height = 6.0
    width = min((height - gap) / flat, 9.0)
    h1, h2 = width / aspects[1], width / aspects[2]
    height = max(h1 + gap + h2, 4.0)
    first = height * aspects[0]
    top = (height - h1 - gap - h2) / 2
    boxes = [
        (0.0, 0.0, first, height),
        (first + gap, top, width, h1),
        (first + gap, top + h1 + gap, width, h2),
    ]
    return boxes, first + gap + width, height


def draw_view(
    axes: Any,
    view: View,
    window: tuple[float, float],
    colours: Sequence[Colour],
    views: Sequence[View],
    width_inch: float,
) -> None:
    """One panel: image, fills, outlines, lines of the other slices, letters, scale bar."""
    from matplotlib import patheffects

    height, width = view.size_mm
    height_inch = width_inch * height / width
    axes.set_axis_off()
    image = np.nan_to_num(np.asarray(view.pixels, dtype=np.float32), nan=window[0])
    axes.imshow(
        image,
        cmap="gray",
        vmin=window[0],
        vmax=window[1],
        extent=(0, width, height, 0),
        interpolation="bicubic",
        aspect="auto",
    )
    step = max(width / (width_inch * DOTS_PER_INCH), 1e-3)  # one dot of the picture
    for mask, colour in zip(view.masks, colours, strict=True):
        boundary = smooth_boundary(mask, view.spacing, step * 1.5)
        if boundary is None:
            continue
        x, y, distance = boundary
        axes.contourf(x, y, distance, levels=[0, 1e9], colors=[colour], alpha=0.32)
        axes.contour(
            x,
            y,
            distance,
            levels=[0],
            colors=[colour],
            linewidths=1.5,
            path_effects=[patheffects.withStroke(linewidth=2.8, foreground="black", alpha=0.55)],
        )
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    if len(views) > 1:
        _draw_cross_lines(axes, view, views)
    pad_x, pad_y = 0.15 / width_inch, 0.15 / height_inch
    left, right, top, bottom = view.letters
    _pill(axes, pad_x, 0.5, left, weight="bold", size=10.5)
    _pill(axes, 1 - pad_x, 0.5, right, weight="bold", size=10.5)
    _pill(axes, 0.5, 1 - pad_y, top, weight="bold", size=10.5)
    _pill(axes, 0.5, pad_y, bottom, weight="bold", size=10.5)
    _pill(axes, 0.7 * pad_x, 1 - pad_y, view.label, colour=ACCENT[view.plane], align="left")
    if view.plane != "image":
        _draw_scale_bar(axes, view, width_inch, height_inch)


def _pill(
    axes: Any,
    x: float,
    y: float,
    text: str,
    *,
    colour: str = TEXT,
    size: float = 8.5,
    weight: str = "normal",
    align: str = "center",
) -> None:
    """Text on a dark translucent ground, readable over any grey; nothing for an empty text."""
    if text:
        axes.text(
            x,
            y,
            text,
            transform=axes.transAxes,
            color=colour,
            fontsize=size,
            fontweight=weight,
            ha=align,
            va="center_baseline" if align == "center" else "center",
            bbox={
                "boxstyle": "round,pad=0.28,rounding_size=0.3",
                "facecolor": "black",
                "edgecolor": "none",
                "alpha": 0.5,
            },
        )


def _draw_cross_lines(axes: Any, view: View, views: Sequence[View]) -> None:
    """Thin lines at the border where the other two slices cut this one."""
    height, width = view.size_mm
    for other in views:
        if other.plane == view.plane:
            continue
        horizontal = other.plane == "axial" or (view.plane, other.plane) == ("axial", "coronal")
        spacing, length = (view.spacing[0], height) if horizontal else (view.spacing[1], width)
        at = (other.index + 0.5) * spacing
        if other.plane == "axial":  # superior is at the top, slice 0 at the bottom
            at = length - at
        if abs(at / length - 0.5) < 0.04:
            continue  # the letters are there
        style = {"color": ACCENT[other.plane], "lw": 1.2, "alpha": 0.9, "clip_on": True}
        ends = (0.0, 0.03, 0.97, 1.0)
        for a, b in ((ends[0], ends[1]), (ends[2], ends[3])):
            if horizontal:
                axes.plot([a * width, b * width], [at, at], **style)
            else:
                axes.plot([at, at], [a * height, b * height], **style)


def _draw_scale_bar(axes: Any, view: View, width_inch: float, height_inch: float) -> None:
    """A bar of a round number of mm at the lower right."""
    from matplotlib.patches import FancyBboxPatch

    width = view.size_mm[1]
    longest = min(width / 4.5, 1.3 * width / width_inch)
    length = max((m for m in (1, 2, 5, 10, 20, 50, 100) if m <= longest), default=1)
    bar = length / width * width_inch
    ground = axes.inset_axes((0, 0, 1, 1))  # its data are inches of the panel
    ground.set_axis_off()
    ground.set_xlim(0, width_inch)
    ground.set_ylim(0, height_inch)
    right, y = width_inch - 0.16, 0.12
    ground.add_patch(
        FancyBboxPatch(
            (right - bar - 0.02, y - 0.02),
            bar + 0.04,
            0.20,
            boxstyle="round,pad=0.04,rounding_size=0.04",
            facecolor="black",
            edgecolor="none",
            alpha=0.5,
        )
    )
    ground.plot([right - bar, right], [y, y], color=TEXT, lw=2, solid_capstyle="butt")
    ground.text(
        right - bar / 2,
        y + 0.04,
        f"{length} mm",
        color=TEXT,
        fontsize=7.5,
        ha="center",
        va="bottom",
    )


def draw_header(axes: Any, title: str, subtitle: str | None, width: float) -> None:
    """Title at the left, subtitle at the right; width in inches."""
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(0, 1)
    # Names of files and models are no formulas, whatever characters they hold.
    options: dict[str, Any] = {"va": "center", "parse_math": False}
    axes.text(0, 0.45, _shown(title), color=TEXT, fontsize=13, fontweight="bold", **options)
    if subtitle:
        place = {"ha": "right", **options}
        axes.text(width, 0.45, _shown(subtitle), color=MUTED, fontsize=9.5, **place)


def _shown(text: str) -> str:
    """Return a text in one line of characters that can be drawn."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def legend_grid(segmentations: Sequence[Segmentation], width: float) -> tuple[int, int]:
    """Return (rows, columns) so that the longest line fits into a column; width in inches."""
    if not segmentations:
        return 0, 0
    letters = max(max(len(s.prompt.name) * 1.2, 26.0) for s in segmentations)
    columns = int(np.clip(width // (0.075 * letters + 0.45), 1, min(len(segmentations), 5)))
    return -(-len(segmentations) // columns), columns


def draw_legend(
    axes: Any,
    segmentations: Sequence[Segmentation],
    colours: Sequence[Colour],
    grid: tuple[int, int],
    size: Callable[[Segmentation], str],
) -> None:
    """Cards with a chip of colour, the name, the outcome and the size; hollow when not found."""
    from matplotlib.patches import Ellipse

    rows, columns = grid
    axes.set_axis_off()
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    box = axes.get_window_extent()
    unit_x, unit_y = (
        box.width / DOTS_PER_INCH / columns,
        box.height / DOTS_PER_INCH / rows,
    )  # inches per unit
    for n, (segmentation, colour) in enumerate(zip(segmentations, colours, strict=True)):
        row, column = divmod(n, columns)
        found = segmentation.outcome is Outcome.FOUND
        chip = Ellipse(
            (column + 0.16 / unit_x, row + 0.5),
            0.19 / unit_x,
            0.19 / unit_y,
            facecolor=colour if found else "none",
            edgecolor=colour if found else MUTED,
            linewidth=1.4,
            linestyle="-" if found else (0, (2.2, 1.6)),
        )
        axes.add_patch(chip)
        x = column + 0.38 / unit_x
        axes.text(
            x,
            row + 0.5 - 0.01 / unit_y,
            _shown(segmentation.prompt.name),
            color=TEXT if found else MUTED,
            fontsize=10.5,
            parse_math=False,
            fontweight="bold",
            va="bottom",
        )
        word = _OUTCOME_WORDS[segmentation.outcome] + (", unusual" * bool(segmentation.unusual))
        parts = [word]
        if found:
            parts = [size(segmentation), word]
        elif segmentation.outcome is not Outcome.UNKNOWN_PROMPT:
            parts.append(f"highest probability {segmentation.max_probability:.2f}")
        axes.text(
            x,
            row + 0.5 + 0.05 / unit_y,
            "  ·  ".join(parts),
            color=MUTED,
            fontsize=8.5,
            va="top",
        )

"""Plots of a report as PNG: violins per structure, and false alarms per data set."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .report import Report

# Okabe-Ito without its yellow: told apart by people with any colour vision.
MODEL_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#6b6b6b")
INK, MUTED, GRID = "#1c2733", "#5d6b7a", "#e3e8ee"
VIOLIN_FROM = 5  # values; below that a density would be invented


def run_colours(report: Report) -> dict[tuple[str, str], str]:
    """Return one colour a (model, mode), the same in every plot and table."""
    return {run: MODEL_COLOURS[i % len(MODEL_COLOURS)] for i, run in enumerate(report.runs)}


def violins(report: Report, dataset: str, measure: str = "dice") -> str | None:
    """Draw the spread of one measure over the cases, a row a structure, models side by side.

    Args:
        measure: "dice", "iou", "precision", "recall" or "nsd": something in [0, 1].

    Returns:
        The plot as a `data:` address (PNG), or None when no pair of the data set was scored.
    """
    values: dict[str, dict[tuple[str, str], list[float]]] = {}
    for row in report.rows:
        if row.dataset == dataset and row.scored:
            runs = values.setdefault(row.structure, {})
            runs.setdefault((row.model, row.mode), []).append(float(getattr(row, measure)))
    if not values:
        return None
    colours = run_colours(report)
    shown = [r for r in report.runs if any(r in v for v in values.values())]
    lane = 0.8 / len(shown)
    height = 0.62 + len(values) * (0.26 + 0.2 * len(shown))
    figure, axes = figure_with_grid(7.6, height)
    for y, (_, by_run) in enumerate(values.items()):
        for i, run in enumerate(shown):
            if run in by_run:
                draw_lane(axes, by_run[run], y - 0.4 + lane * (i + 0.5), lane * 0.46, colours[run])
    axes.set_yticks(range(len(values)), list(values), fontsize=9, color=INK)
    axes.set_ylim(len(values) - 0.45, -0.55)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set_xlabel(_title(measure), fontsize=9, color=MUTED)
    return png_address(figure)


def false_alarms(report: Report) -> str | None:
    """Draw the share of absent structures that were answered "found", a row a data set.

    Returns:
        The plot as a `data:` address (PNG), or None without absent pairs.
    """
    summaries = [s for s in report.dataset_summaries if s.fp_rate is not None]
    if not summaries:
        return None
    names = [d.name for d in report.datasets if any(s.dataset == d.name for s in summaries)]
    colours = run_colours(report)
    runs = [r for r in report.runs if any((s.model, s.mode) == r for s in summaries)]
    lane = 0.8 / len(runs)
    figure, axes = figure_with_grid(7.6, 0.7 + len(names) * (0.16 + 0.15 * len(runs)))
    top = 0.06
    for s in summaries:
        rate = s.fp_rate
        if rate is None:
            continue
        run = (s.model, s.mode)
        y = names.index(s.dataset) - 0.4 + lane * (runs.index(run) + 0.5)
        axes.barh(y, rate.value, height=lane * 0.8, color=colours[run], alpha=0.85)
        if rate.low is not None and rate.high is not None:
            axes.plot([rate.low, rate.high], [y, y], color=INK, linewidth=1.1)
            top = max(top, rate.high)
        top = max(top, rate.value)
    axes.axvline(0.05, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    axes.text(0.05, -0.62, " 5 %", fontsize=8, color=MUTED, va="bottom")
    axes.set_yticks(range(len(names)), names, fontsize=9, color=INK)
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.set_xlim(0, min(1.0, top * 1.08))
    axes.xaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f} %")
    axes.set_xlabel(
        'absent structures answered "found", with 95 % interval', fontsize=9, color=MUTED
    )
    return png_address(figure)


def draw_lane(axes: Axes, values: Sequence[float], y: float, half: float, colour: str) -> None:
    """Draw one series of values at a height: density, every value, mean."""
    points = np.asarray(values)
    if len(points) >= VIOLIN_FROM and np.ptp(points) > 1e-3:
        xs, density = _density(points)
        axes.fill_between(
            xs, y - half * density, y + half * density, color=colour, alpha=0.22, linewidth=0
        )
    # Spread by a fixed sequence, so that the same report gives the same picture.
    jitter = ((np.arange(len(points)) * 0.618034) % 1 - 0.5) * half * 1.1
    axes.scatter(points, y + jitter, s=7, color=colour, alpha=0.55, linewidths=0, zorder=3)
    mean = float(points.mean())
    axes.plot([mean, mean], [y - half, y + half], color=INK, linewidth=1.8, zorder=4)


def _density(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimate a density by Silverman's width between the extreme values.

    Values in [0, 1] are shares: they are reflected at both ends and told apart down to 0.008.
    """
    share = points.min() >= 0 and points.max() <= 1
    spread = min(float(points.std()), float(np.subtract(*np.percentile(points, [75, 25]))) / 1.34)
    least = 0.008 if share else 0.01 * float(np.ptp(points))
    width = max(0.9 * (spread or float(points.std())) * len(points) ** -0.2, least)
    xs = np.linspace(points.min(), points.max(), 160)
    mirrored = np.concatenate([points, -points, 2 - points]) if share else points
    density = np.exp(-0.5 * ((xs[:, None] - mirrored) / width) ** 2).sum(axis=1)
    return xs, density / density.max()


def figure_with_grid(width: float, height: float) -> tuple[Any, Any]:
    """Return figure and axes in the style of all plots; sizes in inches."""
    # Figure without pyplot: no window system, no global state, safe beside a GUI.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    style_axes(axes)
    return figure, axes


def style_axes(axes: Axes) -> None:
    """Give axes the style of all plots: light lines, no frame."""
    axes.grid(axis="x", color=GRID, linewidth=0.9)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9, labelcolor=MUTED)
    for side in axes.spines.values():
        side.set_visible(False)


def _title(measure: str) -> str:
    names: Mapping[str, str] = {
        "dice": "Dice per case",
        "iou": "IoU per case",
        "nsd": "NSD per case",
    }
    return names.get(measure, f"{measure} per case")


def png_address(figure: Any) -> str:
    """Return a figure as a `data:` address (PNG)."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(figure)).decode("ascii")


def png_bytes(figure: Any) -> bytes:
    """Return a figure as a small PNG file."""
    data = io.BytesIO()
    figure.savefig(data, format="png", facecolor="white")
    return _fewer_colours(data.getvalue())


def _fewer_colours(png: bytes) -> bytes:
    """Store a plot with 128 colours: a quarter of the size, no visible difference."""
    from PIL import Image

    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True
    )
    return out.getvalue()
